//! The JSON form of market, account, orders and fills, on the socket and in
//! REST: prices and quantities are decimals in the instrument's units.
//!
//! Nothing in a frame belongs to another account than the one it is made for.
//! Does not know how frames are requested or sent.

use std::collections::BTreeMap;

use engine::account::Account;
use engine::book::{BookSnapshot, PriceLevel};
use engine::candle::Interval;
use engine::decimal::Decimal;
use engine::id::{InstrumentId, OrderId, QuoteId, Seq, TradeId};
use engine::instrument::Instrument;
use engine::money::Money;
use engine::order::{
    CancelReason, ClientOrderId, InstrumentStatus, Order, OrderStatus, OrderType, Side, TimeInForce,
};
use engine::portfolio::Valuation;
use engine::position::{Basis, Position};
use engine::quote::{Quote, QuotesSnapshot};
use engine::replica::Execution;
use engine::time::VenueTime;
use engine::venue::{AccountChange, Fill};
use serde::{Deserialize, Serialize};

use crate::rest::CandleRow;
use crate::socket::{CandleUpdate, ClockUpdate, Frame, Item, TapeUpdate, TickUpdate, Update};

/// The listed instruments, whose units the frames are in.
pub type Instruments = BTreeMap<InstrumentId, Instrument>;

/// An [`Item`] in units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemFrame {
    /// A whole merged book.
    Book(BookFrame),
    /// A mark and the touch.
    Tick(TickFrame),
    /// A match on the public tape.
    Tape(TapeFrame),
    /// The whole account: first after a subscription, and after a gap.
    Account(Box<AccountFrame>),
    /// An event of the account; in order, never dropped.
    Execution(Box<ExecutionFrame>),
    /// The newest valuation.
    Portfolio(Box<PortfolioSnapshot>),
    /// All live dealers' quotes of an instrument.
    Quotes(QuotesFrame),
    /// A candle that changed.
    Candle(CandleFrame),
    /// The venue's clock.
    Clock(ClockUpdate),
}

impl ItemFrame {
    /// `item` in units; `None` if it is about an unlisted instrument.
    pub fn new(item: &Item, instruments: &Instruments) -> Option<Self> {
        Some(match item {
            Item::Book(book) => Self::Book(BookFrame::new(book, instruments.get(&book.instrument)?)),
            Item::Tick(tick) => Self::Tick(TickFrame::new(tick, instruments.get(&tick.mark.instrument)?)),
            Item::Tape(tape) => Self::Tape(TapeFrame::new(tape, instruments.get(&tape.print.instrument)?)),
            Item::Account(account) => Self::Account(Box::new(AccountFrame::new(account, instruments)?)),
            Item::Execution(execution) => {
                Self::Execution(Box::new(ExecutionFrame::new(execution, instruments)?))
            }
            Item::Portfolio(snapshot) => Self::Portfolio(snapshot.clone()),
            Item::Quotes(quotes) => {
                Self::Quotes(QuotesFrame::new(quotes, instruments.get(&quotes.instrument)?))
            }
            Item::Candle(update) => {
                Self::Candle(CandleFrame::new(update, instruments.get(&update.instrument)?))
            }
            Item::Clock(clock) => Self::Clock(*clock),
        })
    }
}

impl Frame {
    /// The JSON form of the frame; `None` if an item is about an unlisted
    /// instrument.
    pub fn to_json_form(&self, instruments: &Instruments) -> Option<Frame<ItemFrame>> {
        Some(match self {
            Self::Hello(hello) => Frame::Hello(hello.clone()),
            Self::Update(update) => {
                let Update { number, more, through, time, date, date_rev, ref items } = *update;
                let items =
                    items.iter().map(|item| ItemFrame::new(item, instruments)).collect::<Option<_>>()?;
                Frame::Update(Update { number, more, through, time, date, date_rev, items })
            }
            Self::Error(error) => Frame::Error(error.clone()),
            Self::Pong { nonce, updates } => Frame::Pong { nonce: *nonce, updates: *updates },
        })
    }
}

/// Dealers' live quotes of an instrument that trades on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Quotes))]
pub struct QuotesFrame {
    /// The quoted instrument.
    pub instrument_id: InstrumentId,
    /// The last sequence number that changed any of them.
    pub rev: Seq,
    /// All live quotes.
    pub quotes: Vec<QuoteFrame>,
}

/// A dealer's firm quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Quote))]
pub struct QuoteFrame {
    /// The name to hit or lift it by.
    pub quote_id: QuoteId,
    /// The dealer's name.
    pub dealer_id: String,
    /// The dealer's buying price.
    pub bid: Decimal,
    /// The dealer's selling price.
    pub ask: Decimal,
    /// Quantity that can still be sold at the bid, in units.
    pub bid_quantity: Decimal,
    /// Quantity that can still be bought at the ask, in units.
    pub ask_quantity: Decimal,
    /// Good before this venue time.
    pub expires_at: VenueTime,
}

/// A merged book, every level inside the collar and beyond.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookFrame {
    /// The instrument.
    pub instrument_id: InstrumentId,
    /// The last sequence number that changed it.
    pub rev: Seq,
    /// Best first.
    pub bids: Vec<BookLevel>,
    /// Best first.
    pub asks: Vec<BookLevel>,
}

/// A price level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookLevel {
    /// Its price.
    pub price: Decimal,
    /// Total resting there, in units.
    pub quantity: Decimal,
}

/// An instrument's mark and the touch of its merged book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickFrame {
    /// The instrument.
    pub instrument_id: InstrumentId,
    /// Venue time of the mark.
    pub timestamp: VenueTime,
    /// Best bid, if there is one.
    pub bid: Option<Decimal>,
    /// Best ask, if there is one.
    pub ask: Option<Decimal>,
    /// The mark (bond: clean).
    #[serde(rename = "mid")]
    pub mark: Decimal,
    /// Its trading status.
    pub status: InstrumentStatus,
    /// The entry that set the mark or the status.
    pub mark_rev: Seq,
    /// Bonds: accrued interest of one lot, in money.
    pub accrued_per_lot: Money,
}

/// A match on the public tape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeFrame {
    /// The instrument.
    pub instrument_id: InstrumentId,
    /// The matched price.
    pub price: Decimal,
    /// The matched quantity, in units.
    pub quantity: Decimal,
    /// Side of the incoming order.
    pub aggressor: Side,
    /// Venue time.
    pub timestamp: VenueTime,
}

/// A candle that changed. The newest of those with the same timestamp counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandleFrame {
    /// Length of the candle.
    pub interval: Interval,
    /// Start of the candle before it, if there is one.
    pub previous: Option<VenueTime>,
    /// The candle.
    pub candle: CandleRow,
}

/// A whole account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Account))]
pub struct AccountFrame {
    /// The newest of the account's events that is included.
    pub account_seq: u64,
    /// The last sequence number that touched the account.
    pub rev: Seq,
    /// All cash.
    pub cash: Money,
    /// The part that open orders hold.
    pub reserved: Money,
    /// Every position ever held, flat ones too (they keep P&L).
    pub positions: Vec<PositionFrame>,
    /// Live orders.
    pub orders: Vec<OrderFrame>,
}

/// A position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Position))]
pub struct PositionFrame {
    /// The instrument.
    pub instrument_id: InstrumentId,
    /// In units, long positive.
    pub quantity: Decimal,
    /// Money received minus money paid, without fees.
    pub trade_cash: Money,
    /// Fees paid.
    pub fees: Money,
    /// Cost of the open lots, in 1e-18.
    pub basis: Basis,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Order))]
pub struct OrderFrame {
    /// The venue's name for it.
    pub order_id: OrderId,
    /// The client's name for it.
    pub client_order_id: ClientOrderId,
    /// The instrument.
    pub instrument_id: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Market, limit or quote.
    #[serde(rename = "type")]
    pub order_type: OrderType,
    /// Absent on a market order; the dealer's price on a quote that was taken.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub limit_price: Option<Decimal>,
    /// Treatment of a remainder.
    pub time_in_force: TimeInForce,
    /// Ordered, in units.
    pub quantity: Decimal,
    /// Filled, in units.
    pub filled_quantity: Decimal,
    /// Still to fill, in units; zero once it is closed.
    pub leaves_quantity: Decimal,
    /// Money that its fills exchanged, without fees.
    pub notional: Money,
    /// Fees charged.
    pub fee: Money,
    /// Its status.
    pub status: OrderStatus,
    /// Venue time of acceptance.
    pub created_at: VenueTime,
    /// Venue time of the newest change.
    pub updated_at: VenueTime,
    /// The dealer whose quote it took.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub dealer_id: Option<String>,
    /// The quote that it took.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub quote_id: Option<QuoteId>,
    /// Reason for cancelling the remainder; `null` if that was not, or before reasons were
    /// stored.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub cancel_reason: Option<CancelReason>,
}

/// An event of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionFrame {
    /// Dense within the account.
    pub account_seq: u64,
    /// The entry in which it happened.
    pub seq: Seq,
    /// The account's cash after that entry.
    pub cash: Money,
    /// The part of it that open orders hold.
    pub reserved: Money,
    /// The order afterwards, if it is about one.
    pub order: Option<OrderFrame>,
    /// The fill, if it is one.
    pub fill: Option<FillFrame>,
    /// Reason for cancelling the remainder, if it was.
    pub cancel_reason: Option<CancelReason>,
    /// Coupon or redemption received, if it is one.
    pub payment: Option<Money>,
    /// The position after that entry, if it changed.
    pub position: Option<PositionFrame>,
}

/// One of the account's fills.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Fill))]
pub struct FillFrame {
    /// The match.
    pub trade_id: TradeId,
    /// The account's order.
    pub order_id: OrderId,
    /// The instrument.
    pub instrument_id: InstrumentId,
    /// The order's side.
    pub side: Side,
    /// The resting order's price.
    pub price: Decimal,
    /// In units.
    pub quantity: Decimal,
    /// Money exchanged, without fee.
    pub notional: Money,
    /// Fee that it added.
    pub fee: Money,
    /// True if the account's order was resting.
    pub maker: bool,
    /// Venue time.
    pub timestamp: VenueTime,
}

/// An account's valuation, for its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PortfolioSnapshot {
    /// Marks and positions are as of this entry.
    pub through: Seq,
    /// Venue time of that entry.
    pub timestamp: VenueTime,
    /// The figures.
    pub valuation: Valuation,
}

impl QuotesFrame {
    /// `message` in the units of its instrument.
    pub fn new(message: &QuotesSnapshot, instrument: &Instrument) -> Self {
        let frame = |quote: &Quote| QuoteFrame {
            quote_id: quote.id,
            dealer_id: instrument.dealer(quote.dealer).unwrap_or_default().to_owned(),
            bid: instrument.price(quote.bid),
            ask: instrument.price(quote.ask),
            bid_quantity: instrument.quantity(quote.bid_lots),
            ask_quantity: instrument.quantity(quote.ask_lots),
            expires_at: quote.expires_at,
        };
        let quotes = message.quotes.iter().map(frame).collect();
        Self { instrument_id: instrument.id, rev: message.rev, quotes }
    }
}

impl BookFrame {
    /// `book` in the units of its instrument.
    pub fn new(book: &BookSnapshot, instrument: &Instrument) -> Self {
        let level = |row: &PriceLevel| BookLevel {
            price: instrument.price(row.price),
            quantity: instrument.quantity(row.lots),
        };
        Self {
            instrument_id: book.instrument,
            rev: book.rev,
            bids: book.bids.iter().map(level).collect(),
            asks: book.asks.iter().map(level).collect(),
        }
    }
}

impl TickFrame {
    /// `tick` in the units of its instrument.
    pub fn new(tick: &TickUpdate, instrument: &Instrument) -> Self {
        Self {
            instrument_id: instrument.id,
            timestamp: tick.time,
            bid: tick.bid.map(|price| instrument.price(price)),
            ask: tick.ask.map(|price| instrument.price(price)),
            mark: instrument.price(tick.mark.price),
            status: tick.mark.status,
            mark_rev: tick.mark.rev,
            accrued_per_lot: tick.accrued_per_lot,
        }
    }
}

impl TapeFrame {
    /// `tape` in the units of its instrument.
    pub fn new(tape: &TapeUpdate, instrument: &Instrument) -> Self {
        Self {
            instrument_id: instrument.id,
            price: instrument.price(tape.print.price),
            quantity: instrument.quantity(tape.print.lots),
            aggressor: tape.print.aggressor,
            timestamp: tape.time,
        }
    }
}

impl CandleFrame {
    /// `update` in the units of its instrument.
    pub fn new(update: &CandleUpdate, instrument: &Instrument) -> Self {
        let CandleUpdate { interval, previous, ref candle, .. } = *update;
        Self { interval, previous, candle: CandleRow::new(candle, instrument) }
    }
}

impl AccountFrame {
    /// `account` in the units of what it holds; `None` if any of that is
    /// unlisted.
    pub fn new(account: &Account, instruments: &Instruments) -> Option<Self> {
        let position = |(id, position)| Some(PositionFrame::new(position, instruments.get(id)?));
        let order = |order: &Order| Some(OrderFrame::new(order, None, instruments.get(&order.instrument)?));
        Some(Self {
            account_seq: account.account_seq,
            rev: account.rev,
            cash: account.cash,
            reserved: account.reserved,
            positions: account.positions.iter().map(position).collect::<Option<_>>()?,
            orders: account.open.values().map(order).collect::<Option<_>>()?,
        })
    }
}

impl PositionFrame {
    /// `position` in the units of `instrument`.
    pub fn new(position: &Position, instrument: &Instrument) -> Self {
        Self {
            instrument_id: instrument.id,
            quantity: instrument.quantity(position.lots),
            trade_cash: position.trade_cash,
            fees: position.fees,
            basis: position.basis,
        }
    }
}

impl OrderFrame {
    /// `order`, cancelled for that reason, in the units of its instrument.
    pub fn new(order: &Order, cancel_reason: Option<CancelReason>, instrument: &Instrument) -> Self {
        let taken = order.price.taken();
        Self {
            order_id: order.id,
            client_order_id: order.client_order_id.clone(),
            instrument_id: order.instrument,
            side: order.side,
            order_type: order.price.order_type(),
            limit_price: order.price.limit().map(|price| instrument.price(price)),
            time_in_force: order.time_in_force,
            quantity: instrument.quantity(order.quantity),
            filled_quantity: instrument.quantity(order.filled),
            leaves_quantity: instrument.quantity(order.leaves()),
            notional: order.notional,
            fee: order.fee,
            status: order.status,
            created_at: order.created_at,
            updated_at: order.updated_at,
            dealer_id: taken.and_then(|taken| instrument.dealer(taken.dealer)).map(str::to_owned),
            quote_id: taken.map(|taken| taken.quote),
            cancel_reason,
        }
    }
}

impl ExecutionFrame {
    /// `execution` in the units of its instrument; `None` if that is unlisted.
    pub fn new(execution: &Execution, instruments: &Instruments) -> Option<Self> {
        let cancel_reason = match &execution.change {
            AccountChange::OrderCancelled { reason, .. } => Some(*reason),
            _ => None,
        };
        let order = match execution.change.order() {
            Some(order) => Some(OrderFrame::new(order, cancel_reason, instruments.get(&order.instrument)?)),
            None => None,
        };
        let position = match &execution.position {
            Some((id, position)) => Some(PositionFrame::new(position, instruments.get(id)?)),
            None => None,
        };
        let (mut fill, mut payment) = (None, None);
        match &execution.change {
            AccountChange::OrderFilled { fill: filled, .. } => {
                fill = Some(FillFrame::new(filled, instruments.get(&filled.instrument)?));
            }
            AccountChange::CouponPaid { amount, .. } | AccountChange::Redeemed { amount, .. } => {
                payment = Some(*amount);
            }
            AccountChange::Opened
            | AccountChange::OrderAccepted(_)
            | AccountChange::OrderAmended(_)
            | AccountChange::OrderCancelled { .. }
            | AccountChange::Closed
            | AccountChange::Reset => {}
        }
        Some(Self {
            account_seq: execution.account_seq,
            seq: execution.seq,
            cash: execution.cash,
            reserved: execution.reserved,
            order,
            fill,
            cancel_reason,
            payment,
            position,
        })
    }
}

impl FillFrame {
    /// `fill` in the units of its instrument.
    pub fn new(fill: &Fill, instrument: &Instrument) -> Self {
        Self {
            trade_id: fill.trade,
            order_id: fill.order,
            instrument_id: fill.instrument,
            side: fill.side,
            price: instrument.price(fill.price),
            quantity: instrument.quantity(fill.lots),
            notional: fill.notional,
            fee: fill.fee,
            maker: fill.maker,
            timestamp: fill.time,
        }
    }
}
