//! The `tradefloor` binary as a library, so that tests can reach its parts.
// Leptos nests every view in the type of its parent.
#![recursion_limit = "512"]

pub mod assets;
pub mod auth;
pub mod bus;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod door;
pub mod gateway;
pub mod market_data;
pub mod peers;
pub mod portfolio;
pub mod price;
pub mod serve;
pub mod shutdown;
pub mod store;
pub mod store_commands;
pub mod telemetry;
pub mod trading;
pub mod venue;
