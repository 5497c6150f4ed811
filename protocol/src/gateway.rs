//! Operations of the server, one trait per resource.
//!
//! Pages, server functions and REST handlers call them; the server's gateway
//! implements them. The first argument names the caller, so that no method can
//! forget whose data it is about. Does not know HTTP, storage or agents.

use std::sync::Arc;

use async_trait::async_trait;
use engine::account::Account;
use engine::candle::Candle;
use engine::id::InstrumentId;
use engine::instrument::Instrument;
use engine::order::{OrderRecord, Preview, RawAmend, RawTake, RawTicket, Side};
use engine::quote::QuotesSnapshot;
use engine::venue::Fill;

use crate::caller::Caller;
use crate::error::ApiError;
use crate::frames::PortfolioSnapshot;
use crate::nav_history::{NavHistory, NavRange};
use crate::rest::{
    AgentState, CandlesQuery, ClockCommand, ClockState, ConnectedUsers, HistoryQuery, OrdersQuery, Page,
    PlaceOrderResponse, PortfolioPoint, SessionEntry, TickRow, TradingSnapshot, VenueInfo,
};

/// The gateway as axum's state and Leptos's context hold it.
pub type SharedGateway = Arc<dyn GatewayApi>;

/// Every operation of the gateway.
pub trait GatewayApi: OrderApi + QuoteApi + HistoryApi + AccountApi + VenueApi + VenueControlApi {}

impl<G: OrderApi + QuoteApi + HistoryApi + AccountApi + VenueApi + VenueControlApi> GatewayApi for G {}

/// Orders: place, preview, amend, cancel, look up.
#[async_trait]
pub trait OrderApi: Send + Sync + 'static {
    /// Parses and places an order; the answer is durable.
    async fn place_order(&self, caller: &Caller, ticket: RawTicket) -> Result<PlaceOrderResponse, ApiError>;

    /// Effect of placing it now, without placing it.
    async fn preview_order(&self, caller: &Caller, ticket: RawTicket) -> Result<Preview, ApiError>;

    /// Changes quantity, limit or both of a live order; the answer is durable.
    async fn amend_order(
        &self,
        caller: &Caller,
        order_id: &str,
        amend: RawAmend,
    ) -> Result<PlaceOrderResponse, ApiError>;

    /// Cancels what is left of an order; cancelling twice is harmless.
    async fn cancel_order(&self, caller: &Caller, order_id: &str) -> Result<OrderRecord, ApiError>;

    /// Cancels every live order, or every one of an instrument, at once.
    /// Returns the cancelled orders by the time of their acceptance.
    async fn cancel_all(
        &self,
        caller: &Caller,
        instrument_id: Option<&str>,
    ) -> Result<Vec<OrderRecord>, ApiError>;

    /// One of the caller's orders, whatever its status.
    async fn order(&self, caller: &Caller, order_id: &str) -> Result<OrderRecord, ApiError>;

    /// The caller's orders, newest first.
    async fn orders(&self, caller: &Caller, query: OrdersQuery) -> Result<Page<OrderRecord>, ApiError>;
}

/// Dealers' quotes: list, preview, take.
#[async_trait]
pub trait QuoteApi: Send + Sync + 'static {
    /// Live quotes of one instrument, or of all that trade on quotes.
    async fn quotes(
        &self,
        caller: &Caller,
        instrument_id: Option<&str>,
    ) -> Result<Vec<QuotesSnapshot>, ApiError>;

    /// Hits a dealer's bid or lifts the offer, all of the quantity or nothing;
    /// the answer is durable.
    async fn take_quote(
        &self,
        caller: &Caller,
        quote_id: &str,
        side: Side,
        take: RawTake,
    ) -> Result<PlaceOrderResponse, ApiError>;

    /// Effect of taking it now, without taking it, and the quoted instrument.
    async fn preview_take(
        &self,
        caller: &Caller,
        quote_id: &str,
        side: Side,
        take: RawTake,
    ) -> Result<(InstrumentId, Preview), ApiError>;
}

/// Stored rows, newest first, page by page.
#[async_trait]
pub trait HistoryApi: Send + Sync + 'static {
    /// The caller's fills.
    async fn fills(&self, caller: &Caller, query: HistoryQuery) -> Result<Page<Fill>, ApiError>;

    /// Ticks of an instrument.
    async fn ticks(&self, caller: &Caller, query: HistoryQuery) -> Result<Page<TickRow>, ApiError>;

    /// Candles of an instrument.
    async fn candles(&self, caller: &Caller, query: CandlesQuery) -> Result<Page<Candle>, ApiError>;

    /// The caller's stored valuations.
    async fn portfolio_history(
        &self,
        caller: &Caller,
        query: HistoryQuery,
    ) -> Result<Page<PortfolioPoint>, ApiError>;

    /// NAV of the caller's account over `range`, to now.
    async fn nav_history(&self, caller: &Caller, range: NavRange) -> Result<NavHistory, ApiError>;
}

/// The caller's account and sessions.
#[async_trait]
pub trait AccountApi: Send + Sync + 'static {
    /// Market and account as of one entry.
    async fn trading_snapshot(&self, caller: &Caller) -> Result<TradingSnapshot, ApiError>;

    /// Cash, positions and live orders.
    async fn account(&self, caller: &Caller) -> Result<Account, ApiError>;

    /// Cash, NAV, P&L, positions, delta and DV01.
    async fn portfolio(&self, caller: &Caller) -> Result<PortfolioSnapshot, ApiError>;

    /// The caller's sessions, the current one first.
    async fn sessions(&self, caller: &Caller) -> Result<Vec<SessionEntry>, ApiError>;

    /// Days without activity after which a guest is removed.
    fn guest_days(&self) -> i64;
}

/// Facts about the venue for anybody signed in.
#[async_trait]
pub trait VenueApi: Send + Sync + 'static {
    /// Listed instruments, by symbol.
    async fn instruments(&self, caller: &Caller) -> Result<Vec<Instrument>, ApiError>;

    /// State of the venue's clock.
    async fn clock(&self, caller: &Caller) -> Result<ClockState, ApiError>;

    /// Name, currency, starting balance, step length and seed commitment.
    fn venue_info(&self) -> VenueInfo;
}

/// Control of the venue by its owner.
#[async_trait]
pub trait VenueControlApi: Send + Sync + 'static {
    /// Changes the venue's clock; 403 for anybody but the owner.
    async fn set_clock(&self, caller: &Caller, command: ClockCommand) -> Result<ClockState, ApiError>;

    /// Users with an active session; 403 for anybody but the owner.
    async fn connected_users(&self, caller: &Caller) -> Result<ConnectedUsers, ApiError>;

    /// Begins an account again with the starting balance: its orders are cancelled, its
    /// positions sold to the house at the marks. 403 for anybody but the owner.
    async fn reset_account(&self, caller: &Caller, account_id: &str) -> Result<(), ApiError>;

    /// Health of the venue's agents; 403 for anybody but the owner.
    async fn agents(&self, caller: &Caller) -> Result<Vec<AgentState>, ApiError>;

    /// Makes the caller the venue's owner if `token` is the one-time claim
    /// token printed at first start. Guests are refused: nobody could own the
    /// venue once their session is over.
    async fn claim_venue(&self, caller: &Caller, token: &str) -> Result<(), ApiError>;
}
