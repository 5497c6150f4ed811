//! HTTP around the handlers: accept loop, middleware, extractors, error body,
//! rate limits.
//!
//! Does not know users, orders or markets.

mod accept;
mod error;
mod extract;
pub mod middleware;
pub mod operations;
mod rate_limit;

pub use accept::serve;
pub use error::ErrorResponse;
pub use extract::{Json, PeerAddress, StrictQuery, parse_json, read_body};
pub use rate_limit::RateLimiter;
