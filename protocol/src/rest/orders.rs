//! Orders: placed, previewed, amended, listed and cancelled.

use engine::book::PriceLevel;
use engine::decimal::Decimal;
use engine::id::{OrderId, Seq};
use engine::instrument::Instrument;
use engine::money::Money;
use engine::order::{DecisionBasis, Estimate, OrderDecision, Preview, RawAmend, RawTicket};
use engine::position::Basis;
use serde::{Deserialize, Serialize};

use super::{DecimalText, HistoryQuery};
use crate::frames::OrderFrame;

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
