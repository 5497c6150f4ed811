//! The items of an update.
//!
//! Prices, quantities and money are decimals here; nothing in an item belongs
//! to another account than the one that the socket was opened for. Does not
//! know how items are asked for or put together.

use serde::{Deserialize, Serialize};

use engine::decimal::Decimal;
use engine::id::{InstrumentId, OrderId, QuoteId, Seq, TradeId};
use engine::instrument::Instrument;
use engine::money::{Lots, Money, Ticks};
use engine::order::{
    CancelReason, ClientOrderId, InstrumentStatus, Order, OrderStatus, OrderType, Side, TimeInForce,
};
use engine::position::Basis;
use engine::quote::Quote;
use engine::quote::QuotesSnapshot;
use engine::time::VenueTime;
use engine::venue::Fill;

/// One thing in an update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A merged book, whole.
    Book(BookFrame),
    /// A quote and mark.
    Tick(TickEvent),
    /// Matches on the public tape.
    Tape(TapeFrame),
    /// The account, whole: the subscription's first answer and after a gap.
    Account(Box<AccountFrame>),
    /// What happened to the account, in order, never dropped.
    Execution(Box<ExecutionFrame>),
    /// The newest valuation.
    Portfolio(Box<PortfolioSnapshot>),
    /// Dealers' live quotes of an instrument, all of them.
    Quotes(QuotesFrame),
}

/// Dealers' live quotes of an instrument that trades on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Quotes))]
pub struct QuotesFrame {
    /// Which instrument.
    pub instrument_id: InstrumentId,
    /// The last sequence number that changed any of them.
    pub rev: Seq,
    /// All that are live.
    pub quotes: Vec<QuoteFrame>,
}

/// A dealer's firm quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Quote))]
pub struct QuoteFrame {
    /// What to name when it is hit or lifted.
    pub quote_id: QuoteId,
    /// The dealer's name.
    pub dealer_id: String,
    /// What the dealer pays.
    pub bid: Decimal,
    /// What the dealer asks.
    pub ask: Decimal,
    /// What can still be sold at the bid, in units; zero when it is used up.
    pub bid_quantity: Decimal,
    /// What can still be bought at the ask, in units.
    pub ask_quantity: Decimal,
    /// Good before this venue time.
    pub expires_at: VenueTime,
}

impl QuotesFrame {
    /// `message` in the units of the instrument that is quoted.
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

    /// The quotes in ticks and lots; what does not fit the instrument is left
    /// out.
    pub fn to_quotes(&self, instrument: &Instrument) -> Vec<Quote> {
        let ticks = |price: Decimal| price.in_units_of(instrument.tick_size).map(Ticks);
        let lots = |quantity: Decimal| quantity.in_units_of(instrument.lot_size).map(Lots);
        let quote = |frame: &QuoteFrame| {
            let place = instrument.dealers.iter().position(|name| *name == frame.dealer_id)?;
            Some(Quote {
                id: frame.quote_id,
                dealer: u8::try_from(place).ok()?,
                bid: ticks(frame.bid)?,
                ask: ticks(frame.ask)?,
                bid_lots: lots(frame.bid_quantity)?,
                ask_lots: lots(frame.ask_quantity)?,
                expires_at: frame.expires_at,
            })
        };
        self.quotes.iter().filter_map(quote).collect()
    }
}

/// A merged book, every level inside the collar and beyond.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookFrame {
    /// Which instrument.
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
    /// Where.
    pub price: Decimal,
    /// Everything that rests there, in units.
    pub quantity: Decimal,
}

/// A quote: the merged book's touch and the mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickEvent {
    /// Which instrument.
    pub instrument_id: InstrumentId,
    /// Venue time of the mark.
    pub timestamp: VenueTime,
    /// Best bid, if there is one.
    pub bid: Option<Decimal>,
    /// Best ask, if there is one.
    pub ask: Option<Decimal>,
    /// The mark (bond: clean).
    pub mid: Decimal,
    /// Whether the instrument trades.
    pub status: InstrumentStatus,
    /// The entry that set the mark or the status.
    pub mark_rev: Seq,
    /// Bonds: accrued interest of one lot, in money.
    pub accrued_per_lot: Money,
}

/// A match on the public tape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeFrame {
    /// Which instrument.
    pub instrument_id: InstrumentId,
    /// Where.
    pub price: Decimal,
    /// How much, in units.
    pub quantity: Decimal,
    /// Side of the incoming order.
    pub aggressor: Side,
    /// Venue time.
    pub timestamp: VenueTime,
}

/// The account, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Account))]
pub struct AccountFrame {
    /// The newest number of the account's events that is in.
    pub account_seq: u64,
    /// The last sequence number that touched the account.
    pub rev: Seq,
    /// All cash.
    pub cash: Money,
    /// The part that open orders hold.
    pub reserved: Money,
    /// Every position that was ever held, flat ones too (they keep P&L).
    pub positions: Vec<PositionFrame>,
    /// Live orders.
    pub orders: Vec<OrderFrame>,
}

/// A position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Position))]
pub struct PositionFrame {
    /// Of what.
    pub instrument_id: InstrumentId,
    /// In units, long positive.
    pub quantity: Decimal,
    /// Money received minus money paid, without fees.
    pub trade_cash: Money,
    /// Fees paid.
    pub fees: Money,
    /// What the open lots cost, in 1e-18.
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
    /// What it trades.
    pub instrument_id: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Market or limit.
    #[serde(rename = "type")]
    pub order_type: OrderType,
    /// Absent on a market order; the dealer's price on a quote that was taken.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub limit_price: Option<Decimal>,
    /// What happens to a remainder.
    pub time_in_force: TimeInForce,
    /// Asked for, in units.
    pub quantity: Decimal,
    /// Filled, in units.
    pub filled_quantity: Decimal,
    /// Still to fill, in units; zero once it is over.
    pub leaves_quantity: Decimal,
    /// Money that its fills exchanged, without fees.
    pub notional: Money,
    /// Fees charged.
    pub fee: Money,
    /// Where it stands.
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
}

/// Something that happened to the account.
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
    /// Why the remainder was taken out, if it was.
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
    /// Whose order.
    pub order_id: OrderId,
    /// What traded.
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
    /// Whether the account's order was resting.
    pub maker: bool,
    /// Venue time.
    pub timestamp: VenueTime,
}

/// An account's valuation for its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PortfolioSnapshot {
    /// Marks and positions are as of this entry.
    pub through: Seq,
    /// Venue time of that entry.
    pub timestamp: VenueTime,
    /// The figures.
    pub valuation: engine::portfolio::Valuation,
}

impl OrderFrame {
    /// `order` in the units of the instrument that it trades.
    pub fn new(order: &Order, instrument: &Instrument) -> Self {
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
            dealer_id: order
                .price
                .taken()
                .and_then(|taken| instrument.dealer(taken.dealer))
                .map(str::to_owned),
            quote_id: order.price.taken().map(|taken| taken.quote),
        }
    }
}

impl FillFrame {
    /// `fill` in the units of the instrument that traded.
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

impl PositionFrame {
    /// `position` in the units of `instrument`.
    pub fn new(position: &engine::position::Position, instrument: &Instrument) -> Self {
        Self {
            instrument_id: instrument.id,
            quantity: instrument.quantity(position.lots),
            trade_cash: position.trade_cash,
            fees: position.fees,
            basis: position.basis,
        }
    }

    /// The position in lots; `None` when the quantity is not a whole number of
    /// the instrument's lots.
    pub fn to_position(&self, instrument: &Instrument) -> Option<engine::position::Position> {
        Some(engine::position::Position {
            lots: Lots(self.quantity.in_units_of(instrument.lot_size)?),
            trade_cash: self.trade_cash,
            fees: self.fees,
            basis: self.basis,
        })
    }
}
