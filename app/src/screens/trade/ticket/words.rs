//! A refusal in the words of the person who has to mend it: how much is
//! missing, which step fits.
//!
//! Does not know where the words are shown; the reason names its field.

use engine::decimal::Decimal;
use engine::order::Reject;

use crate::components::format;
use protocol::error::ApiError;

/// The reason, worded.
pub(in crate::screens::trade) fn worded(reject: &Reject) -> String {
    match reject {
        Reject::InsufficientCash { required, available } => format!(
            "Short by {}: needs {}, {} is free.",
            format::money(*required - *available),
            format::money(*required),
            format::money(*available)
        ),
        Reject::InsufficientPosition { required, available } => format!(
            "Short by {}: sells {}, {} can be sold.",
            less(*required, *available),
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

/// The server's refusal, worded by its typed reason where it has one.
pub(super) fn answered(error: &ApiError) -> String {
    error.reject.as_ref().map_or_else(|| error.message.clone(), worded)
}

/// `a − b`, both in the same units.
fn less(a: Decimal, b: Decimal) -> String {
    let scale = a.scale.max(b.scale);
    let whole = |value: Decimal| value.mantissa * 10_i64.pow(u32::from(scale - value.scale));
    format::decimal(Decimal::new(whole(a) - whole(b), scale))
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
        assert_eq!(worded(&reject), "Short by 1,250.00: needs 11,250.00, 10,000.00 is free.");
        let reject =
            Reject::InsufficientPosition { required: Decimal::new(100, 0), available: Decimal::new(25, 0) };
        assert_eq!(worded(&reject), "Short by 75: sells 100, 25 can be sold.");
    }
}
