//! What goes into the venue's journal and what comes out of it.
//!
//! An outcome holds everything that projections, streams and other agents need
//! to follow the venue without repeating its decisions: states after the
//! entry, not instructions to change them.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, Digest, InstrumentId, OrderId, Seq, TradeId};
use crate::money::{Lots, Money, Ticks};
use crate::order::{Amend, AnswerBasis, CancelReason, Decided, InstrumentStatus, Order, Side, Take, Ticket};
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
        /// Everything but the seed.
        config: Box<VenueConfig>,
        /// SHA-256(seed ‖ salt), public from the start.
        seed_commitment: Digest,
    },
    /// A command that was accepted.
    Command(Command),
    /// A market step that was applied; its payload is kept beside the journal.
    Step(StepHeader),
}

/// What may be asked of the venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Opens an account with the venue's starting balance. Repeating it
    /// changes nothing.
    OpenAccount {
        /// Derived from venue and user.
        account: AccountId,
    },
    /// Places an order.
    PlaceOrder {
        /// Whose order.
        account: AccountId,
        /// What to trade.
        ticket: Ticket,
    },
    /// Cancels what is left of an order.
    CancelOrder {
        /// Whose order; another account's is unknown.
        account: AccountId,
        /// Which one.
        order: OrderId,
    },
    /// Changes quantity, limit or both of a live order.
    AmendOrder {
        /// Whose order; another account's is unknown.
        account: AccountId,
        /// What to change.
        amend: Amend,
    },
    /// Cancels every live order of the account, in one entry.
    CancelAll {
        /// Whose orders.
        account: AccountId,
        /// Only of this instrument.
        instrument: Option<InstrumentId>,
    },
    /// Sells at a dealer's bid, all of the quantity or nothing.
    HitQuote {
        /// Who sells.
        account: AccountId,
        /// Which quote, and how much.
        take: Take,
    },
    /// Buys at a dealer's offer, all of the quantity or nothing.
    LiftQuote {
        /// Who buys.
        account: AccountId,
        /// Which quote, and how much.
        take: Take,
    },
}

impl Command {
    /// The account that the command acts for.
    pub const fn account(&self) -> AccountId {
        match self {
            Self::OpenAccount { account }
            | Self::PlaceOrder { account, .. }
            | Self::CancelOrder { account, .. }
            | Self::AmendOrder { account, .. }
            | Self::CancelAll { account, .. }
            | Self::HitQuote { account, .. }
            | Self::LiftQuote { account, .. } => *account,
        }
    }
}

/// Everything that an entry changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The entry's place in the sequence.
    pub seq: Seq,
    /// The venue's time and step when it was decided.
    pub time: VenueTime,
    /// Number of the last applied step.
    pub step: u64,
    /// The settlement date, where this entry changed it.
    pub new_date: Option<Date>,
    /// The answer to a placed or amended order.
    pub answer: Option<OrderAnswer>,
    /// What happened to accounts, in order, numbered for each account.
    pub events: Vec<AccountEvent>,
    /// Cash of every account that the entry touched, afterwards.
    pub balances: Vec<Balance>,
    /// Positions that the entry changed, afterwards.
    pub positions: Vec<PositionState>,
    /// Double-entry postings; they sum to zero for each asset.
    pub postings: Vec<Posting>,
    /// Marks that the entry set, and instruments that it halted or ended.
    pub marks: Vec<Mark>,
    /// Matches on the public tape, in order.
    pub tape: Vec<TapePrint>,
    /// Instruments whose book, or whose dealers' quotes, changed.
    pub books: Vec<InstrumentId>,
}

/// The answer to a placed or amended order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderAnswer {
    /// The order as it stood after its own entry.
    pub order: Order,
    /// Its decided part.
    pub decided: Decided,
    /// What the decision read.
    pub basis: AnswerBasis,
}

/// Something that happened to one account; never dropped on its way to the
/// account's owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountEvent {
    /// Whose.
    pub account: AccountId,
    /// Dense within the account, from 1.
    pub account_seq: u64,
    /// What happened.
    pub change: AccountChange,
}

/// What can happen to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountChange {
    /// It was opened with its starting balance.
    Opened,
    /// An order was accepted; its immediate fills follow as events of their own.
    OrderAccepted(Order),
    /// An order traded.
    OrderFilled {
        /// The order afterwards.
        order: Order,
        /// The fill.
        fill: Fill,
    },
    /// What was left of an order was taken out.
    OrderCancelled {
        /// The order afterwards.
        order: Order,
        /// Why.
        reason: CancelReason,
    },
    /// A bond paid: a coupon, or coupon and face at maturity.
    CouponPaid {
        /// Which bond.
        instrument: InstrumentId,
        /// Money received (paid when negative).
        amount: Money,
    },
    /// A bond was redeemed at face; the position is closed.
    Redeemed {
        /// Which bond.
        instrument: InstrumentId,
        /// Money received (paid when negative).
        amount: Money,
    },
    /// An order has another quantity or limit; fills that follow at once are
    /// events of their own.
    OrderAmended(Order),
}

impl AccountChange {
    /// The order afterwards, if it is about one.
    pub const fn order(&self) -> Option<&Order> {
        match self {
            Self::OrderAccepted(order)
            | Self::OrderAmended(order)
            | Self::OrderFilled { order, .. }
            | Self::OrderCancelled { order, .. } => Some(order),
            Self::Opened | Self::CouponPaid { .. } | Self::Redeemed { .. } => None,
        }
    }
}

/// One side of a match: a row of the contract's `trades`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The match; the other side has the same id when it is a user too.
    pub trade: TradeId,
    /// Whose order traded.
    pub order: OrderId,
    /// What traded.
    pub instrument: InstrumentId,
    /// The order's side.
    pub side: Side,
    /// The resting order's price.
    pub price: Ticks,
    /// How much.
    pub lots: Lots,
    /// Money exchanged, without fee, never negative.
    pub notional: Money,
    /// Fee that this fill added to the order's.
    pub fee: Money,
    /// Whether the order was resting.
    pub maker: bool,
    /// Whether the other side was the house (synthetic liquidity, a dealer).
    pub against_house: bool,
    /// Venue time of the match.
    pub time: VenueTime,
}

/// An account's cash after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Whose.
    pub account: AccountId,
    /// All of it.
    pub cash: Money,
    /// The part that open orders hold.
    pub reserved: Money,
    /// The newest number of the account's events.
    pub account_seq: u64,
}

/// A position after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionState {
    /// Whose.
    pub account: AccountId,
    /// Of what.
    pub instrument: InstrumentId,
    /// The whole of it.
    pub position: Position,
}

/// Who a posting belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// A user's account.
    Account(AccountId),
    /// Synthetic liquidity, dealers, issuers of bonds and the source of starting
    /// cash.
    House,
    /// The venue's fee income.
    Fees,
}

/// What a posting moves.
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
    /// Whose.
    pub party: Party,
    /// Of what.
    pub asset: Asset,
    /// Money units or lots; positive is received.
    pub amount: i64,
}

/// The price at which an instrument is marked, and whether it trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which instrument.
    pub instrument: InstrumentId,
    /// Its mark (bond: clean).
    pub price: Ticks,
    /// The entry that set either.
    pub rev: Seq,
    /// Whether the instrument trades.
    pub status: InstrumentStatus,
}

/// A match on the public tape: no names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapePrint {
    /// What traded.
    pub instrument: InstrumentId,
    /// Where.
    pub price: Ticks,
    /// How much.
    pub lots: Lots,
    /// Side of the incoming order.
    pub aggressor: Side,
}

/// Trading of users against the house in one entry: what comes
/// back to market data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// In what.
    pub instrument: InstrumentId,
    /// Lots that users bought from the house, negative when they sold.
    pub lots: Lots,
    /// Whose quote they took; `None` for synthetic liquidity of a book.
    pub dealer: Option<u8>,
}

impl Outcome {
    /// The outcome's journal bytes.
    pub fn bytes(&self) -> Vec<u8> {
        // Writing plain data to a growing buffer cannot fail.
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// What users traded against the house.
    pub fn flows(&self) -> Vec<Flow> {
        let filled = self.events.iter().filter_map(|event| match &event.change {
            AccountChange::OrderFilled { order, fill } if fill.against_house => Some((order, fill)),
            _ => None,
        });
        let flow = |(order, fill): (&Order, &Fill)| Flow {
            instrument: fill.instrument,
            lots: Lots(fill.side.sign() * fill.lots.0),
            dealer: order.price.taken().map(|taken| taken.dealer),
        };
        filled.map(flow).collect()
    }

    /// Every user's side of every match, in order.
    pub fn fills(&self) -> impl Iterator<Item = &Fill> {
        self.events.iter().filter_map(|event| match &event.change {
            AccountChange::OrderFilled { fill, .. } => Some(fill),
            _ => None,
        })
    }

    /// Whether any account changed: such entries are never compacted.
    pub fn touches_accounts(&self) -> bool {
        !self.events.is_empty() || !self.balances.is_empty() || !self.postings.is_empty()
    }
}
