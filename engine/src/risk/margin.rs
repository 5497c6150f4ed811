//! Margin scan: sixteen P&Ls per lot in integer money, computed once per step; margin is
//! integer arithmetic on them.
//!
//! The scenarios are those of CME's SPAN (1988): the price unchanged or moved by thirds of
//! its range, each with volatility up and down, and two moves of twice the range counted at
//! 35 %. Computes requirements only, does not decide orders.

use serde::{Deserialize, Serialize};

use super::book::{RiskBook, RiskError, Scenario, Workspace};
use crate::money::{Lots, Money, UNITS_PER_CURRENCY, round_half_even};

/// Number of scenarios of a scan.
pub const SCENARIO_COUNT: usize = 16;

/// Range of market moves in the margin period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanRange {
    /// Relative move of the spot (0.1 is 10 %).
    pub spot: f64,
    /// Volatility points, up and down (0.05 is 5 points).
    pub vol: f64,
    /// Move of rates and yields, with reversed sign (0.01 is 1 %): a bond's price falls when
    /// its yield rises.
    pub rate: f64,
}

/// Per scenario: thirds of the price range, direction of volatility, counted percentage.
const SCAN_MOVES: [(i8, i8, u8); SCENARIO_COUNT] = [
    (0, 1, 100),
    (0, -1, 100),
    (1, 1, 100),
    (1, -1, 100),
    (-1, 1, 100),
    (-1, -1, 100),
    (2, 1, 100),
    (2, -1, 100),
    (-2, 1, 100),
    (-2, -1, 100),
    (3, 1, 100),
    (3, -1, 100),
    (-3, 1, 100),
    (-3, -1, 100),
    (6, 0, 35),
    (-6, 0, 35),
];

/// Gain of one long lot in each scenario, in integer money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan(pub [Money; SCENARIO_COUNT]);

impl ScanRange {
    /// Returns the scenarios with the counted part of their P&L.
    pub fn scenarios(&self) -> [(Scenario, f64); SCENARIO_COUNT] {
        SCAN_MOVES.map(|(thirds, vol, percent)| {
            let share = f64::from(thirds) / 3.0;
            let scenario = Scenario {
                spot: share * self.spot,
                vol: f64::from(vol) * self.vol,
                rate: -share * self.rate,
                days: 0,
            };
            (scenario, f64::from(percent) / 100.0)
        })
    }
}

impl Scan {
    /// Scans one line of `book`, whose quantity is that of one lot.
    ///
    /// # Errors
    /// [`RiskError`]; [`RiskError::Length`] for P&Ls that do not fit money.
    pub fn of_line(
        book: &RiskBook,
        at: usize,
        range: &ScanRange,
        workspace: &mut Workspace,
    ) -> Result<Self, RiskError> {
        let base = book.line_value(at, &Scenario::default(), workspace)?;
        let mut scan = Self::default();
        for (money, (scenario, part)) in scan.0.iter_mut().zip(range.scenarios()) {
            let gain = (book.line_value(at, &scenario, workspace)? - base) * part;
            let units = round_half_even(gain * UNITS_PER_CURRENCY as f64).ok_or(RiskError::Length)?;
            *money = Money(units);
        }
        Ok(scan)
    }
}

/// Returns the margin of all positions on one underlier (long lots positive): the worst
/// scenario's loss, never negative. `None` if it does not fit money.
pub fn group_margin<'a>(positions: impl IntoIterator<Item = (Lots, &'a Scan)>) -> Option<Money> {
    let mut totals = [0_i128; SCENARIO_COUNT];
    for (lots, scan) in positions {
        for (total, gain) in totals.iter_mut().zip(&scan.0) {
            *total = total.checked_add(i128::from(lots.0) * i128::from(gain.0))?;
        }
    }
    let worst = totals.into_iter().min().unwrap_or(0).min(0);
    i64::try_from(worst.checked_neg()?).ok().map(Money)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::curve::Curve;
    use crate::risk::book::{Contract, RiskLine, Underlier};
    use crate::time::Date;

    fn book(contract: Contract) -> RiskBook {
        RiskBook {
            underliers: vec![Underlier { spot: 100.0, rate: 0.02, div_yield: 0.0 }],
            curve: Curve::flat(Date::from_days(20_000), 0.02),
            lines: vec![RiskLine { quantity: 10.0, underlier: 0, contract }],
        }
    }

    const RANGE: ScanRange = ScanRange { spot: 0.15, vol: 0.05, rate: 0.01 };

    #[test]
    fn the_margin_of_a_share_is_its_range() {
        let scan = Scan::of_line(&book(Contract::Equity), 0, &RANGE, &mut Workspace::default()).unwrap();
        // 10 × 100 × 15 % = 150; the extreme: 300 × 35 % = 105
        assert_eq!(scan.0[12], Money::from_units(-150));
        assert_eq!(scan.0[15], Money::from_units(-105));
        assert_eq!(group_margin([(Lots(3), &scan)]), Some(Money::from_units(450)));
        assert_eq!(group_margin([(Lots(-3), &scan)]), Some(Money::from_units(450)));
    }

    #[test]
    fn offsetting_positions_need_no_margin() {
        let share = Scan::of_line(&book(Contract::Equity), 0, &RANGE, &mut Workspace::default()).unwrap();
        let future = Contract::Future { days: 0, trade_price: 90.0 };
        let future = Scan::of_line(&book(future), 0, &RANGE, &mut Workspace::default()).unwrap();
        assert_eq!(group_margin([(Lots(5), &share), (Lots(-5), &future)]), Some(Money::ZERO));
        assert_eq!(group_margin([]), Some(Money::ZERO));
        let huge = Scan([Money(i64::MIN); SCENARIO_COUNT]);
        assert_eq!(group_margin([(Lots(i64::MAX), &huge)]), None);
    }
}
