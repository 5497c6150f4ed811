//! Everything that a client may ask of the server, as one trait.
//!
//! Pages, server functions and REST handlers are one-liners over it; the
//! server's gateway implements it. Does not know HTTP, storage or agents.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::frames::{
    AccountFrame, BookFrame, FillFrame, OrderFrame, PortfolioSnapshot, QuotesFrame, TickEvent,
};
use engine::id::{AccountId, Digest, InstrumentId, OrderId, QuoteId, Seq, VenueId};
use engine::instrument::Instrument;
use engine::money::Money;
use engine::order::{DecisionBasis, OrderDecision, RawAmend, RawTake, RawTicket, Side};
use engine::time::{Date, VenueTime, WallTime};
use serde::{Deserialize, Serialize};

use crate::nav_history::{NavHistory, NavRange};
use crate::sparkline::Sparkline;

/// The server's gateway as it sits in axum's state and in Leptos's context.
pub type SharedGateway = Arc<dyn Gateway>;

/// Who asks: made by the session layer alone, so ownership cannot be claimed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The signed-in user, a UUID.
    pub user: String,
    /// Their e-mail address; a guest has none, and something without an `@`.
    pub email: String,
    /// What they call themselves, else their address: to greet them.
    pub name: String,
    /// Their account in the venue.
    pub account: AccountId,
    /// Whether the venue is theirs to control.
    pub owner: bool,
    /// Names the session that they ask with; not what its cookie holds.
    pub session_id: String,
    /// What their role allows; clients are not told.
    #[serde(skip)]
    pub permissions: HashSet<Permission>,
}

/// Actions that a role allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Place, amend and cancel orders, take quotes.
    Trade,
    /// Set the venue's clock.
    ControlVenue,
}

impl Caller {
    /// Checks that the caller has a permission.
    ///
    /// # Errors
    /// 403 `not_trader` or `not_owner`.
    pub fn require(&self, permission: Permission) -> Result<(), ApiError> {
        let (code, message) = match permission {
            _ if self.permissions.contains(&permission) => return Ok(()),
            Permission::Trade => ("not_trader", "Only traders may do this."),
            Permission::ControlVenue => ("not_owner", "Only the venue's owner may change its clock."),
        };
        Err(ApiError::new(403, code, message))
    }

    /// Whether they came in with a name alone.
    pub fn is_guest(&self) -> bool {
        !self.email.contains('@')
    }
}

/// One of the caller's sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEntry {
    /// Names it; not what its cookie holds.
    pub session_id: String,
    /// Whether the caller asks with this one.
    pub current: bool,
    /// What signed in, like `Firefox on Linux`.
    pub device: String,
    /// When they signed in.
    pub created_at: WallTime,
    /// When they were last active, to half a minute.
    pub last_seen_at: WallTime,
    /// When it ends whatever they do.
    pub expires_at: WallTime,
}

/// The one error shape, REST and server functions alike:
/// `{"error":{"code","message","field"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// Stable word.
    pub code: String,
    /// For people.
    pub message: String,
    /// The input's field that it belongs to, if it is one field's.
    pub field: Option<String>,
    /// The engine's typed reason, where it is one: lets a ticket say how much
    /// is missing.
    pub reject: Option<engine::order::Reject>,
}

impl ApiError {
    /// Code of an error whose request may or may not have been carried out.
    pub const UNREACHABLE: &'static str = "unreachable";

    /// An error that belongs to no field.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), field: None, reject: None }
    }

    /// The server gave no answer: the request may or may not have been carried out.
    pub fn unreachable() -> Self {
        Self::new(0, Self::UNREACHABLE, "The server cannot be reached.")
    }

    /// The server's answer could not be decoded.
    pub fn unreadable() -> Self {
        Self::new(500, "internal", "The server's answer could not be read.")
    }

    /// Returns true if the request may have been carried out all the same.
    pub fn leaves_doubt(&self) -> bool {
        self.status == 0 || self.status >= 500
    }

    /// The same, belonging to `field`.
    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}

#[cfg(feature = "server_fn")]
impl server_fn::error::FromServerFnError for ApiError {
    type Encoder = server_fn::codec::PostcardEncoding;

    fn from_server_fn_error(error: server_fn::error::ServerFnErrorErr) -> Self {
        use server_fn::error::ServerFnErrorErr;
        match error {
            ServerFnErrorErr::Request(_) => Self::unreachable(),
            ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Args(_) => {
                Self::new(400, "invalid_request", "The server could not read the request.")
            }
            _ => Self::unreadable(),
        }
    }
}

/// What a trading screen starts from: one consistent cut of market and account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desk {
    /// The market.
    pub venue: VenueId,
    /// Its name.
    pub venue_name: String,
    /// SHA-256(seed ‖ salt).
    pub seed_commitment: Digest,
    /// The one currency's code.
    pub currency: String,
    /// Everything here is as of this entry.
    pub through: Seq,
    /// Venue time of that entry.
    pub time: VenueTime,
    /// Settlement date.
    pub date: Date,
    /// The entry that last changed it.
    pub date_rev: Seq,
    /// When the venue began: its days are counted from there.
    pub t0: VenueTime,
    /// What is listed, by symbol.
    pub instruments: Vec<Instrument>,
    /// The merged books.
    pub books: Vec<BookFrame>,
    /// Dealers' live quotes of what trades on them.
    pub quotes: Vec<QuotesFrame>,
    /// Marks and touches.
    pub ticks: Vec<TickEvent>,
    /// Each one's marks of the last minute.
    pub trails: Vec<(InstrumentId, Sparkline)>,
    /// The caller's account.
    pub account: AccountFrame,
    /// The caller's valuation.
    pub portfolio: PortfolioSnapshot,
    /// What the day's changes are measured from.
    pub day_open: DayOpen,
}

/// How things stood when the settlement date began. What is not known is
/// absent and shown as a dash, never as zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayOpen {
    /// The caller's NAV then; the starting balance when the account was opened
    /// on this date.
    pub nav: Option<Money>,
    /// Marks then (or the first ones known), for any of the instruments.
    pub marks: Vec<(InstrumentId, engine::decimal::Decimal)>,
}

/// The answer to a placed or amended order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderReply {
    /// The order as it stood after its own entry.
    pub order: OrderFrame,
    /// The decided part, byte-equal to a preview on the same basis.
    pub decided: OrderDecision,
    /// What the decision read.
    pub basis: DecisionBasis,
    /// The entry that accepted it.
    pub seq: Seq,
    /// Whether this repeats an earlier answer (200 instead of 201).
    pub repeated: bool,
}

/// What became of the request to place or amend an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Placed {
    /// Decided and durable.
    Answered(Box<OrderReply>),
    /// Not answered in time (202): ask by client order id; it is never
    /// accepted after its `valid_until`.
    Pending {
        /// The client's name for it.
        client_order_id: String,
    },
}

/// A page of rows and where the next one starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Opaque; absent on the last page.
    pub next_cursor: Option<String>,
}

/// Which rows of a history are wanted. Absent means no bound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// UUID; ticks need it, trades may filter by it.
    #[serde(default)]
    pub instrument_id: Option<String>,
    /// Venue time, inclusive.
    #[serde(default)]
    pub from: Option<String>,
    /// Venue time, exclusive.
    #[serde(default)]
    pub to: Option<String>,
    /// 1 to 1,000; 100 when absent.
    #[serde(default)]
    pub limit: Option<String>,
    /// From the page before.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A row of the contract's `market_ticks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickRow {
    /// Which instrument.
    pub instrument_id: InstrumentId,
    /// Venue time.
    pub timestamp: VenueTime,
    /// Number of the step.
    pub step: u64,
    /// Best synthetic bid.
    pub bid: Option<engine::decimal::Decimal>,
    /// Best synthetic ask.
    pub ask: Option<engine::decimal::Decimal>,
    /// The mark.
    pub mid: engine::decimal::Decimal,
    /// Absent for listed instruments.
    pub dealer_id: Option<String>,
}

/// A candle: what happened to a price in a stretch of venue time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandleRow {
    /// Which instrument.
    pub instrument_id: InstrumentId,
    /// Where the stretch begins.
    pub timestamp: VenueTime,
    /// The first mark or match.
    pub open: engine::decimal::Decimal,
    /// The highest.
    pub high: engine::decimal::Decimal,
    /// The lowest.
    pub low: engine::decimal::Decimal,
    /// The last.
    pub close: engine::decimal::Decimal,
    /// What traded, in units.
    pub volume: engine::decimal::Decimal,
    /// Venue time of the newest thing in it.
    pub updated_at: VenueTime,
}

/// A stored valuation: a point of the P&L chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortfolioPoint {
    /// Venue time.
    pub timestamp: VenueTime,
    /// As of this entry.
    pub seq: Seq,
    /// Cash plus marks.
    pub nav: Money,
    /// All cash.
    pub cash: Money,
    /// P&L of what was closed, without fees.
    pub realized_pnl: Money,
    /// P&L of what is open.
    pub unrealized_pnl: Money,
}

/// How the venue's clock runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    /// Number of the last applied step.
    pub step: u64,
    /// Its venue time.
    pub time: VenueTime,
    /// `running`, `paused` or `manual`.
    pub mode: String,
    /// Venue seconds a wall second that are asked for, in thousandths.
    pub speed_milli: u64,
    /// The newest entry.
    pub through: Seq,
}

/// What the venue's owner may do to its clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClockCommand {
    /// Applies this many steps, then answers (manual clock).
    Step {
        /// 1 to 100,000.
        steps: u32,
    },
    /// Stands still.
    Pause {},
    /// Goes on.
    Resume {},
    /// Venue seconds a wall second, in thousandths: 1 to 1,000,000.
    Speed {
        /// 1,000 is real time.
        speed_milli: u64,
    },
}

/// What a page is rendered from: who looks, and what they see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Who looks.
    pub caller: Caller,
    /// Market and account.
    pub desk: Desk,
    /// Their newest orders, read after the desk.
    pub orders: Vec<OrderFrame>,
    /// Their newest fills, read after the desk.
    pub fills: Vec<FillFrame>,
}

/// What the UI and bots may ask of the server. The first argument names the
/// caller, so no method can forget whose data it is about.
#[async_trait::async_trait]
pub trait Gateway: Send + Sync + 'static {
    /// What is listed, by symbol.
    async fn instruments(&self, caller: &Caller) -> Result<Vec<Instrument>, ApiError>;

    /// One consistent cut of market and account.
    async fn desk(&self, caller: &Caller) -> Result<Desk, ApiError>;

    /// Parses and places an order; the answer is durable.
    async fn place_order(&self, caller: &Caller, ticket: RawTicket) -> Result<Placed, ApiError>;

    /// What placing it now would do, without doing it (decided part, basis).
    async fn preview_order(
        &self,
        caller: &Caller,
        ticket: RawTicket,
    ) -> Result<engine::order::Preview, ApiError>;

    /// Changes quantity, limit or both of a live order; the answer is durable.
    async fn amend_order(&self, caller: &Caller, order: &str, amend: RawAmend) -> Result<Placed, ApiError>;

    /// All live dealers' quotes, of one instrument or of all that trade on them.
    async fn quotes(&self, caller: &Caller, instrument: Option<&str>) -> Result<Vec<QuotesFrame>, ApiError>;

    /// Hits a dealer's bid or lifts the offer, all of the quantity or nothing;
    /// the answer is durable.
    async fn take_quote(
        &self,
        caller: &Caller,
        quote: &str,
        side: Side,
        take: RawTake,
    ) -> Result<Placed, ApiError>;

    /// What taking it now would do, without doing it.
    async fn preview_take(
        &self,
        caller: &Caller,
        quote: &str,
        side: Side,
        take: RawTake,
    ) -> Result<(InstrumentId, engine::order::Preview), ApiError>;

    /// Cancels what is left of an order; cancelling twice is harmless.
    async fn cancel_order(&self, caller: &Caller, order: &str) -> Result<OrderFrame, ApiError>;

    /// Cancels every live order, or every one of an instrument, at once; those
    /// that were cancelled, by the time of their acceptance.
    async fn cancel_all(
        &self,
        caller: &Caller,
        instrument: Option<&str>,
    ) -> Result<Vec<OrderFrame>, ApiError>;

    /// One of the caller's orders, whatever its status.
    async fn order(&self, caller: &Caller, order: &str) -> Result<OrderFrame, ApiError>;

    /// The caller's orders, newest first; `status` filters (`OPEN` means live).
    async fn orders(
        &self,
        caller: &Caller,
        status: Option<&str>,
        client_order_id: Option<&str>,
        query: HistoryQuery,
    ) -> Result<Page<OrderFrame>, ApiError>;

    /// The caller's fills, newest first.
    async fn trades(&self, caller: &Caller, query: HistoryQuery) -> Result<Page<FillFrame>, ApiError>;

    /// An instrument's ticks, newest first.
    async fn ticks(&self, caller: &Caller, query: HistoryQuery) -> Result<Page<TickRow>, ApiError>;

    /// An instrument's candles of `interval` (`1s` to `1d`), newest first.
    async fn candles(
        &self,
        caller: &Caller,
        interval: Option<&str>,
        query: HistoryQuery,
    ) -> Result<Page<CandleRow>, ApiError>;

    /// The caller's stored valuations, newest first.
    async fn portfolio_history(
        &self,
        caller: &Caller,
        query: HistoryQuery,
    ) -> Result<Page<PortfolioPoint>, ApiError>;

    /// What the caller's account was worth over `range`, to now.
    async fn worth(&self, caller: &Caller, range: NavRange) -> Result<NavHistory, ApiError>;

    /// The caller's cash, NAV, P&L, positions, delta and DV01.
    async fn portfolio(&self, caller: &Caller) -> Result<PortfolioSnapshot, ApiError>;

    /// The venue's clock; anyone signed in may look.
    async fn clock(&self, caller: &Caller) -> Result<ClockState, ApiError>;

    /// Changes the venue's clock; its owner alone may.
    async fn set_clock(&self, caller: &Caller, command: ClockCommand) -> Result<ClockState, ApiError>;

    /// The caller's sessions, the one that they ask with first.
    async fn sessions(&self, caller: &Caller) -> Result<Vec<SessionEntry>, ApiError>;

    /// Makes the caller the venue's owner when `token` is the one-time claim
    /// token printed at first start.
    async fn claim_venue(&self, caller: &Caller, token: &str) -> Result<(), ApiError>;

    /// Cash that a new account starts with, for the register page.
    fn starting_balance(&self) -> Money;
}

/// An order id from outside.
///
/// # Errors
/// 400 `invalid_id` for what is no UUID.
pub fn parse_order_id(text: &str) -> Result<OrderId, ApiError> {
    text.parse().map_err(|_| ApiError::new(400, "invalid_id", "The id must be a UUID.").at("order_id"))
}

/// A quote id from outside.
///
/// # Errors
/// 400 `invalid_id` for what is no UUID.
pub fn parse_quote_id(text: &str) -> Result<QuoteId, ApiError> {
    text.parse().map_err(|_| ApiError::new(400, "invalid_id", "The id must be a UUID.").at("quote_id"))
}
