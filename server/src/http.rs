//! HTTP around the handlers: accept loop, middleware, extractors, error body,
//! limits of rate and number.
//!
//! Does not know users or markets; of orders it knows one error code.

mod accept;
mod client_address;
mod client_stream;
mod concurrency_limit;
mod connection_limit;
mod error;
mod extract;
pub mod middleware;
pub mod operations;
mod rate_limit;

pub use accept::{ConnectionSettings, serve};
pub use client_address::{ClientAddress, TrustedProxies};
pub use client_stream::{ReadLimit, ReadLimitExceeded};
pub use concurrency_limit::{ConcurrencyLimiter, ConcurrencyPermit};
pub use connection_limit::raise_descriptor_limit;
pub use error::ErrorResponse;
pub use extract::{Json, PathText, StrictForm, StrictQuery, parse_json, refuse_query};
pub use rate_limit::RateLimiter;
