//! The agents that nobody calls: each with what it uses, as a task that is
//! kept running.
//!
//! Does not know which of them share a process.

use tokio::task::JoinHandle;

use super::Shared;
use crate::agents::{market_data, portfolio, trading};
use crate::shutdown::{Shutdown, supervise};
use crate::store::StoreError;
use crate::store::journal::VenueRow;

/// The sequencer.
pub(super) fn trading(shared: &Shared, row: &VenueRow) -> JoinHandle<()> {
    let Shared { config, bus, streams, store, clock, health, .. } = shared.clone();
    let deps = trading::Deps {
        venue: row.id,
        bus,
        streams,
        store,
        clock,
        health,
        settings: trading::Settings {
            snapshot_entries: config.snapshot.journal_entries,
            acknowledge: config.trading.acknowledge,
        },
        faults: trading::no_faults(),
    };
    supervised(shared, "trading", deps, trading::run)
}

/// The heartbeat.
pub(super) fn market_data(shared: &Shared, row: &VenueRow) -> Result<JoinHandle<()>, StoreError> {
    let Shared { config, bus, streams, store, health, .. } = shared.clone();
    let deps = market_data::Deps {
        venue: row.id,
        config: row.config.clone(),
        seed: engine::sim::Seed::from_bytes(row.seed()?),
        bus,
        streams,
        store,
        health,
        settings: market_data::Settings {
            clock: config.clock,
            speed_milli: config.speed_milli,
            idle: config.idle,
            snapshot_steps: config.snapshot.sim_steps,
            history: config.history,
            outbox: config.streams.limits(),
        },
    };
    Ok(supervised(shared, "market_data", deps, market_data::run))
}

/// The valuations.
pub(super) fn portfolio(shared: &Shared, row: &VenueRow) -> JoinHandle<()> {
    let Shared { config, bus, streams, store, health, .. } = shared.clone();
    let deps = portfolio::Deps {
        venue: row.id,
        config: row.config.clone(),
        bus,
        streams,
        store,
        health,
        snapshot_seconds: config.snapshot.portfolio_seconds,
    };
    supervised(shared, "portfolio", deps, portfolio::run)
}

/// One agent's task: `run` with its own copy of what it uses, again when it
/// fails.
pub(super) fn supervised<D, F, E>(
    shared: &Shared,
    name: &'static str,
    deps: D,
    run: fn(D, Shutdown) -> F,
) -> JoinHandle<()>
where
    D: Clone + Send + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    let shutdown = shared.shutdown.clone();
    supervise(name, shared.health.clone(), shutdown.clone(), move || run(deps.clone(), shutdown.clone()))
}
