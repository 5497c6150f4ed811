//! Requests and answers of REST and server functions.
//!
//! Requests refuse unknown fields. A missing or `null` field stays absent: what
//! parses its value refuses it by name. Does not know HTTP, nor how anything is
//! answered.

use engine::book::PriceLevel;
use engine::decimal::Decimal;
use engine::id::{Digest, InstrumentId, OrderId, Seq, VenueId};
use engine::instrument::{Instrument, InstrumentKind, Terms};
use engine::money::Money;
use engine::order::{DecisionBasis, Estimate, OrderDecision, Preview, RawAmend, RawTake, RawTicket};
use engine::position::Basis;
use engine::time::{Date, VenueTime, WallTime};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::frames::{
    AccountFrame, BookFrame, FillFrame, OrderFrame, PortfolioSnapshot, QuotesFrame, TickEvent,
};
use crate::gateway::Caller;
use crate::sparkline::Sparkline;

/// A decimal number in its source text, from a JSON number or string: never a
/// float. A boolean comes as its text, which no number parser accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecimalText(String);

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str(raw).map(Self).map_err(D::Error::custom),
            Some(b'{' | b'[') => Err(D::Error::custom("expected a number or a string")),
            _ => Ok(Self(raw.to_owned())),
        }
    }
}

impl From<DecimalText> for String {
    fn from(text: DecimalText) -> Self {
        text.0
    }
}

/// Body of `POST /api/v1/orders` and of its preview.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaceOrderRequest {
    /// UUID of the instrument.
    pub instrument_id: Option<String>,
    /// `BUY` or `SELL`.
    pub side: Option<String>,
    /// `MARKET` or `LIMIT`.
    #[serde(rename = "type")]
    pub order_type: Option<String>,
    /// In units, a multiple of the lot size.
    pub quantity: Option<DecimalText>,
    /// Required with `LIMIT`, forbidden with `MARKET`.
    pub limit_price: Option<DecimalText>,
    /// `GTC`, `IOC`, `FOK` or `DAY`; the order type's own when absent.
    pub time_in_force: Option<String>,
    /// The client's name for the order, unique in the account; a preview needs none.
    pub client_order_id: Option<String>,
    /// Venue time after which it must not be accepted.
    pub valid_until: Option<String>,
    /// `CANCEL_RESTING` (default) or `REJECT`.
    pub self_trade_prevention: Option<String>,
}

impl From<PlaceOrderRequest> for RawTicket {
    fn from(request: PlaceOrderRequest) -> Self {
        Self {
            instrument_id: request.instrument_id.unwrap_or_default(),
            side: request.side.unwrap_or_default(),
            order_type: request.order_type.unwrap_or_default(),
            quantity: request.quantity.unwrap_or_default().into(),
            limit_price: request.limit_price.map(String::from),
            time_in_force: request.time_in_force,
            client_order_id: request.client_order_id,
            valid_until: request.valid_until,
            self_trade_prevention: request.self_trade_prevention,
        }
    }
}

/// Body of `PATCH /api/v1/orders/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AmendOrderRequest {
    /// New total quantity in units, including what is filled.
    pub quantity: Option<DecimalText>,
    /// New limit price.
    pub limit_price: Option<DecimalText>,
    /// The client's name for this request, unique like an order's.
    pub client_order_id: Option<String>,
    /// Venue time after which it must not be accepted.
    pub valid_until: Option<String>,
    /// `CANCEL_RESTING` (default) or `REJECT`.
    pub self_trade_prevention: Option<String>,
}

impl From<AmendOrderRequest> for RawAmend {
    fn from(request: AmendOrderRequest) -> Self {
        Self {
            quantity: request.quantity.map(String::from),
            limit_price: request.limit_price.map(String::from),
            client_order_id: request.client_order_id,
            valid_until: request.valid_until,
            self_trade_prevention: request.self_trade_prevention,
        }
    }
}

/// Body of `POST /api/v1/quotes/{id}/hit` and `…/lift`, and of the preview.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TakeQuoteRequest {
    /// In units, a multiple of the lot size.
    pub quantity: Option<DecimalText>,
    /// The client's name for the resulting order.
    pub client_order_id: Option<String>,
    /// Venue time after which it must not be accepted.
    pub valid_until: Option<String>,
}

impl From<TakeQuoteRequest> for RawTake {
    fn from(request: TakeQuoteRequest) -> Self {
        Self {
            quantity: request.quantity.unwrap_or_default().into(),
            client_order_id: request.client_order_id,
            valid_until: request.valid_until,
        }
    }
}

/// Body of `POST /api/v1/quotes/{id}/preview`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PreviewQuoteRequest {
    /// `SELL` hits the bid, `BUY` lifts the offer.
    pub side: Option<String>,
    /// In units, a multiple of the lot size.
    pub quantity: Option<DecimalText>,
    /// Accepted and not used.
    pub client_order_id: Option<String>,
    /// Accepted and not used.
    pub valid_until: Option<String>,
}

/// Body of `POST /api/v1/venue/claim`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimVenueRequest {
    /// One-time token that the server printed at its first start.
    pub token: Option<String>,
}

/// Body of `POST /api/v1/logs`: a line for the server's log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogRequest {
    /// `error`, `warn` or `info`.
    pub level: Option<String>,
    /// Identifier in `snake_case`, like `page_failed`.
    pub event: Option<String>,
    /// Sentence for people.
    pub message: Option<String>,
    /// Path of the page.
    pub page: Option<String>,
    /// Stack trace or the like.
    pub details: Option<String>,
}

/// Body of `POST /api/v1/auth/register`, `…/login` and `…/keep`.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CredentialsRequest {
    /// E-mail address.
    pub email: Option<String>,
    /// Password.
    pub password: Option<String>,
}

/// Body of `POST /api/v1/auth/guest`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuestRequest {
    /// Display name.
    pub name: Option<String>,
}

/// Body of `POST /api/v1/auth/reset`.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResetPasswordRequest {
    /// Token of the reset link.
    pub token: Option<String>,
    /// New password.
    pub password: Option<String>,
}

/// One of the caller's sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEntry {
    /// Identifies it to its user; opens nothing.
    pub session_id: String,
    /// True for the session of this very request.
    pub current: bool,
    /// Browser and system, like `Firefox on Linux`.
    pub device: String,
    /// Time of the sign-in.
    pub created_at: WallTime,
    /// Time of the last activity, to half a minute.
    pub last_seen_at: WallTime,
    /// End, whatever the user does.
    pub expires_at: WallTime,
}

/// One consistent cut of market and account: the data of a trading screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradingSnapshot {
    /// The market.
    pub venue: VenueId,
    /// Its name.
    pub venue_name: String,
    /// SHA-256(seed ‖ salt).
    pub seed_commitment: Digest,
    /// Code of the one currency.
    pub currency: String,
    /// Last journal entry that is included.
    pub through: Seq,
    /// Venue time of that entry.
    pub time: VenueTime,
    /// Settlement date.
    pub date: Date,
    /// Entry that last changed the settlement date.
    pub date_rev: Seq,
    /// Start of the venue: its days are counted from there.
    pub t0: VenueTime,
    /// Listed instruments, by symbol.
    pub instruments: Vec<Instrument>,
    /// The merged books.
    pub books: Vec<BookFrame>,
    /// Live quotes of instruments that trade on dealers' quotes.
    pub quotes: Vec<QuotesFrame>,
    /// Marks and touches.
    pub ticks: Vec<TickEvent>,
    /// Marks of the last minute.
    pub sparklines: Vec<(InstrumentId, Sparkline)>,
    /// The caller's account.
    pub account: AccountFrame,
    /// The caller's valuation.
    pub portfolio: PortfolioSnapshot,
    /// Base of the day's changes.
    pub day_open: DayOpen,
}

/// Figures at the start of the settlement date. What is unknown is absent and
/// shown as a dash, never as zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayOpen {
    /// The caller's NAV; the starting balance of an account opened on this date.
    pub nav: Option<Money>,
    /// Marks, or the first ones of the day, where there are any.
    pub marks: Vec<(InstrumentId, Decimal)>,
}

/// A decided request to place or amend an order or to take a quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedOrder {
    /// The order after its own entry.
    pub order: OrderFrame,
    /// Decided part, byte-equal to a preview on the same basis.
    pub decided: OrderDecision,
    /// Revisions that the decision read.
    pub basis: DecisionBasis,
    /// Journal entry that accepted it.
    pub seq: Seq,
    /// True if this repeats an earlier answer (200 instead of 201).
    pub repeated: bool,
}

/// Outcome of a request to place or amend an order or to take a quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlaceOrderResponse {
    /// Decided and durable.
    Decided(Box<PlacedOrder>),
    /// Not answered in time (202): look it up by client order id; it is never
    /// accepted after its `valid_until`.
    Pending {
        /// The client's name for it.
        client_order_id: String,
    },
}

/// JSON of a [`PlacedOrder`]. A repeat has the same body as the first answer.
#[derive(Clone, Debug, Serialize)]
pub struct PlacedOrderJson {
    /// Id of the order.
    pub order_id: OrderId,
    /// The order after its own entry.
    pub order: OrderFrame,
    /// Decided part, equal to a preview on the same basis.
    pub decided: OrderDecisionJson,
    /// Revisions that the decision read.
    pub basis: DecisionBasis,
    /// Journal entry that accepted it.
    pub seq: Seq,
}

impl PlacedOrderJson {
    /// `placed` in the units of its instrument.
    pub fn new(placed: PlacedOrder, instrument: &Instrument) -> Self {
        let PlacedOrder { order, decided, basis, seq, repeated: _ } = placed;
        let decided = OrderDecisionJson::new(decided, instrument);
        Self { order_id: order.order_id, order, decided, basis, seq }
    }
}

/// JSON of [`PlaceOrderResponse::Pending`].
#[derive(Clone, Debug, Serialize)]
pub struct PendingOrderJson {
    /// `pending`.
    pub status: &'static str,
    /// The client's name for the order.
    pub client_order_id: String,
}

/// JSON of a preview.
#[derive(Clone, Debug, Serialize)]
pub struct PreviewJson {
    /// Decided part, equal to the answer's on the same basis.
    pub decided: OrderDecisionJson,
    /// Revisions that the decision read.
    pub basis: DecisionBasis,
    /// The account's figures before and after; indicative.
    pub estimate: Estimate,
}

impl PreviewJson {
    /// `preview` in the units of its instrument.
    pub fn new(preview: Preview, instrument: &Instrument) -> Self {
        let decided = OrderDecisionJson::new(preview.decided, instrument);
        Self { decided, basis: preview.basis, estimate: preview.estimate }
    }
}

/// JSON of an [`OrderDecision`]: prices and quantities as decimals.
#[derive(Clone, Debug, Serialize)]
pub struct OrderDecisionJson {
    /// Immediate fills, best price first.
    pub fills: Vec<FilledLevelJson>,
    /// Own orders that are cancelled to prevent self-trades.
    pub cancelled: Vec<OrderId>,
    /// Quantity that fills at once.
    pub filled_quantity: Decimal,
    /// Quantity that rests in the book.
    pub resting_quantity: Decimal,
    /// Quantity that is cancelled at once.
    pub expired_quantity: Decimal,
    /// Money exchanged by the fills.
    pub notional: Money,
    /// Fee of the fills.
    pub fee: Money,
    /// Cash afterwards.
    pub cash: Money,
    /// Reserved cash afterwards.
    pub reserved: Money,
    /// Position afterwards.
    pub position: Decimal,
    /// Cost basis of the position afterwards.
    pub basis: Basis,
    /// Realized P&L of the position afterwards.
    pub realized_pnl: Money,
}

impl OrderDecisionJson {
    fn new(decided: OrderDecision, instrument: &Instrument) -> Self {
        let fill = |fill: &PriceLevel| FilledLevelJson {
            price: instrument.price(fill.price),
            quantity: instrument.quantity(fill.lots),
        };
        Self {
            fills: decided.fills.iter().map(fill).collect(),
            cancelled: decided.cancelled,
            filled_quantity: instrument.quantity(decided.filled),
            resting_quantity: instrument.quantity(decided.resting),
            expired_quantity: instrument.quantity(decided.expired),
            notional: decided.notional,
            fee: decided.fee,
            cash: decided.cash,
            reserved: decided.reserved,
            position: instrument.quantity(decided.position),
            basis: decided.basis,
            realized_pnl: decided.realized_pnl,
        }
    }
}

/// JSON of a price level: the quantity filled at one price.
#[derive(Clone, Debug, Serialize)]
pub struct FilledLevelJson {
    /// Price of the fill.
    pub price: Decimal,
    /// In units.
    pub quantity: Decimal,
}

/// Answer to `DELETE /api/v1/orders`.
#[derive(Clone, Debug, Serialize)]
pub struct CancelledOrders {
    /// By the time of their acceptance.
    pub cancelled: Vec<OrderFrame>,
}

/// An instrument in the contract's words.
#[derive(Clone, Debug, Serialize)]
pub struct ListedInstrument {
    /// Id of the instrument.
    pub instrument_id: InstrumentId,
    /// Short name, unique in the venue.
    pub symbol: String,
    /// Full name.
    pub name: String,
    /// Kind of the terms.
    #[serde(rename = "type")]
    pub kind: InstrumentKind,
    /// Smallest price difference.
    pub tick_size: Decimal,
    /// Smallest quantity.
    pub lot_size: Decimal,
    /// Money a tick and lot.
    pub tick_value: Money,
    /// Code of the venue's currency.
    pub currency: String,
    /// Last day, where there is one.
    pub maturity: Option<Date>,
    /// Underlier of a derivative.
    pub underlier_instrument_id: Option<InstrumentId>,
    /// Fee rate of notional, in 1e-9.
    pub fee_rate_e9: i64,
    /// Half width of the price collar around the mark.
    pub collar_bps: u32,
    /// Dealers that quote it; empty for instruments with an order book.
    pub dealers: Vec<String>,
    /// Contract terms of its kind.
    pub terms: Terms,
}

impl ListedInstrument {
    /// `instrument`, which trades in `currency`.
    pub fn new(instrument: Instrument, currency: &str) -> Self {
        Self {
            instrument_id: instrument.id,
            kind: instrument.kind(),
            maturity: instrument.terms.maturity(),
            underlier_instrument_id: instrument.terms.underlier(),
            symbol: instrument.symbol,
            name: instrument.name,
            tick_size: instrument.tick_size,
            lot_size: instrument.lot_size,
            tick_value: instrument.tick_value,
            currency: currency.to_owned(),
            fee_rate_e9: instrument.fee_rate_e9,
            collar_bps: instrument.collar_bps,
            dealers: instrument.dealers,
            terms: instrument.terms,
        }
    }
}

/// The venue as anybody signed in may know it.
#[derive(Clone, Debug, Serialize)]
pub struct VenueInfo {
    /// Id of the venue.
    pub venue: VenueId,
    /// Its name.
    pub name: String,
    /// Code of the one currency.
    pub currency: String,
    /// Cash of a new account.
    pub starting_balance: Money,
    /// Venue time of a step, in microseconds.
    pub step_us: i64,
    /// SHA-256(seed ‖ salt).
    pub seed_commitment: Digest,
}

/// A page of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Opaque position of the next page; absent on the last one.
    pub next_cursor: Option<String>,
}

/// Filter and position of a history. Absent means unbounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryQuery {
    /// UUID; required for ticks and candles, a filter of orders and fills.
    pub instrument_id: Option<String>,
    /// Venue time, inclusive.
    pub from: Option<String>,
    /// Venue time, exclusive.
    pub to: Option<String>,
    /// Rows of a page, 1 to 1,000; 100 when absent.
    pub limit: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Query of `GET /api/v1/orders`: a history with two more filters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrdersQuery {
    /// `OPEN` (live), `PARTIAL`, `FILLED` or `CANCELLED`.
    pub status: Option<String>,
    /// The client's name for an order.
    pub client_order_id: Option<String>,
    /// As in [`HistoryQuery`].
    pub instrument_id: Option<String>,
    /// As in [`HistoryQuery`].
    pub from: Option<String>,
    /// As in [`HistoryQuery`].
    pub to: Option<String>,
    /// As in [`HistoryQuery`].
    pub limit: Option<String>,
    /// As in [`HistoryQuery`].
    pub cursor: Option<String>,
}

impl OrdersQuery {
    /// The part that every history has.
    pub fn history(self) -> HistoryQuery {
        let Self { instrument_id, from, to, limit, cursor, .. } = self;
        HistoryQuery { instrument_id, from, to, limit, cursor }
    }
}

/// Query of `GET /api/v1/history/candles`: a history with an interval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CandlesQuery {
    /// `1s`, `5s`, `15s`, `1m`, `5m`, `15m`, `1h` or `1d`.
    pub interval: Option<String>,
    /// As in [`HistoryQuery`].
    pub instrument_id: Option<String>,
    /// As in [`HistoryQuery`].
    pub from: Option<String>,
    /// As in [`HistoryQuery`].
    pub to: Option<String>,
    /// As in [`HistoryQuery`].
    pub limit: Option<String>,
    /// As in [`HistoryQuery`].
    pub cursor: Option<String>,
}

impl CandlesQuery {
    /// The part that every history has.
    pub fn history(self) -> HistoryQuery {
        let Self { interval: _, instrument_id, from, to, limit, cursor } = self;
        HistoryQuery { instrument_id, from, to, limit, cursor }
    }
}

/// Query of routes that may be limited to one instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InstrumentQuery {
    /// UUID; absent means all.
    pub instrument_id: Option<String>,
}

/// A row of the contract's `market_ticks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickRow {
    /// The instrument.
    pub instrument_id: InstrumentId,
    /// Venue time.
    pub timestamp: VenueTime,
    /// Number of the step.
    pub step: u64,
    /// Best synthetic bid.
    pub bid: Option<Decimal>,
    /// Best synthetic ask.
    pub ask: Option<Decimal>,
    /// The mark.
    #[serde(rename = "mid")]
    pub mark: Decimal,
    /// Absent for listed instruments.
    pub dealer_id: Option<String>,
}

/// Prices and volume of an instrument in a span of venue time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandleRow {
    /// The instrument.
    pub instrument_id: InstrumentId,
    /// Start of the span.
    pub timestamp: VenueTime,
    /// The first mark or match.
    pub open: Decimal,
    /// The highest.
    pub high: Decimal,
    /// The lowest.
    pub low: Decimal,
    /// The last.
    pub close: Decimal,
    /// Traded quantity, in units.
    pub volume: Decimal,
    /// Venue time of the newest mark or match in it.
    pub updated_at: VenueTime,
}

/// A stored valuation: a point of the P&L chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortfolioPoint {
    /// Venue time.
    pub timestamp: VenueTime,
    /// Last journal entry that is included.
    pub seq: Seq,
    /// Cash plus marks.
    pub nav: Money,
    /// All cash.
    pub cash: Money,
    /// P&L of closed positions, before fees.
    pub realized_pnl: Money,
    /// P&L of open positions.
    pub unrealized_pnl: Money,
}

/// State of the venue's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    /// Number of the last applied step.
    pub step: u64,
    /// Its venue time.
    pub time: VenueTime,
    /// `running`, `paused`, `manual` or `idle`.
    pub mode: String,
    /// Requested venue seconds a wall second, in thousandths.
    pub speed_milli: u64,
    /// The newest journal entry.
    pub through: Seq,
}

/// A command of the venue's owner to its clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClockCommand {
    /// Applies this many steps, then answers (manual or paused clock).
    Step {
        /// 1 to 100,000.
        steps: u32,
    },
    /// Stops the clock.
    Pause {},
    /// Starts it again.
    Resume {},
    /// Sets venue seconds a wall second, in thousandths: 1 to 1,000,000.
    Speed {
        /// 1,000 is real time.
        speed_milli: u64,
    },
}

/// Everything that a page is rendered from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The signed-in user.
    pub caller: Caller,
    /// Market and account.
    pub snapshot: TradingSnapshot,
    /// The caller's newest orders, read after the snapshot.
    pub orders: Vec<OrderFrame>,
    /// The caller's newest fills, read after the snapshot.
    pub fills: Vec<FillFrame>,
}
