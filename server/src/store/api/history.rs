//! The market's past: ticks, books, valuations, the simulation's snapshots.
//!
//! Rows and the store's methods; the SQL is in `store/history.rs`. Does not know
//! which backend answers.

use engine::candle::{Candle, Interval};
use engine::id::{AccountId, Digest, InstrumentId, OrderId, QuoteId, Seq, VenueId};
use engine::money::{Lots, Money, Ticks};
use engine::time::VenueTime;

use super::error::StoreError;
use super::journal::Cursor;
use crate::store::{Store, on_backend};

/// A row of `market_ticks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TickRecord {
    /// What ticked.
    pub instrument: InstrumentId,
    /// Number of the step.
    pub step: u64,
    /// Venue time of the step.
    pub time: VenueTime,
    /// Best synthetic bid.
    pub bid: Option<Ticks>,
    /// Best synthetic ask.
    pub ask: Option<Ticks>,
    /// The mark.
    pub mid: Ticks,
    /// Absent for listed instruments.
    pub dealer: Option<String>,
    /// JSON object: spread, yield and the like.
    pub metadata: String,
}

/// A row of `order_books`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookRecord {
    /// Whose book.
    pub instrument: InstrumentId,
    /// Number of the step.
    pub step: u64,
    /// Venue time of the step.
    pub time: VenueTime,
    /// `{"bids": [[ticks, lots], …], "asks": …}`, best first.
    pub levels: String,
}

/// A row of `dealer_quotes`, as it was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteRecord {
    /// Its name.
    pub quote: QuoteId,
    /// What is quoted.
    pub instrument: InstrumentId,
    /// The dealer's place among those of the instrument, as text.
    pub dealer: String,
    /// Number of the step.
    pub step: u64,
    /// Venue time of the step.
    pub time: VenueTime,
    /// What the dealer pays.
    pub bid: Ticks,
    /// What the dealer asks.
    pub ask: Ticks,
    /// How much at the bid.
    pub bid_lots: Lots,
    /// How much at the ask.
    pub ask_lots: Lots,
    /// Good before this venue time.
    pub expires_at: VenueTime,
}

/// A row of `sim_snapshots`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimSnapshot {
    /// The step made last.
    pub step: u64,
    /// What the steps up to there have seen.
    pub seen_seq: Seq,
    /// Postcard of [`engine::sim::SimState`].
    pub state: Vec<u8>,
    /// SHA-256 of `state`.
    pub state_hash: Digest,
}

/// What the history writer puts down in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarketBatch {
    /// Rows that replace what an earlier run wrote in their place.
    pub ticks: Vec<TickRecord>,
    /// The same.
    pub books: Vec<BookRecord>,
    /// The same.
    pub quotes: Vec<QuoteRecord>,
    /// Of journalled steps; older ones than the newest two go.
    pub snapshots: Vec<SimSnapshot>,
}

/// A row of `portfolio_snapshots`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortfolioRecord {
    /// Whose.
    pub account: AccountId,
    /// As of this entry.
    pub seq: Seq,
    /// Venue time of that entry.
    pub time: VenueTime,
    /// Cash plus marks.
    pub nav: Money,
    /// All cash.
    pub cash: Money,
    /// P&L of what is open.
    pub unrealized_pnl: Money,
    /// P&L of what was closed.
    pub realized_pnl: Money,
    /// JSON: delta by underlier.
    pub delta_exposure: String,
    /// JSON: DV01 by instrument.
    pub dv01_exposure: String,
    /// JSON of the whole [`engine::portfolio::Valuation`].
    pub valuation: String,
}

/// What an account was worth as of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NavPoint {
    /// The entry.
    pub seq: Seq,
    /// Its venue time.
    pub time: VenueTime,
    /// Cash plus marks.
    pub nav: Money,
}

/// A row of `candles`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandleRecord {
    /// Of what.
    pub instrument: InstrumentId,
    /// How long.
    pub interval: Interval,
    /// The candle.
    pub candle: Candle,
}

/// Which of an account's stored valuations are wanted, newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ValuationWindow {
    /// Venue time, inclusive.
    pub from: Option<VenueTime>,
    /// Venue time, exclusive.
    pub to: Option<VenueTime>,
    /// Only those of entries before this one.
    pub before: Option<Seq>,
    /// At most so many rows.
    pub limit: u32,
}

/// Which candles are wanted, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandleWindow {
    /// Of what.
    pub instrument: InstrumentId,
    /// How long.
    pub interval: Interval,
    /// Beginning at or after.
    pub from: Option<VenueTime>,
    /// Beginning before.
    pub to: Option<VenueTime>,
    /// At most so many rows.
    pub limit: u32,
}

/// Which rows of an instrument's past are wanted, newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketWindow {
    /// Venue time, inclusive.
    pub from: Option<VenueTime>,
    /// Venue time, exclusive.
    pub to: Option<VenueTime>,
    /// Only steps before this one: where the last page ended.
    pub before_step: Option<u64>,
    /// At most so many rows.
    pub limit: u32,
}

impl Store {
    /// Writes a batch of market rows in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Database`]; nothing was written then.
    pub async fn write_market(&self, venue: VenueId, batch: &MarketBatch) -> Result<(), StoreError> {
        on_backend!(self, backend => backend.write_market(venue, batch).await)
    }

    /// Keeps the newest `rows` ticks and books of an instrument.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn retain_market(
        &self,
        venue: VenueId,
        instrument: InstrumentId,
        rows: u64,
    ) -> Result<(), StoreError> {
        on_backend!(self, backend => backend.retain_market(venue, instrument, rows).await)
    }

    /// The simulation's snapshots, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn sim_snapshots(&self, venue: VenueId) -> Result<Vec<SimSnapshot>, StoreError> {
        on_backend!(self, backend => backend.sim_snapshots(venue).await)
    }

    /// An instrument's ticks, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn ticks(
        &self,
        venue: VenueId,
        instrument: InstrumentId,
        window: MarketWindow,
    ) -> Result<Vec<TickRecord>, StoreError> {
        on_backend!(self, backend => backend.ticks(venue, instrument, window).await)
    }

    /// An instrument's synthetic books, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn books(
        &self,
        venue: VenueId,
        instrument: InstrumentId,
        window: MarketWindow,
    ) -> Result<Vec<BookRecord>, StoreError> {
        on_backend!(self, backend => backend.books(venue, instrument, window).await)
    }

    /// What a quote that was issued is about, while it is kept.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn quoted_instrument(
        &self,
        venue: VenueId,
        quote: QuoteId,
    ) -> Result<Option<InstrumentId>, StoreError> {
        on_backend!(self, backend => backend.quoted_instrument(venue, quote).await)
    }

    /// Writes valuations and moves the consumer's cursor, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Database`]; nothing was written then.
    pub async fn write_valuations(
        &self,
        venue: VenueId,
        rows: &[PortfolioRecord],
        cursor: &Cursor,
    ) -> Result<(), StoreError> {
        on_backend!(self, backend => backend.write_valuations(venue, rows, cursor).await)
    }

    /// An account's stored valuations before `before`, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn valuations(
        &self,
        venue: VenueId,
        account: AccountId,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<PortfolioRecord>, StoreError> {
        let window = ValuationWindow { before, limit, ..ValuationWindow::default() };
        self.valuations_in(venue, account, window).await
    }

    /// An account's stored valuations of a window, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn valuations_in(
        &self,
        venue: VenueId,
        account: AccountId,
        window: ValuationWindow,
    ) -> Result<Vec<PortfolioRecord>, StoreError> {
        on_backend!(self, backend => backend.valuations_in(venue, account, window).await)
    }

    /// What an account was worth after entry `after`, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn nav_points(
        &self,
        venue: VenueId,
        account: AccountId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<NavPoint>, StoreError> {
        on_backend!(self, backend => backend.nav_points(venue, account, after, limit).await)
    }

    /// Writes candles over what was there and moves the consumer's cursor, in
    /// one transaction.
    ///
    /// # Errors
    /// [`StoreError::Database`]; nothing was written then.
    pub async fn write_candles(
        &self,
        venue: VenueId,
        rows: &[CandleRecord],
        cursor: &Cursor,
    ) -> Result<(), StoreError> {
        on_backend!(self, backend => backend.write_candles(venue, rows, cursor).await)
    }

    /// Keeps the newest `rows` of an instrument's candles of less than a
    /// minute; longer ones stay.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn retain_candles(
        &self,
        venue: VenueId,
        instrument: InstrumentId,
        rows: u64,
    ) -> Result<(), StoreError> {
        on_backend!(self, backend => backend.retain_candles(venue, instrument, rows).await)
    }

    /// An instrument's candles, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn candles(&self, venue: VenueId, window: CandleWindow) -> Result<Vec<Candle>, StoreError> {
        on_backend!(self, backend => backend.candles(venue, window).await)
    }

    /// The place of a consumer whose effect is in the history; 0 before its
    /// first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn history_cursor(
        &self,
        venue: VenueId,
        consumer: &str,
        stream: &str,
    ) -> Result<u64, StoreError> {
        on_backend!(self, backend => backend.history_cursor(venue, consumer, stream).await)
    }

    /// Orders that can still trade, of everybody.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn live_orders(&self, venue: VenueId) -> Result<Vec<OrderId>, StoreError> {
        on_backend!(self, backend => backend.live_orders(venue).await)
    }
}
