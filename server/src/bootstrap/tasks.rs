//! The agents without callers, each as a supervised task.
//!
//! Does not know which of them share a process.

use tokio::task::JoinHandle;

use super::ProcessResources;
use crate::agents::{market_data, portfolio, trading};
use crate::shutdown::supervise;
use crate::store::StoreError;
use crate::store::journal::VenueRow;

/// The sequencer.
pub(super) fn trading(resources: &ProcessResources, row: &VenueRow) -> JoinHandle<()> {
    let (context, config) = (resources.context(row.id), &resources.config);
    let settings = trading::Settings {
        snapshot_entries: config.snapshot.journal_entries,
        acknowledge: config.trading.acknowledge,
        faults: trading::no_faults(),
    };
    supervised(resources, "trading", move || trading::run(context.clone(), settings.clone()))
}

/// The simulation and the venue's clock.
pub(super) fn market_data(
    resources: &ProcessResources,
    row: &VenueRow,
) -> Result<JoinHandle<()>, StoreError> {
    let (context, config) = (resources.context(row.id), &resources.config);
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
    Ok(supervised(resources, "market_data", move || market_data::run(context.clone(), settings.clone())))
}

/// The valuations.
pub(super) fn portfolio(resources: &ProcessResources, row: &VenueRow) -> JoinHandle<()> {
    let context = resources.context(row.id);
    let settings = portfolio::Settings {
        config: row.config.clone(),
        snapshot_seconds: resources.config.snapshot.portfolio_seconds,
        max_valuations: resources.config.history.valuations_per_account,
    };
    supervised(resources, "portfolio", move || portfolio::run(context.clone(), settings.clone()))
}

/// One agent's task, which is started again when it fails.
pub(super) fn supervised<F, E>(
    resources: &ProcessResources,
    name: &'static str,
    start: impl FnMut() -> F + Send + 'static,
) -> JoinHandle<()>
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    supervise(name, resources.health.clone(), resources.shutdown.clone(), start)
}
