//! Tickets: requests to place an order. `RawTicket` is the received text,
//! `Ticket` the parsed value.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CancelReason, Reject};
use crate::decimal::Decimal;
use crate::id::{InstrumentId, QuoteId};
use crate::instrument::Instrument;
use crate::money::{Lots, Ticks};
use crate::time::VenueTime;

/// Maximum length of a client order id, in characters.
const CLIENT_ORDER_ID_MAX_LEN: usize = 64;

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Side {
    /// Pays money, receives units.
    Buy,
    /// Gives units, receives money.
    Sell,
}

impl Side {
    /// Returns the other side.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// Returns the sign of the position change: +1 for a buy, −1 for a sell.
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }

    /// Name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }

    /// Returns true if an order of this side limited at `limit` trades at `price`.
    pub const fn reaches(self, limit: Ticks, price: Ticks) -> bool {
        match self {
            Self::Buy => price.0 <= limit.0,
            Self::Sell => price.0 >= limit.0,
        }
    }
}

/// Contract name of an order's pricing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum OrderType {
    /// At the best available prices within the collar.
    Market,
    /// At the limit or better.
    Limit,
    /// At the price of a dealer's quote.
    Quote,
}

impl OrderType {
    /// Name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Market => "MARKET",
            Self::Limit => "LIMIT",
            Self::Quote => "QUOTE",
        }
    }
}

/// Pricing of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Price {
    /// Immediate-or-cancel at the price collar.
    Market,
    /// At this price or better.
    Limit(Ticks),
    /// At a dealer's quote that was taken; never part of a received ticket.
    Quote(TakenQuote),
}

/// The dealer's quote taken by an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TakenQuote {
    /// Id of the quote.
    pub quote: QuoteId,
    /// Index of the dealer among the instrument's dealers.
    pub dealer: u8,
    /// The dealer's price.
    pub price: Ticks,
}

impl Price {
    /// Returns the contract name.
    pub const fn order_type(self) -> OrderType {
        match self {
            Self::Market => OrderType::Market,
            Self::Limit(_) => OrderType::Limit,
            Self::Quote(_) => OrderType::Quote,
        }
    }

    /// Returns the worst acceptable price, if there is one.
    pub const fn limit(self) -> Option<Ticks> {
        match self {
            Self::Market => None,
            Self::Limit(price) | Self::Quote(TakenQuote { price, .. }) => Some(price),
        }
    }

    /// Returns the taken quote, if there is one.
    pub const fn taken(self) -> Option<TakenQuote> {
        match self {
            Self::Quote(taken) => Some(taken),
            Self::Market | Self::Limit(_) => None,
        }
    }
}

/// Treatment of the part of an order that does not fill at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum TimeInForce {
    /// Rests until filled or cancelled.
    Gtc,
    /// Cancelled.
    Ioc,
    /// The whole order fills at once or nothing of it.
    Fok,
    /// Rests until filled, cancelled, or the end of the trading day.
    Day,
}

impl TimeInForce {
    /// Name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gtc => "GTC",
            Self::Ioc => "IOC",
            Self::Fok => "FOK",
            Self::Day => "DAY",
        }
    }

    /// Parses [`TimeInForce::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Gtc, Self::Ioc, Self::Fok, Self::Day].into_iter().find(|tif| tif.as_str() == word)
    }

    /// Returns true if the remainder may rest.
    pub const fn rests(self) -> bool {
        matches!(self, Self::Gtc | Self::Day)
    }

    /// Returns the reason for the cancel of a remainder that may not rest.
    pub const fn remainder_reason(self) -> CancelReason {
        match self {
            Self::Fok => CancelReason::FillOrKill,
            Self::Gtc | Self::Ioc | Self::Day => CancelReason::ImmediateOrCancel,
        }
    }
}

/// Behaviour of an order that would trade with its own account's resting orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SelfTradePrevention {
    /// The resting orders on the levels that it reaches are cancelled first.
    #[default]
    CancelResting,
    /// The incoming order is refused.
    Reject,
}

impl SelfTradePrevention {
    /// Parses a mode; absent means the default.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Reject> {
        match text {
            None | Some("CANCEL_RESTING") => Ok(Self::CancelResting),
            Some("REJECT") => Ok(Self::Reject),
            Some(_) => Err(Reject::InvalidSelfTradePrevention),
        }
    }
}

/// Parses the venue time after which a request is not accepted.
pub(super) fn parse_valid_until(text: Option<&str>) -> Result<Option<VenueTime>, Reject> {
    text.map(|text| text.parse().map_err(|_| Reject::InvalidValidUntil)).transpose()
}

/// A client's id of an order, unique per account: 1–64 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientOrderId(String);

impl ClientOrderId {
    /// Parses an id.
    ///
    /// # Errors
    /// `invalid_client_order_id` for an empty, overlong or unprintable text.
    pub fn parse(text: &str) -> Result<Self, Reject> {
        let printable = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        if text.is_empty() || text.len() > CLIENT_ORDER_ID_MAX_LEN || !printable {
            return Err(Reject::InvalidClientOrderId);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the text.
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

/// A ticket as received: every value is text (a number's source text is never
/// read through a float), every field that may be absent is optional.
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
    /// Quantity in units, a multiple of the lot size.
    pub quantity: String,
    /// Present on `LIMIT` only.
    #[serde(default)]
    pub limit_price: Option<String>,
    /// `GTC`, `DAY`, `IOC` or `FOK`; absent means `GTC` for limit orders and
    /// `IOC` for market orders, which never rest.
    #[serde(default)]
    pub time_in_force: Option<String>,
    /// Client's id of the order.
    #[serde(default)]
    pub client_order_id: Option<String>,
    /// Venue time (RFC 3339) after which it is not accepted.
    #[serde(default)]
    pub valid_until: Option<String>,
    /// `CANCEL_RESTING` (default) or `REJECT`.
    #[serde(default)]
    pub self_trade_prevention: Option<String>,
}

/// A parsed ticket: every field is valid by itself, none has been checked
/// against an account or a book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Instrument to trade.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Market or limit.
    pub price: Price,
    /// Quantity, positive.
    pub quantity: Lots,
    /// Treatment of a remainder.
    pub time_in_force: TimeInForce,
    /// Client's id of the order.
    pub client_order_id: ClientOrderId,
    /// Venue time after which it is not accepted.
    pub valid_until: Option<VenueTime>,
    /// Behaviour before it would trade with its own account.
    pub self_trade_prevention: SelfTradePrevention,
}

impl Ticket {
    /// Parses a raw ticket against the instrument that it names.
    ///
    /// # Errors
    /// The first invalid field, by name.
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

    /// Returns the raw form that parses back to this ticket.
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
    fn a_ticket_parses_and_formats_back() {
        let ticket = Ticket::parse(&raw(|_| {}), &equity()).unwrap();
        assert_eq!(ticket.price, Price::Limit(Ticks(10_005)));
        assert_eq!((ticket.quantity, ticket.time_in_force), (Lots(100), TimeInForce::Gtc));
        assert_eq!(Ticket::parse(&ticket.to_raw(&equity()), &equity()), Ok(ticket));
    }

    #[test]
    fn invalid_fields_are_refused_by_name() {
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
