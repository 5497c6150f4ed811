//! Market history: ticks, books, dealer quotes, candles, and the simulator's
//! snapshots.
//!
//! Does not know what the simulation will do next.

use engine::candle::{Candle, Interval};
use engine::id::{Digest, InstrumentId, QuoteId, Seq, VenueId};
use engine::money::{Lots, Ticks};
use engine::time::{MICROS_PER_SECOND, VenueTime};
use uuid::Uuid;

use super::batch_statement::{BatchConnection as _, BatchStatement, InputRows};
use super::copying::Schema;
use super::journal::{Cursor, digest, signed, unsigned};
use super::time_search::NumberedTable;
use super::{Store, StoreError, on_backend};

/// Name of the consumer that writes candles.
pub const CANDLES_CONSUMER: &str = "candles";

/// An instrument's ticks by step.
const TICKS: NumberedTable = NumberedTable {
    schema: Schema::History,
    name: "market_ticks",
    number: "step",
    time: "timestamp",
    key: &["venue_id", "instrument_id"],
};

/// An instrument's books by step.
const BOOKS: NumberedTable = NumberedTable { name: "order_books", ..TICKS };

/// A row of `market_ticks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TickRecord {
    /// Instrument.
    pub instrument: InstrumentId,
    /// Number of the step.
    pub step: u64,
    /// Venue time of the step.
    pub time: VenueTime,
    /// Best synthetic bid.
    pub bid: Option<Ticks>,
    /// Best synthetic ask.
    pub ask: Option<Ticks>,
    /// Mark.
    pub mark: Ticks,
    /// Dealer; `None` for listed instruments.
    pub dealer: Option<String>,
    /// JSON object with spread, yield and others.
    pub metadata: String,
}

/// A row of `order_books`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookRecord {
    /// Instrument.
    pub instrument: InstrumentId,
    /// Number of the step.
    pub step: u64,
    /// Venue time of the step.
    pub time: VenueTime,
    /// `{"bids": [[ticks, lots], …], "asks": …}`, best first.
    pub levels: String,
}

/// A row of `dealer_quotes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteRecord {
    /// Id of the quote.
    pub quote: QuoteId,
    /// Instrument.
    pub instrument: InstrumentId,
    /// Index of the dealer among the instrument's dealers, as text.
    pub dealer: String,
    /// Number of the step.
    pub step: u64,
    /// Venue time of the step.
    pub time: VenueTime,
    /// Price at which the dealer buys.
    pub bid: Ticks,
    /// Price at which the dealer sells.
    pub ask: Ticks,
    /// Size of the bid.
    pub bid_lots: Lots,
    /// Size of the ask.
    pub ask_lots: Lots,
    /// Venue time from which the quote is void.
    pub expires_at: VenueTime,
}

/// A row of `sim_snapshots`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimSnapshot {
    /// Number of the last step.
    pub step: u64,
    /// Last journal entry that the steps have seen.
    pub seen_seq: Seq,
    /// Postcard of [`engine::sim::SimState`].
    pub state: Vec<u8>,
    /// SHA-256 of `state`.
    pub state_hash: Digest,
}

/// Market rows of one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarketBatch {
    /// Ticks; they replace those of an earlier run.
    pub ticks: Vec<TickRecord>,
    /// Books; they replace those of an earlier run.
    pub books: Vec<BookRecord>,
    /// Quotes; they replace those of an earlier run.
    pub quotes: Vec<QuoteRecord>,
    /// Snapshots of journalled steps; only the newest two are retained.
    pub snapshots: Vec<SimSnapshot>,
}

/// A row of `candles`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandleRecord {
    /// Instrument.
    pub instrument: InstrumentId,
    /// Interval of the candle.
    pub interval: Interval,
    /// The candle.
    pub candle: Candle,
}

/// Filter for an instrument's ticks or books, newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketWindow {
    /// Earliest venue time, inclusive.
    pub from: Option<VenueTime>,
    /// Latest venue time, exclusive.
    pub to: Option<VenueTime>,
    /// Only steps before this one, where the previous page ended.
    pub before_step: Option<u64>,
    /// Maximum number of rows.
    pub limit: u32,
}

/// Filter for candles, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandleWindow {
    /// Instrument.
    pub instrument: InstrumentId,
    /// Interval of the candles.
    pub interval: Interval,
    /// Earliest start, inclusive.
    pub from: Option<VenueTime>,
    /// Latest start, exclusive.
    pub to: Option<VenueTime>,
    /// Maximum number of rows.
    pub limit: u32,
}

impl Store {
    /// Writes a batch of market rows in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Database`]; nothing is written then.
    pub async fn write_market(&self, venue: VenueId, batch: &MarketBatch) -> Result<(), StoreError> {
        let steps = batch.ticks.iter().map(|tick| tick.step).chain(batch.books.iter().map(|book| book.step));
        let upserts = [
            tick_statement(venue, &batch.ticks),
            book_statement(venue, &batch.books),
            quote_statement(venue, &batch.quotes),
        ];
        let snapshots = snapshot_statement(venue, &batch.snapshots);
        on_backend!(self, |backend| {
            backend.prepare_partitions(venue, steps).await?;
            let mut transaction = backend.begin_history(&upserts).await?;
            if !batch.snapshots.is_empty() {
                transaction.run_batch(&[snapshots]).await?;
                sqlx::query(
                    "DELETE FROM sim_snapshots WHERE venue_id = $1 AND step < (
                         SELECT min(step) FROM (
                             SELECT step FROM sim_snapshots WHERE venue_id = $1 ORDER BY step DESC LIMIT 2
                         ) AS newest
                     )",
                )
                .bind(venue.0)
                .execute(&mut *transaction)
                .await?;
            }
            transaction.commit().await?;
        });
        Ok(())
    }

    /// Retains the newest `rows` ticks, books and quotes of an instrument.
    pub async fn retain_market(
        &self,
        venue: VenueId,
        instrument: InstrumentId,
        rows: u64,
    ) -> Result<(), StoreError> {
        let rows = signed(rows)?;
        on_backend!(self, |backend| {
            backend.retain_ticks(venue, instrument, rows).await?;
            sqlx::query(
                "DELETE FROM dealer_quotes WHERE venue_id = $1 AND instrument_id = $2 AND step <= (
                     SELECT step FROM dealer_quotes WHERE venue_id = $1 AND instrument_id = $2
                     ORDER BY step DESC LIMIT 1 OFFSET $3
                 )",
            )
            .bind(venue.0)
            .bind(instrument.0)
            .bind(rows)
            .execute(&backend.history)
            .await?;
        });
        Ok(())
    }

    /// The simulator's snapshots, newest first.
    pub async fn sim_snapshots(&self, venue: VenueId) -> Result<Vec<SimSnapshot>, StoreError> {
        let rows: Vec<(i64, i64, Vec<u8>, Vec<u8>)> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT step, seen_seq, state, state_hash FROM sim_snapshots
                 WHERE venue_id = $1 ORDER BY step DESC",
            )
            .bind(venue.0)
            .fetch_all(&backend.history_readers)
            .await?
        });
        rows.into_iter()
            .map(|(step, seen_seq, state, state_hash)| {
                Ok(SimSnapshot {
                    step: unsigned(step)?,
                    seen_seq: Seq(unsigned(seen_seq)?),
                    state,
                    state_hash: digest(state_hash, "sim snapshot")?,
                })
            })
            .collect()
    }

    /// An instrument's ticks, newest first.
    pub async fn ticks(
        &self,
        venue: VenueId,
        instrument: InstrumentId,
        window: MarketWindow,
    ) -> Result<Vec<TickRecord>, StoreError> {
        type Columns = (i64, i64, Option<i64>, Option<i64>, i64, Option<String>, String);
        let MarketWindow { from, to, before_step, limit } = window;
        let key = [venue.0, instrument.0];
        let (after, before) = self.number_bounds(TICKS, &key, from, to, before_step).await?;
        let rows: Vec<Columns> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT step, timestamp, bid, ask, mid, dealer_id, metadata FROM market_ticks
                 WHERE venue_id = $1 AND instrument_id = $2 AND step > $3 AND step < $4
                 ORDER BY step DESC LIMIT $5",
            )
            .bind(venue.0)
            .bind(instrument.0)
            .bind(after)
            .bind(before)
            .bind(i64::from(limit))
            .fetch_all(&backend.history_readers)
            .await?
        });
        rows.into_iter()
            .map(|(step, time, bid, ask, mark, dealer, metadata)| {
                Ok(TickRecord {
                    instrument,
                    step: unsigned(step)?,
                    time: VenueTime(time),
                    bid: bid.map(Ticks),
                    ask: ask.map(Ticks),
                    mark: Ticks(mark),
                    dealer,
                    metadata,
                })
            })
            .collect()
    }

    /// An instrument's synthetic books, newest first.
    pub async fn books(
        &self,
        venue: VenueId,
        instrument: InstrumentId,
        window: MarketWindow,
    ) -> Result<Vec<BookRecord>, StoreError> {
        let MarketWindow { from, to, before_step, limit } = window;
        let key = [venue.0, instrument.0];
        let (after, before) = self.number_bounds(BOOKS, &key, from, to, before_step).await?;
        let rows: Vec<(i64, i64, String)> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT step, timestamp, levels FROM order_books
                 WHERE venue_id = $1 AND instrument_id = $2 AND step > $3 AND step < $4
                 ORDER BY step DESC LIMIT $5",
            )
            .bind(venue.0)
            .bind(instrument.0)
            .bind(after)
            .bind(before)
            .bind(i64::from(limit))
            .fetch_all(&backend.history_readers)
            .await?
        });
        rows.into_iter()
            .map(|(step, time, levels)| {
                Ok(BookRecord { instrument, step: unsigned(step)?, time: VenueTime(time), levels })
            })
            .collect()
    }

    /// Instrument of a quote; `None` after its retention.
    pub async fn quoted_instrument(
        &self,
        venue: VenueId,
        quote: QuoteId,
    ) -> Result<Option<InstrumentId>, StoreError> {
        let instrument: Option<Uuid> = on_backend!(self, |backend| {
            sqlx::query_scalar(
                "SELECT instrument_id FROM dealer_quotes WHERE venue_id = $1 AND quote_id = $2",
            )
            .bind(venue.0)
            .bind(quote.0)
            .fetch_optional(&backend.history_readers)
            .await?
        });
        Ok(instrument.map(InstrumentId))
    }

    /// Writes candles, replacing stored ones, and moves the consumer's cursor in one
    /// transaction.
    ///
    /// # Errors
    /// [`StoreError::Database`]; nothing is written then.
    pub async fn write_candles(
        &self,
        venue: VenueId,
        rows: &[CandleRecord],
        cursor: &Cursor,
    ) -> Result<(), StoreError> {
        self.write_with_cursor(venue, candle_statement(venue, rows), cursor).await
    }

    /// Runs a statement on the history and moves the consumer's cursor in one
    /// transaction.
    pub(super) async fn write_with_cursor(
        &self,
        venue: VenueId,
        statement: BatchStatement<'_>,
        cursor: &Cursor,
    ) -> Result<(), StoreError> {
        let statements = [statement, cursor.statement(venue)];
        on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::History).await?;
            transaction.run_batch(&statements).await?;
            transaction.commit().await?;
        });
        Ok(())
    }

    /// Deletes an instrument's candles that began at least `candles` intervals before
    /// `now`, of each interval.
    pub async fn retain_candles(
        &self,
        venue: VenueId,
        instrument: InstrumentId,
        now: VenueTime,
        candles: u64,
    ) -> Result<(), StoreError> {
        let candles = signed(candles)?;
        for interval in Interval::ALL {
            let length_us = interval.seconds() * MICROS_PER_SECOND;
            let oldest = now.0.saturating_sub(candles.saturating_mul(length_us));
            on_backend!(self, |backend| {
                sqlx::query(
                    "DELETE FROM candles
                     WHERE venue_id = $1 AND instrument_id = $2 AND span = $3 AND start_at <= $4",
                )
                .bind(venue.0)
                .bind(instrument.0)
                .bind(interval.as_str())
                .bind(oldest)
                .execute(&backend.history)
                .await?;
            });
        }
        Ok(())
    }

    /// An instrument's candles, newest first.
    pub async fn candles(&self, venue: VenueId, window: CandleWindow) -> Result<Vec<Candle>, StoreError> {
        let from = window.from.map_or(i64::MIN, |time| time.0);
        let to = window.to.map_or(i64::MAX, |time| time.0);
        let rows: Vec<(i64, i64, i64, i64, i64, i64, i64)> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT start_at, open, high, low, close, volume, through_at FROM candles
                 WHERE venue_id = $1 AND instrument_id = $2 AND span = $3 AND start_at >= $4 AND start_at < $5
                 ORDER BY start_at DESC LIMIT $6",
            )
            .bind(venue.0)
            .bind(window.instrument.0)
            .bind(window.interval.as_str())
            .bind(from)
            .bind(to)
            .bind(i64::from(window.limit))
            .fetch_all(&backend.history_readers)
            .await?
        });
        let candle = |(start, open, high, low, close, volume, through)| Candle {
            start: VenueTime(start),
            open: Ticks(open),
            high: Ticks(high),
            low: Ticks(low),
            close: Ticks(close),
            volume: Lots(volume),
            through: VenueTime(through),
        };
        Ok(rows.into_iter().map(candle).collect())
    }
}

fn tick_statement(venue: VenueId, ticks: &[TickRecord]) -> BatchStatement<'_> {
    let rows = InputRows::new()
        .ids("venue_id", ticks.iter().map(|_| venue.0))
        .ids("instrument_id", ticks.iter().map(|tick| tick.instrument.0))
        .numbers("step", ticks.iter().map(|tick| tick.step.cast_signed()))
        .numbers("timestamp", ticks.iter().map(|tick| tick.time.0))
        .numbers("bid", ticks.iter().map(|tick| tick.bid.map(|price| price.0)))
        .numbers("ask", ticks.iter().map(|tick| tick.ask.map(|price| price.0)))
        .numbers("mid", ticks.iter().map(|tick| tick.mark.0))
        .texts("dealer_id", ticks.iter().map(|tick| tick.dealer.as_deref()))
        .texts("metadata", ticks.iter().map(|tick| tick.metadata.as_str()));
    BatchStatement::upsert("market_ticks", rows, &["venue_id", "instrument_id", "step"])
}

fn book_statement(venue: VenueId, books: &[BookRecord]) -> BatchStatement<'_> {
    let rows = InputRows::new()
        .ids("venue_id", books.iter().map(|_| venue.0))
        .ids("instrument_id", books.iter().map(|book| book.instrument.0))
        .numbers("step", books.iter().map(|book| book.step.cast_signed()))
        .numbers("timestamp", books.iter().map(|book| book.time.0))
        .texts("levels", books.iter().map(|book| book.levels.as_str()));
    BatchStatement::upsert("order_books", rows, &["venue_id", "instrument_id", "step"])
}

fn quote_statement(venue: VenueId, quotes: &[QuoteRecord]) -> BatchStatement<'_> {
    let rows = InputRows::new()
        .ids("venue_id", quotes.iter().map(|_| venue.0))
        .ids("quote_id", quotes.iter().map(|quote| quote.quote.0))
        .ids("instrument_id", quotes.iter().map(|quote| quote.instrument.0))
        .texts("dealer_id", quotes.iter().map(|quote| quote.dealer.as_str()))
        .numbers("step", quotes.iter().map(|quote| quote.step.cast_signed()))
        .numbers("timestamp", quotes.iter().map(|quote| quote.time.0))
        .numbers("bid", quotes.iter().map(|quote| quote.bid.0))
        .numbers("ask", quotes.iter().map(|quote| quote.ask.0))
        .numbers("bid_size", quotes.iter().map(|quote| quote.bid_lots.0))
        .numbers("ask_size", quotes.iter().map(|quote| quote.ask_lots.0))
        .numbers("expires_at", quotes.iter().map(|quote| quote.expires_at.0));
    BatchStatement::upsert("dealer_quotes", rows, &["venue_id", "quote_id"])
}

fn snapshot_statement(venue: VenueId, snapshots: &[SimSnapshot]) -> BatchStatement<'_> {
    let rows = InputRows::new()
        .ids("venue_id", snapshots.iter().map(|_| venue.0))
        .numbers("step", snapshots.iter().map(|snapshot| snapshot.step.cast_signed()))
        .numbers("seen_seq", snapshots.iter().map(|snapshot| snapshot.seen_seq.0.cast_signed()))
        .bytes("state", snapshots.iter().map(|snapshot| snapshot.state.as_slice()))
        .bytes("state_hash", snapshots.iter().map(|snapshot| snapshot.state_hash.0.as_slice()));
    BatchStatement::upsert("sim_snapshots", rows, &["venue_id", "step"])
}

fn candle_statement(venue: VenueId, rows: &[CandleRecord]) -> BatchStatement<'_> {
    let candles = || rows.iter().map(|row| &row.candle);
    let rows = InputRows::new()
        .ids("venue_id", rows.iter().map(|_| venue.0))
        .ids("instrument_id", rows.iter().map(|row| row.instrument.0))
        .texts("span", rows.iter().map(|row| row.interval.as_str()))
        .numbers("start_at", candles().map(|candle| candle.start.0))
        .numbers("open", candles().map(|candle| candle.open.0))
        .numbers("high", candles().map(|candle| candle.high.0))
        .numbers("low", candles().map(|candle| candle.low.0))
        .numbers("close", candles().map(|candle| candle.close.0))
        .numbers("volume", candles().map(|candle| candle.volume.0))
        .numbers("through_at", candles().map(|candle| candle.through.0));
    BatchStatement::upsert("candles", rows, &["venue_id", "instrument_id", "span", "start_at"])
}
