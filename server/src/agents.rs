//! The five agents. Each also runs alone in a process; only the gateway names
//! another, auth, for the sessions of its requests.

pub mod auth;
pub mod context;
pub mod gateway;
pub mod market_data;
pub mod portfolio;
pub mod trading;
