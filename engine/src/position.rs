//! One account's position in one instrument: exact basis, consistent realized and
//! unrealized P&L.
//!
//! Knows neither prices nor instruments, only lots and money.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::money::{Lots, Money, div_half_even};

/// Basis units per [`Money`] unit: a basis is in 1e-18 of the currency.
const UNITS_PER_MONEY: i128 = 1_000_000_000_000;

/// Cost of the open lots, in units of 1e-18; negative for a short position. A
/// decimal string of the integer in human-readable formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Basis(pub i128);

impl Basis {
    /// Converts money.
    pub const fn from_money(money: Money) -> Self {
        Self(money.0 as i128 * UNITS_PER_MONEY)
    }

    /// Rounds half-even to money.
    pub fn to_money(self) -> Money {
        // Only whole money enters and only parts of it leave, so it fits.
        Money(div_half_even(self.0, UNITS_PER_MONEY) as i64)
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Basis {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl Serialize for Basis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Basis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            i128::deserialize(deserializer).map(Self)
        }
    }
}

/// A position. `realized + unrealized − fees = trade cash − fees + mark value` holds
/// to the unit, because both P&Ls share one rounded basis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Open lots, long positive.
    pub lots: Lots,
    /// Money received minus money paid for fills and coupons, without fees.
    pub trade_cash: Money,
    /// Fees paid for fills of this instrument.
    pub fees: Money,
    /// Cost of the open lots.
    pub basis: Basis,
}

impl Position {
    /// Applies a fill of `lots` (signed, buys positive) that exchanged `money` (never
    /// negative) and cost `fee`.
    ///
    /// Closed lots remove their share of the basis, `(b/p)·c + (b%p)·c/p`; lots
    /// beyond zero open at this fill's own money.
    pub fn fill(&mut self, lots: Lots, money: Money, fee: Money) {
        let (change, held) = (i128::from(lots.0), i128::from(self.lots.0));
        // Signed so that a buy's basis is positive and a sell's negative.
        let cost = Basis::from_money(money).0 * change.signum();
        if held == 0 || held.signum() == change.signum() {
            self.basis.0 += cost;
        } else {
            let closed = change.abs().min(held.abs());
            self.basis.0 -= share(self.basis.0, closed, held.abs());
            self.basis.0 += cost - share(cost, closed, change.abs());
        }
        self.lots += lots;
        self.trade_cash += Money(-(change.signum() as i64) * money.0);
        self.fees += fee;
    }

    /// Applies a payment on the open lots (a coupon), negative if paid.
    pub fn receive(&mut self, money: Money) {
        self.trade_cash += money;
    }

    /// Returns the P&L of closed lots and payments, without fees.
    pub fn realized_pnl(&self) -> Money {
        self.trade_cash + self.basis.to_money()
    }

    /// Returns the P&L of the open lots at `value` (signed, lots × mark).
    pub fn unrealized_pnl(&self, value: Money) -> Money {
        value - self.basis.to_money()
    }

    /// Returns the average cost of an open lot, rounded half-even; `None` if flat.
    pub fn average_cost(&self) -> Option<Money> {
        let held = i128::from(self.lots.0);
        (held != 0).then(|| {
            let per_lot = div_half_even(self.basis.0 * held.signum(), held.abs() * UNITS_PER_MONEY);
            Money(per_lot as i64)
        })
    }
}

/// Returns `part / whole` of `amount`, truncated, without overflow: the whole is at
/// most 2^63 and so is the remainder's factor.
fn share(amount: i128, part: i128, whole: i128) -> i128 {
    (amount / whole) * part + (amount % whole) * part / whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn units(whole: i64) -> Money {
        Money::from_units(whole)
    }

    #[test]
    fn long_100_at_100_marked_at_105_gains_500() {
        let mut position = Position::default();
        position.fill(Lots(100), units(10_000), Money::ZERO);
        // 100 × (105 − 100) = 500
        assert_eq!(position.unrealized_pnl(units(10_500)), units(500));
        assert_eq!(position.realized_pnl(), Money::ZERO);
        assert_eq!(position.average_cost(), Some(units(100)));
    }

    #[test]
    fn a_partial_close_realizes_its_share() {
        let mut position = Position::default();
        position.fill(Lots(100), units(10_000), units(1));
        position.fill(Lots(-40), units(4_400), units(1));
        // 40 × (110 − 100) = 400 realized; 60 × (110 − 100) = 600 open
        assert_eq!(position.realized_pnl(), units(400));
        assert_eq!(position.unrealized_pnl(units(6_600)), units(600));
        assert_eq!((position.basis.to_money(), position.fees), (units(6_000), units(2)));
    }

    #[test]
    fn crossing_zero_opens_at_the_crossing_price() {
        let mut position = Position::default();
        position.fill(Lots(100), units(10_000), Money::ZERO);
        position.fill(Lots(-150), units(16_500), Money::ZERO);
        // 100 × (110 − 100) = 1,000 realized, short 50 at 110
        assert_eq!(position.realized_pnl(), units(1_000));
        assert_eq!((position.lots, position.average_cost()), (Lots(-50), Some(units(110))));
        position.fill(Lots(50), units(5_000), Money::ZERO);
        // 50 × (110 − 100) = 500 more
        assert_eq!((position.lots, position.realized_pnl()), (Lots::ZERO, units(1_500)));
        assert_eq!((position.basis, position.average_cost()), (Basis(0), None));
    }

    #[test]
    fn the_basis_is_exact_for_thirds() {
        let mut position = Position::default();
        position.fill(Lots(3), units(100), Money::ZERO);
        position.fill(Lots(-1), units(50), Money::ZERO);
        // basis 100 − 33.333333333333333333 = 66.666666666666666667
        assert_eq!(position.basis, Basis(66_666_666_666_666_666_667));
        position.fill(Lots(-2), units(100), Money::ZERO);
        assert_eq!((position.basis, position.realized_pnl()), (Basis(0), units(50)));
    }

    proptest! {
        #[test]
        fn the_pnl_identity_holds_exactly(
            fills in proptest::collection::vec((prop_oneof![-1_000_i64..=-1, 1_i64..=1_000], 1_i64..1_000_000_000), 1..60),
            mark in 1_i64..1_000_000_000,
        ) {
            let mut position = Position::default();
            let mut cash = Money::ZERO;
            for (lots, per_lot) in fills {
                let money = Money(lots.abs() * per_lot);
                position.fill(Lots(lots), money, Money(7));
                cash += Money(-lots.signum() * money.0) - Money(7);
                let value = Money(position.lots.0 * mark);
                let left = position.realized_pnl() + position.unrealized_pnl(value) - position.fees;
                prop_assert_eq!(left, cash + value);
                if position.lots == Lots::ZERO {
                    prop_assert_eq!(position.basis, Basis(0));
                }
            }
        }
    }
}
