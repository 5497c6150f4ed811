//! Stored rows: fills, ticks, candles, valuations, and the NAV history made of
//! them.
//!
//! Does not know how any of them were made.

use async_trait::async_trait;
use axum::extract::State;
use engine::candle::{Candle, Interval};
use engine::id::{InstrumentId, Seq};
use engine::time::VenueTime;
use engine::venue::Fill;
use protocol::caller::Caller;
use protocol::error::ApiError;
use protocol::frames::FillFrame;
use protocol::gateway::{AccountApi as _, HistoryApi};
use protocol::nav_history::{NavHistory, NavRange};
use protocol::rest::{CandleRow, CandlesQuery, HistoryQuery, Page, PortfolioPoint, TickRow};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Gateway;
use super::identity::RequireUser;
use super::page_request::{PageRequest, parse_instrument_id};
use crate::http::{ErrorResponse, Json, StrictQuery};
use crate::store::history::{CandleWindow, MarketWindow, TickRecord};
use crate::store::projections::FillFilter;
use crate::store::valuations::{ValuationRecord, ValuationWindow};

/// Stored valuations that a NAV history reads: more than are retained.
const NAV_MAX_ROWS: u32 = 20_000;

#[async_trait]
impl HistoryApi for Gateway {
    async fn fills(&self, caller: &Caller, query: HistoryQuery) -> Result<Page<Fill>, ApiError> {
        let page = self.page_request(&query, &format!("trades|{}", caller.account))?;
        let filter = FillFilter {
            instrument: page.instrument,
            from: page.from,
            to: page.to,
            before: page.after,
            limit: page.fetch_limit(),
        };
        let inner = &self.inner;
        let mut rows = inner.store.fills_of(inner.venue, caller.account, &filter).await?;
        let next_cursor = page.next_cursor(&mut rows, &inner.cursors, |(number, _)| *number);
        Ok(Page { items: rows.into_iter().map(|(_, fill)| fill).collect(), next_cursor })
    }

    async fn ticks(&self, _caller: &Caller, query: HistoryQuery) -> Result<Page<TickRow>, ApiError> {
        let page = self.page_request(&query, "ticks")?;
        let instrument_id = required_instrument(&page)?;
        let instrument = self.instrument(instrument_id)?;
        let window =
            MarketWindow { from: page.from, to: page.to, before_step: page.after, limit: page.fetch_limit() };
        let inner = &self.inner;
        let mut rows = inner.store.ticks(inner.venue, instrument_id, window).await?;
        let next_cursor = page.next_cursor(&mut rows, &inner.cursors, |row| row.step);
        let tick = |row: TickRecord| TickRow {
            instrument_id,
            timestamp: row.time,
            step: row.step,
            bid: row.bid.map(|price| instrument.price(price)),
            ask: row.ask.map(|price| instrument.price(price)),
            mark: instrument.price(row.mark),
            dealer_id: row.dealer,
        };
        Ok(Page { items: rows.into_iter().map(tick).collect(), next_cursor })
    }

    async fn candles(&self, _caller: &Caller, query: CandlesQuery) -> Result<Page<Candle>, ApiError> {
        let interval = query.interval.as_deref().and_then(Interval::from_word).ok_or_else(|| {
            let message = "The interval must be 1s, 5s, 15s, 1m, 5m, 15m, 1h or 1d.";
            ApiError::new(422, "invalid_interval", message).at("interval")
        })?;
        let page = self.page_request(&query.history(), &format!("candles|{}", interval.as_str()))?;
        let instrument = required_instrument(&page)?;
        // A page ends with a candle's start; the next one has those before it.
        let before = page.after.and_then(|micros| i64::try_from(micros).ok()).map(VenueTime);
        let to = match (page.to, before) {
            (Some(to), Some(before)) => Some(to.min(before)),
            (to, before) => to.or(before),
        };
        let window = CandleWindow { instrument, interval, from: page.from, to, limit: page.fetch_limit() };
        let inner = &self.inner;
        let mut rows = inner.store.candles(inner.venue, window).await?;
        let position = |candle: &Candle| candle.start.0.max(0).cast_unsigned();
        let next_cursor = page.next_cursor(&mut rows, &inner.cursors, position);
        Ok(Page { items: rows, next_cursor })
    }

    async fn portfolio_history(
        &self,
        caller: &Caller,
        query: HistoryQuery,
    ) -> Result<Page<PortfolioPoint>, ApiError> {
        if query.instrument_id.is_some() {
            let message = "A portfolio's history is not of one instrument.";
            return Err(ApiError::new(422, "unknown_field", message).at("instrument_id"));
        }
        let page = self.page_request(&query, &format!("portfolio|{}", caller.account))?;
        let window = ValuationWindow {
            from: page.from,
            to: page.to,
            before: page.after.map(Seq),
            limit: page.fetch_limit(),
        };
        let inner = &self.inner;
        let mut rows = inner.store.valuations(inner.venue, caller.account, window).await?;
        let next_cursor = page.next_cursor(&mut rows, &inner.cursors, |row| row.seq.0);
        let point = |row: ValuationRecord| PortfolioPoint {
            timestamp: row.time,
            seq: row.seq,
            nav: row.nav,
            cash: row.cash,
            realized_pnl: row.realized_pnl,
            unrealized_pnl: row.unrealized_pnl,
        };
        Ok(Page { items: rows.into_iter().map(point).collect(), next_cursor })
    }

    /// Reads every retained point since the account was opened or reset, as each counts
    /// for the running maximum, and ends with the NAV of now.
    async fn nav_history(&self, caller: &Caller, range: NavRange) -> Result<NavHistory, ApiError> {
        let now = self.portfolio(caller).await?;
        let begun = self.account(caller).await?.opened;
        let inner = &self.inner;
        let paid_in = inner.config.starting_balance.to_cents();
        let mut history = NavHistory::new(range, paid_in, inner.config.t0, now.timestamp);
        let points = inner.store.newest_nav_points(inner.venue, caller.account, NAV_MAX_ROWS).await?;
        for point in points.into_iter().filter(|point| point.seq >= begun) {
            history.push(point.time, point.nav.to_cents());
        }
        history.push(now.timestamp, now.valuation.nav.to_cents());
        Ok(history)
    }
}

impl Gateway {
    /// Parses `query` about `subject`; 404 for an instrument that is not listed.
    pub(super) fn page_request(&self, query: &HistoryQuery, subject: &str) -> Result<PageRequest, ApiError> {
        self.read(|view| {
            let page = PageRequest::parse(query, subject, view.market().time, &self.inner.cursors)?;
            page.instrument.map(|id| view.instrument(id)).transpose()?;
            Ok(page)
        })
    }
}

fn required_instrument(page: &PageRequest) -> Result<InstrumentId, ApiError> {
    let missing = || ApiError::new(422, "instrument_required", "An instrument_id is required.");
    page.instrument.ok_or_else(|| missing().at("instrument_id"))
}

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(ticks))
        .routes(routes!(candles))
        .routes(routes!(fills))
        .routes(routes!(portfolio))
}

/// Lists the ticks of an instrument.
#[utoipa::path(
    get,
    path = "/api/v1/history/ticks",
    operation_id = "list_ticks",
    tag = "history",
    params(HistoryQuery),
    responses((status = 200, description = "A page of ticks.", body = Page<TickRow>)),
)]
async fn ticks(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    StrictQuery(query): StrictQuery<HistoryQuery>,
) -> Result<Json<Page<TickRow>>, ErrorResponse> {
    Ok(Json(gateway.ticks(&caller, query).await?))
}

/// Lists the candles of an instrument.
#[utoipa::path(
    get,
    path = "/api/v1/history/candles",
    operation_id = "list_candles",
    tag = "history",
    params(CandlesQuery),
    responses((status = 200, description = "A page of candles.", body = Page<CandleRow>)),
)]
async fn candles(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    StrictQuery(query): StrictQuery<CandlesQuery>,
) -> Result<Json<Page<CandleRow>>, ErrorResponse> {
    let id = query.instrument_id.clone().unwrap_or_default();
    let Page { items, next_cursor } = gateway.candles(&caller, query).await?;
    let instrument = gateway.instrument(parse_instrument_id(&id)?)?;
    let items = items.iter().map(|candle| CandleRow::new(candle, &instrument)).collect();
    Ok(Json(Page { items, next_cursor }))
}

/// Lists the caller's fills.
#[utoipa::path(
    get,
    path = "/api/v1/history/trades",
    operation_id = "list_trades",
    tag = "history",
    params(HistoryQuery),
    responses((status = 200, description = "A page of fills.", body = Page<FillFrame>)),
)]
async fn fills(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    StrictQuery(query): StrictQuery<HistoryQuery>,
) -> Result<Json<Page<FillFrame>>, ErrorResponse> {
    let Page { items, next_cursor } = gateway.fills(&caller, query).await?;
    let items = gateway.read(|view| {
        let frame = |fill: &Fill| Ok(FillFrame::new(fill, view.instrument(fill.instrument)?));
        items.iter().map(frame).collect::<Result<_, _>>()
    })?;
    Ok(Json(Page { items, next_cursor }))
}

/// Lists the caller's stored valuations.
#[utoipa::path(
    get,
    path = "/api/v1/portfolio/history",
    operation_id = "list_valuations",
    tag = "history",
    params(HistoryQuery),
    responses((status = 200, description = "A page of valuations.", body = Page<PortfolioPoint>)),
)]
async fn portfolio(
    State(gateway): State<Gateway>,
    RequireUser(caller): RequireUser,
    StrictQuery(query): StrictQuery<HistoryQuery>,
) -> Result<Json<Page<PortfolioPoint>>, ErrorResponse> {
    Ok(Json(gateway.portfolio_history(&caller, query).await?))
}
