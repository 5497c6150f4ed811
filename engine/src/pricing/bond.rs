//! Fixed-coupon bullet bonds: price from yield, yield from price, sensitivities. All
//! per 100 of face.
//!
//! Does not round: the exact accrued interest of settlement is in
//! [`BondTerms::accrued`].
//!
//! The yield compounds as often as the bond pays. The flow `i` coupons after
//! the next one is discounted by `(1 + y/f)^−(w+i)`, where `w` is the
//! remaining part of the notional period, also in the last period and for bonds with
//! a short first coupon (ICMA's convention).

use crate::instrument::{BondTerms, CouponPeriod, DayCount};
use crate::money::{Lots, Money, round_half_even};
use crate::pricing::cash_flows::CashFlows;
use crate::pricing::curve::years as years_to;
use crate::pricing::{BASIS_POINT, PricingError};
use crate::time::Date;

/// One in units of 1e-9.
const ONE_E9: f64 = 1e9;

/// A bond's value and sensitivities at a yield.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BondValuation {
    /// Price without accrued interest, per 100 of face.
    pub clean: f64,
    /// Price with accrued interest, per 100 of face.
    pub dirty: f64,
    /// Interest accrued since the last coupon, per 100 of face.
    pub accrued: f64,
    /// Present-value-weighted time of the flows, in years.
    pub macaulay: f64,
    /// `−(∂dirty/∂y) / dirty`, in years.
    pub modified: f64,
    /// `(∂²dirty/∂y²) / dirty`, in years².
    pub convexity: f64,
    /// `−∂dirty/∂y × 0.0001` per 100 of face: gain when the yield falls by one basis
    /// point, to first order.
    pub dv01: f64,
}

/// Remaining payments of a bond after a settlement date, per 100 of face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BondFlows {
    /// Coupons per year.
    frequency: f64,
    /// Periods from settlement to the next coupon date.
    to_next: f64,
    /// Interest accrued at settlement.
    accrued: f64,
    /// Coupon dates before the issue, without a payment.
    unpaid: u32,
    /// First coupon paid, possibly for a part of its period.
    first_coupon: f64,
    /// Every later coupon.
    coupon: f64,
    /// Remaining coupon dates, unpaid ones included; the last redeems 100.
    dates: u32,
}

/// Present value with its first two moments in time, in periods.
struct PriceMoments {
    value: f64,
    /// Σ t·PV
    first: f64,
    /// Σ t·(t+1)·PV
    second: f64,
}

/// Values a bond for settlement on `date` at `annual_yield` (0.05 is 5 %).
///
/// # Errors
/// [`PricingError::Matured`], [`PricingError::YieldOutOfRange`].
pub fn value(terms: &BondTerms, annual_yield: f64, date: Date) -> Result<BondValuation, PricingError> {
    BondFlows::of(terms, date)?.value(annual_yield)
}

/// Returns the yield at which a bond costs `clean` for settlement on `date`.
///
/// # Errors
/// See [`BondFlows::yield_from_clean`]; also [`PricingError::Matured`].
pub fn yield_from_clean(terms: &BondTerms, clean: f64, date: Date) -> Result<f64, PricingError> {
    BondFlows::of(terms, date)?.yield_from_clean(clean)
}

impl BondValuation {
    /// Returns the analytic DV01 of `lots` in money, rounded once: the gain when the
    /// yield falls by one basis point, signed like `lots`. `None` on overflow.
    pub fn dv01_money(&self, face_per_lot: Money, lots: Lots) -> Option<Money> {
        // Per 100 of face → per lot in money units → the position.
        let per_lot = self.dv01 * face_per_lot.0 as f64 / 100.0;
        round_half_even(per_lot * lots.0 as f64).map(Money)
    }
}

impl BondFlows {
    /// Returns the payments after `date`; a coupon paid on it belongs to the seller.
    ///
    /// # Errors
    /// [`PricingError::Matured`].
    pub fn of(terms: &BondTerms, date: Date) -> Result<Self, PricingError> {
        Self::with_coupon(terms, terms.coupon_e9 as f64 / ONE_E9, date)
    }

    /// As [`BondFlows::of`], for an annual coupon of `coupon_rate` (0.05 is 5 %)
    /// instead of the listed one, which has nine decimals.
    ///
    /// # Errors
    /// [`PricingError::Matured`].
    pub fn with_coupon(terms: &BondTerms, coupon_rate: f64, date: Date) -> Result<Self, PricingError> {
        let period = terms.period(date).ok_or(PricingError::Matured)?;
        let frequency = f64::from(terms.frequency);
        let coupon = 100.0 * coupon_rate / frequency;
        // Before the issue the first paid coupon is later.
        let first = match date < terms.issue {
            true => terms.period(terms.issue).unwrap_or(period),
            false => period,
        };
        let first_coupon = if terms.issue <= first.start {
            coupon
        } else {
            100.0 * coupon_rate * years(terms, first, terms.issue, first.end)
        };
        let from = period.start.max(terms.issue);
        let accrued = if date <= from { 0.0 } else { 100.0 * coupon_rate * years(terms, period, from, date) };
        Ok(Self {
            frequency,
            to_next: 1.0 - elapsed(terms, period, date),
            accrued,
            unpaid: (period.periods_to_maturity - first.periods_to_maturity).unsigned_abs(),
            first_coupon,
            coupon,
            dates: period.periods_to_maturity.unsigned_abs() + 1,
        })
    }

    /// Returns the interest accrued at settlement, per 100 of face.
    pub fn accrued(&self) -> f64 {
        self.accrued
    }

    /// Returns the payment on the next coupon date per 100 of face, redemption
    /// included.
    pub fn next_payment(&self) -> f64 {
        let coupon = if self.unpaid > 0 { 0.0 } else { self.first_coupon };
        if self.dates == 1 { coupon + 100.0 } else { coupon }
    }

    /// Returns the payments of the bond of these `terms` after `date`, per 100 of face,
    /// at the times of a curve with reference `date`.
    pub fn cash_flows(&self, terms: &BondTerms, date: Date) -> CashFlows {
        let mut flows = CashFlows::with_capacity(self.dates as usize);
        self.write_cash_flows(terms, date, &mut flows);
        flows
    }

    /// As [`BondFlows::cash_flows`], into a reused buffer.
    pub fn write_cash_flows(&self, terms: &BondTerms, date: Date, flows: &mut CashFlows) {
        flows.clear();
        let months = 12 / i32::from(terms.frequency);
        let mut amount = self.first_coupon;
        for ahead in self.unpaid..self.dates {
            let back = (self.dates - 1 - ahead) as i32;
            if back == 0 {
                amount += 100.0;
            }
            flows.push(years_to(date, terms.maturity.add_months(-back * months)), amount);
            amount = self.coupon;
        }
    }

    /// Values the payments at `annual_yield`, compounded as often as they pay.
    ///
    /// # Errors
    /// [`PricingError::YieldOutOfRange`].
    pub fn value(&self, annual_yield: f64) -> Result<BondValuation, PricingError> {
        let per_period = annual_yield / self.frequency;
        if !(per_period > -1.0 && per_period.is_finite()) {
            return Err(PricingError::YieldOutOfRange);
        }
        let sums = self.sums(libm::log1p(per_period), 1.0 / (1.0 + per_period));
        if !(sums.value > 0.0 && sums.second.is_finite()) {
            return Err(PricingError::YieldOutOfRange);
        }
        // d/dy (1+y/f)^−t = −t/f · (1+y/f)^−(t+1), and once more for convexity.
        let scale = 1.0 / (self.frequency + annual_yield);
        let slope = sums.first * scale;
        Ok(BondValuation {
            clean: sums.value - self.accrued,
            dirty: sums.value,
            accrued: self.accrued,
            macaulay: sums.first / self.frequency / sums.value,
            modified: slope / sums.value,
            convexity: sums.second * scale * scale / sums.value,
            dv01: slope * BASIS_POINT,
        })
    }

    /// Returns the yield at which the payments cost `clean`.
    ///
    /// Newton's method on the logarithm of the price against `ln(1 + y/f)`, where it is
    /// convex, falling and nearly linear; a step that leaves the bracket is replaced by
    /// bisection.
    ///
    /// # Errors
    /// [`PricingError::PriceOutOfRange`] unless the dirty price is positive and needs a
    /// growth of 0.1 to 1,000 per period; [`PricingError::NotConverged`].
    pub fn yield_from_clean(&self, clean: f64) -> Result<f64, PricingError> {
        let target = clean + self.accrued;
        if !(target > 0.0 && target.is_finite()) {
            return Err(PricingError::PriceOutOfRange);
        }
        // Log distance of the price at ln(1 + y/f) above the target, and its slope.
        let residual = |log_growth: f64| {
            let sums = self.sums(log_growth, libm::exp(-log_growth));
            let ratio = (sums.value - target) / target;
            (libm::log1p(ratio), -sums.first / sums.value)
        };
        let (mut low, mut high) = (libm::log(0.1), libm::log(1_000.0));
        if residual(low).0 < 0.0 || residual(high).0 > 0.0 {
            return Err(PricingError::PriceOutOfRange);
        }
        let mut at = libm::log1p(self.coupon / 100.0);
        for _ in 0..MAX_ITERATIONS {
            let (above, slope) = residual(at);
            if above > 0.0 {
                low = at;
            } else {
                high = at;
            }
            let newton = at - above / slope;
            let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
            let moved = libm::fabs(next - at);
            if libm::fabs(above) <= 2.0 * f64::EPSILON || moved <= f64::EPSILON {
                // The last Newton step is free and never worse.
                let best = if newton.is_finite() { newton } else { at };
                return Ok(self.frequency * libm::expm1(best));
            }
            at = next;
        }
        Err(PricingError::NotConverged)
    }

    /// Returns present value and moments for `ln(1 + y/f)` and `1 / (1 + y/f)`.
    fn sums(&self, log_growth: f64, discount_per_period: f64) -> PriceMoments {
        let mut time = self.to_next + f64::from(self.unpaid);
        let mut discount = libm::exp(-time * log_growth);
        let mut amount = self.first_coupon;
        let mut sums = PriceMoments { value: 0.0, first: 0.0, second: 0.0 };
        for date in self.unpaid..self.dates {
            if date + 1 == self.dates {
                amount += 100.0;
            }
            let present = amount * discount;
            sums.value += present;
            sums.first += time * present;
            sums.second += time * (time + 1.0) * present;
            discount *= discount_per_period;
            time += 1.0;
            amount = self.coupon;
        }
        sums
    }
}

/// Above the maximum of a full bisection.
const MAX_ITERATIONS: u32 = 100;

/// Returns the years from `from` to `to` within `period`, by the bond's day count.
fn years(terms: &BondTerms, period: CouponPeriod, from: Date, to: Date) -> f64 {
    let (numerator, denominator) = terms.accrual(period, from, to);
    numerator as f64 / denominator as f64
}

/// Returns the elapsed part of the notional period on `date`: by 30/360 if the bond
/// accrues so, by actual days otherwise.
fn elapsed(terms: &BondTerms, period: CouponPeriod, date: Date) -> f64 {
    match terms.day_count {
        DayCount::Thirty360 => years(terms, period, period.start, date) * f64::from(terms.frequency),
        DayCount::ActActIcma | DayCount::Act365Fixed | DayCount::Act360 => {
            let whole = f64::from(period.start.days_until(period.end));
            f64::from(period.start.days_until(date)) / whole
        }
    }
}
