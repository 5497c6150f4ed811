//! Warnings that the user must confirm before an order is sent.
//!
//! A habit of the screen, not a rule of the venue: nothing here refuses.

use engine::book::PriceLevel;
use engine::money::{Lots, Money, Ticks};
use engine::order::{Preview, Side};

/// A reason to ask for confirmation, with its figure in per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderWarning {
    /// More than 20 % of NAV.
    OfNav(i128),
    /// More than 5 % through the touch, by an order of this side.
    ThroughTouch(i128, Side),
    /// More than 50 % of the visible depth.
    OfDepth(i128),
}

impl OrderWarning {
    /// Text for the user.
    pub(crate) fn text(self) -> String {
        match self {
            Self::OfNav(percent) => format!("It is {percent} % of your NAV."),
            Self::ThroughTouch(percent, Side::Buy) => {
                format!("The price is {percent} % worse than the best offer.")
            }
            Self::ThroughTouch(percent, Side::Sell) => {
                format!("The price is {percent} % worse than the best bid.")
            }
            Self::OfDepth(percent) => format!("It takes {percent} % of the visible depth."),
        }
    }
}

/// Warnings of an order on `side` at `limit` or better, given its preview and
/// the opposite side of the book, best first. A dealer's quote has neither limit
/// nor book.
pub(super) fn warnings(
    side: Side,
    limit: Option<Ticks>,
    preview: &Preview,
    opposite: &[PriceLevel],
) -> Vec<OrderWarning> {
    let decided = &preview.decided;
    let before = &preview.estimate.before;
    let newly_reserved = (decided.reserved - before.reserved).max(Money::ZERO);
    let mut warnings = Vec::new();
    if let Some(percent) = above(i128::from((decided.notional + newly_reserved).0), before.nav.0, 20) {
        warnings.push(OrderWarning::OfNav(percent));
    }
    if let Some(touch) = opposite.first().map(|level| level.price)
        // The worst price: the limit, or the last fill of the preview.
        && let Some(worst) = limit.or(preview.decided.fills.last().map(|fill| fill.price))
    {
        let through = match side {
            Side::Buy => worst.0 - touch.0,
            Side::Sell => touch.0 - worst.0,
        };
        if let Some(percent) = above(i128::from(through), touch.0, 5) {
            warnings.push(OrderWarning::ThroughTouch(percent, side));
        }
    }
    let depth: Lots = opposite.iter().map(|level| level.lots).sum();
    if let Some(percent) = above(i128::from(decided.filled.0), depth.0, 50) {
        warnings.push(OrderWarning::OfDepth(percent));
    }
    warnings
}

/// `part` in per cent of `whole` if above `limit` per cent.
fn above(part: i128, whole: i64, limit: i128) -> Option<i128> {
    let whole = i128::from(whole);
    (whole > 0 && part * 100 > whole * limit).then(|| part * 100 / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_figures_above_a_limit_are_warned_of() {
        // 20 % exactly is not more than 20 %.
        assert_eq!(above(200, 1_000, 20), None);
        assert_eq!(above(210, 1_000, 20), Some(21));
        assert_eq!(above(1, 0, 20), None);
    }
}
