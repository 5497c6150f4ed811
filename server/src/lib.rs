//! The `tickhall` binary as a library, so that tests can reach its parts.
// Leptos nests every view in the type of its parent.
#![recursion_limit = "512"]

pub mod agents;
pub mod assets;
pub mod bootstrap;
pub mod bus;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod http;
pub mod journal;
pub mod peers;
pub mod redact;
pub mod sequencer_client;
pub mod shutdown;
pub mod store;
pub mod telemetry;
pub mod venue;
