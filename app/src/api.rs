//! Server functions: the pages' queries and commands, thin calls of the
//! gateway.
//!
//! Know no rule: permissions and answers are the gateway's.

use codee::binary::PostcardCodec;
use engine::candle::Interval;
use engine::order::{Order, OrderRecord, RawAmend, RawTake, RawTicket, Side};
use engine::venue::Fill;
use leptos::prelude::*;
use leptos::server_fn::codec::Postcard;
use protocol::bar::Bar;
use protocol::caller::Caller;
use protocol::error::ApiError;
use protocol::frames::PortfolioSnapshot;
use protocol::nav_history::{NavHistory, NavRange};
use protocol::rest::{
    AgentState, ClockCommand, ClockState, ConnectedUsers, Opening, Page, PlaceOrderResponse, SessionEntry,
};
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use context::{gateway_and_caller, page, respond};
#[cfg(feature = "ssr")]
use protocol::rest::OrdersQuery;

/// Orders or fills that a table gets at a time.
pub(crate) const TABLE_ROWS: u16 = 100;

/// Orders or fills that a file gets at a time: as many as the gateway gives.
pub(crate) const FILE_ROWS: u16 = 1_000;

/// Candles of a chart: more than a trading day of minutes.
#[cfg(feature = "ssr")]
const CHART_BARS: u16 = 400;

/// Data that a page needs for its first paint: loaded before it is rendered,
/// carried in its HTML as Postcard.
pub(crate) type PageData<T> = Resource<Result<T, ApiError>, PostcardCodec>;

/// Data of the account page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountOverview {
    /// The signed-in user.
    pub caller: Caller,
    /// The user's sessions, the current one first.
    pub sessions: Vec<SessionEntry>,
    /// Days without activity after which a guest is removed.
    pub guest_days: i64,
}

/// What the owner's page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlOverview {
    /// The venue's clock.
    pub clock: ClockState,
    /// Who is connected.
    pub users: ConnectedUsers,
    /// The venue's agents.
    pub agents: Vec<AgentState>,
}

/// Market and account that the screens start from.
#[server(prefix = "/api/ui", endpoint = "opening", input = Postcard, output = Postcard)]
pub async fn read_opening() -> Result<Opening, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    // History is read last: it may be ahead of the snapshot, never behind.
    let snapshot = respond(gateway.trading_snapshot(&caller).await)?;
    let orders = respond(gateway.orders(&caller, page(None, TABLE_ROWS).into()).await)?;
    let fills = respond(gateway.fills(&caller, page(None, TABLE_ROWS)).await)?;
    Ok(Opening { caller, snapshot, orders, fills })
}

/// NAV of the caller's account over a range of venue time, up to now.
#[server(prefix = "/api/ui", endpoint = "nav_history", input = Postcard, output = Postcard)]
pub async fn read_nav_history(range: NavRange) -> Result<NavHistory, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    respond(gateway.nav_history(&caller, range).await)
}

/// At most `limit` of the caller's orders, newest first: those after `cursor`, the
/// `next_cursor` of the page before.
#[server(prefix = "/api/ui", endpoint = "orders", input = Postcard, output = Postcard)]
pub async fn read_orders(cursor: Option<String>, limit: u16) -> Result<Page<OrderRecord>, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    respond(gateway.orders(&caller, page(cursor, limit).into()).await)
}

/// The accepted order with this client order id.
#[server(prefix = "/api/ui", endpoint = "find_order", input = Postcard, output = Postcard)]
pub async fn find_order(client_order_id: String) -> Result<Option<Order>, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    let query = OrdersQuery { client_order_id: Some(client_order_id), ..page(None, 1).into() };
    let found = gateway.orders(&caller, query).await;
    respond(found).map(|page| page.items.into_iter().next().map(|record| record.order))
}

/// At most `limit` of the caller's fills, newest first, like the orders.
#[server(prefix = "/api/ui", endpoint = "fills", input = Postcard, output = Postcard)]
pub async fn read_fills(cursor: Option<String>, limit: u16) -> Result<Page<Fill>, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    respond(gateway.fills(&caller, page(cursor, limit)).await)
}

/// The newest stored candles of an instrument in ticks and lots, oldest first.
#[server(prefix = "/api/ui", endpoint = "candles", input = Postcard, output = Postcard)]
pub async fn read_candles(instrument_id: String, interval: Interval) -> Result<Vec<Bar>, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    respond(context::candles(&gateway, &caller, instrument_id, interval).await)
}

/// The caller's valuation by the portfolio agent.
#[server(prefix = "/api/ui", endpoint = "portfolio", input = Postcard, output = Postcard)]
pub async fn read_portfolio() -> Result<PortfolioSnapshot, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    respond(gateway.portfolio(&caller).await)
}

/// The caller and their sessions.
#[server(prefix = "/api/ui", endpoint = "account", input = Postcard, output = Postcard)]
pub async fn read_account() -> Result<AccountOverview, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    let sessions = respond(gateway.sessions(&caller).await)?;
    Ok(AccountOverview { caller, sessions, guest_days: gateway.guest_days() })
}

/// Places an order; the answer is durable.
#[server(prefix = "/api/ui", endpoint = "place_order", input = Postcard, output = Postcard)]
pub async fn place_order(ticket: RawTicket) -> Result<PlaceOrderResponse, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    respond(gateway.place_order(&caller, ticket).await)
}

/// Cancels the rest of an order.
#[server(prefix = "/api/ui", endpoint = "cancel_order", input = Postcard, output = Postcard)]
pub async fn cancel_order(order_id: String) -> Result<Order, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    respond(gateway.cancel_order(&caller, &order_id).await).map(|record| record.order)
}

/// Changes quantity, limit or both of a live order; the answer is durable.
#[server(prefix = "/api/ui", endpoint = "amend_order", input = Postcard, output = Postcard)]
pub async fn amend_order(order_id: String, amend: RawAmend) -> Result<PlaceOrderResponse, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    respond(gateway.amend_order(&caller, &order_id, amend).await)
}

/// Hits a dealer's bid or lifts the offer; the answer is durable.
#[server(prefix = "/api/ui", endpoint = "take_quote", input = Postcard, output = Postcard)]
pub async fn take_quote(quote_id: String, side: Side, take: RawTake) -> Result<PlaceOrderResponse, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    respond(gateway.take_quote(&caller, &quote_id, side, take).await)
}

/// Cancels all live orders at once; returns their number.
#[server(prefix = "/api/ui", endpoint = "cancel_all", input = Postcard, output = Postcard)]
pub async fn cancel_all() -> Result<u32, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    let cancelled = respond(gateway.cancel_all(&caller, None).await)?;
    Ok(u32::try_from(cancelled.len()).unwrap_or(u32::MAX))
}

/// The venue's clock, users and agents; `None` for anybody but the owner, who may
/// still claim the venue.
#[server(prefix = "/api/ui", endpoint = "control", input = Postcard, output = Postcard)]
pub async fn read_control() -> Result<Option<ControlOverview>, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    if !caller.owner {
        return Ok(None);
    }
    let clock = respond(gateway.clock(&caller).await)?;
    let users = respond(gateway.connected_users(&caller).await)?;
    let agents = respond(gateway.agents(&caller).await)?;
    Ok(Some(ControlOverview { clock, users, agents }))
}

/// Steps, pauses, resumes or sets the speed of the venue's clock.
#[server(prefix = "/api/ui", endpoint = "set_clock", input = Postcard, output = Postcard)]
pub async fn set_clock(command: ClockCommand) -> Result<ClockState, ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    respond(gateway.set_clock(&caller, command).await)
}

/// Begins an account again with the starting balance.
#[server(prefix = "/api/ui", endpoint = "reset_account", input = Postcard, output = Postcard)]
pub async fn reset_account(account_id: String) -> Result<(), ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    respond(gateway.reset_account(&caller, &account_id).await)
}

/// Makes the caller the venue's owner.
#[server(prefix = "/api/ui", endpoint = "claim_venue", input = Postcard, output = Postcard)]
pub async fn claim_venue(token: String) -> Result<(), ApiError> {
    let (gateway, caller) = gateway_and_caller()?;
    respond(gateway.claim_venue(&caller, &token).await)
}

/// The gateway and the caller of a request, and the status of its answer.
#[cfg(feature = "ssr")]
mod context {
    use engine::candle::Interval;
    use leptos::prelude::use_context;
    use leptos_axum::ResponseOptions;
    use protocol::bar::Bar;
    use protocol::caller::Caller;
    use protocol::error::ApiError;
    use protocol::gateway::SharedGateway;
    use protocol::rest::{CandlesQuery, HistoryQuery};

    pub(super) fn gateway_and_caller() -> Result<(SharedGateway, Caller), ApiError> {
        let missing = || ApiError::new(500, "internal", "The page was not given a gateway.");
        let gateway = respond(use_context::<SharedGateway>().ok_or_else(missing))?;
        let caller = respond(use_context::<Option<Caller>>().flatten().ok_or_else(ApiError::not_signed_in))?;
        Ok((gateway, caller))
    }

    /// Gives the response the status of an error.
    pub(super) fn respond<T>(result: Result<T, ApiError>) -> Result<T, ApiError> {
        if let Err(error) = &result
            && let Some(response) = use_context::<ResponseOptions>()
            && let Ok(status) = http::StatusCode::from_u16(error.status)
        {
            response.set_status(status);
        }
        result
    }

    /// The newest stored candles, oldest first.
    pub(super) async fn candles(
        gateway: &SharedGateway,
        caller: &Caller,
        instrument_id: String,
        interval: Interval,
    ) -> Result<Vec<Bar>, ApiError> {
        let query = CandlesQuery {
            interval: Some(interval.as_str().to_owned()),
            instrument_id: Some(instrument_id),
            limit: Some(super::CHART_BARS.to_string()),
            ..CandlesQuery::default()
        };
        let candles = gateway.candles(caller, query).await?.items;
        Ok(candles.iter().rev().map(Bar::of_candle).collect())
    }

    pub(super) fn page(cursor: Option<String>, limit: u16) -> HistoryQuery {
        HistoryQuery { cursor, limit: Some(limit.to_string()), ..HistoryQuery::default() }
    }
}
