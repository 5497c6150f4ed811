//! The way in from outside: strict bodies, origins, one error shape, security
//! headers. Everything that speaks HTTP goes through here.
//!
//! Does not know users, orders or markets.

pub mod asking;
pub mod headers;
pub mod json;
pub mod operations;
pub mod origin;
mod problem;

pub use problem::{Problem, problem, refused, status_of};

/// Largest request body, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
