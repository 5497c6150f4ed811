//! Tickhall's engine: prices, matches, accounts and simulates a venue.
//!
//! Pure and deterministic: the same journal gives the same bytes natively and
//! in WebAssembly. Never knows async, clocks on the wall, SQL, buses or screens.

pub mod account;
pub mod book;
pub mod candle;
pub mod decimal;
pub mod id;
pub mod instrument;
pub mod matching;
pub mod math;
pub mod money;
#[cfg(feature = "openapi")]
mod openapi;
pub mod order;
pub mod portfolio;
pub mod position;
pub mod pricing;
pub mod quote;
pub mod risk;
pub mod sim;
pub mod step;
pub mod time;
pub mod venue;
