//! The sequencer of a venue: its single writer.
//!
//! Decides in memory with [`engine::venue`], commits, then answers and
//! publishes. Does not know prices' origin, users or screens.

pub mod client;
