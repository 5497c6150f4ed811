//! The sequencer of a venue: its single writer.
//!
//! - Listens: `command_stream`, `marketdata_stream`.
//! - Publishes: `execution_stream`, `reply_stream`, newest books and status.
//! - Owns: the journal, its projections, the state snapshots.
//! - Never: prices anything, reads its projections back, or answers before the
//!   commit.
//!
//! Decides in memory with [`engine::venue`], writes a batch in one transaction,
//! then answers and publishes. While a batch is being written the next one is
//! decided, and begins when the first is there. There is no undo: after a commit
//! that failed, or whose outcome is unknown, it forgets everything and loads it
//! again. Does not know where prices come from, who the users are or what
//! screens show.

mod agent;
mod batch;
pub mod client;
mod commit;
mod compaction;
mod flight;
mod fold;
mod load;
mod opening;
mod publish;
mod sequencer;
pub mod verify;
mod work;

use engine::id::VenueId;

pub use agent::run;
pub use commit::{Fault, Faults, no_faults};
pub use fold::FoldError;
pub use opening::{SeedChoice, prepare};

use crate::bus::{Bus, BusError, StreamNames};
use crate::clock::WallClock;
use crate::config::Acknowledge;
use crate::store::{Store, StoreError};
use crate::telemetry::Health;

/// The agent's name in health, logs and cursors.
const NAME: &str = "trading";

/// How the agent works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Journal entries between two state snapshots.
    pub snapshot_entries: u64,
    /// When answers leave; anything but after the commit loses orders.
    pub acknowledge: Acknowledge,
}

/// Everything that the agent uses.
#[derive(Clone)]
pub struct Deps {
    /// Whose market; [`prepare`] has created it.
    pub venue: VenueId,
    /// Where it listens and publishes.
    pub bus: Bus,
    /// Names on the bus.
    pub streams: StreamNames,
    /// Where its journal is.
    pub store: Store,
    /// Judges whether a command came too late to be looked at; decides nothing
    /// that is journalled.
    pub clock: WallClock,
    /// Where it reports.
    pub health: Health,
    /// How it works.
    pub settings: Settings,
    /// A test's seam; [`no_faults`] elsewhere.
    pub faults: Faults,
}

/// Why the agent stopped, or could not start.
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

/// Lets a store or bus that failed come back before it is asked again.
#[expect(clippy::disallowed_methods, reason = "nothing announces that an outage is over")]
async fn pause(wait: std::time::Duration) {
    tokio::time::sleep(wait).await;
}
