//! A ticket: the order a client asks for. `RawTicket` is what came over the
//! wire, `Ticket` what was parsed at the door.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Reject;
use crate::decimal::Decimal;
use crate::id::{InstrumentId, QuoteId};
use crate::instrument::Instrument;
use crate::money::{Lots, Ticks};
use crate::time::VenueTime;

/// Longest client order id, in characters.
const MAX_CLIENT_ORDER_ID: usize = 64;

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Side {
    /// Pays money, receives units.
    Buy,
    /// Gives units, receives money.
    Sell,
}

impl Side {
    /// The other side.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// +1 for a buy, −1 for a sell: the sign of the position change.
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }

    /// The word used on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }

    /// Whether an order of this side limited at `limit` trades at `price`.
    pub const fn reaches(self, limit: Ticks, price: Ticks) -> bool {
        match self {
            Self::Buy => price.0 <= limit.0,
            Self::Sell => price.0 >= limit.0,
        }
    }
}

/// The contract's word for how an order is priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum OrderType {
    /// At the best prices there are, no worse than the collar.
    Market,
    /// At the limit or better.
    Limit,
    /// A dealer's quote, taken at its price.
    Quote,
}

impl OrderType {
    /// The word used on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Market => "MARKET",
            Self::Limit => "LIMIT",
            Self::Quote => "QUOTE",
        }
    }
}

/// How an order is priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Price {
    /// Immediate-or-cancel at the price collar.
    Market,
    /// At this price or better.
    Limit(Ticks),
    /// At a dealer's quote, which was taken; never asked for by a ticket.
    Quote(TakenQuote),
}

/// The dealer's quote that an order took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TakenQuote {
    /// Which quote.
    pub quote: QuoteId,
    /// The dealer's place among those of the instrument.
    pub dealer: u8,
    /// The dealer's price.
    pub price: Ticks,
}

impl Price {
    /// The contract's word for it.
    pub const fn order_type(self) -> OrderType {
        match self {
            Self::Market => OrderType::Market,
            Self::Limit(_) => OrderType::Limit,
            Self::Quote(_) => OrderType::Quote,
        }
    }

    /// The worst price that was agreed to, if there is one.
    pub const fn limit(self) -> Option<Ticks> {
        match self {
            Self::Market => None,
            Self::Limit(price) | Self::Quote(TakenQuote { price, .. }) => Some(price),
        }
    }

    /// The dealer's quote, if it took one.
    pub const fn taken(self) -> Option<TakenQuote> {
        match self {
            Self::Quote(taken) => Some(taken),
            Self::Market | Self::Limit(_) => None,
        }
    }
}

/// What happens to the part of an order that does not fill at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TimeInForce {
    /// Rests until filled or cancelled.
    Gtc,
    /// Is cancelled.
    Ioc,
    /// The order fills whole at once or not at all.
    Fok,
    /// Rests until filled, cancelled, or the end of the trading day.
    Day,
}

impl TimeInForce {
    /// The word used on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gtc => "GTC",
            Self::Ioc => "IOC",
            Self::Fok => "FOK",
            Self::Day => "DAY",
        }
    }

    /// The reading of [`TimeInForce::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Gtc, Self::Ioc, Self::Fok, Self::Day].into_iter().find(|known| known.as_str() == word)
    }

    /// Whether what does not fill at once may rest.
    pub const fn rests(self) -> bool {
        matches!(self, Self::Gtc | Self::Day)
    }
}

/// What happens when an order would trade with its own account's resting
/// orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SelfTradePrevention {
    /// The resting orders within the limit are cancelled first.
    #[default]
    CancelResting,
    /// The incoming order is refused.
    Reject,
}

impl SelfTradePrevention {
    /// Reads a mode; absent means the default.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Reject> {
        match text {
            None | Some("CANCEL_RESTING") => Ok(Self::CancelResting),
            Some("REJECT") => Ok(Self::Reject),
            Some(_) => Err(Reject::InvalidSelfTradePrevention),
        }
    }
}

/// Reads the venue time after which something must not be accepted.
pub(super) fn parse_valid_until(text: Option<&str>) -> Result<Option<VenueTime>, Reject> {
    text.map(|text| text.parse().map_err(|_| Reject::InvalidValidUntil)).transpose()
}

/// A client-made name for an order, unique for the account's life: 1–64
/// printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientOrderId(String);

impl ClientOrderId {
    /// Reads one.
    ///
    /// # Errors
    /// `invalid_client_order_id` for what is empty, too long or not printable.
    pub fn parse(text: &str) -> Result<Self, Reject> {
        let printable = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        if text.is_empty() || text.len() > MAX_CLIENT_ORDER_ID || !printable {
            return Err(Reject::InvalidClientOrderId);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClientOrderId {
    type Error = Reject;

    fn try_from(text: String) -> Result<Self, Reject> {
        Self::parse(&text)
    }
}

impl From<ClientOrderId> for String {
    fn from(id: ClientOrderId) -> Self {
        id.0
    }
}

impl fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A ticket as it came: every value still text (a number's source text is
/// never read through a float), every field that may be absent optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTicket {
    /// UUID of the instrument.
    pub instrument_id: String,
    /// `BUY` or `SELL`.
    pub side: String,
    /// `MARKET` or `LIMIT`.
    #[serde(rename = "type")]
    pub order_type: String,
    /// In units, a multiple of the lot size.
    pub quantity: String,
    /// Present on `LIMIT` alone.
    #[serde(default)]
    pub limit_price: Option<String>,
    /// `GTC`, `DAY`, `IOC` or `FOK`; absent means `GTC` for limit orders and
    /// `IOC` for market orders, which never rest.
    #[serde(default)]
    pub time_in_force: Option<String>,
    /// The client's name for the order.
    #[serde(default)]
    pub client_order_id: Option<String>,
    /// Venue time (RFC 3339) after which it must not be accepted.
    #[serde(default)]
    pub valid_until: Option<String>,
    /// `CANCEL_RESTING` (default) or `REJECT`.
    #[serde(default)]
    pub self_trade_prevention: Option<String>,
}

/// A parsed order: every field means something, none has been checked against
/// an account or a book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// What to trade.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Market or limit.
    pub price: Price,
    /// How much, positive.
    pub quantity: Lots,
    /// What happens to a remainder.
    pub time_in_force: TimeInForce,
    /// The client's name for it.
    pub client_order_id: ClientOrderId,
    /// Venue time after which it must not be accepted.
    pub valid_until: Option<VenueTime>,
    /// What happens before it would trade with its own account.
    pub self_trade_prevention: SelfTradePrevention,
}

impl Ticket {
    /// Parses a raw ticket against the instrument that it names.
    ///
    /// # Errors
    /// The first field that means nothing, by name.
    pub fn parse(raw: &RawTicket, instrument: &Instrument) -> Result<Self, Reject> {
        let side = match raw.side.as_str() {
            "BUY" => Side::Buy,
            "SELL" => Side::Sell,
            _ => return Err(Reject::InvalidSide),
        };
        let (price, default_tif) = match (raw.order_type.as_str(), &raw.limit_price) {
            ("MARKET", None) => (Price::Market, TimeInForce::Ioc),
            ("MARKET", Some(_)) => return Err(Reject::PriceForbidden),
            ("LIMIT", Some(text)) => (Price::Limit(instrument.parse_price(text)?), TimeInForce::Gtc),
            ("LIMIT", None) => return Err(Reject::PriceRequired),
            _ => return Err(Reject::InvalidType),
        };
        let time_in_force = match raw.time_in_force.as_deref() {
            None => default_tif,
            Some(word) => TimeInForce::from_word(word)
                .filter(|read| price != Price::Market || !read.rests())
                .ok_or(Reject::InvalidTimeInForce)?,
        };
        Ok(Self {
            instrument: instrument.id,
            side,
            price,
            quantity: instrument.parse_quantity(&raw.quantity)?,
            time_in_force,
            client_order_id: ClientOrderId::parse(raw.client_order_id.as_deref().unwrap_or(""))?,
            valid_until: parse_valid_until(raw.valid_until.as_deref())?,
            self_trade_prevention: SelfTradePrevention::parse(raw.self_trade_prevention.as_deref())?,
        })
    }

    /// The raw form that parses back to this ticket.
    pub fn to_raw(&self, instrument: &Instrument) -> RawTicket {
        let decimal = |value: Decimal| value.to_string();
        RawTicket {
            instrument_id: self.instrument.to_string(),
            side: self.side.as_str().to_owned(),
            order_type: self.price.order_type().as_str().to_owned(),
            quantity: decimal(instrument.quantity(self.quantity)),
            limit_price: self.price.limit().map(|ticks| decimal(instrument.price(ticks))),
            time_in_force: Some(self.time_in_force.as_str().to_owned()),
            client_order_id: Some(self.client_order_id.to_string()),
            valid_until: self.valid_until.map(|time| time.to_string()),
            self_trade_prevention: match self.self_trade_prevention {
                SelfTradePrevention::CancelResting => None,
                SelfTradePrevention::Reject => Some("REJECT".to_owned()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::fixtures::equity;

    fn raw(change: impl FnOnce(&mut RawTicket)) -> RawTicket {
        let mut raw = RawTicket {
            instrument_id: equity().id.to_string(),
            side: "BUY".into(),
            order_type: "LIMIT".into(),
            quantity: "100".into(),
            limit_price: Some("100.05".into()),
            client_order_id: Some("c-1".into()),
            ..RawTicket::default()
        };
        change(&mut raw);
        raw
    }

    #[test]
    fn a_ticket_parses_and_goes_back() {
        let ticket = Ticket::parse(&raw(|_| {}), &equity()).unwrap();
        assert_eq!(ticket.price, Price::Limit(Ticks(10_005)));
        assert_eq!((ticket.quantity, ticket.time_in_force), (Lots(100), TimeInForce::Gtc));
        assert_eq!(Ticket::parse(&ticket.to_raw(&equity()), &equity()), Ok(ticket));
    }

    #[test]
    fn what_means_nothing_is_refused_by_name() {
        let market = |raw: &mut RawTicket| {
            raw.order_type = "MARKET".into();
            raw.limit_price = None;
        };
        type Change = Box<dyn Fn(&mut RawTicket)>;
        let cases: Vec<(Change, Reject)> = vec![
            (Box::new(|r| r.side = "HOLD".into()), Reject::InvalidSide),
            (Box::new(|r| r.order_type = "STOP".into()), Reject::InvalidType),
            (Box::new(|r| r.limit_price = None), Reject::PriceRequired),
            (Box::new(|r| r.order_type = "MARKET".into()), Reject::PriceForbidden),
            (Box::new(|r| r.time_in_force = Some("FOREVER".into())), Reject::InvalidTimeInForce),
            (
                Box::new(move |r| {
                    market(r);
                    r.time_in_force = Some("GTC".into());
                }),
                Reject::InvalidTimeInForce,
            ),
            (
                Box::new(move |r| {
                    market(r);
                    r.time_in_force = Some("DAY".into());
                }),
                Reject::InvalidTimeInForce,
            ),
            (Box::new(|r| r.quantity = "0".into()), Reject::InvalidQuantity),
            (Box::new(|r| r.client_order_id = None), Reject::InvalidClientOrderId),
            (Box::new(|r| r.client_order_id = Some("x".repeat(65))), Reject::InvalidClientOrderId),
            (Box::new(|r| r.client_order_id = Some("a b".into())), Reject::InvalidClientOrderId),
            (Box::new(|r| r.valid_until = Some("soon".into())), Reject::InvalidValidUntil),
        ];
        for (change, reject) in cases {
            assert_eq!(Ticket::parse(&raw(change), &equity()), Err(reject));
        }
    }
}
