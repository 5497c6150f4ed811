//! Candles and stored valuations, page by page or folded into a picture.
//!
//! Does not know how either was made.

use engine::candle::{Candle, Interval};
use engine::id::Seq;
use engine::time::VenueTime;
use protocol::gateway::{ApiError, Caller, CandleRow, Gateway as _, HistoryQuery, Page, PortfolioPoint};
use protocol::nav_history::NavHistory;
use protocol::nav_history::NavRange;

use super::Floor;
use super::answer::{failed, portfolio_of};
use crate::store::history::CandleWindow;
use crate::store::valuations::ValuationWindow;

/// Stored points read at a time.
const POINTS: u32 = 10_000;

impl Floor {
    pub(super) async fn candle_page(
        &self,
        interval: Option<&str>,
        query: HistoryQuery,
    ) -> Result<Page<CandleRow>, ApiError> {
        let interval = interval.and_then(Interval::from_word).ok_or_else(|| {
            let message = "The interval must be 1s, 5s, 15s, 1m, 5m, 15m, 1h or 1d.";
            ApiError::new(422, "invalid_interval", message).at("interval")
        })?;
        let window = self.window(&query, &format!("candles|{}", interval.as_str()))?;
        let wanted = window.instrument.ok_or_else(|| {
            ApiError::new(422, "instrument_required", "Say which instrument_id.").at("instrument_id")
        })?;
        let instrument = self.instrument(wanted)?;
        // A page ends with a candle's start, and the next has those before it.
        let before = window.after.and_then(|micros| i64::try_from(micros).ok()).map(VenueTime);
        let to = match (window.to, before) {
            (Some(to), Some(before)) => Some(to.min(before)),
            (to, before) => to.or(before),
        };
        let rows =
            CandleWindow { instrument: wanted, interval, from: window.from, to, limit: window.fetch() };
        let inner = &self.inner;
        let mut rows = inner.store.candles(inner.venue, rows).await.map_err(failed)?;
        let next_cursor =
            window.next(&mut rows, &inner.cursors, |candle| candle.start.0.max(0).cast_unsigned());
        let row = |candle: Candle| CandleRow {
            instrument_id: wanted,
            timestamp: candle.start,
            open: instrument.price(candle.open),
            high: instrument.price(candle.high),
            low: instrument.price(candle.low),
            close: instrument.price(candle.close),
            volume: instrument.quantity(candle.volume),
            updated_at: candle.through,
        };
        Ok(Page { items: rows.into_iter().map(row).collect(), next_cursor })
    }

    pub(super) async fn portfolio_page(
        &self,
        caller: &Caller,
        query: HistoryQuery,
    ) -> Result<Page<PortfolioPoint>, ApiError> {
        if query.instrument_id.is_some() {
            let message = "A portfolio's history is not of one instrument.";
            return Err(ApiError::new(422, "unknown_field", message).at("instrument_id"));
        }
        let window = self.window(&query, &format!("portfolio|{}", caller.account))?;
        let rows = ValuationWindow {
            from: window.from,
            to: window.to,
            before: window.after.map(Seq),
            limit: window.fetch(),
        };
        let inner = &self.inner;
        let found = inner.store.valuations(inner.venue, caller.account, rows).await;
        let mut rows = found.map_err(failed)?;
        let next_cursor = window.next(&mut rows, &inner.cursors, |row| row.seq.0);
        let point = |row: crate::store::valuations::ValuationRecord| PortfolioPoint {
            timestamp: row.time,
            seq: row.seq,
            nav: row.nav,
            cash: row.cash,
            realized_pnl: row.realized_pnl,
            unrealized_pnl: row.unrealized_pnl,
        };
        Ok(Page { items: rows.into_iter().map(point).collect(), next_cursor })
    }

    /// Every stored point counts for the running maximum; a picture of few
    /// spans is kept of them. It ends with what the account is worth now.
    pub(super) async fn worth_of(&self, caller: &Caller, range: NavRange) -> Result<NavHistory, ApiError> {
        let now = self.read(|state| portfolio_of(state, caller))?;
        let inner = &self.inner;
        let paid_in = self.starting_balance().to_cents();
        let mut worth = NavHistory::new(range, paid_in, inner.config.t0, now.timestamp);
        let mut after = Seq::default();
        loop {
            let points = inner.store.nav_points(inner.venue, caller.account, after, POINTS).await;
            let points = points.map_err(failed)?;
            for point in &points {
                worth.push(point.time, point.nav.to_cents());
            }
            match points.last() {
                Some(last) if points.len() == POINTS as usize => after = last.seq,
                _ => break,
            }
        }
        worth.push(now.timestamp, now.valuation.nav.to_cents());
        Ok(worth)
    }
}
