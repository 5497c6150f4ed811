//! Which orders are asked about twice: only those that hurt.
//!
//! A habit of the screen, not a rule of the venue: nothing here refuses.

use engine::book::BookRow;
use engine::money::{Lots, Money, Ticks};
use engine::order::{Preview, Side};

/// Why an order is asked about twice, with the figure in per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::screens::trade) enum Danger {
    /// More than 20 % of NAV.
    OfNav(i128),
    /// More than 5 % through the touch.
    ThroughTouch(i128),
    /// More than 50 % of the visible depth.
    OfDepth(i128),
}

impl Danger {
    /// For the person who is asked.
    pub(in crate::screens::trade) fn words(self) -> String {
        match self {
            Self::OfNav(percent) => format!("It is {percent} % of your NAV."),
            Self::ThroughTouch(percent) => format!("It reaches {percent} % through the touch."),
            Self::OfDepth(percent) => format!("It takes {percent} % of the visible depth."),
        }
    }
}

/// What is dangerous about trading on `side` at `limit` or better, given the
/// preview and the side of the book that it trades against, best first. A
/// dealer's quote has neither limit nor book.
pub(super) fn dangers(
    side: Side,
    limit: Option<Ticks>,
    preview: &Preview,
    opposite: &[BookRow],
) -> Vec<Danger> {
    let decided = &preview.decided;
    let before = &preview.estimate.before;
    let held = (decided.reserved - before.reserved).max(Money::ZERO);
    let mut dangers = Vec::new();
    if let Some(percent) = above(i128::from((decided.notional + held).0), before.nav.0, 20) {
        dangers.push(Danger::OfNav(percent));
    }
    if let Some(touch) = opposite.first().map(|row| row.price)
        // The worst price that it may pay: its limit, or what it walks to.
        && let Some(worst) = limit.or(preview.decided.fills.last().map(|fill| fill.price))
    {
        let through = match side {
            Side::Buy => worst.0 - touch.0,
            Side::Sell => touch.0 - worst.0,
        };
        if let Some(percent) = above(i128::from(through), touch.0, 5) {
            dangers.push(Danger::ThroughTouch(percent));
        }
    }
    let depth: Lots = opposite.iter().map(|row| row.lots).sum();
    if let Some(percent) = above(i128::from(decided.filled.0), depth.0, 50) {
        dangers.push(Danger::OfDepth(percent));
    }
    dangers
}

/// `part` in per cent of `whole`, if it is more than `limit` per cent.
fn above(part: i128, whole: i64, limit: i128) -> Option<i128> {
    let whole = i128::from(whole);
    (whole > 0 && part * 100 > whole * limit).then(|| part * 100 / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_exceeds_a_limit_is_asked_about() {
        // 20 % exactly is not more than 20 %.
        assert_eq!(above(200, 1_000, 20), None);
        assert_eq!(above(210, 1_000, 20), Some(21));
        assert_eq!(above(1, 0, 20), None);
    }
}
