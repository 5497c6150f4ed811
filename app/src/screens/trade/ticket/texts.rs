//! Texts for the user: of refusals, how much is missing and which step fits; of own
//! orders that are in the way.
//!
//! Do not know where they are shown; the reason names its field.

use engine::decimal::{Decimal, DecimalError};
use engine::instrument::{Instrument, MAX_LOTS};
use engine::order::{Order, Reject, Side};
use protocol::error::ApiError;

use super::form::plain_number;
use crate::format::{self, Units};

/// Text of a typed refusal.
pub(crate) fn reject_text(reject: &Reject) -> String {
    match reject {
        Reject::InsufficientCash { required, available } => format!(
            "Short by {}: needs {}, {} is free.",
            format::money(*required - *available),
            format::money(*required),
            format::money(*available)
        ),
        Reject::InsufficientPosition { required, available } => {
            format!("You can sell {}, not {}.", format::decimal(*available), format::decimal(*required))
        }
        Reject::LotSize { lot_size } => {
            format!("Use a multiple of {}.", format::decimal(*lot_size))
        }
        Reject::TickSize { tick_size } => {
            format!("Use a multiple of {}.", format::decimal(*tick_size))
        }
        Reject::PriceCollar { low, high } => {
            format!("Use a price from {} to {}.", format::decimal(*low), format::decimal(*high))
        }
        Reject::UnknownQuote => "No dealer is quoting it just now.".to_owned(),
        Reject::QuoteSize { available, .. } => {
            format!("The quote is good for {} more.", format::decimal(*available))
        }
        Reject::BelowFilled { filled } => {
            format!("{} is filled already: enter more than that.", format::decimal(*filled))
        }
        Reject::Halted => "Trading is halted.".to_owned(),
        other => other.to_string(),
    }
}

/// Text of a refusal of what the user has typed for `instrument`, of which the
/// account holds `held` units.
pub(crate) fn typed_text(
    reject: &Reject,
    instrument: &Instrument,
    held: Decimal,
    quantity: &str,
    limit: &str,
) -> String {
    match reject {
        Reject::InvalidQuantity => quantity_text(instrument, quantity),
        Reject::InvalidPrice => price_text(instrument, limit),
        Reject::InsufficientPosition { required, available } => {
            let [held_text, available_text, required] = [held, *available, *required].map(format::decimal);
            if held.same_value(*available) {
                format!("You hold {held_text}; you cannot sell {required}.")
            } else {
                format!(
                    "You hold {held_text}, and {available_text} is not in open orders; you cannot sell {required}."
                )
            }
        }
        other => reject_text(other),
    }
}

/// Reason why `typed` is no quantity.
fn quantity_text(instrument: &Instrument, typed: &str) -> String {
    let units = Units::of(instrument);
    let most = || format!("At most {}.", units.quantity(MAX_LOTS));
    let whole = || match instrument.lot_size {
        Decimal { mantissa: 1, scale: 0 } => format!("Whole {} only.", units.counted()),
        lot_size => format!("Use a multiple of {}.", format::decimal(lot_size)),
    };
    match Decimal::parse(&plain_number(typed)) {
        Err(DecimalError::Malformed) => no_number(typed),
        Err(DecimalError::OutOfRange) if is_long(typed) => most(),
        Err(DecimalError::OutOfRange) => whole(),
        Ok(Decimal { mantissa: ..=0, .. }) => "Enter a quantity above zero.".to_owned(),
        Ok(quantity) if quantity.scale > instrument.lot_size.scale => whole(),
        Ok(_) => most(),
    }
}

/// Reason why `typed` is no price.
fn price_text(instrument: &Instrument, typed: &str) -> String {
    match Decimal::parse(&plain_number(typed)) {
        Err(DecimalError::Malformed) => no_number(typed),
        Err(DecimalError::OutOfRange) if is_long(typed) => "The price is too large.".to_owned(),
        Err(DecimalError::OutOfRange) => reject_text(&Reject::TickSize { tick_size: instrument.tick_size }),
        Ok(_) => "Enter a price above zero.".to_owned(),
    }
}

/// Returns true if a number is out of range because it is large, not because it has
/// many decimals.
fn is_long(typed: &str) -> bool {
    let whole = typed.split('.').next().unwrap_or_default();
    whole.contains(['e', 'E']) || whole.bytes().filter(u8::is_ascii_digit).count() > 15
}

fn no_number(typed: &str) -> String {
    if typed.contains(',') {
        "A comma separates thousands: 1,500. Write decimals with a point: 1.5.".to_owned()
    } else {
        "Enter a number, like 1,500 or 2.5k.".to_owned()
    }
}

/// Own orders that are cancelled because an order of theirs could trade with them;
/// `None` if there are none.
pub(crate) fn cancels_text(instrument: &Instrument, orders: &[Order]) -> Option<String> {
    let units = Units::of(instrument);
    let name = |order: &Order| {
        let side = match order.side {
            Side::Buy => "buy",
            Side::Sell => "sell",
        };
        let price = order.price.limit().map(|price| format!(" @ {}", units.price(price)));
        let price = price.unwrap_or_default();
        format!("{} {side} {}{price}", instrument.symbol, units.quantity(order.leaves()))
    };
    let names: Vec<String> = orders.iter().map(name).collect();
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("Cancels your own {one}, with which it could trade.")),
        [first @ .., last] => {
            Some(format!("Cancels your own {} and {last}, with which it could trade.", first.join(", ")))
        }
    }
}

/// Text of the server's refusal: by its typed reason if there is one.
pub(super) fn error_text(error: &ApiError) -> String {
    error.reject.as_ref().map_or_else(|| error.message.clone(), reject_text)
}

#[cfg(test)]
mod tests {
    use engine::id::{OrderId, Seq, VenueId};
    use engine::money::{Lots, Money, Ticks};
    use engine::order::{ClientOrderId, OrderStatus, Price, TimeInForce};
    use engine::time::VenueTime;
    use engine::venue::VenueConfig;

    use super::*;

    fn listed(symbol: &str) -> Instrument {
        let listed = VenueConfig::default().instruments().unwrap();
        listed.into_values().find(|instrument| instrument.symbol == symbol).unwrap()
    }

    #[test]
    fn own_orders_in_the_way_are_named() {
        let share = listed("ACME");
        let order = |side, price, filled| Order {
            id: OrderId::derive(VenueId::from_name("main"), Seq(1)),
            client_order_id: ClientOrderId::parse("c-1").unwrap(),
            instrument: share.id,
            side,
            price: Price::Limit(Ticks(price)),
            time_in_force: TimeInForce::Gtc,
            quantity: Lots(1_500),
            filled: Lots(filled),
            notional: Money::ZERO,
            fee: Money::ZERO,
            status: OrderStatus::Open,
            created_at: VenueTime(0),
            updated_at: VenueTime(0),
        };
        let text = |orders: &[Order]| cancels_text(&share, orders);
        assert_eq!(text(&[]), None);
        // What is left of it counts.
        let first = order(Side::Buy, 9_500, 1_450);
        let one = "Cancels your own ACME buy 50 @ 95.00, with which it could trade.";
        assert_eq!(text(std::slice::from_ref(&first)).as_deref(), Some(one));
        let [second, third] = [9_400, 9_300].map(|price| order(Side::Buy, price, 0));
        let all = "Cancels your own ACME buy 50 @ 95.00, ACME buy 1,500 @ 94.00 and ACME buy 1,500 @ 93.00, \
                   with which it could trade.";
        assert_eq!(text(&[first, second, third]).as_deref(), Some(all));
    }

    #[test]
    fn a_refusal_says_how_much_is_missing() {
        let reject = Reject::InsufficientCash {
            required: Money::from_units(11_250),
            available: Money::from_units(10_000),
        };
        // 11,250 − 10,000
        assert_eq!(reject_text(&reject), "Short by 1,250.00: needs 11,250.00, 10,000.00 is free.");
        let units = |number| Decimal::new(number, 0);
        let reject = Reject::InsufficientPosition { required: units(300), available: units(100) };
        let text = |held| typed_text(&reject, &listed("ACME"), units(held), "300", "");
        assert_eq!(text(100), "You hold 100; you cannot sell 300.");
        assert_eq!(text(150), "You hold 150, and 100 is not in open orders; you cannot sell 300.");
    }

    #[test]
    fn a_wrong_number_is_refused_with_its_reason() {
        let (share, bond) = (listed("ACME"), listed("GOV-4.5-2036"));
        let quantity = |instrument: &Instrument, typed: &str| {
            let reject = instrument.parse_quantity(&plain_number(typed)).unwrap_err();
            typed_text(&reject, instrument, Decimal::new(0, 0), typed, "")
        };
        assert_eq!(quantity(&share, "1.5"), "Whole shares only.");
        assert_eq!(quantity(&bond, "1.5"), "Use a multiple of 1,000.");
        assert_eq!(quantity(&bond, "1500"), "Use a multiple of 1,000.");
        assert_eq!(quantity(&share, "100000000000000000000000000"), "At most 1,000,000,000,000.");
        assert_eq!(quantity(&share, "1e13"), "At most 1,000,000,000,000.");
        assert_eq!(quantity(&share, "0"), "Enter a quantity above zero.");
        assert_eq!(quantity(&share, "-5"), "Enter a quantity above zero.");
        assert_eq!(quantity(&share, "ten"), "Enter a number, like 1,500 or 2.5k.");
        assert!(quantity(&share, "1,5").starts_with("A comma separates thousands"));
        let price = |typed: &str| {
            let reject = share.parse_price(&plain_number(typed)).unwrap_err();
            typed_text(&reject, &share, Decimal::new(0, 0), "", typed)
        };
        assert_eq!(price("99.99999999999999999999"), "Use a multiple of 0.01.");
        assert_eq!(price("99.999"), "Use a multiple of 0.01.");
        assert_eq!(price("0"), "Enter a price above zero.");
        assert_eq!(price("10000000000000000000000"), "The price is too large.");
        assert!(price("99,95").starts_with("A comma separates thousands"));
    }
}
