//! The `tradefloor` binary as a library, so that tests can reach its parts.

pub mod assets;
