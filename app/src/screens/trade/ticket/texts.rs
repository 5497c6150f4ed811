//! Texts of refusals for the user: how much is missing, which step fits.
//!
//! Does not know where they are shown; the reason names its field.

use engine::decimal::Decimal;
use engine::order::Reject;

use crate::format;
use protocol::error::ApiError;

/// Text of a typed refusal.
pub(crate) fn reject_text(reject: &Reject) -> String {
    match reject {
        Reject::InsufficientCash { required, available } => format!(
            "Short by {}: needs {}, {} is free.",
            format::money(*required - *available),
            format::money(*required),
            format::money(*available)
        ),
        Reject::InsufficientPosition { required, available } => format!(
            "Short by {}: sells {}, {} can be sold.",
            format::decimal(minus(*required, *available)),
            format::decimal(*required),
            format::decimal(*available)
        ),
        Reject::LotSize { lot_size } => {
            format!("Use a multiple of {}.", format::decimal(*lot_size))
        }
        Reject::TickSize { tick_size } => {
            format!("Use a multiple of {}.", format::decimal(*tick_size))
        }
        Reject::PriceCollar { low, high } => {
            format!("Use a price from {} to {}.", format::decimal(*low), format::decimal(*high))
        }
        Reject::InvalidQuantity => "Enter a positive number of units.".to_owned(),
        Reject::InvalidPrice => "Enter a positive price.".to_owned(),
        Reject::UnknownQuote => "No dealer is quoting it just now.".to_owned(),
        Reject::QuoteSize { available, .. } => {
            format!("The quote is good for {} more.", format::decimal(*available))
        }
        Reject::BelowFilled { filled } => {
            format!("{} is filled already: enter more than that.", format::decimal(*filled))
        }
        Reject::Halted => "Trading in it is halted just now.".to_owned(),
        other => other.to_string(),
    }
}

/// Text of the server's refusal: by its typed reason if there is one.
pub(super) fn error_text(error: &ApiError) -> String {
    error.reject.as_ref().map_or_else(|| error.message.clone(), reject_text)
}

/// `a − b` at the finer of both scales.
pub(super) fn minus(a: Decimal, b: Decimal) -> Decimal {
    let scale = a.scale.max(b.scale);
    let whole = |value: Decimal| value.mantissa * 10_i64.pow(u32::from(scale - value.scale));
    Decimal::new(whole(a) - whole(b), scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::money::Money;

    #[test]
    fn a_refusal_says_how_much_is_missing() {
        let reject = Reject::InsufficientCash {
            required: Money::from_units(11_250),
            available: Money::from_units(10_000),
        };
        // 11,250 − 10,000
        assert_eq!(reject_text(&reject), "Short by 1,250.00: needs 11,250.00, 10,000.00 is free.");
        let reject =
            Reject::InsufficientPosition { required: Decimal::new(100, 0), available: Decimal::new(25, 0) };
        assert_eq!(reject_text(&reject), "Short by 75: sells 100, 25 can be sold.");
    }
}
