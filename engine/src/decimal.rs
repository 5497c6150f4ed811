//! Exact decimal numbers: the only form in which prices, quantities and money cross
//! a public boundary.
//!
//! Does not know units; instruments define them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Maximum number of digits after the point.
pub const MAX_SCALE: u8 = 18;

/// An exact decimal number, `mantissa × 10^-scale`.
///
/// A string in human-readable formats (`"101.25"`), elsewhere the pair. Equality is
/// by representation; [`Decimal::same_value`] treats `1.0` and `1.00` as equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The signed digits without the point.
    pub mantissa: i64,
    /// Digits after the point, at most [`MAX_SCALE`].
    pub scale: u8,
}

/// Reason why a text is not a decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not of the form `-12.34`, with an optional exponent.
    #[error("not a decimal number")]
    Malformed,
    /// More digits than an `i64` mantissa or [`MAX_SCALE`] allows.
    #[error("a decimal number out of range")]
    OutOfRange,
}

impl Decimal {
    /// Returns `mantissa × 10^-scale`.
    pub const fn new(mantissa: i64, scale: u8) -> Self {
        Self { mantissa, scale }
    }

    /// Parses decimal text exactly: an optional sign, digits with an optional point,
    /// an optional exponent. Trailing zeros after the point are dropped.
    ///
    /// # Errors
    /// [`DecimalError`] for a text that is no number or does not fit.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        Self::parse_with(text, false)
    }

    /// Parses decimal text, with or without trailing zeros.
    fn parse_with(text: &str, keep_zeros: bool) -> Result<Self, DecimalError> {
        let (body, exponent) = match text.find(['e', 'E']) {
            Some(at) => {
                let exponent: i32 = text[at + 1..].parse().map_err(|_| DecimalError::Malformed)?;
                (&text[..at], exponent)
            }
            None => (text, 0),
        };
        let (negative, digits) = match body.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, body.strip_prefix('+').unwrap_or(body)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(DecimalError::Malformed);
        }
        let mut mantissa: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return Err(DecimalError::Malformed);
            }
            mantissa = mantissa
                .checked_mul(10)
                .and_then(|m| m.checked_add(i128::from(byte - b'0')))
                .ok_or(DecimalError::OutOfRange)?;
        }
        let fraction_digits = i64::try_from(fraction.len()).map_err(|_| DecimalError::OutOfRange)?;
        let mut scale = fraction_digits - i64::from(exponent);
        if mantissa == 0 {
            let shown = if keep_zeros { scale.clamp(0, i64::from(MAX_SCALE)) } else { 0 };
            return Ok(Self::new(0, shown as u8));
        }
        while scale < 0 {
            mantissa = mantissa.checked_mul(10).ok_or(DecimalError::OutOfRange)?;
            scale += 1;
        }
        while !keep_zeros && mantissa % 10 == 0 && scale > 0 {
            mantissa /= 10;
            scale -= 1;
        }
        if negative {
            mantissa = -mantissa;
        }
        Ok(Self {
            mantissa: i64::try_from(mantissa).map_err(|_| DecimalError::OutOfRange)?,
            scale: u8::try_from(scale)
                .ok()
                .filter(|scale| *scale <= MAX_SCALE)
                .ok_or(DecimalError::OutOfRange)?,
        })
    }

    /// Returns this number in units of `unit`; `None` unless it is a whole number of
    /// them, if `unit` is not positive, or on overflow.
    pub fn in_units_of(self, unit: Decimal) -> Option<i64> {
        if unit.mantissa <= 0 {
            return None;
        }
        let numerator = i128::from(self.mantissa).checked_mul(pow10(unit.scale))?;
        let denominator = i128::from(unit.mantissa).checked_mul(pow10(self.scale))?;
        (numerator % denominator == 0).then(|| i64::try_from(numerator / denominator).ok()).flatten()
    }

    /// Returns true if `self` is more than `count` units.
    pub fn exceeds(self, count: i64, unit: Decimal) -> bool {
        let own = i128::from(self.mantissa).checked_mul(pow10(unit.scale));
        let limit = i128::from(unit.mantissa)
            .checked_mul(i128::from(count))
            .and_then(|limit| limit.checked_mul(pow10(self.scale)));
        // Beyond 128 bits is beyond any limit that is not.
        own.is_none_or(|own| limit.is_some_and(|limit| own > limit))
    }

    /// Returns `self × count` at the scale of `self`; `None` on overflow.
    pub fn times(self, count: i64) -> Option<Decimal> {
        Some(Self::new(self.mantissa.checked_mul(count)?, self.scale))
    }

    /// Returns true if both are the same number, regardless of scale.
    pub fn same_value(self, other: Decimal) -> bool {
        i128::from(self.mantissa) * pow10(other.scale) == i128::from(other.mantissa) * pow10(self.scale)
    }

    /// Returns the nearest double, for pricing and drawing, never for accounting.
    pub fn to_f64(self) -> f64 {
        // Both operands are exact for mantissas up to 2^53, so one rounding.
        self.mantissa as f64 / pow10(self.scale) as f64
    }
}

/// Returns `10^scale`, which fits for scales up to [`MAX_SCALE`].
pub(crate) const fn pow10(scale: u8) -> i128 {
    10_i128.pow(scale as u32)
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(f, "{}", self.mantissa);
        }
        let unit = pow10(self.scale).unsigned_abs();
        let magnitude = u128::from(self.mantissa.unsigned_abs());
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let width = usize::from(self.scale);
        write!(f, "{sign}{}.{:0width$}", magnitude / unit, magnitude % unit)
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (self.mantissa, self.scale).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            Self::parse_with(&text, true).map_err(serde::de::Error::custom)
        } else {
            let (mantissa, scale) = <(i64, u8)>::deserialize(deserializer)?;
            if scale > MAX_SCALE {
                return Err(serde::de::Error::custom(DecimalError::OutOfRange));
            }
            Ok(Self { mantissa, scale })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_parsed_exactly() {
        for (text, mantissa, scale) in [
            ("0", 0, 0),
            ("-0.000", 0, 0),
            ("101.25", 10_125, 2),
            ("101.250", 10_125, 2),
            ("-0.5", -5, 1),
            (".5", 5, 1),
            ("1e3", 1000, 0),
            ("12.5e-3", 125, 4),
            ("9223372036854775807", i64::MAX, 0),
        ] {
            assert_eq!(Decimal::parse(text), Ok(Decimal::new(mantissa, scale)), "{text}");
        }
    }

    #[test]
    fn texts_without_an_exact_value_are_refused() {
        for text in ["", "-", ".", "NaN", "inf", "1,5", "0x10", "1e", "1.2.3", " 1", "1 "] {
            assert_eq!(Decimal::parse(text), Err(DecimalError::Malformed), "{text}");
        }
        for text in ["1e309", "9223372036854775808", "0.0000000000000000001", "1e-40"] {
            assert_eq!(Decimal::parse(text), Err(DecimalError::OutOfRange), "{text}");
        }
    }

    #[test]
    fn a_huge_exponent_is_cheap() {
        assert_eq!(Decimal::parse("0e999999999"), Ok(Decimal::new(0, 0)));
        assert_eq!(Decimal::parse("1e999999999"), Err(DecimalError::OutOfRange));
    }

    #[test]
    fn units_divide_exactly_or_not_at_all() {
        let cent = Decimal::new(1, 2);
        assert_eq!(Decimal::new(1005, 1).in_units_of(cent), Some(10_050)); // 100.5 / 0.01
        assert_eq!(Decimal::new(100_005, 3).in_units_of(cent), None); // 100.005 is half a tick off
        assert_eq!(Decimal::new(100, 0).in_units_of(Decimal::new(0, 0)), None);
        let sixty_fourth = Decimal::new(15_625, 6); // 1/64 of a point
        assert_eq!(Decimal::new(99_015_625, 6).in_units_of(sixty_fourth), Some(6_337));
    }

    #[test]
    fn a_decimal_is_a_string_in_json_and_a_pair_in_postcard() {
        let price = Decimal::new(-10_125, 2);
        assert_eq!(serde_json::to_string(&price).unwrap(), "\"-101.25\"");
        assert_eq!(serde_json::from_str::<Decimal>("\"-101.25\"").unwrap(), price);
        for text in ["\"100.00\"", "\"0.00\"", "\"-7.50\"", "\"12\""] {
            let read: Decimal = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text, "trailing zeros are preserved");
        }
        let bytes = postcard::to_allocvec(&price).unwrap();
        assert_eq!(postcard::from_bytes::<Decimal>(&bytes).unwrap(), price);
    }
}
