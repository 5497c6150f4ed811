//! Prices, quantities and money as integers: `Ticks`, `Lots`, `Money`.
//!
//! Exact: [`round_half_even`] is the only conversion from a float. Does not know
//! instruments, accounts or text formats beyond [`Decimal`].

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decimal::Decimal;

macro_rules! integer_unit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);

            /// Returns `self + other`; `None` on overflow.
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// Returns `self − other`; `None` on overflow.
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, Add::add)
            }
        }
    };
}

integer_unit! {
    /// A signed price in whole ticks of its instrument.
    #[derive(Serialize, Deserialize)]
    Ticks
}

integer_unit! {
    /// A quantity in whole lots of its instrument; positions are signed, long
    /// positive.
    #[derive(Serialize, Deserialize)]
    Lots
}

integer_unit! {
    /// Money of the venue's only currency in units of 1e-6. A decimal string in
    /// currency units in human-readable formats (`"1000000.00"`), elsewhere the
    /// integer.
    Money
}

/// Decimals of [`Money`].
pub const MONEY_SCALE: u8 = 6;

/// [`Money`] units per currency unit.
pub const UNITS_PER_CURRENCY: i64 = 1_000_000;

impl Money {
    /// Returns `whole` currency units.
    pub const fn from_units(whole: i64) -> Self {
        Self(whole * UNITS_PER_CURRENCY)
    }

    /// Returns `self × lots`; `None` on overflow.
    pub fn times(self, lots: Lots) -> Option<Self> {
        self.0.checked_mul(lots.0).map(Self)
    }

    /// Returns the exact decimal in currency units, with at least two decimals and no
    /// trailing zeros beyond them.
    pub fn to_decimal(self) -> Decimal {
        let (mut mantissa, mut scale) = (self.0, MONEY_SCALE);
        while scale > 2 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Decimal::new(mantissa, scale)
    }

    /// Converts an exact decimal in currency units; `None` for more than six decimals
    /// or on overflow.
    pub fn from_decimal(decimal: Decimal) -> Option<Self> {
        decimal.in_units_of(Decimal::new(1, MONEY_SCALE)).map(Self)
    }

    /// Rounds half-even to whole cents, for display.
    pub fn to_cents(self) -> i64 {
        // A quotient of an i64 fits an i64.
        div_half_even(i128::from(self.0), 10_000) as i64
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_decimal().fmt(f)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let decimal = Decimal::deserialize(deserializer)?;
            Self::from_decimal(decimal).ok_or_else(|| serde::de::Error::custom("money out of range"))
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

/// Rounds a real number of [`Money`] units to the nearest integer, ties to even;
/// the only conversion from `f64`. `None` for NaN, infinities and values beyond
/// `i64`.
pub fn round_half_even(units: f64) -> Option<i64> {
    // 2^63 is exact in f64; every smaller finite double fits.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let rounded = libm::rint(units); // rint rounds half to even
    (-LIMIT..LIMIT).contains(&rounded).then_some(rounded as i64)
}

/// Returns `numerator / denominator` rounded to the nearest integer, ties to even;
/// `denominator` must be positive.
pub fn div_half_even(numerator: i128, denominator: i128) -> i128 {
    debug_assert!(denominator > 0);
    let quotient = numerator.div_euclid(denominator);
    let twice = numerator.rem_euclid(denominator) * 2;
    let up = twice > denominator || (twice == denominator && quotient % 2 != 0);
    quotient + i128::from(up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_to_even() {
        for (numerator, denominator, expected) in
            [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (1, 3, 0), (2, 3, 1), (-2, 3, -1), (6, 3, 2)]
        {
            assert_eq!(div_half_even(numerator, denominator), expected, "{numerator}/{denominator}");
        }
        for (units, expected) in [(0.5, 0), (1.5, 2), (-0.5, 0), (-2.5, -2), (2.6, 3)] {
            assert_eq!(round_half_even(units), Some(expected), "{units}");
        }
    }

    #[test]
    fn values_out_of_range_are_none() {
        for units in [f64::NAN, f64::INFINITY, -f64::INFINITY, 9.3e18] {
            assert_eq!(round_half_even(units), None);
        }
        assert_eq!(Money(i64::MAX).times(Lots(2)), None);
    }

    #[test]
    fn money_shows_cents_and_smaller_digits_if_nonzero() {
        assert_eq!(Money::from_units(1_000_000).to_string(), "1000000.00");
        assert_eq!(Money(-1_500_000).to_string(), "-1.50");
        assert_eq!(Money(1).to_string(), "0.000001");
        assert_eq!(Money(12_345_000).to_string(), "12.345");
    }

    #[test]
    fn money_is_a_string_in_json() {
        let amount = Money(1_250_500_000);
        assert_eq!(serde_json::to_string(&amount).unwrap(), "\"1250.50\"");
        assert_eq!(serde_json::from_str::<Money>("\"1250.5\"").unwrap(), amount);
        assert!(serde_json::from_str::<Money>("\"0.0000001\"").is_err());
    }
}
