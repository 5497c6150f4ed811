//! Orders: what a client asks for, what the venue answers, and every reason
//! to refuse, by name.

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

use crate::id::{InstrumentId, OrderId, Seq};
use crate::money::{Lots, Money, Ticks};
use crate::position::Basis;
use crate::time::VenueTime;

/// An accepted order as it stands; the whole of it, so that the newest state
/// replaces the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Derived from the sequence number that accepted it.
    pub id: OrderId,
    /// The client's own name for it.
    pub client_order_id: ClientOrderId,
    /// What it trades.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Market, limit with its price, or the dealer's quote that it took.
    pub price: Price,
    /// What happens to a remainder.
    pub time_in_force: TimeInForce,
    /// How much was asked for.
    pub quantity: Lots,
    /// How much has been filled.
    pub filled: Lots,
    /// Money that its fills exchanged, without fees, never negative: what the
    /// fee is a function of.
    pub notional: Money,
    /// Fees charged so far: a function of `notional`, never rounded per fill.
    pub fee: Money,
    /// Where it stands.
    pub status: OrderStatus,
    /// Venue time of acceptance.
    pub created_at: VenueTime,
    /// Venue time of the newest change.
    pub updated_at: VenueTime,
}

impl Order {
    /// What is still to be filled while the order is live.
    pub fn leaves(&self) -> Lots {
        if self.status.is_live() { self.quantity - self.filled } else { Lots::ZERO }
    }
}

/// Lots filled at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceFill {
    /// The resting side's price.
    pub price: Ticks,
    /// How much traded there.
    pub lots: Lots,
}

/// What a preview or an execution read: equal basis means byte-equal
/// [`Decided`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerBasis {
    /// The last sequence number that changed the instrument's book.
    pub book_rev: Seq,
    /// The last sequence number that changed anything else `check` reads: the
    /// account, the mark, the settlement date.
    pub inputs_rev: Seq,
}

/// The part of an order's answer that is decided in integers, the same in a
/// browser's preview and in the venue's execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Immediate fills, aggregated by price, in the order in which they trade.
    pub fills: Vec<PriceFill>,
    /// Own resting orders taken out first, by self-trade prevention.
    pub cancelled: Vec<OrderId>,
    /// Lots filled at once.
    pub filled: Lots,
    /// Lots that rest in the book.
    pub resting: Lots,
    /// Lots that are cancelled for want of liquidity (immediate-or-cancel,
    /// fill-or-kill).
    pub expired: Lots,
    /// Money that the fills exchange, without the fee, never negative.
    pub notional: Money,
    /// What it adds to the order's fee.
    pub fee: Money,
    /// The account's cash afterwards.
    pub cash: Money,
    /// The part of it that open orders hold afterwards.
    pub reserved: Money,
    /// The position afterwards, long positive.
    pub position: Lots,
    /// The position's basis afterwards.
    pub basis: Basis,
    /// The instrument's realized P&L afterwards, without fees.
    pub realized_pnl: Money,
}

impl Decided {
    /// The bytes that preview and execution are compared by.
    pub fn bytes(&self) -> Vec<u8> {
        // Writing integers to a growing buffer cannot fail.
        postcard::to_allocvec(self).unwrap_or_default()
    }
}
