//! What the binary does beside serving: one module a command.

pub mod health;
pub mod price;
pub mod seed_demo;
pub mod store;
