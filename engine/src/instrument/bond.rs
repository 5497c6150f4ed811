//! Bond contracts: schedule, coupons and accrued interest in exact integer
//! arithmetic. Valuation is in `pricing::bond`.

use serde::{Deserialize, Serialize};

use super::{E9, ListingError};
use crate::money::{Money, div_half_even};
use crate::time::Date;

/// One in units of 1e-9.
const ONE_E9: i128 = 1_000_000_000;

/// Terms of a fixed-coupon bullet bond.
///
/// Coupon dates are whole periods before maturity, each computed from the maturity
/// itself; a first period that began before the issue pays its share (ACT/ACT ICMA).
/// Every day is a business day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BondTerms {
    /// Start of accrual.
    pub issue: Date,
    /// Date of the last coupon and of redemption at 100.
    pub maturity: Date,
    /// Annual coupon as a fraction of face, in 1e-9.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub coupon_e9: E9,
    /// Coupons per year: 1, 2, 4 or 12.
    pub frequency: u8,
    /// Day count of accrual.
    pub day_count: DayCount,
}

/// Day count convention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DayCount {
    /// Actual days over the days of the notional period.
    #[serde(rename = "ACT/ACT ICMA")]
    ActActIcma,
    /// 30/360 Bond Basis, ISDA 2006 §4.16(f).
    #[serde(rename = "30/360")]
    Thirty360,
    /// Actual days over 365.
    #[serde(rename = "ACT/365F")]
    Act365Fixed,
    /// Actual days over 360.
    #[serde(rename = "ACT/360")]
    Act360,
}

/// A coupon period: `(start, end]` in settlement dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CouponPeriod {
    /// Notional start, whole months before `end`.
    pub start: Date,
    /// Payment date of the coupon.
    pub end: Date,
    /// Whole periods between `end` and maturity.
    pub periods_to_maturity: i32,
}

impl BondTerms {
    /// Refuses terms without a valid schedule and a bond listed before its issue.
    pub(super) fn check(&self, listed_on: Date) -> Result<(), ListingError> {
        // Under 30/360 a maturity after the 28th is not reached in whole months.
        let unreachable = self.day_count == DayCount::Thirty360 && self.maturity.ymd().2 > 28;
        if self.issue >= self.maturity || unreachable {
            return Err(ListingError::InvalidMaturity(self.maturity));
        }
        if self.issue > listed_on {
            return Err(ListingError::OutOfRange("issue: on or before the day of listing"));
        }
        if !(0..=1_000_000_000).contains(&self.coupon_e9) {
            return Err(ListingError::OutOfRange("coupon_e9: 0 to 1000000000"));
        }
        if ![1, 2, 4, 12].contains(&self.frequency) {
            return Err(ListingError::OutOfRange("frequency: 1, 2, 4 or 12"));
        }
        Ok(())
    }

    /// Returns the period of a settlement on `date`: `start ≤ date < end`, so a coupon
    /// paid on `date` belongs to the seller. `None` from maturity on.
    pub fn period(&self, date: Date) -> Option<CouponPeriod> {
        if date >= self.maturity {
            return None;
        }
        let months = 12 / i32::from(self.frequency);
        // A first guess by months of 30.5 days, at most one period too early.
        let mut back = (date.days_until(self.maturity) * 12 / (months * 366) - 1).max(0);
        let mut start = self.maturity.add_months(-(back + 1) * months);
        while start > date {
            back += 1;
            start = self.maturity.add_months(-(back + 1) * months);
        }
        Some(CouponPeriod { start, end: self.maturity.add_months(-back * months), periods_to_maturity: back })
    }

    /// Returns the full coupon on `face`, rounded half-even.
    pub fn coupon(&self, face: Money) -> Money {
        let numerator = i128::from(face.0) * i128::from(self.coupon_e9);
        Money(div_half_even(numerator, ONE_E9 * i128::from(self.frequency)) as i64)
    }

    /// Returns the interest accrued on `face` for settlement on `date`, rounded
    /// half-even: zero before the issue, on a coupon date and from maturity on.
    pub fn accrued(&self, face: Money, date: Date) -> Money {
        let Some(period) = self.period(date) else {
            return Money::ZERO;
        };
        let from = period.start.max(self.issue);
        if date <= from {
            return Money::ZERO;
        }
        let (numerator, denominator) = self.accrual(period, from, date);
        self.share_of_year(face, numerator, denominator)
    }

    /// Returns an upper bound of [`BondTerms::accrued`] on all dates: a period of the
    /// longest months.
    pub fn max_accrued(&self, face: Money) -> Money {
        let months = 12 / i64::from(self.frequency);
        let (numerator, denominator) = match self.day_count {
            DayCount::ActActIcma => return self.coupon(face),
            DayCount::Thirty360 => (30 * months + 2, 360),
            DayCount::Act365Fixed => (31 * months, 365),
            DayCount::Act360 => (31 * months, 360),
        };
        self.share_of_year(face, numerator, denominator)
    }

    /// Returns the coupon paid on `face` at `period.end`: the full coupon, or its share
    /// if the bond was issued within the period.
    pub fn payment(&self, face: Money, period: CouponPeriod) -> Money {
        if self.issue <= period.start {
            return self.coupon(face);
        }
        let (numerator, denominator) = self.accrual(period, self.issue, period.end);
        self.share_of_year(face, numerator, denominator)
    }

    /// Returns the years from `from` to `to` within `period` by the day count, as a
    /// fraction.
    pub(crate) fn accrual(&self, period: CouponPeriod, from: Date, to: Date) -> (i64, i64) {
        let actual = i64::from(from.days_until(to));
        match self.day_count {
            DayCount::ActActIcma => {
                let period_days = i64::from(period.start.days_until(period.end));
                (actual, period_days * i64::from(self.frequency))
            }
            DayCount::Thirty360 => (i64::from(days_30_360(from, to)), 360),
            DayCount::Act365Fixed => (actual, 365),
            DayCount::Act360 => (actual, 360),
        }
    }

    fn share_of_year(&self, face: Money, numerator: i64, denominator: i64) -> Money {
        let interest = i128::from(face.0) * i128::from(self.coupon_e9) * i128::from(numerator);
        Money(div_half_even(interest, ONE_E9 * i128::from(denominator)) as i64)
    }
}

/// Returns the days between two dates by 30/360 Bond Basis.
pub(crate) fn days_30_360(from: Date, to: Date) -> i32 {
    let ((y1, m1, d1), (y2, m2, d2)) = (from.ymd(), to.ymd());
    let d1 = i32::from(d1).min(30);
    let d2 = if d2 == 31 && d1 == 30 { 30 } else { i32::from(d2) };
    360 * (y2 - y1) + 30 * (i32::from(m2) - i32::from(m1)) + d2 - d1
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::date;
    use super::*;

    const FACE: Money = Money::from_units(1_000);

    fn terms(day_count: DayCount) -> BondTerms {
        BondTerms {
            issue: date("2025-08-15"),
            maturity: date("2036-02-15"),
            coupon_e9: 50_000_000,
            frequency: 2,
            day_count,
        }
    }

    #[test]
    fn interest_accrues_by_day_count() {
        // 2025-08-15 → 2026-01-05 is 143 of the period's 184 days.
        let settle = date("2026-01-05");
        // 1,000 × 5 % / 2 × 143 / 184 = 19.429348 (rounded from 19.42934782…)
        assert_eq!(terms(DayCount::ActActIcma).accrued(FACE, settle), Money(19_429_348));
        // 140 days by 30/360: 1,000 × 5 % × 140 / 360 = 19.444444
        assert_eq!(terms(DayCount::Thirty360).accrued(FACE, settle), Money(19_444_444));
        // 1,000 × 5 % × 143 / 365 = 19.589041
        assert_eq!(terms(DayCount::Act365Fixed).accrued(FACE, settle), Money(19_589_041));
    }

    #[test]
    fn a_coupon_date_starts_the_next_period() {
        let bond = terms(DayCount::ActActIcma);
        assert_eq!(bond.accrued(FACE, date("2026-02-15")), Money::ZERO);
        let period = bond.period(date("2026-02-14")).unwrap();
        assert_eq!((period.start, period.end), (date("2025-08-15"), date("2026-02-15")));
        assert_eq!(period.periods_to_maturity, 20);
        assert_eq!(bond.payment(FACE, period), Money::from_units(25));
        assert_eq!(bond.period(date("2036-02-15")), None);
        assert_eq!(bond.accrued(FACE, date("2036-02-15")), Money::ZERO);
    }

    #[test]
    fn a_short_first_period_pays_its_share() {
        let bond = BondTerms { issue: date("2025-11-15"), ..terms(DayCount::ActActIcma) };
        let period = bond.period(date("2026-01-05")).unwrap();
        // 92 of 184 days: half of 25
        assert_eq!(bond.payment(FACE, period), Money(12_500_000));
        assert_eq!(bond.accrued(FACE, date("2025-11-15")), Money::ZERO);
    }

    #[test]
    fn every_day_until_maturity_has_one_period() {
        let bond = BondTerms { maturity: date("2036-08-31"), ..terms(DayCount::ActActIcma) };
        let mut day = bond.issue;
        while day < bond.maturity {
            let period = bond.period(day).unwrap();
            assert!(period.start <= day && day < period.end, "{day}: {period:?}");
            day = day.plus_days(1);
        }
    }

    #[test]
    fn accrued_interest_never_exceeds_its_maximum() {
        for count in [DayCount::ActActIcma, DayCount::Thirty360, DayCount::Act365Fixed, DayCount::Act360] {
            for frequency in [1, 2, 4, 12] {
                let bond = BondTerms { frequency, ..terms(count) };
                let mut day = bond.issue;
                while day < bond.maturity {
                    assert!(bond.accrued(FACE, day) <= bond.max_accrued(FACE), "{bond:?} on {day}");
                    day = day.plus_days(1);
                }
            }
        }
    }

    #[test]
    fn terms_without_a_valid_schedule_are_refused() {
        let listed = date("2026-01-05");
        assert!(terms(DayCount::Thirty360).check(listed).is_ok());
        let late = BondTerms { maturity: date("2036-03-30"), ..terms(DayCount::Thirty360) };
        assert!(matches!(late.check(listed), Err(ListingError::InvalidMaturity(_))));
        let unissued = BondTerms { issue: date("2026-01-06"), ..terms(DayCount::ActActIcma) };
        assert!(matches!(unissued.check(listed), Err(ListingError::OutOfRange(_))));
        let monthly = BondTerms { frequency: 5, ..terms(DayCount::ActActIcma) };
        assert!(matches!(monthly.check(listed), Err(ListingError::OutOfRange(_))));
    }
}
