//! The five agents. Each also runs alone in a process; none names another.

pub mod auth;
pub mod context;
pub mod gateway;
pub mod market_data;
pub mod portfolio;
pub mod trading;
