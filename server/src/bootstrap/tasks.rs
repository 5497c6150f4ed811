//! The agents without callers, each as a supervised task.
//!
//! Does not know which of them share a process.

use tokio::task::JoinHandle;

use super::Shared;
use crate::agents::{market_data, portfolio, trading};
use crate::shutdown::supervise;
use crate::store::StoreError;
use crate::store::journal::VenueRow;

/// The sequencer.
pub(super) fn trading(shared: &Shared, row: &VenueRow) -> JoinHandle<()> {
    let (context, config) = (shared.context(row.id), &shared.config);
    let settings = trading::Settings {
        snapshot_entries: config.snapshot.journal_entries,
        acknowledge: config.trading.acknowledge,
        faults: trading::no_faults(),
    };
    supervised(shared, "trading", move || trading::run(context.clone(), settings.clone()))
}

/// The simulation and the venue's clock.
pub(super) fn market_data(shared: &Shared, row: &VenueRow) -> Result<JoinHandle<()>, StoreError> {
    let (context, config) = (shared.context(row.id), &shared.config);
    let settings = market_data::Settings {
        config: row.config.clone(),
        seed: engine::sim::Seed::from_bytes(row.seed()?),
        clock: config.clock,
        speed_milli: config.speed_milli,
        idle: config.idle,
        snapshot_steps: config.snapshot.sim_steps,
        history: config.history,
        outbox: config.streams.limits(),
    };
    Ok(supervised(shared, "market_data", move || market_data::run(context.clone(), settings.clone())))
}

/// The valuations.
pub(super) fn portfolio(shared: &Shared, row: &VenueRow) -> JoinHandle<()> {
    let context = shared.context(row.id);
    let settings = portfolio::Settings {
        config: row.config.clone(),
        snapshot_seconds: shared.config.snapshot.portfolio_seconds,
    };
    supervised(shared, "portfolio", move || portfolio::run(context.clone(), settings.clone()))
}

/// One agent's task, which is started again when it fails.
pub(super) fn supervised<F, E>(
    shared: &Shared,
    name: &'static str,
    start: impl FnMut() -> F + Send + 'static,
) -> JoinHandle<()>
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    supervise(name, shared.health.clone(), shared.clock.clone(), shared.shutdown.clone(), start)
}
