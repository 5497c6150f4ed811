//! What the store can do: row types and methods, a file a subject.
//!
//! Each method forwards to the backend. Does not know SQL.

pub mod copying;
pub mod error;
pub mod history;
pub mod journal;
pub mod lease;
pub mod projections;
pub mod reads;
pub mod resets;
pub mod users;
