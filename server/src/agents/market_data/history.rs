//! History of ticks and books: a bounded queue and a task that writes it to the
//! store in batches.
//!
//! Never delays the simulation: a full queue drops its oldest rows and counts them.
//! Does not know when a step runs.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::id::{InstrumentId, QuoteId, VenueId};
use engine::step::{DealerQuote, StepPayload, TargetLevel, Tick};
use engine::time::{MICROS_PER_SECOND, VenueTime};
use tokio::sync::Notify;

use crate::agents::context::AgentContext;
use crate::clock;
use crate::config::HistoryLimits;
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::store::history::{BookRecord, MarketBatch, QuoteRecord, SimSnapshot, TickRecord};

/// Rows of one transaction.
const BATCH_MAX_ROWS: usize = 5_000;

/// Delay between a queued row and the transaction, which also takes later rows.
const BATCH_DELAY: Duration = Duration::from_millis(100);

/// Delay after a failed write.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Written rows of an instrument between two removals of its oldest.
const RETENTION_INTERVAL_ROWS: u64 = 5_000;

enum Row {
    Tick(TickRecord),
    Book(BookRecord),
    Quote(QuoteRecord),
}

#[derive(Default)]
struct Waiting {
    rows: VecDeque<Row>,
    snapshot: Option<SimSnapshot>,
    dropped: u64,
}

/// Queue of rows; clones share it.
#[derive(Clone)]
pub(super) struct HistoryQueue {
    venue: VenueId,
    limits: HistoryLimits,
    waiting: Arc<Mutex<Waiting>>,
    arrived: Arc<Notify>,
}

impl HistoryQueue {
    /// An empty queue.
    pub(super) fn new(venue: VenueId, limits: HistoryLimits) -> Self {
        // Registered from the start: zero is information too.
        metrics::counter!("tickhall_history_dropped_rows_total").increment(0);
        Self { venue, limits, waiting: Arc::default(), arrived: Arc::default() }
    }

    /// Queues a step's ticks, and its books when it starts a venue second.
    pub(super) fn record(&self, step: u64, time: VenueTime, step_us: i64, payload: &StepPayload) {
        let new_second =
            time.0.div_euclid(MICROS_PER_SECOND) != (time.0 - step_us).div_euclid(MICROS_PER_SECOND);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for tick in &payload.ticks {
            waiting.rows.push_back(Row::Tick(tick_record(step, time, tick)));
            if new_second {
                waiting.rows.push_back(Row::Book(book_record(step, time, tick)));
            }
        }
        for quote in &payload.quotes {
            waiting.rows.push_back(Row::Quote(quote_record(self.venue, step, time, quote)));
        }
        let surplus = waiting.rows.len().saturating_sub(self.limits.queue_rows);
        if surplus > 0 {
            waiting.rows.drain(..surplus);
            waiting.dropped += surplus as u64;
            metrics::counter!("tickhall_history_dropped_rows_total").increment(surplus as u64);
        }
        metrics::gauge!("tickhall_history_waiting_rows").set(waiting.rows.len() as f64);
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Queues a snapshot of the simulation in place of an older one.
    pub(super) fn snapshot(&self, snapshot: SimSnapshot) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).snapshot = Some(snapshot);
        self.arrived.notify_one();
    }

    /// Rows dropped so far.
    #[cfg(test)]
    pub(super) fn dropped(&self) -> u64 {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).dropped
    }

    /// Writes queued rows until `shutdown`, and the remaining ones then.
    pub(super) async fn write(self, context: AgentContext, shutdown: Shutdown) {
        let store = &context.store;
        let mut since_retention: BTreeMap<InstrumentId, u64> = BTreeMap::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.arrived.notified() => {
                    tokio::select! {
                        () = shutdown.cancelled() => {}
                        () = clock::sleep(BATCH_DELAY) => {}
                    }
                }
            }
            while let Some(batch) = self.take() {
                let written = store.write_market(self.venue, &batch).await;
                match written {
                    Ok(()) => self.retain(store, &batch, &mut since_retention).await,
                    Err(error) => {
                        let rows = batch.ticks.len() + batch.books.len() + batch.quotes.len();
                        tracing::error!(event = "history_write_failed", rows, %error, "Market rows were not written.");
                        metrics::counter!("tickhall_history_failed_writes_total").increment(1);
                        self.put_back(batch);
                        if shutdown.is_cancelled() {
                            return;
                        }
                        clock::sleep(RETRY_DELAY).await;
                    }
                }
            }
            if shutdown.is_cancelled() {
                return;
            }
        }
    }

    fn take(&self) -> Option<MarketBatch> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.rows.is_empty() && waiting.snapshot.is_none() {
            return None;
        }
        let mut batch = MarketBatch {
            snapshots: waiting.snapshot.take().into_iter().collect(),
            ..MarketBatch::default()
        };
        let count = waiting.rows.len().min(BATCH_MAX_ROWS);
        for row in waiting.rows.drain(..count) {
            match row {
                Row::Tick(row) => batch.ticks.push(row),
                Row::Book(row) => batch.books.push(row),
                Row::Quote(row) => batch.quotes.push(row),
            }
        }
        Some(batch)
    }

    /// Queues rows that could not be written again, before newer ones.
    fn put_back(&self, batch: MarketBatch) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let capacity = self.limits.queue_rows.saturating_sub(waiting.rows.len());
        let rows = batch.ticks.into_iter().map(Row::Tick).chain(batch.books.into_iter().map(Row::Book));
        let rows: Vec<Row> = rows.chain(batch.quotes.into_iter().map(Row::Quote)).collect();
        let surplus = rows.len().saturating_sub(capacity);
        waiting.dropped += surplus as u64;
        metrics::counter!("tickhall_history_dropped_rows_total").increment(surplus as u64);
        for row in rows.into_iter().skip(surplus).rev() {
            waiting.rows.push_front(row);
        }
        if waiting.snapshot.is_none() {
            waiting.snapshot = batch.snapshots.into_iter().next();
        }
    }

    async fn retain(&self, store: &Store, batch: &MarketBatch, written: &mut BTreeMap<InstrumentId, u64>) {
        for tick in &batch.ticks {
            *written.entry(tick.instrument).or_default() += 1;
        }
        for (instrument, count) in written.iter_mut().filter(|(_, count)| **count >= RETENTION_INTERVAL_ROWS)
        {
            *count = 0;
            let kept = store.retain_market(self.venue, *instrument, self.limits.rows_per_instrument).await;
            if let Err(error) = kept {
                tracing::error!(event = "history_retention_failed", %error, "Old market rows were not removed.");
            }
        }
    }
}

fn tick_record(step: u64, time: VenueTime, tick: &Tick) -> TickRecord {
    let (bid, ask) = (tick.bids.first().map(|depth| depth.price), tick.asks.first().map(|depth| depth.price));
    let spread = bid.zip(ask).map(|(bid, ask)| ask.0 - bid.0);
    let metadata = serde_json::json!({ "spread_ticks": spread, "yield_e9": tick.yield_e9 });
    TickRecord {
        instrument: tick.instrument,
        step,
        time,
        bid,
        ask,
        mark: tick.mark,
        dealer: None,
        metadata: metadata.to_string(),
    }
}

fn quote_record(venue: VenueId, step: u64, time: VenueTime, quote: &DealerQuote) -> QuoteRecord {
    QuoteRecord {
        quote: QuoteId::derive(venue, quote.instrument, quote.dealer, step),
        instrument: quote.instrument,
        dealer: quote.dealer.to_string(),
        step,
        time,
        bid: quote.bid,
        ask: quote.ask,
        bid_lots: quote.bid_lots,
        ask_lots: quote.ask_lots,
        expires_at: quote.expires_at,
    }
}

fn book_record(step: u64, time: VenueTime, tick: &Tick) -> BookRecord {
    let side = |depths: &[TargetLevel]| -> Vec<[i64; 2]> {
        depths.iter().map(|depth| [depth.price.0, depth.lots.0]).collect()
    };
    let levels = serde_json::json!({ "bids": side(&tick.bids), "asks": side(&tick.asks) });
    BookRecord { instrument: tick.instrument, step, time, levels: levels.to_string() }
}

#[cfg(test)]
mod tests {
    use engine::money::{Lots, Ticks};
    use uuid::Uuid;

    use super::*;
    use crate::config::Config;

    const VENUE: VenueId = VenueId(Uuid::from_u128(1));
    const STEP_US: i64 = 100_000;

    fn payload(mark: i64) -> StepPayload {
        StepPayload {
            ticks: vec![Tick {
                instrument: InstrumentId(Uuid::from_u128(2)),
                mark: Ticks(mark),
                yield_e9: None,
                bids: vec![TargetLevel { price: Ticks(mark - 1), lots: Lots(5) }],
                asks: vec![TargetLevel { price: Ticks(mark + 1), lots: Lots(6) }],
                prints: Vec::new(),
            }],
            quotes: Vec::new(),
        }
    }

    fn queue(queue_rows: usize) -> HistoryQueue {
        HistoryQueue::new(VENUE, HistoryLimits { queue_rows, ..Config::defaults().unwrap().history })
    }

    #[test]
    fn books_are_queued_once_a_venue_second() {
        let history = queue(1_000);
        for step in 1..=20 {
            history.record(step, VenueTime(step as i64 * STEP_US), STEP_US, &payload(10_000));
        }
        let batch = history.take().unwrap();
        assert_eq!((batch.ticks.len(), batch.books.len()), (20, 2));
        assert_eq!(batch.books.iter().map(|book| book.step).collect::<Vec<_>>(), [10, 20]);
        assert_eq!(batch.books[0].levels, r#"{"asks":[[10001,6]],"bids":[[9999,5]]}"#);
        assert_eq!(batch.ticks[0].metadata, r#"{"spread_ticks":2,"yield_e9":null}"#);
    }

    #[test]
    fn a_full_queue_drops_its_oldest_rows_and_counts_them() {
        let history = queue(3);
        for step in 1..=5 {
            history.record(step, VenueTime(step as i64 * STEP_US), STEP_US, &payload(10_000));
        }
        assert_eq!(history.dropped(), 2);
        let batch = history.take().unwrap();
        assert_eq!(batch.ticks.iter().map(|tick| tick.step).collect::<Vec<_>>(), [3, 4, 5]);
        history.record(6, VenueTime(6 * STEP_US), STEP_US, &payload(10_000));
        // Rows that could not be written come before newer ones.
        history.put_back(batch);
        assert_eq!(history.dropped(), 3);
        let steps: Vec<_> = history.take().unwrap().ticks.iter().map(|tick| tick.step).collect();
        assert_eq!(steps, [4, 5, 6]);
    }
}
