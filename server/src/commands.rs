//! Commands of the binary other than serving, one module each.

pub mod health;
pub mod price;
pub mod seed_demo;
pub mod store;
