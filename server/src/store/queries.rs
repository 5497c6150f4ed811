//! The queries, compiled once for each backend: `super` is the backend, which
//! gives `Db`, `dialect` and the pools.
//!
//! Everything here is plain SQL that both dialects read the same. Does not know
//! which dialect it is compiled for.

use super::{Backend, Db, dialect};

#[path = "audit.rs"]
mod audit;
#[path = "copying.rs"]
mod copying;
#[path = "history.rs"]
mod history;
#[path = "journal.rs"]
mod journal;
#[path = "projections.rs"]
mod projections;
#[path = "reads.rs"]
mod reads;
#[path = "resets.rs"]
mod resets;
#[path = "upkeep.rs"]
mod upkeep;
#[path = "users.rs"]
mod users;
