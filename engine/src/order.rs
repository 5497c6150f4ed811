//! Orders: requests, decisions, lifecycle, and every reason to refuse one.

mod amend;
mod check;
mod preview;
mod reject;
mod status;
mod take;
mod ticket;

pub use amend::{Amend, CheckedAmend, RawAmend, check_amend};
pub use check::{CheckedOrder, Conditions, InstrumentStatus, check};
pub use preview::{Estimate, Preview, preview, preview_amend, preview_take};
pub use reject::Reject;
pub use status::{CancelReason, OrderEvent, OrderStatus};
pub use take::{RawTake, Take, check_take};
pub use ticket::{
    ClientOrderId, OrderType, Price, RawTicket, SelfTradePrevention, Side, TakenQuote, Ticket, TimeInForce,
};

use serde::{Deserialize, Serialize};

use crate::book::PriceLevel;
use crate::id::{InstrumentId, OrderId, Seq};
use crate::money::{Lots, Money};
use crate::position::Basis;
use crate::time::VenueTime;

/// State of an accepted order; always complete, so that a newer state replaces
/// an older one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Derived from the sequence number that accepted it.
    pub id: OrderId,
    /// Client's id of the order.
    pub client_order_id: ClientOrderId,
    /// Traded instrument.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Market, limit with its price, or the dealer's quote that it took.
    pub price: Price,
    /// Treatment of the part that does not fill at once.
    pub time_in_force: TimeInForce,
    /// Ordered quantity.
    pub quantity: Lots,
    /// Filled quantity.
    pub filled: Lots,
    /// Money exchanged by its fills, without fees, never negative; the fee is a
    /// function of it.
    pub notional: Money,
    /// Fees charged so far: a function of `notional`, never rounded per fill.
    pub fee: Money,
    /// Lifecycle state.
    pub status: OrderStatus,
    /// Venue time of acceptance.
    pub created_at: VenueTime,
    /// Venue time of the last change.
    pub updated_at: VenueTime,
}

impl Order {
    /// Returns the unfilled quantity; zero once the order is closed.
    pub fn leaves(&self) -> Lots {
        if self.status.is_live() { self.quantity - self.filled } else { Lots::ZERO }
    }
}

/// An order as it is stored: with the reason for its cancel, which only the event of the
/// cancel tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    /// The order.
    pub order: Order,
    /// Reason for its cancel; `None` if it is not cancelled, or was before reasons were
    /// stored.
    pub cancel_reason: Option<CancelReason>,
}

/// Revisions of everything that a preview or an execution read: equal bases
/// mean byte-equal decisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecisionBasis {
    /// The last sequence number that changed the instrument's book.
    pub book_rev: Seq,
    /// The last sequence number that changed anything else that a decision reads:
    /// the account, the mark, the settlement date.
    pub inputs_rev: Seq,
}

/// Immediate effect of an order, decided in integers: the same in a browser's
/// preview and in the venue's execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDecision {
    /// Immediate fills by price, in the order in which they trade.
    pub fills: Vec<PriceLevel>,
    /// The account's resting orders cancelled first, by self-trade prevention.
    pub cancelled: Vec<OrderId>,
    /// Lots filled at once.
    pub filled: Lots,
    /// Lots that rest in the book.
    pub resting: Lots,
    /// Lots cancelled for want of liquidity (immediate-or-cancel, fill-or-kill).
    pub expired: Lots,
    /// Money that the fills exchange, without the fee, never negative.
    pub notional: Money,
    /// Increase of the order's fee.
    pub fee: Money,
    /// The account's cash afterwards.
    pub cash: Money,
    /// The part of it reserved by open orders afterwards.
    pub reserved: Money,
    /// The position afterwards, long positive.
    pub position: Lots,
    /// The position's basis afterwards.
    pub basis: Basis,
    /// The instrument's realized P&L afterwards, without fees.
    pub realized_pnl: Money,
}

impl OrderDecision {
    /// Returns the bytes by which preview and execution are compared.
    pub fn bytes(&self) -> Vec<u8> {
        // Writing integers to a growing buffer cannot fail.
        postcard::to_allocvec(self).unwrap_or_default()
    }
}
