//! HTTP around the handlers: accept loop, middleware, extractors, error body,
//! rate limits.
//!
//! Does not know users or markets; of orders it knows one error code.

mod accept;
mod error;
mod extract;
pub mod middleware;
pub mod operations;
mod rate_limit;

pub use accept::serve;
pub use error::ErrorResponse;
pub use extract::{Json, PeerAddress, StrictForm, StrictQuery, parse_json};
pub use rate_limit::RateLimiter;
