//! Keeps candles: folds the journal, as the execution stream brings it, and
//! writes what has changed together with how far it has come.
//!
//! Never in the heartbeat's way, and never counts an entry twice: a restart
//! goes on after the stored cursor with the stored candles. Does not know how a
//! price came about.

use std::collections::BTreeMap;
use std::time::Duration;

use engine::candle::{Candle, Candles, Interval};
use engine::id::{InstrumentId, Seq};
use engine::time::VenueTime;
use engine::venue::Outcome;
use protocol::bus::ExecutionBatch;
use tokio::time::Instant;

use super::agent::{Deps, MarketDataError};
use crate::bus::Batch;
use crate::bus::decode::decode_shared;
use crate::shutdown::Shutdown;
use crate::store::history::{CandleRecord, CandleWindow};
use crate::store::journal::Cursor;

/// The consumer's name.
const NAME: &str = "candles";

/// Journal rows and messages taken at a time.
const PAGE: u32 = 1_000;
const MESSAGES: usize = 64;

/// Changes wait this long for others to join them.
const GATHER: Duration = Duration::from_millis(500);

/// Pause after a failed read or write.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Rows written between two looks at how many short candles there are.
const ROWS_BETWEEN_RETENTION: usize = 50_000;

/// Keeps candles until `shutdown`; what failed is begun again from the store.
pub(super) async fn keep(deps: Deps, shutdown: Shutdown) {
    while !shutdown.is_cancelled() {
        let Err(error) = follow(&deps, &shutdown).await else { return };
        tracing::error!(event = "candles_failed", %error, "candles are folded again from where they were stored");
        metrics::counter!("tickhall_candle_failures_total").increment(1);
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = pause(AFTER_FAILURE) => {}
        }
    }
}

/// What has changed since it was last written.
struct Keeper<'a> {
    deps: &'a Deps,
    candles: Candles,
    changed: BTreeMap<(InstrumentId, Interval, VenueTime), Candle>,
    /// The last entry that was folded.
    through: Seq,
    written: usize,
}

async fn follow(deps: &Deps, shutdown: &Shutdown) -> Result<(), MarketDataError> {
    let mut keeper = Keeper::load(deps).await?;
    let mut cursor = keeper.through.0;
    let mut due: Option<Instant> = None;
    loop {
        let read = deps.bus.read_after(&deps.streams.execution, cursor, MESSAGES);
        tokio::select! {
            () = shutdown.cancelled() => return keeper.write().await,
            () = at(due) => {
                due = None;
                keeper.write().await?;
            }
            batch = read => {
                cursor = keeper.take(batch?, cursor).await?;
                if !keeper.changed.is_empty() {
                    due = due.or_else(|| Some(Instant::now() + GATHER));
                }
            }
        }
    }
}

impl<'a> Keeper<'a> {
    /// The candles that still grow, and where their folding ended.
    async fn load(deps: &'a Deps) -> Result<Self, MarketDataError> {
        let position = deps.store.history_cursor(deps.venue, NAME, &deps.streams.execution).await?;
        let mut candles = Candles::new(deps.config.t0);
        for instrument in deps.config.instruments()?.into_keys() {
            for interval in Interval::ALL {
                let newest = CandleWindow { instrument, interval, from: None, to: None, limit: 1 };
                for candle in deps.store.candles(deps.venue, newest).await? {
                    candles.resume(instrument, interval, candle);
                }
            }
        }
        Ok(Self { deps, candles, changed: BTreeMap::new(), through: Seq(position), written: 0 })
    }

    /// Takes what was committed, each entry once; the stream's new cursor.
    async fn take(&mut self, batch: Batch, mut cursor: u64) -> Result<u64, MarketDataError> {
        let messages = match batch {
            Batch::Messages(messages) => messages,
            Batch::Trimmed { .. } => {
                self.refill().await?;
                return Ok(self.through.0.max(cursor));
            }
        };
        for message in messages {
            let read = decode_shared::<ExecutionBatch>(&self.deps.bus, self.deps.venue, &message);
            let batch = read.map_err(|_| MarketDataError::UnreadableExecution { id: message.id })?;
            if batch.first_seq > self.through.next() {
                self.refill().await?;
            }
            for entry in &batch.entries {
                self.fold(&entry.outcome);
            }
            cursor = message.id;
        }
        Ok(cursor)
    }

    /// Takes the journal's entries after the last one known. A compacted run
    /// tells its last marks alone; this keeper was there before it was one.
    async fn refill(&mut self) -> Result<(), MarketDataError> {
        loop {
            let rows = self.deps.store.journal_after(self.deps.venue, self.through, PAGE).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                self.fold(&row.outcome()?);
            }
        }
    }

    fn fold(&mut self, outcome: &Outcome) {
        if outcome.seq <= self.through {
            return;
        }
        self.through = outcome.seq;
        let changed = &mut self.changed;
        self.candles.apply(outcome, |instrument, interval, candle| {
            changed.insert((instrument, interval, candle.start), candle);
        });
    }

    async fn write(&mut self) -> Result<(), MarketDataError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let (store, venue) = (&self.deps.store, self.deps.venue);
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
            consumer: NAME.to_owned(),
            stream: self.deps.streams.execution.clone(),
            position: self.through.0,
        };
        store.write_candles(venue, &rows, &cursor).await?;
        self.written += rows.len();
        if self.written >= ROWS_BETWEEN_RETENTION {
            self.written = 0;
            for instrument in self.deps.config.instruments()?.into_keys() {
                store
                    .retain_candles(venue, instrument, self.deps.settings.history.rows_per_instrument)
                    .await?;
            }
        }
        self.changed.clear();
        Ok(())
    }
}

/// Waits until a deadline, for ever when there is none.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing announces that an outage is over")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}
