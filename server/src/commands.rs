//! What the binary does beside serving: one module a command.

pub mod price;
pub mod seed_demo;
pub mod store;
