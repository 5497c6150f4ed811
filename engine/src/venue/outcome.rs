//! Input and outcome of a journal entry.
//!
//! An outcome holds everything that projections, streams and other agents need to
//! follow the venue without repeating its decisions: states after the entry, not
//! instructions to change them.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, Digest, InstrumentId, OrderId, Seq, TradeId};
use crate::money::{Lots, Money, Ticks};
use crate::order::{
    Amend, CancelReason, DecisionBasis, InstrumentStatus, Order, OrderDecision, Side, Take, Ticket,
};
use crate::position::Position;
use crate::step::StepHeader;
use crate::time::{Date, VenueTime};
use crate::venue::VenueConfig;

/// A journal entry's input: a command or the header of an applied step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Entry 1.
    VenueOpened {
        /// Configuration of the venue.
        config: Box<VenueConfig>,
        /// SHA-256(seed ‖ salt).
        seed_commitment: Digest,
    },
    /// An accepted command.
    Command(Command),
    /// An applied market step; its payload is stored beside the journal.
    Step(StepHeader),
}

/// A command to the venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Opens an account with the venue's starting balance; idempotent.
    OpenAccount {
        /// Derived from venue and user.
        account: AccountId,
    },
    /// Places an order.
    PlaceOrder {
        /// Owner of the order.
        account: AccountId,
        /// The order.
        ticket: Ticket,
    },
    /// Cancels the remainder of an order.
    CancelOrder {
        /// Owner of the order; other accounts' orders are unknown.
        account: AccountId,
        /// The order.
        order: OrderId,
    },
    /// Changes quantity, limit or both of a live order.
    AmendOrder {
        /// Owner of the order; other accounts' orders are unknown.
        account: AccountId,
        /// The change.
        amend: Amend,
    },
    /// Cancels every live order of the account, in one entry.
    CancelAll {
        /// Owner of the orders.
        account: AccountId,
        /// Restriction to one instrument.
        instrument: Option<InstrumentId>,
    },
    /// Sells at a dealer's bid, all or none.
    HitQuote {
        /// The seller.
        account: AccountId,
        /// Quote and quantity.
        take: Take,
    },
    /// Buys at a dealer's offer, all or none.
    LiftQuote {
        /// The buyer.
        account: AccountId,
        /// Quote and quantity.
        take: Take,
    },
    /// Closes an account for ever: cancels its live orders, sells its positions to the
    /// house at the mark, and transfers its cash to the house.
    CloseAccount {
        /// The account; unknown afterwards.
        account: AccountId,
    },
    /// Begins an account again, as the venue's owner wishes: cancels its live orders,
    /// sells its positions to the house at the mark, and replaces its cash by the
    /// starting balance.
    ResetAccount {
        /// The account.
        account: AccountId,
    },
}

impl Command {
    /// Returns the account that the command acts for.
    pub const fn account(&self) -> AccountId {
        match self {
            Self::OpenAccount { account }
            | Self::PlaceOrder { account, .. }
            | Self::CancelOrder { account, .. }
            | Self::AmendOrder { account, .. }
            | Self::CancelAll { account, .. }
            | Self::HitQuote { account, .. }
            | Self::LiftQuote { account, .. }
            | Self::CloseAccount { account }
            | Self::ResetAccount { account } => *account,
        }
    }
}

/// All changes of a journal entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Sequence number of the entry.
    pub seq: Seq,
    /// Venue time of the decision.
    pub time: VenueTime,
    /// Number of the last applied step.
    pub step: u64,
    /// New settlement date, if this entry changed it.
    pub new_date: Option<Date>,
    /// Reply to a placed or amended order.
    pub answer: Option<OrderReply>,
    /// Events of accounts, in order, numbered per account.
    pub events: Vec<AccountEvent>,
    /// Cash of every changed account, afterwards.
    pub balances: Vec<Balance>,
    /// Changed positions, afterwards.
    pub positions: Vec<PositionState>,
    /// Double-entry postings; they sum to zero per asset.
    pub postings: Vec<Posting>,
    /// New marks and trading statuses.
    pub marks: Vec<Mark>,
    /// Prints on the public tape, in order.
    pub tape: Vec<TapePrint>,
    /// Instruments whose book or dealers' quotes changed.
    pub books: Vec<InstrumentId>,
}

/// Reply to a placed or amended order, or to a quote taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderReply {
    /// The order after its own entry.
    pub order: Order,
    /// Its immediate effect.
    pub decided: OrderDecision,
    /// Revisions of the decision's inputs.
    pub basis: DecisionBasis,
}

/// Event of one account; its delivery to the account's owner is guaranteed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountEvent {
    /// The account.
    pub account: AccountId,
    /// Number within the account, dense, from 1.
    pub account_seq: u64,
    /// The change.
    pub change: AccountChange,
}

/// Change of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountChange {
    /// Opened with its starting balance.
    Opened,
    /// An order was accepted; its immediate fills follow as separate events.
    OrderAccepted(Order),
    /// An order traded.
    OrderFilled {
        /// The order afterwards.
        order: Order,
        /// The fill.
        fill: Fill,
    },
    /// The remainder of an order was cancelled.
    OrderCancelled {
        /// The order afterwards.
        order: Order,
        /// Reason of the cancel.
        reason: CancelReason,
    },
    /// A bond paid a coupon.
    CouponPaid {
        /// The bond.
        instrument: InstrumentId,
        /// Money received (paid when negative).
        amount: Money,
    },
    /// A bond was redeemed at face; the position is closed.
    Redeemed {
        /// The bond.
        instrument: InstrumentId,
        /// Money received (paid when negative).
        amount: Money,
    },
    /// An order has a new quantity or limit; its immediate fills follow as separate
    /// events.
    OrderAmended(Order),
    /// Closed: no order, position or cash is left, and this is its last event.
    Closed,
    /// Reset: no order or position is left, and the cash is the starting balance.
    Reset,
}

impl AccountChange {
    /// Returns the order afterwards, if the change is of an order.
    pub const fn order(&self) -> Option<&Order> {
        match self {
            Self::OrderAccepted(order)
            | Self::OrderAmended(order)
            | Self::OrderFilled { order, .. }
            | Self::OrderCancelled { order, .. } => Some(order),
            Self::Opened | Self::CouponPaid { .. } | Self::Redeemed { .. } | Self::Closed | Self::Reset => {
                None
            }
        }
    }
}

/// A user's side of a match: a row of the contract's `trades`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Id of the match, shared by both sides if both are users.
    pub trade: TradeId,
    /// The order that traded.
    pub order: OrderId,
    /// Traded instrument.
    pub instrument: InstrumentId,
    /// The order's side.
    pub side: Side,
    /// Price of the resting side.
    pub price: Ticks,
    /// Traded lots.
    pub lots: Lots,
    /// Money exchanged, without fee, never negative.
    pub notional: Money,
    /// Increase of the order's fee.
    pub fee: Money,
    /// True if the order was resting.
    pub maker: bool,
    /// True if the other side was the house (synthetic liquidity, a dealer).
    pub against_house: bool,
    /// Venue time of the match.
    pub time: VenueTime,
}

/// An account's cash after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The account.
    pub account: AccountId,
    /// Cash, reserved part included.
    pub cash: Money,
    /// Part of the cash reserved by open orders.
    pub reserved: Money,
    /// Number of the account's last event.
    pub account_seq: u64,
}

/// A position after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionState {
    /// The account.
    pub account: AccountId,
    /// The instrument.
    pub instrument: InstrumentId,
    /// The position.
    pub position: Position,
}

/// Party of a posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// A user's account.
    Account(AccountId),
    /// Synthetic liquidity, dealers, bond issuers, the source of starting cash and the
    /// receiver of what a closed or reset account leaves.
    House,
    /// The venue's fee income.
    Fees,
}

/// Asset of a posting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asset {
    /// Money units of the venue's currency.
    Cash,
    /// Lots of an instrument.
    Instrument(InstrumentId),
}

/// One leg of a double entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The party.
    pub party: Party,
    /// The asset.
    pub asset: Asset,
    /// Money units or lots, positive if received.
    pub amount: i64,
}

/// An instrument's mark and trading status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Its mark (bond: clean).
    pub price: Ticks,
    /// The entry that last set either.
    pub rev: Seq,
    /// Its trading status.
    pub status: InstrumentStatus,
}

/// A match on the public tape, anonymous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapePrint {
    /// Traded instrument.
    pub instrument: InstrumentId,
    /// Price of the match.
    pub price: Ticks,
    /// Traded lots.
    pub lots: Lots,
    /// Side of the incoming order.
    pub aggressor: Side,
}

/// Trading of a user who took the house's liquidity, in one fill: market data's
/// feedback. A resting order that the house takes is the house's own move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Traded instrument.
    pub instrument: InstrumentId,
    /// Lots that the user bought from the house, negative if they sold.
    pub lots: Lots,
    /// Index of the dealer whose quote they took; `None` for synthetic liquidity.
    pub dealer: Option<u8>,
}

impl Outcome {
    /// Returns the journal bytes.
    pub fn bytes(&self) -> Vec<u8> {
        // Writing plain data to a growing buffer cannot fail.
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Returns what users took from the house.
    pub fn flows(&self) -> Vec<Flow> {
        let filled = self.events.iter().filter_map(|event| match &event.change {
            AccountChange::OrderFilled { order, fill } if fill.against_house && !fill.maker => {
                Some((order, fill))
            }
            _ => None,
        });
        let flow = |(order, fill): (&Order, &Fill)| Flow {
            instrument: fill.instrument,
            lots: Lots(fill.side.sign() * fill.lots.0),
            dealer: order.price.taken().map(|taken| taken.dealer),
        };
        filled.map(flow).collect()
    }

    /// Returns the users' sides of all matches, in order.
    pub fn fills(&self) -> impl Iterator<Item = &Fill> {
        self.events.iter().filter_map(|event| match &event.change {
            AccountChange::OrderFilled { fill, .. } => Some(fill),
            _ => None,
        })
    }

    /// Returns true if any account changed: such entries are never compacted.
    pub fn touches_accounts(&self) -> bool {
        !self.events.is_empty() || !self.balances.is_empty() || !self.postings.is_empty()
    }
}
