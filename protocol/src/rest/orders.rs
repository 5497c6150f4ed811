//! Orders: placed, previewed, amended, listed and cancelled.

use engine::book::PriceLevel;
use engine::decimal::Decimal;
use engine::id::{OrderId, Seq};
use engine::instrument::Instrument;
use engine::money::Money;
use engine::order::{DecisionBasis, Estimate, OrderDecision, OrderStatus, Preview, RawAmend, RawTicket};
use engine::position::Basis;
use engine::venue::OrderReply;
#[cfg(feature = "openapi")]
use engine::{
    id::InstrumentId,
    order::{ClientOrderId, SelfTradePrevention, Side, TimeInForce},
    time::VenueTime,
};
use serde::{Deserialize, Serialize};

use super::{DecimalText, HistoryQuery};
use crate::frames::OrderFrame;

/// Body of `POST /api/v1/orders` and of its preview.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PlaceOrderRequest {
    /// UUID of the instrument.
    #[cfg_attr(feature = "openapi", schema(value_type = InstrumentId, required))]
    pub instrument_id: Option<String>,
    /// `BUY` or `SELL`.
    #[cfg_attr(feature = "openapi", schema(value_type = Side, required))]
    pub side: Option<String>,
    /// `MARKET` or `LIMIT`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^(MARKET|LIMIT)$", required))]
    #[serde(rename = "type")]
    pub order_type: Option<String>,
    /// In units, a multiple of the lot size.
    #[cfg_attr(feature = "openapi", schema(value_type = DecimalText, required))]
    pub quantity: Option<DecimalText>,
    /// In currency units, a multiple of the tick size; required with `LIMIT`,
    /// forbidden with `MARKET`.
    pub limit_price: Option<DecimalText>,
    /// `GTC`, `IOC`, `FOK` or `DAY`; when absent `GTC` for limit orders, `IOC` for
    /// market orders, which never rest.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<TimeInForce>))]
    pub time_in_force: Option<String>,
    /// The client's name for the order, unique in the account: required except in
    /// a preview. The same body with the same name is answered again, not repeated.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<ClientOrderId>))]
    pub client_order_id: Option<String>,
    /// Venue time after which it must not be accepted.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<VenueTime>))]
    pub valid_until: Option<String>,
    /// `CANCEL_RESTING` (default) or `REJECT`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<SelfTradePrevention>))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AmendOrderRequest {
    /// New total quantity in units, the filled part included.
    pub quantity: Option<DecimalText>,
    /// New limit price, in currency units.
    pub limit_price: Option<DecimalText>,
    /// The client's name for this request, unique like an order's.
    #[cfg_attr(feature = "openapi", schema(value_type = ClientOrderId, required))]
    pub client_order_id: Option<String>,
    /// Venue time after which it must not be accepted.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<VenueTime>))]
    pub valid_until: Option<String>,
    /// `CANCEL_RESTING` (default) or `REJECT`.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<SelfTradePrevention>))]
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

/// Outcome of a request to place or amend an order or to take a quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlaceOrderResponse {
    /// Decided and durable.
    Decided {
        /// The order, and its immediate effect: byte-equal to a preview on the same
        /// basis.
        reply: Box<OrderReply>,
        /// Journal entry that accepted it.
        seq: Seq,
        /// True if this repeats an earlier answer (200 instead of 201).
        repeated: bool,
    },
    /// Not answered in time (202): look it up by client order id; it is never
    /// accepted after its `valid_until`.
    Pending {
        /// The client's name for it.
        client_order_id: String,
    },
}

/// A decided order. A repeated request has the same answer as the first.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PlacedOrder))]
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
    /// `reply` of entry `seq` in the units of its instrument.
    pub fn new(reply: OrderReply, seq: Seq, instrument: &Instrument) -> Self {
        let OrderReply { order, decided, basis } = reply;
        let decided = OrderDecisionJson::new(decided, instrument);
        let is_cancelled = order.status == OrderStatus::Cancelled;
        let cancel_reason = is_cancelled.then(|| order.time_in_force.remainder_reason());
        let frame = OrderFrame::new(&order, cancel_reason, instrument);
        Self { order_id: order.id, order: frame, decided, basis, seq }
    }
}

/// A request that was not decided in time: look its order up by client order id.
/// It is never accepted after its `valid_until`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PendingOrder))]
pub struct PendingOrderJson {
    /// `pending`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^pending$"))]
    pub status: &'static str,
    /// The client's name for the order.
    pub client_order_id: String,
}

/// Effect of an order now, without placing it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Preview))]
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

/// Decided effect of an order.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OrderDecision))]
pub struct OrderDecisionJson {
    /// Immediate fills, best price first.
    pub fills: Vec<FilledLevelJson>,
    /// Own orders that are cancelled to prevent self-trades.
    pub cancelled: Vec<OrderId>,
    /// Quantity that fills at once, in units.
    pub filled_quantity: Decimal,
    /// Quantity that rests in the book, in units.
    pub resting_quantity: Decimal,
    /// Quantity that is cancelled at once, in units.
    pub expired_quantity: Decimal,
    /// Money exchanged by the fills.
    pub notional: Money,
    /// Fee of the fills.
    pub fee: Money,
    /// Cash afterwards.
    pub cash: Money,
    /// Reserved cash afterwards.
    pub reserved: Money,
    /// Position afterwards, in units.
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

/// Quantity filled at one price.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = FilledLevel))]
pub struct FilledLevelJson {
    /// Price of the fill.
    pub price: Decimal,
    /// In units.
    pub quantity: Decimal,
}

/// Orders that were cancelled at once.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CancelledOrders {
    /// By the time of their acceptance.
    pub cancelled: Vec<OrderFrame>,
}

/// Query of `GET /api/v1/orders`: a history with two more filters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct OrdersQuery {
    /// `OPEN` (live), `PARTIAL`, `FILLED` or `CANCELLED`.
    #[cfg_attr(feature = "openapi", param(value_type = Option<OrderStatus>))]
    pub status: Option<String>,
    /// The client's name for an order.
    #[cfg_attr(feature = "openapi", param(value_type = Option<ClientOrderId>))]
    pub client_order_id: Option<String>,
    /// UUID of an instrument.
    #[cfg_attr(feature = "openapi", param(value_type = Option<InstrumentId>))]
    pub instrument_id: Option<String>,
    /// Earliest venue time, inclusive.
    #[cfg_attr(feature = "openapi", param(value_type = Option<VenueTime>))]
    pub from: Option<String>,
    /// Latest venue time, exclusive.
    #[cfg_attr(feature = "openapi", param(value_type = Option<VenueTime>))]
    pub to: Option<String>,
    /// Rows of a page; 100 when absent.
    #[cfg_attr(feature = "openapi", param(value_type = Option<u32>, minimum = 1, maximum = 1000))]
    pub limit: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl From<HistoryQuery> for OrdersQuery {
    fn from(query: HistoryQuery) -> Self {
        let HistoryQuery { instrument_id, from, to, limit, cursor } = query;
        Self { instrument_id, from, to, limit, cursor, ..Self::default() }
    }
}

impl OrdersQuery {
    /// The part that every history has.
    pub fn history(self) -> HistoryQuery {
        let Self { instrument_id, from, to, limit, cursor, .. } = self;
        HistoryQuery { instrument_id, from, to, limit, cursor }
    }
}
