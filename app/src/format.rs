//! Numbers for display: thousands separated, a true minus, a dash for an absent
//! figure.
//!
//! Rounds for display alone; knows no account.

mod units;

use engine::decimal::Decimal;
use engine::money::{Money, div_half_even};
use engine::time::{Date, VenueTime};

pub use units::{Units, kind_words};

/// Text of an absent figure; never a zero.
pub const ABSENT: &str = "—";

/// `value` with its own decimals: `−1,234.50`.
pub fn decimal(value: Decimal) -> String {
    grouped(i128::from(value.mantissa), value.scale, false)
}

/// `value` in few characters: from 100,000 on as `640k` or `1.28M`, rounded
/// half-even.
pub fn short(value: Decimal) -> String {
    let whole = i128::from(value.mantissa) / 10_i128.pow(u32::from(value.scale));
    match whole.unsigned_abs() {
        0..100_000 => decimal(value),
        100_000..1_000_000 => format!("{}k", grouped(rescale(whole, 3, 0), 0, false)),
        _ => format!("{}M", grouped(rescale(whole, 6, 2), 2, false)),
    }
}

/// `value` with exactly `scale` decimals, rounded half-even.
pub fn decimal_at(value: Decimal, scale: u8) -> String {
    grouped(rescale(i128::from(value.mantissa), value.scale, scale), scale, false)
}

/// Money to the cent.
pub fn money(value: Money) -> String {
    cents(value.to_cents())
}

/// Money to the cent with its sign, plus included; zero has none.
pub fn signed_money(value: Money) -> String {
    signed_cents(value.to_cents())
}

/// Whole cents.
pub fn cents(cents: i64) -> String {
    grouped(i128::from(cents), 2, false)
}

/// Whole cents with their sign, plus included; zero has none.
pub fn signed_cents(cents: i64) -> String {
    grouped(i128::from(cents), 2, true)
}

/// Millionths as a percentage with three decimals.
pub fn percent(millionths: i64) -> String {
    format!("{} %", grouped(rescale(i128::from(millionths), 4, 3), 3, false))
}

/// Money unrounded: two to six decimals.
pub fn exact_money(value: Money) -> String {
    decimal(value.to_decimal())
}

/// Change from `before` to `now` as a signed percentage with two decimals; `None`
/// if `before` is zero.
pub fn change_percent(now: Decimal, before: Decimal) -> Option<String> {
    let scale = now.scale.max(before.scale);
    let now = rescale(i128::from(now.mantissa), now.scale, scale);
    let before = rescale(i128::from(before.mantissa), before.scale, scale);
    (before > 0).then(|| {
        let hundredths = div_half_even((now - before) * 10_000, before);
        format!("{} %", grouped(hundredths, 2, true))
    })
}

/// `a + b` at the finer of both scales.
pub fn plus(a: Decimal, b: Decimal) -> Decimal {
    let scale = a.scale.max(b.scale);
    let whole = |value: Decimal| value.mantissa * 10_i64.pow(u32::from(scale - value.scale));
    Decimal::new(whole(a).saturating_add(whole(b)), scale)
}

/// `a − b` at the finer of both scales.
pub fn minus(a: Decimal, b: Decimal) -> Decimal {
    plus(a, Decimal::new(-b.mantissa, b.scale))
}

/// `09:30:15` of a venue time.
pub fn clock(time: VenueTime) -> String {
    let second = time.0.div_euclid(1_000_000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}

/// `2026-01-05 09:30:15` of a venue time.
pub fn moment(time: VenueTime) -> String {
    format!("{} {}", Date::of(time), clock(time))
}

/// An integer with thousands separators.
pub fn count(value: u64) -> String {
    grouped(i128::from(value), 0, false)
}

/// A speed as a multiple of real time: `×60`, `×0.5`.
pub fn speed(speed_milli: u64) -> String {
    let (whole, part) = (speed_milli / 1_000, speed_milli % 1_000);
    match part {
        0 => format!("×{}", count(whole)),
        part => format!("×{whole}.{}", format!("{part:03}").trim_end_matches('0')),
    }
}

fn rescale(mantissa: i128, from: u8, to: u8) -> i128 {
    if to >= from {
        mantissa * 10_i128.pow(u32::from(to - from))
    } else {
        div_half_even(mantissa, 10_i128.pow(u32::from(from - to)))
    }
}

/// `mantissa × 10^-scale` with separators; a rounded zero carries no sign.
fn grouped(mantissa: i128, scale: u8, plus: bool) -> String {
    let width = usize::from(scale) + 1;
    let digits = format!("{:0width$}", mantissa.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    let mut out = String::with_capacity(digits.len() + 8);
    match mantissa {
        ..=-1 => out.push('−'),
        1.. if plus => out.push('+'),
        _ => {}
    }
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if scale > 0 {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_have_a_true_minus() {
        assert_eq!(decimal(Decimal::new(123_456_789, 2)), "1,234,567.89");
        assert_eq!(decimal(Decimal::new(-5, 2)), "−0.05");
        assert_eq!(decimal(Decimal::new(1_000, 0)), "1,000");
        assert_eq!(decimal_at(Decimal::new(100_125, 3), 2), "100.12"); // half to even
        assert_eq!(decimal_at(Decimal::new(1001, 1), 2), "100.10");
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn large_sizes_are_short() {
        for (value, short_form) in
            [(99_999, "99,999"), (640_000, "640k"), (1_280_000, "1.28M"), (5_825_000, "5.82M")]
        {
            assert_eq!(short(Decimal::new(value, 0)), short_form);
        }
        assert_eq!(short(Decimal::new(1_234_567_890, 2)), "12.35M"); // 12,345,678.90
    }

    #[test]
    fn money_is_shown_to_the_cent() {
        assert_eq!(money(Money::from_units(1_000_000)), "1,000,000.00");
        assert_eq!(signed_money(Money(1_250_000_000)), "+1,250.00");
        assert_eq!(signed_money(Money(-1_250_000_000)), "−1,250.00");
        // A fraction of a cent is neither gain nor loss.
        assert_eq!(signed_money(Money(-400)), "0.00");
        assert_eq!(exact_money(Money(1_000_700)), "1.0007");
    }

    #[test]
    fn millionths_are_percentages() {
        // −0.052345 is −5.2345 %, half to even −5.234 %
        assert_eq!(percent(-52_345), "−5.234 %");
        assert_eq!((percent(0), percent(-4)), ("0.000 %".to_owned(), "0.000 %".to_owned()));
        assert_eq!((signed_cents(-12_345), signed_cents(5)), ("−123.45".to_owned(), "+0.05".to_owned()));
    }

    #[test]
    fn a_change_is_a_percentage_of_the_value_before() {
        // 101.25 / 100.00 − 1 = 1.25 %
        let change = change_percent(Decimal::new(10_125, 2), Decimal::new(100, 0));
        assert_eq!(change.as_deref(), Some("+1.25 %"));
        assert_eq!(change_percent(Decimal::new(1, 0), Decimal::new(0, 0)), None);
    }

    #[test]
    fn sums_have_the_finer_scale() {
        let (a, b) = (Decimal::new(10_247, 2), Decimal::new(17_546, 4));
        // 102.47 + 1.7546 and 102.47 − 1.7546
        assert_eq!((plus(a, b).to_string(), minus(a, b).to_string()), ("104.2246".into(), "100.7154".into()));
    }

    #[test]
    fn venue_time_is_formatted_as_a_clock() {
        let time = VenueTime(1_767_605_400_000_001);
        assert_eq!(clock(time), "09:30:00");
        assert_eq!(moment(time), "2026-01-05 09:30:00");
    }
}
