//! The `tradefloor` binary as a library, so that tests can reach its parts.

pub mod assets;
pub mod auth;
pub mod bus;
pub mod cli;
pub mod clock;
pub mod config;
pub mod door;
pub mod market_data;
pub mod portfolio;
pub mod shutdown;
pub mod store;
pub mod telemetry;
pub mod trading;
pub mod venue;
