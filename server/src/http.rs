//! The way in from outside: strict bodies, origins, one error shape, security
//! headers. Everything that speaks HTTP goes through here.
//!
//! Does not know users, orders or markets.

pub mod asking;
pub mod body;
pub mod headers;
pub mod json;
mod listen;
pub mod operations;
pub mod origin;
mod problem;
mod rate_limit;

pub use listen::listen;
pub use problem::{Problem, problem, refused, status_of};
pub use rate_limit::RateLimiter;
