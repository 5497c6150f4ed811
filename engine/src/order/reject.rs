//! Every reason to refuse an order or a cancel, by name.

use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;
use crate::money::{Lots, Money};

/// Reason for a refusal. The code is stable, the message is for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reject {
    /// Zero, negative, fractional, or above the maximum of an order.
    #[error("The quantity must be a positive number of units.")]
    InvalidQuantity,
    /// Not a whole number of lots.
    #[error("The quantity must be a multiple of {lot_size}.")]
    LotSize {
        /// The instrument's lot size.
        lot_size: Decimal,
    },
    /// Not a positive number, or more than a price may be.
    #[error("The limit price must be a positive number within the range of prices.")]
    InvalidPrice,
    /// Between two ticks.
    #[error("The limit price must be a multiple of {tick_size}.")]
    TickSize {
        /// The instrument's tick size.
        tick_size: Decimal,
    },
    /// Too far from the mark.
    #[error("The limit price must lie between {low} and {high}.")]
    PriceCollar {
        /// Lowest price allowed now.
        low: Decimal,
        /// Highest price allowed now.
        high: Decimal,
    },
    /// Quantity × price is more than the venue accounts for.
    #[error("The order's notional is beyond the venue's limit.")]
    NotionalLimit,
    /// A limit order without a price.
    #[error("A limit order needs a limit price.")]
    PriceRequired,
    /// A market order with a price.
    #[error("A market order takes no limit price.")]
    PriceForbidden,
    /// No such instrument in this venue.
    #[error("There is no such instrument.")]
    UnknownInstrument,
    /// Trading in it is halted.
    #[error("Trading in this instrument is halted.")]
    Halted,
    /// It matured.
    #[error("This instrument has expired.")]
    Expired,
    /// Neither `BUY` nor `SELL`.
    #[error("The side must be BUY or SELL.")]
    InvalidSide,
    /// No time in force, or one that would let a market order rest.
    #[error("The time in force must be GTC, DAY, IOC or FOK; a market order is IOC or FOK.")]
    InvalidTimeInForce,
    /// Neither `MARKET` nor `LIMIT`.
    #[error("The type must be MARKET or LIMIT.")]
    InvalidType,
    /// Missing, too long or not printable.
    #[error("client_order_id must be 1 to 64 printable characters.")]
    InvalidClientOrderId,
    /// Not a time.
    #[error("valid_until must be an RFC 3339 time with at most microseconds.")]
    InvalidValidUntil,
    /// Not a prevention mode.
    #[error("self_trade_prevention must be CANCEL_RESTING or REJECT.")]
    InvalidSelfTradePrevention,
    /// The client's id belongs to an accepted request with another body.
    #[error("This client_order_id names an accepted order with other contents.")]
    IdempotencyMismatch,
    /// `valid_until` had passed.
    #[error("The order arrived after its valid_until.")]
    TooLate,
    /// Not covered by the account's free cash.
    #[error("The order needs {required}; {available} is available.")]
    InsufficientCash {
        /// Cash needed, fees included.
        required: Money,
        /// Cash that open orders do not reserve.
        available: Money,
    },
    /// Not covered by the account's position.
    #[error("The order sells {required}; {available} is available.")]
    InsufficientPosition {
        /// Quantity to sell, in units.
        required: Decimal,
        /// Position less open sell orders, in units.
        available: Decimal,
    },
    /// It would trade with its own account, in mode `REJECT`.
    #[error("The order would trade with your own resting order.")]
    SelfTrade,
    /// The account has the maximum number of open orders.
    #[error("An account may have {limit} open orders.")]
    TooManyOrders {
        /// The maximum.
        limit: u32,
    },
    /// No such account in this venue.
    #[error("There is no such account.")]
    UnknownAccount,
    /// No such live order of this account.
    #[error("There is no such order.")]
    UnknownOrder,
    /// An amendment that leaves the order as it is.
    #[error("The order already has this quantity and limit price.")]
    NothingToAmend,
    /// An amendment to no more than the filled quantity.
    #[error("{filled} is filled already; the quantity must be more than that.")]
    BelowFilled {
        /// Filled quantity, in units.
        filled: Decimal,
    },
    /// It trades on dealers' quotes and has no order book.
    #[error("This instrument has no order book: hit or lift a dealer's quote.")]
    NoOrderBook,
    /// No quote with this id, neither live nor recently expired.
    #[error("There is no such quote.")]
    UnknownQuote,
    /// The quote has expired.
    #[error("This quote has expired.")]
    QuoteExpired,
    /// Nothing of the quote's side is left.
    #[error("Nothing is left of this quote.")]
    QuoteUsed,
    /// More than is left of the quote's side.
    #[error("The quote is good for {available} more, not for {required}.")]
    QuoteSize {
        /// Requested quantity, in units.
        required: Decimal,
        /// Remaining quantity, in units.
        available: Decimal,
    },
    /// No live order to cancel.
    #[error("There are no open orders to cancel.")]
    NoOpenOrders,
}

impl Reject {
    /// Returns the stable code, also the name on the wire.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidQuantity => "invalid_quantity",
            Self::LotSize { .. } => "lot_size",
            Self::InvalidPrice => "invalid_price",
            Self::TickSize { .. } => "tick_size",
            Self::PriceCollar { .. } => "price_collar",
            Self::NotionalLimit => "notional_limit",
            Self::PriceRequired => "price_required",
            Self::PriceForbidden => "price_forbidden",
            Self::UnknownInstrument => "unknown_instrument",
            Self::Halted => "halted",
            Self::Expired => "expired",
            Self::InvalidSide => "invalid_side",
            Self::InvalidTimeInForce => "invalid_time_in_force",
            Self::InvalidType => "invalid_type",
            Self::InvalidClientOrderId => "invalid_client_order_id",
            Self::InvalidValidUntil => "invalid_valid_until",
            Self::InvalidSelfTradePrevention => "invalid_self_trade_prevention",
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::TooLate => "too_late",
            Self::InsufficientCash { .. } => "insufficient_cash",
            Self::InsufficientPosition { .. } => "insufficient_position",
            Self::SelfTrade => "self_trade",
            Self::TooManyOrders { .. } => "too_many_orders",
            Self::UnknownAccount => "unknown_account",
            Self::UnknownOrder => "unknown_order",
            Self::NothingToAmend => "nothing_to_amend",
            Self::BelowFilled { .. } => "below_filled",
            Self::NoOpenOrders => "no_open_orders",
            Self::NoOrderBook => "no_order_book",
            Self::UnknownQuote => "unknown_quote",
            Self::QuoteExpired => "quote_expired",
            Self::QuoteUsed => "quote_used",
            Self::QuoteSize { .. } => "quote_size",
        }
    }

    /// Returns the request field at fault, if it is one field.
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::InvalidQuantity
            | Self::LotSize { .. }
            | Self::NotionalLimit
            | Self::InsufficientCash { .. }
            | Self::InsufficientPosition { .. }
            | Self::BelowFilled { .. }
            | Self::QuoteSize { .. } => Some("quantity"),
            Self::InvalidPrice
            | Self::TickSize { .. }
            | Self::PriceCollar { .. }
            | Self::PriceRequired
            | Self::PriceForbidden => Some("limit_price"),
            Self::UnknownInstrument | Self::Halted | Self::Expired | Self::NoOrderBook => {
                Some("instrument_id")
            }
            Self::UnknownQuote | Self::QuoteExpired | Self::QuoteUsed => Some("quote_id"),
            Self::InvalidSide => Some("side"),
            Self::InvalidTimeInForce => Some("time_in_force"),
            Self::InvalidType => Some("type"),
            Self::InvalidClientOrderId | Self::IdempotencyMismatch => Some("client_order_id"),
            Self::InvalidValidUntil | Self::TooLate => Some("valid_until"),
            Self::InvalidSelfTradePrevention => Some("self_trade_prevention"),
            Self::UnknownOrder => Some("order_id"),
            Self::SelfTrade
            | Self::TooManyOrders { .. }
            | Self::UnknownAccount
            | Self::NothingToAmend
            | Self::NoOpenOrders => None,
        }
    }

    /// Returns `InsufficientPosition` with lots converted to units.
    pub(crate) fn short_of(
        instrument: &crate::instrument::Instrument,
        required: Lots,
        available: Lots,
    ) -> Self {
        Self::InsufficientPosition {
            required: instrument.quantity(required),
            available: instrument.quantity(available),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_unique_code_a_field_and_a_sentence() {
        let (number, money) = (Decimal::new(25, 1), Money::from_units(7));
        let quantity = [
            Reject::InvalidQuantity,
            Reject::LotSize { lot_size: number },
            Reject::NotionalLimit,
            Reject::InsufficientCash { required: money, available: money },
            Reject::InsufficientPosition { required: number, available: number },
            Reject::BelowFilled { filled: number },
            Reject::QuoteSize { required: number, available: number },
        ];
        let price = [
            Reject::InvalidPrice,
            Reject::TickSize { tick_size: number },
            Reject::PriceCollar { low: number, high: number },
            Reject::PriceRequired,
            Reject::PriceForbidden,
        ];
        let instrument = [Reject::UnknownInstrument, Reject::Halted, Reject::Expired, Reject::NoOrderBook];
        let quote = [Reject::UnknownQuote, Reject::QuoteExpired, Reject::QuoteUsed];
        let none = [
            Reject::SelfTrade,
            Reject::TooManyOrders { limit: 3 },
            Reject::UnknownAccount,
            Reject::NothingToAmend,
            Reject::NoOpenOrders,
        ];
        let single = [
            (Reject::InvalidSide, "side"),
            (Reject::InvalidTimeInForce, "time_in_force"),
            (Reject::InvalidType, "type"),
            (Reject::InvalidClientOrderId, "client_order_id"),
            (Reject::IdempotencyMismatch, "client_order_id"),
            (Reject::InvalidValidUntil, "valid_until"),
            (Reject::TooLate, "valid_until"),
            (Reject::InvalidSelfTradePrevention, "self_trade_prevention"),
            (Reject::UnknownOrder, "order_id"),
        ];
        let all: Vec<(Reject, Option<&str>)> = quantity
            .map(|reject| (reject, Some("quantity")))
            .into_iter()
            .chain(price.map(|reject| (reject, Some("limit_price"))))
            .chain(instrument.map(|reject| (reject, Some("instrument_id"))))
            .chain(quote.map(|reject| (reject, Some("quote_id"))))
            .chain(single.map(|(reject, field)| (reject, Some(field))))
            .chain(none.map(|reject| (reject, None)))
            .collect();
        let codes: std::collections::BTreeSet<_> = all.iter().map(|(reject, _)| reject.code()).collect();
        assert_eq!((codes.len(), all.len()), (33, 33));
        for (reject, field) in all {
            let written = serde_json::to_value(&reject).unwrap();
            // The code is the name on the wire, with figures or without.
            let word = match &written {
                serde_json::Value::Object(only) => only.keys().next().unwrap().as_str(),
                word => word.as_str().unwrap(),
            };
            assert_eq!(reject.code(), word);
            assert_eq!(reject.field(), field, "{word}");
            let sentence = reject.to_string();
            assert!(sentence.ends_with('.') && !sentence.contains('{'), "{sentence}");
            assert_eq!(serde_json::from_value::<Reject>(written).unwrap(), reject);
        }
    }
}
