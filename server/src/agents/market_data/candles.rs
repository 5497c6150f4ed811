//! Candles: aggregates the journal and stores changed candles together with the
//! journal position.
//!
//! Never delays the simulation, and never counts an entry twice: a restart
//! continues after the stored position with the stored candles. Does not know how
//! prices are made, nor those before a new venue's start.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::candle::{Candle, Candles, Interval, merge};
use engine::id::{InstrumentId, Seq};
use engine::sim::past;
use engine::time::VenueTime;
use tokio::time::Instant;

use super::{MarketDataError, Settings};
use crate::agents::context::AgentContext;
use crate::clock;
use crate::journal::{Follower, JournalBatch};
use crate::shutdown::Shutdown;
use crate::store::history::{CANDLES_CONSUMER, CandleRecord, CandleWindow};
use crate::store::journal::Cursor;

/// Delay between a change and the transaction, which also takes later changes.
const BATCH_DELAY: Duration = Duration::from_millis(500);

/// Delay after a failed read or write.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Written rows between two removals of the oldest.
const RETENTION_INTERVAL_ROWS: usize = 50_000;

/// Name of the writer of the candles before a venue's start.
const PAST_CONSUMER: &str = "past";

/// Writes the candles before the venue's start, once: their mark is written in the same
/// transaction.
pub(super) async fn write_past(context: &AgentContext, settings: &Settings) -> Result<(), MarketDataError> {
    let AgentContext { venue, store, streams, .. } = context;
    let days = settings.history.past_days;
    let written = store.history_cursor(*venue, PAST_CONSUMER, &streams.market_data).await?;
    if days == 0 || written > 0 {
        return Ok(());
    }
    let mut rows = Vec::new();
    for (instrument, minutes) in past(&settings.config, &settings.seed, days)? {
        for interval in Interval::ALL.into_iter().filter(|interval| *interval >= Interval::M1) {
            let candles = merge(interval, settings.config.t0, &minutes);
            rows.extend(candles.into_iter().map(|candle| CandleRecord { instrument, interval, candle }));
        }
    }
    let cursor = Cursor {
        consumer: PAST_CONSUMER.to_owned(),
        stream: streams.market_data.clone(),
        position: u64::from(days),
    };
    Ok(store.write_candles(*venue, &rows, &cursor).await?)
}

/// Aggregates candles until `shutdown`; after a failure again from the store.
pub(super) async fn run(context: AgentContext, settings: Settings, shutdown: Shutdown) {
    while !shutdown.is_cancelled() {
        let Err(error) = follow(&context, &settings, &shutdown).await else { return };
        tracing::error!(event = "candles_failed", %error, "Candles are aggregated again from the stored position.");
        metrics::counter!("tickhall_candle_failures_total").increment(1);
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = clock::sleep(RETRY_DELAY) => {}
        }
    }
}

async fn follow(
    context: &AgentContext,
    settings: &Settings,
    shutdown: &Shutdown,
) -> Result<(), MarketDataError> {
    let mut writer = CandleWriter::load(context, settings).await?;
    let mut due: Option<Instant> = None;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return writer.write().await,
            () = at(due) => {
                due = None;
                writer.write().await?;
            }
            batch = writer.journal.next() => {
                writer.add(&batch?);
                if !writer.changed.is_empty() {
                    due = due.or_else(|| Some(Instant::now() + BATCH_DELAY));
                }
            }
        }
    }
}

/// Candles of the journal so far, and those to be written.
struct CandleWriter<'a> {
    context: &'a AgentContext,
    settings: &'a Settings,
    journal: Follower,
    candles: Candles,
    /// Changed since the last write.
    changed: BTreeMap<(InstrumentId, Interval, VenueTime), Candle>,
    written: usize,
}

impl<'a> CandleWriter<'a> {
    /// The candles that are not complete, as of the stored position.
    async fn load(context: &'a AgentContext, settings: &'a Settings) -> Result<Self, MarketDataError> {
        let AgentContext { venue, store, bus, streams, .. } = context;
        let position = store.history_cursor(*venue, CANDLES_CONSUMER, &streams.execution).await?;
        let mut candles = Candles::new(settings.config.t0);
        for instrument in settings.config.instruments()?.into_keys() {
            for interval in Interval::ALL {
                let newest = CandleWindow { instrument, interval, from: None, to: None, limit: 1 };
                for candle in store.candles(*venue, newest).await? {
                    candles.resume(instrument, interval, candle);
                }
            }
        }
        let journal = Follower::new(*venue, store.clone(), bus.clone(), streams, Seq(position));
        Ok(Self { context, settings, journal, candles, changed: BTreeMap::new(), written: 0 })
    }

    /// Adds committed entries. A compacted run has only its last marks; this writer
    /// has usually seen its entries before they were compacted.
    fn add(&mut self, batch: &JournalBatch) {
        let Self { candles, changed, .. } = self;
        for (_, outcome) in batch.outcomes() {
            candles.apply(outcome, |instrument, interval, candle| {
                changed.insert((instrument, interval, candle.start), candle);
            });
        }
    }

    async fn write(&mut self) -> Result<(), MarketDataError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let AgentContext { venue, store, streams, .. } = self.context;
        let rows: Vec<CandleRecord> = self
            .changed
            .iter()
            .map(|((instrument, interval, _), candle)| CandleRecord {
                instrument: *instrument,
                interval: *interval,
                candle: *candle,
            })
            .collect();
        let cursor = Cursor {
            consumer: CANDLES_CONSUMER.to_owned(),
            stream: streams.execution.clone(),
            position: self.journal.through().0,
        };
        store.write_candles(*venue, &rows, &cursor).await?;
        self.written += rows.len();
        if self.written >= RETENTION_INTERVAL_ROWS {
            self.written = 0;
            let now = rows.iter().map(|row| row.candle.start).max().unwrap_or_default();
            let candles = self.settings.history.candles_per_interval;
            for instrument in self.settings.config.instruments()?.into_keys() {
                store.retain_candles(*venue, instrument, now, candles).await?;
            }
        }
        self.changed.clear();
        Ok(())
    }
}

/// Waits until a deadline; pending forever if there is none.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
