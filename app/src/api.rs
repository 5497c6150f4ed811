//! Server functions: what the pages ask and do, each one line over the gateway.
//!
//! Know no rule: who may do what, and what an answer is, the gateway decides.

use engine::candle::Interval;
use engine::order::{RawAmend, RawTake, RawTicket, Side};
use leptos::prelude::*;
use leptos::server_fn::codec::Postcard;
use protocol::frames::{FillFrame, OrderFrame, PortfolioSnapshot};

#[cfg(feature = "ssr")]
use crate::screens::trade::FIRST_INTERVAL;
use protocol::candle_history::CandleHistory;
use protocol::error::ApiError;
use protocol::rest::{Opening, PlaceOrderResponse};
#[cfg(feature = "ssr")]
use protocol::gateway::{Caller, SharedGateway};
#[cfg(feature = "ssr")]
use protocol::rest::OrdersQuery;
use protocol::nav_history::NavHistory;
use protocol::nav_history::Range;

/// Where they are.
pub(crate) const PREFIX: &str = "/api/ui";

/// Orders, and fills, that a page begins with, if there are as many.
pub(crate) const NEWEST: u16 = 100;

/// Everything that a page is rendered from; `worth` for the one that shows what
/// the account was worth in the place of what an instrument was.
#[server(
    name = ReadOpening,
    prefix = "/api/ui",
    endpoint = "opening",
    input = Postcard,
    output = Postcard
)]
pub async fn opening(worth: bool) -> Result<Opening, ApiError> {
    let (gateway, caller) = door::open()?;
    door::answer(read_opening(&gateway, &caller, worth).await)
}

#[cfg(feature = "ssr")]
pub(crate) async fn read_opening(
    gateway: &SharedGateway,
    caller: &Caller,
    worth: bool,
) -> Result<Opening, ApiError> {
    // History is read last: it may know more than the desk, never less.
    let snapshot = gateway.trading_snapshot(caller).await?;
    let orders = gateway.orders(caller, door::newest_orders(NEWEST)).await?.items;
    let fills = gateway.fills(caller, door::newest(NEWEST)).await?.items;
    let nav_history = match worth {
        true => Some(gateway.nav_history(caller, Range::default()).await?),
        false => None,
    };
    let first = snapshot.instruments.iter().min_by(|a, b| a.symbol.cmp(&b.symbol));
    let bars = match first.filter(|_| nav_history.is_none()) {
        Some(first) => door::bars(gateway, caller, first, FIRST_INTERVAL).await.unwrap_or_default(),
        None => CandleHistory::default(),
    };
    Ok(Opening { caller: caller.clone(), snapshot, orders, fills, bars, nav_history })
}

/// What the caller's account was worth over a range of venue time, to now.
#[server(
    name = ReadWorth,
    prefix = "/api/ui",
    endpoint = "worth",
    input = Postcard,
    output = Postcard
)]
pub async fn worth(range: Range) -> Result<NavHistory, ApiError> {
    let (gateway, caller) = door::open()?;
    door::answer(gateway.nav_history(&caller, range).await)
}

/// The caller's newest orders.
#[server(
    name = ReadOrders,
    prefix = "/api/ui",
    endpoint = "orders",
    input = Postcard,
    output = Postcard
)]
pub async fn orders() -> Result<Vec<OrderFrame>, ApiError> {
    let (gateway, caller) = door::open()?;
    door::answer(gateway.orders(&caller, door::newest_orders(NEWEST)).await).map(|page| page.items)
}

/// The order that the client named so, if it was accepted.
#[server(
    name = FindOrder,
    prefix = "/api/ui",
    endpoint = "order_named",
    input = Postcard,
    output = Postcard
)]
pub async fn order_named(client_order_id: String) -> Result<Option<OrderFrame>, ApiError> {
    let (gateway, caller) = door::open()?;
    let query = OrdersQuery { client_order_id: Some(client_order_id), ..door::newest_orders(1) };
    let found = gateway.orders(&caller, query).await;
    door::answer(found).map(|page| page.items.into_iter().next())
}

/// The caller's newest fills.
#[server(
    name = ReadFills,
    prefix = "/api/ui",
    endpoint = "fills",
    input = Postcard,
    output = Postcard
)]
pub async fn fills() -> Result<Vec<FillFrame>, ApiError> {
    let (gateway, caller) = door::open()?;
    door::answer(gateway.fills(&caller, door::newest(NEWEST)).await).map(|page| page.items)
}

/// The newest bars of an instrument, each of a length from `1s` to `1d`.
#[server(
    name = ReadBars,
    prefix = "/api/ui",
    endpoint = "bars",
    input = Postcard,
    output = Postcard
)]
pub async fn bars(instrument_id: String, interval: Interval) -> Result<CandleHistory, ApiError> {
    let (gateway, caller) = door::open()?;
    let listed = door::answer(gateway.instruments(&caller).await)?;
    let found = listed.into_iter().find(|instrument| instrument.id.to_string() == instrument_id);
    let unknown = || ApiError::new(404, "unknown_instrument", "There is no such instrument.");
    let instrument = door::answer(found.ok_or_else(unknown))?;
    door::answer(door::bars(&gateway, &caller, &instrument, interval).await)
}

/// The caller's valuation by the portfolio agent.
#[server(
    name = ReadPortfolio,
    prefix = "/api/ui",
    endpoint = "portfolio",
    input = Postcard,
    output = Postcard
)]
pub async fn portfolio() -> Result<PortfolioSnapshot, ApiError> {
    let (gateway, caller) = door::open()?;
    door::answer(gateway.portfolio(&caller).await)
}

/// Places an order; the answer is durable.
#[server(
    name = PlaceOrder,
    prefix = "/api/ui",
    endpoint = "place_order",
    input = Postcard,
    output = Postcard
)]
pub async fn place_order(ticket: RawTicket) -> Result<PlaceOrderResponse, ApiError> {
    let (gateway, caller) = door::open()?;
    door::answer(gateway.place_order(&caller, ticket).await)
}

/// Cancels what is left of an order.
#[server(
    name = CancelOrder,
    prefix = "/api/ui",
    endpoint = "cancel_order",
    input = Postcard,
    output = Postcard
)]
pub async fn cancel_order(order_id: String) -> Result<OrderFrame, ApiError> {
    let (gateway, caller) = door::open()?;
    door::answer(gateway.cancel_order(&caller, &order_id).await)
}

/// Changes quantity, limit or both of a live order; the answer is durable.
#[server(
    name = AmendOrder,
    prefix = "/api/ui",
    endpoint = "amend_order",
    input = Postcard,
    output = Postcard
)]
pub async fn amend_order(order_id: String, amend: RawAmend) -> Result<PlaceOrderResponse, ApiError> {
    let (gateway, caller) = door::open()?;
    door::answer(gateway.amend_order(&caller, &order_id, amend).await)
}

/// Hits a dealer's bid or lifts the offer; the answer is durable.
#[server(
    name = TakeQuote,
    prefix = "/api/ui",
    endpoint = "take_quote",
    input = Postcard,
    output = Postcard
)]
pub async fn take_quote(quote_id: String, side: Side, take: RawTake) -> Result<PlaceOrderResponse, ApiError> {
    let (gateway, caller) = door::open()?;
    door::answer(gateway.take_quote(&caller, &quote_id, side, take).await)
}

/// Cancels every live order at once; how many that were.
#[server(
    name = CancelAll,
    prefix = "/api/ui",
    endpoint = "cancel_all",
    input = Postcard,
    output = Postcard
)]
pub async fn cancel_all() -> Result<u32, ApiError> {
    let (gateway, caller) = door::open()?;
    let cancelled = door::answer(gateway.cancel_all(&caller, None).await)?;
    Ok(u32::try_from(cancelled.len()).unwrap_or(u32::MAX))
}

/// Who asks whom, and how an answer becomes a status.
#[cfg(feature = "ssr")]
mod door {
    use leptos::prelude::use_context;
    use leptos_axum::ResponseOptions;

    use engine::candle::Interval;
    use engine::decimal::Decimal;
    use engine::instrument::Instrument;
    use engine::time::VenueTime;

    use protocol::candle_history::{Bar, CandleHistory};
    use protocol::error::ApiError;
    use protocol::gateway::{Caller, SharedGateway};
    use protocol::rest::{CandleRow, CandlesQuery, HistoryQuery, OrdersQuery};

    pub(super) fn open() -> Result<(SharedGateway, Caller), ApiError> {
        let missing = || ApiError::new(500, "internal", "The page was not given a gateway.");
        let gateway = answer(use_context::<SharedGateway>().ok_or_else(missing))?;
        let nobody = || ApiError::new(401, "unauthenticated", "Sign in first.");
        let caller = answer(use_context::<Option<Caller>>().flatten().ok_or_else(nobody))?;
        Ok((gateway, caller))
    }

    pub(super) fn answer<T>(result: Result<T, ApiError>) -> Result<T, ApiError> {
        if let Err(error) = &result
            && let Some(response) = use_context::<ResponseOptions>()
            && let Ok(status) = http::StatusCode::from_u16(error.status)
        {
            response.set_status(status);
        }
        result
    }

    /// The newest stored candles in the instrument's units.
    pub(super) async fn bars(
        gateway: &SharedGateway,
        caller: &Caller,
        instrument: &Instrument,
        interval: Interval,
    ) -> Result<CandleHistory, ApiError> {
        let query = CandlesQuery {
            interval: Some(interval.as_str().to_owned()),
            instrument_id: Some(instrument.id.to_string()),
            limit: Some("1000".to_owned()),
            ..CandlesQuery::default()
        };
        let rows = gateway.candles(caller, query).await?.items;
        let through = rows.first().map_or(VenueTime(i64::MIN), |row| row.updated_at);
        let bar = |row: &CandleRow| {
            let ticks = |price: Decimal| price.in_units_of(instrument.tick_size);
            Some(Bar {
                start: row.timestamp,
                open: ticks(row.open)?,
                high: ticks(row.high)?,
                low: ticks(row.low)?,
                close: ticks(row.close)?,
                volume: row.volume.in_units_of(instrument.lot_size)?,
            })
        };
        Ok(CandleHistory { list: rows.iter().rev().filter_map(bar).collect(), through })
    }

    pub(super) fn newest_orders(limit: u16) -> OrdersQuery {
        OrdersQuery { limit: Some(limit.to_string()), ..OrdersQuery::default() }
    }

    pub(super) fn newest(limit: u16) -> HistoryQuery {
        HistoryQuery { limit: Some(limit.to_string()), ..HistoryQuery::default() }
    }
}
