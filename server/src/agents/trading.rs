//! The sequencer of a venue: its single writer.
//!
//! - Listens: `command_stream`, `marketdata_stream`.
//! - Publishes: `execution_stream`, `reply_stream`, newest books and status.
//! - Owns: the journal, its projections, the state snapshots.
//! - Never: prices anything, reads its projections back, or replies before the
//!   commit.
//!
//! Decides in memory with [`engine::venue`], writes a batch in one transaction,
//! then replies and publishes; the next batch is decided meanwhile. There is no
//! undo: after a commit that failed, or whose outcome is unknown, it drops its
//! memory and loads the journal again. Does not know where prices come from, who
//! the users are or what screens show.

mod commit;
mod compaction;
mod fold;
mod leader;
mod load;
mod opening;
mod pipeline;
mod publish;
mod sequencer;
pub mod verify;

use engine::id::VenueId;

pub use commit::{Fault, Faults, no_faults};
pub use fold::FoldError;
pub use leader::run;
pub use opening::{SeedChoice, prepare};

use crate::bus::BusError;
use crate::config::Acknowledge;
use crate::store::StoreError;

/// The agent's name in health, logs and cursors.
const NAME: &str = "trading";

/// Settings of the agent.
#[derive(Clone)]
pub struct Settings {
    /// Journal entries between two state snapshots.
    pub snapshot_entries: u64,
    /// When replies are sent; anything but after the commit loses orders.
    pub acknowledge: Acknowledge,
    /// Makes commits fail in tests; [`no_faults`] elsewhere.
    pub faults: Faults,
}

/// Errors of the agent.
#[derive(Debug, thiserror::Error)]
pub enum TradingError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The venue has not been created.
    #[error("there is no venue {0} in this store")]
    NoVenue(VenueId),
    /// The venue's configuration is refused.
    #[error("the venue's configuration: {0}")]
    Config(#[from] engine::venue::ConfigError),
    /// The system gives no random numbers.
    #[error("no seed could be drawn: {0}")]
    Random(String),
    /// Journal, snapshot, projections and rules disagree.
    #[error(transparent)]
    Fold(#[from] FoldError),
}
