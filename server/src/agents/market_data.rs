//! The market data agent: simulates the market's steps, publishes and stores them.
//!
//! - *listens*: `execution_stream` (users' trades, the sequencer's progress),
//!   `control_stream` (clock commands, viewers)
//! - *publishes*: `marketdata_stream` (steps), `clock_stream` (the clock's state)
//! - *owns*: the simulation and its snapshots, `market_ticks`, `order_books`,
//!   candles
//! - *never*: waits for another agent at real time, knows an account, or reveals
//!   the seed

mod agent;
mod candles;
mod heartbeat;
mod history;
mod outbox;
mod presence;
mod restart;

use engine::sim::Seed;
use engine::venue::{ConfigError, VenueConfig};

pub use agent::run;
pub use outbox::StepOutbox;

use crate::bus::{BusError, StreamLimits};
use crate::config::{ClockMode, HistoryLimits, IdlePolicy};
use crate::journal::JournalError;
use crate::store::StoreError;

/// Settings of the agent.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The venue's configuration, as journalled.
    pub config: VenueConfig,
    /// The venue's secret seed.
    pub seed: Seed,
    /// Source of time for the steps.
    pub clock: ClockMode,
    /// Venue seconds a wall second, in thousandths.
    pub speed_milli: u64,
    /// Behaviour while nobody watches.
    pub idle: IdlePolicy,
    /// Steps between two snapshots of the simulation.
    pub snapshot_steps: u64,
    /// Bounds of the stored history.
    pub history: HistoryLimits,
    /// Bounds of the steps that wait for the sequencer.
    pub outbox: StreamLimits,
}

/// Errors of the agent.
#[derive(Debug, thiserror::Error)]
pub enum MarketDataError {
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Users' trades are unknown: continuing would ignore them.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The venue's configuration cannot be simulated.
    #[error("the venue's configuration: {0}")]
    Config(#[from] ConfigError),
    /// A repeated step differs from the first time.
    #[error("step {step} does not come out as it was journalled or published")]
    Diverged {
        /// The step.
        step: u64,
    },
    /// Another process publishes this venue's steps.
    #[error("step {step} has been published by somebody else")]
    Published {
        /// The step.
        step: u64,
    },
}
