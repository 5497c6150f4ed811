//! The market's past.
//!
//! Compiled for each backend. Does not know what the simulation will do next.

use engine::candle::{Candle, Interval};
use engine::id::{AccountId, Digest, InstrumentId, OrderId, QuoteId, Seq, VenueId};
use engine::money::{Lots, Money, Ticks};
use engine::time::VenueTime;
use sqlx::Row as _;
use uuid::Uuid;

use super::journal::{move_cursor, signed, unsigned};
use super::{Backend, Db, dialect};
use crate::store::api::error::StoreError;
use crate::store::api::history::{
    BookRecord, CandleRecord, CandleWindow, MarketBatch, MarketWindow, NavPoint, PortfolioRecord,
    QuoteRecord, SimSnapshot, TickRecord, ValuationWindow,
};
use crate::store::api::journal::Cursor;
use crate::store::rows::{Rows, Write};

type DbRow = <Db as sqlx::Database>::Row;

/// Rows that another run wrote go: only the last one's steps are journalled.
const REPLACE_TICKS: &str = "
    INSERT INTO market_ticks (venue_id, instrument_id, step, timestamp, bid, ask, mid, dealer_id, metadata)
    SELECT * FROM given WHERE TRUE
    ON CONFLICT (venue_id, instrument_id, step) DO UPDATE
    SET timestamp = excluded.timestamp, bid = excluded.bid, ask = excluded.ask, mid = excluded.mid,
        dealer_id = excluded.dealer_id, metadata = excluded.metadata";
const REPLACE_BOOKS: &str = "
    INSERT INTO order_books (venue_id, instrument_id, step, timestamp, levels)
    SELECT * FROM given WHERE TRUE
    ON CONFLICT (venue_id, instrument_id, step) DO UPDATE
    SET timestamp = excluded.timestamp, levels = excluded.levels";

const REPLACE_QUOTES: &str = "
    INSERT INTO dealer_quotes (venue_id, quote_id, instrument_id, dealer_id, step, timestamp, bid, ask, bid_size,
                               ask_size, expires_at)
    SELECT * FROM given WHERE TRUE
    ON CONFLICT (venue_id, quote_id) DO UPDATE
    SET timestamp = excluded.timestamp, bid = excluded.bid, ask = excluded.ask, bid_size = excluded.bid_size,
        ask_size = excluded.ask_size, expires_at = excluded.expires_at";

const REPLACE_CANDLES: &str = "
    INSERT INTO candles (venue_id, instrument_id, span, start_at, open, high, low, close, volume,
                         through_at)
    SELECT * FROM given WHERE TRUE
    ON CONFLICT (venue_id, instrument_id, span, start_at) DO UPDATE
    SET open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
        volume = excluded.volume, through_at = excluded.through_at";

/// A valuation follows from the journal up to its entry: it never changes.
const ADD_VALUATIONS: &str = "
    INSERT INTO portfolio_snapshots (venue_id, account_id, seq, timestamp, nav, cash_balance, unrealized_pnl,
                                     realized_pnl, delta_exposure, dv01_exposure, valuation)
    SELECT * FROM given WHERE TRUE
    ON CONFLICT (venue_id, account_id, seq) DO NOTHING";

fn tick_rows(venue: VenueId, ticks: &[TickRecord]) -> Rows<'_> {
    Rows::new()
        .ids("venue_id", ticks.iter().map(|_| venue.0))
        .ids("instrument_id", ticks.iter().map(|tick| tick.instrument.0))
        .numbers("step", ticks.iter().map(|tick| tick.step.cast_signed()))
        .numbers("timestamp", ticks.iter().map(|tick| tick.time.0))
        .numbers("bid", ticks.iter().map(|tick| tick.bid.map(|price| price.0)))
        .numbers("ask", ticks.iter().map(|tick| tick.ask.map(|price| price.0)))
        .numbers("mid", ticks.iter().map(|tick| tick.mid.0))
        .texts("dealer_id", ticks.iter().map(|tick| tick.dealer.as_deref()))
        .texts("metadata", ticks.iter().map(|tick| tick.metadata.as_str()))
}

fn book_rows(venue: VenueId, books: &[BookRecord]) -> Rows<'_> {
    Rows::new()
        .ids("venue_id", books.iter().map(|_| venue.0))
        .ids("instrument_id", books.iter().map(|book| book.instrument.0))
        .numbers("step", books.iter().map(|book| book.step.cast_signed()))
        .numbers("timestamp", books.iter().map(|book| book.time.0))
        .texts("levels", books.iter().map(|book| book.levels.as_str()))
}

fn quote_rows(venue: VenueId, quotes: &[QuoteRecord]) -> Rows<'_> {
    Rows::new()
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
        .numbers("expires_at", quotes.iter().map(|quote| quote.expires_at.0))
}

fn valuation_rows(venue: VenueId, rows: &[PortfolioRecord]) -> Rows<'_> {
    Rows::new()
        .ids("venue_id", rows.iter().map(|_| venue.0))
        .ids("account_id", rows.iter().map(|row| row.account.0))
        .numbers("seq", rows.iter().map(|row| row.seq.0.cast_signed()))
        .numbers("timestamp", rows.iter().map(|row| row.time.0))
        .numbers("nav", rows.iter().map(|row| row.nav.0))
        .numbers("cash_balance", rows.iter().map(|row| row.cash.0))
        .numbers("unrealized_pnl", rows.iter().map(|row| row.unrealized_pnl.0))
        .numbers("realized_pnl", rows.iter().map(|row| row.realized_pnl.0))
        .texts("delta_exposure", rows.iter().map(|row| row.delta_exposure.as_str()))
        .texts("dv01_exposure", rows.iter().map(|row| row.dv01_exposure.as_str()))
        .texts("valuation", rows.iter().map(|row| row.valuation.as_str()))
}

fn candle_rows(venue: VenueId, rows: &[CandleRecord]) -> Rows<'_> {
    let candles = || rows.iter().map(|row| &row.candle);
    Rows::new()
        .ids("venue_id", rows.iter().map(|_| venue.0))
        .ids("instrument_id", rows.iter().map(|row| row.instrument.0))
        .texts("span", rows.iter().map(|row| row.interval.as_str()))
        .numbers("start_at", candles().map(|candle| candle.start.0))
        .numbers("open", candles().map(|candle| candle.open.0))
        .numbers("high", candles().map(|candle| candle.high.0))
        .numbers("low", candles().map(|candle| candle.low.0))
        .numbers("close", candles().map(|candle| candle.close.0))
        .numbers("volume", candles().map(|candle| candle.volume.0))
        .numbers("through_at", candles().map(|candle| candle.through.0))
}

/// A window's bounds as the store compares them.
struct Bounds {
    from: i64,
    to: i64,
    before_step: i64,
    limit: i64,
}

impl Bounds {
    fn of(window: MarketWindow) -> Result<Self, StoreError> {
        Ok(Self {
            from: window.from.map_or(i64::MIN, |time| time.0),
            to: window.to.map_or(i64::MAX, |time| time.0),
            before_step: window.before_step.map_or(Ok(i64::MAX), signed)?,
            limit: i64::from(window.limit),
        })
    }
}

impl Backend {
    pub(in crate::store) async fn write_market(
        &self,
        venue: VenueId,
        batch: &MarketBatch,
    ) -> Result<(), StoreError> {
        let steps = batch.ticks.iter().map(|tick| tick.step).chain(batch.books.iter().map(|book| book.step));
        let mut connection = self.history.acquire().await?;
        dialect::expect_steps(&self.partitions, &mut connection, venue, steps).await?;
        drop(connection);
        let additions = [
            ("market_ticks", tick_rows(venue, &batch.ticks), REPLACE_TICKS),
            ("order_books", book_rows(venue, &batch.books), REPLACE_BOOKS),
            ("dealer_quotes", quote_rows(venue, &batch.quotes), REPLACE_QUOTES),
        ];
        let mut transaction = dialect::add_history(self, &additions).await?;
        for snapshot in &batch.snapshots {
            sqlx::query::<Db>(
                "INSERT INTO sim_snapshots (venue_id, step, seen_seq, state, state_hash)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (venue_id, step) DO UPDATE SET seen_seq = excluded.seen_seq,
                     state = excluded.state, state_hash = excluded.state_hash",
            )
            .bind(venue.0)
            .bind(signed(snapshot.step)?)
            .bind(signed(snapshot.seen_seq.0)?)
            .bind(snapshot.state.as_slice())
            .bind(snapshot.state_hash.0.to_vec())
            .execute(&mut *transaction)
            .await?;
        }
        if !batch.snapshots.is_empty() {
            sqlx::query::<Db>(
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
        Ok(())
    }

    pub(in crate::store) async fn retain_market(
        &self,
        venue: VenueId,
        instrument: InstrumentId,
        rows: u64,
    ) -> Result<(), StoreError> {
        dialect::retain(self, venue, instrument, signed(rows)?).await?;
        sqlx::query::<Db>(
            "DELETE FROM dealer_quotes WHERE venue_id = $1 AND instrument_id = $2 AND step <= (
                 SELECT step FROM dealer_quotes WHERE venue_id = $1 AND instrument_id = $2
                 ORDER BY step DESC LIMIT 1 OFFSET $3
             )",
        )
        .bind(venue.0)
        .bind(instrument.0)
        .bind(signed(rows)?)
        .execute(&self.history)
        .await?;
        Ok(())
    }

    pub(in crate::store) async fn sim_snapshots(
        &self,
        venue: VenueId,
    ) -> Result<Vec<SimSnapshot>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT step, seen_seq, state, state_hash FROM sim_snapshots WHERE venue_id = $1 ORDER BY step DESC",
        )
        .bind(venue.0)
        .fetch_all(&self.history_readers)
        .await?;
        let read = |row: &DbRow| {
            let hash: Vec<u8> = row.try_get(3)?;
            let hash =
                hash.try_into().map_err(|_| StoreError::Corrupt("the hash of a sim snapshot".to_owned()))?;
            Ok(SimSnapshot {
                step: unsigned(row.try_get(0)?)?,
                seen_seq: Seq(unsigned(row.try_get(1)?)?),
                state: row.try_get(2)?,
                state_hash: Digest(hash),
            })
        };
        rows.iter().map(read).collect()
    }

    pub(in crate::store) async fn ticks(
        &self,
        venue: VenueId,
        instrument: InstrumentId,
        window: MarketWindow,
    ) -> Result<Vec<TickRecord>, StoreError> {
        let bounds = Bounds::of(window)?;
        let rows = sqlx::query::<Db>(
            "SELECT step, timestamp, bid, ask, mid, dealer_id, metadata FROM market_ticks
             WHERE venue_id = $1 AND instrument_id = $2 AND timestamp >= $3 AND timestamp < $4 AND step < $5
             ORDER BY step DESC LIMIT $6",
        )
        .bind(venue.0)
        .bind(instrument.0)
        .bind(bounds.from)
        .bind(bounds.to)
        .bind(bounds.before_step)
        .bind(bounds.limit)
        .fetch_all(&self.history_readers)
        .await?;
        let read = |row: &DbRow| {
            Ok(TickRecord {
                instrument,
                step: unsigned(row.try_get(0)?)?,
                time: VenueTime(row.try_get(1)?),
                bid: row.try_get::<Option<i64>, _>(2)?.map(Ticks),
                ask: row.try_get::<Option<i64>, _>(3)?.map(Ticks),
                mid: Ticks(row.try_get(4)?),
                dealer: row.try_get(5)?,
                metadata: row.try_get(6)?,
            })
        };
        rows.iter().map(read).collect()
    }

    pub(in crate::store) async fn books(
        &self,
        venue: VenueId,
        instrument: InstrumentId,
        window: MarketWindow,
    ) -> Result<Vec<BookRecord>, StoreError> {
        let bounds = Bounds::of(window)?;
        let rows = sqlx::query::<Db>(
            "SELECT step, timestamp, levels FROM order_books
             WHERE venue_id = $1 AND instrument_id = $2 AND timestamp >= $3 AND timestamp < $4 AND step < $5
             ORDER BY step DESC LIMIT $6",
        )
        .bind(venue.0)
        .bind(instrument.0)
        .bind(bounds.from)
        .bind(bounds.to)
        .bind(bounds.before_step)
        .bind(bounds.limit)
        .fetch_all(&self.history_readers)
        .await?;
        let read = |row: &DbRow| {
            Ok(BookRecord {
                instrument,
                step: unsigned(row.try_get(0)?)?,
                time: VenueTime(row.try_get(1)?),
                levels: row.try_get(2)?,
            })
        };
        rows.iter().map(read).collect()
    }

    pub(in crate::store) async fn quoted_instrument(
        &self,
        venue: VenueId,
        quote: QuoteId,
    ) -> Result<Option<InstrumentId>, StoreError> {
        let found: Option<Uuid> = sqlx::query_scalar::<Db, _>(
            "SELECT instrument_id FROM dealer_quotes WHERE venue_id = $1 AND quote_id = $2",
        )
        .bind(venue.0)
        .bind(quote.0)
        .fetch_optional(&self.history_readers)
        .await?;
        Ok(found.map(InstrumentId))
    }

    pub(in crate::store) async fn write_valuations(
        &self,
        venue: VenueId,
        rows: &[PortfolioRecord],
        cursor: &Cursor,
    ) -> Result<(), StoreError> {
        let mut transaction = self.history.begin_with(dialect::BEGIN_WRITE).await?;
        let valuations = Write::merge(valuation_rows(venue, rows), ADD_VALUATIONS);
        dialect::write(&mut transaction, &[valuations, move_cursor(venue, cursor)]).await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(in crate::store) async fn write_candles(
        &self,
        venue: VenueId,
        rows: &[CandleRecord],
        cursor: &Cursor,
    ) -> Result<(), StoreError> {
        let mut transaction = self.history.begin_with(dialect::BEGIN_WRITE).await?;
        let candles = Write::merge(candle_rows(venue, rows), REPLACE_CANDLES);
        dialect::write(&mut transaction, &[candles, move_cursor(venue, cursor)]).await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(in crate::store) async fn retain_candles(
        &self,
        venue: VenueId,
        instrument: InstrumentId,
        rows: u64,
    ) -> Result<(), StoreError> {
        for interval in Interval::ALL.into_iter().filter(|interval| interval.seconds() < 60) {
            sqlx::query::<Db>(
                "DELETE FROM candles WHERE venue_id = $1 AND instrument_id = $2 AND span = $3 AND start_at <= (
                     SELECT start_at FROM candles WHERE venue_id = $1 AND instrument_id = $2 AND span = $3
                     ORDER BY start_at DESC LIMIT 1 OFFSET $4
                 )",
            )
            .bind(venue.0)
            .bind(instrument.0)
            .bind(interval.as_str())
            .bind(signed(rows)?)
            .execute(&self.history)
            .await?;
        }
        Ok(())
    }

    pub(in crate::store) async fn candles(
        &self,
        venue: VenueId,
        window: CandleWindow,
    ) -> Result<Vec<Candle>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT start_at, open, high, low, close, volume, through_at FROM candles
             WHERE venue_id = $1 AND instrument_id = $2 AND span = $3 AND start_at >= $4 AND start_at < $5
             ORDER BY start_at DESC LIMIT $6",
        )
        .bind(venue.0)
        .bind(window.instrument.0)
        .bind(window.interval.as_str())
        .bind(window.from.map_or(i64::MIN, |time| time.0))
        .bind(window.to.map_or(i64::MAX, |time| time.0))
        .bind(i64::from(window.limit))
        .fetch_all(&self.history_readers)
        .await?;
        let read = |row: &DbRow| {
            Ok(Candle {
                start: VenueTime(row.try_get(0)?),
                open: Ticks(row.try_get(1)?),
                high: Ticks(row.try_get(2)?),
                low: Ticks(row.try_get(3)?),
                close: Ticks(row.try_get(4)?),
                volume: Lots(row.try_get(5)?),
                through: VenueTime(row.try_get(6)?),
            })
        };
        rows.iter().map(read).collect()
    }

    pub(in crate::store) async fn valuations_in(
        &self,
        venue: VenueId,
        account: AccountId,
        window: ValuationWindow,
    ) -> Result<Vec<PortfolioRecord>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT seq, timestamp, nav, cash_balance, unrealized_pnl, realized_pnl, delta_exposure,
                    dv01_exposure, valuation
             FROM portfolio_snapshots WHERE venue_id = $1 AND account_id = $2 AND seq < $3
               AND timestamp >= $4 AND timestamp < $5
             ORDER BY seq DESC LIMIT $6",
        )
        .bind(venue.0)
        .bind(account.0)
        .bind(window.before.map_or(Ok(i64::MAX), |seq| signed(seq.0))?)
        .bind(window.from.map_or(i64::MIN, |time| time.0))
        .bind(window.to.map_or(i64::MAX, |time| time.0))
        .bind(i64::from(window.limit))
        .fetch_all(&self.history_readers)
        .await?;
        let read = |row: &DbRow| {
            Ok(PortfolioRecord {
                account,
                seq: Seq(unsigned(row.try_get(0)?)?),
                time: VenueTime(row.try_get(1)?),
                nav: Money(row.try_get(2)?),
                cash: Money(row.try_get(3)?),
                unrealized_pnl: Money(row.try_get(4)?),
                realized_pnl: Money(row.try_get(5)?),
                delta_exposure: row.try_get(6)?,
                dv01_exposure: row.try_get(7)?,
                valuation: row.try_get(8)?,
            })
        };
        rows.iter().map(read).collect()
    }

    pub(in crate::store) async fn nav_points(
        &self,
        venue: VenueId,
        account: AccountId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<NavPoint>, StoreError> {
        let rows = sqlx::query_as::<Db, (i64, i64, i64)>(
            "SELECT seq, timestamp, nav FROM portfolio_snapshots
             WHERE venue_id = $1 AND account_id = $2 AND seq > $3 ORDER BY seq LIMIT $4",
        )
        .bind(venue.0)
        .bind(account.0)
        .bind(signed(after.0)?)
        .bind(i64::from(limit))
        .fetch_all(&self.history_readers)
        .await?;
        let point = |(seq, time, nav)| {
            Ok(NavPoint { seq: Seq(unsigned(seq)?), time: VenueTime(time), nav: Money(nav) })
        };
        rows.into_iter().map(point).collect()
    }

    pub(in crate::store) async fn history_cursor(
        &self,
        venue: VenueId,
        consumer: &str,
        stream: &str,
    ) -> Result<u64, StoreError> {
        let position: Option<i64> = sqlx::query_scalar::<Db, _>(
            "SELECT position FROM consumer_cursors WHERE venue_id = $1 AND consumer = $2 AND stream = $3",
        )
        .bind(venue.0)
        .bind(consumer)
        .bind(stream)
        .fetch_optional(&self.history_readers)
        .await?;
        unsigned(position.unwrap_or(0))
    }

    pub(in crate::store) async fn live_orders(&self, venue: VenueId) -> Result<Vec<OrderId>, StoreError> {
        let ids: Vec<Uuid> = sqlx::query_scalar::<Db, _>(
            "SELECT order_id FROM orders WHERE venue_id = $1 AND status IN ('OPEN', 'PARTIAL')",
        )
        .bind(venue.0)
        .fetch_all(&self.main_readers)
        .await?;
        Ok(ids.into_iter().map(OrderId).collect())
    }
}
