//! The market data agent: makes the market's steps, publishes and stores them.
//!
//! - *listens*: `execution_stream` (what users traded, how far the sequencer
//!   is), `control_stream` (the clock's commands, who watches)
//! - *publishes*: `marketdata_stream` (steps), `clock_stream` (what the clock
//!   does)
//! - *owns*: the simulation and its snapshots, `market_ticks`, `order_books`
//! - *never*: waits for another agent at real time, knows an account, or tells
//!   anybody its seed

mod agent;
mod candles;
mod heartbeat;
mod history;
mod outbox;
mod presence;
mod restart;

pub use agent::{Deps, MarketDataError, Settings, run};
pub use outbox::Outbox;
