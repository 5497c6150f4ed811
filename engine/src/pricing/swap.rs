//! Vanilla interest-rate swaps on a single curve: legs, par rate, annuity.
//!
//! A floating coupon is the simple forward over its period, so that on one curve it is
//! worth `DF(start) − DF(end)` for any day count; a fixed coupon has its fixing.
//! Payments on or before the valuation date are excluded. Knows no market quotes.

use serde::{Deserialize, Serialize};

use crate::instrument::{DayCount, SwapTerms, days_30_360};
use crate::pricing::cash_flows::CashFlows;
use crate::pricing::curve::{Curve, years};
use crate::time::Date;

/// Terms of a swap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SwapContract {
    /// Notional of both legs.
    pub notional: f64,
    /// True if the holder receives the fixed leg and pays the floating one.
    pub receives_fixed: bool,
    /// Start of the first periods.
    pub start: Date,
    /// End of the last periods; schedules are whole periods backward from here.
    pub end: Date,
    /// Fixed leg: rate, payments per year (1, 2, 4 or 12) and day count.
    pub fixed: Leg,
    /// Floating leg: spread over the forward, payments per year and day count.
    pub floating: Leg,
}

/// Rate and schedule of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    /// Fixed rate, or spread of the floating leg (0.05 is 5 %).
    pub rate: f64,
    /// Payments per year: 1, 2, 4 or 12.
    pub frequency: u8,
    /// Day count.
    pub day_count: DayCount,
}

/// Reason why a swap has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwapError {
    /// Payments per year other than 1, 2, 4 or 12.
    #[error("a leg pays 1, 2, 4 or 12 times a year")]
    Frequency,
    /// No payments after the valuation date.
    #[error("the swap has matured")]
    Matured,
    /// A running floating coupon without its fixing.
    #[error("the current fixing is missing")]
    FixingMissing,
}

/// Remaining payments of a swap on a valuation date, per unit of notional.
#[derive(Clone, Debug, PartialEq)]
pub struct SwapFlows {
    notional: f64,
    sign: f64,
    fixed_rate: f64,
    /// Accruals of the fixed periods.
    annuity: CashFlows,
    /// Floating coupons; a forward is a receipt at the start and a payment at the end of
    /// its period.
    floating: CashFlows,
}

/// A swap's value on a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SwapValue {
    /// Value to the holder.
    pub pv: f64,
    /// Value of the fixed leg, unsigned.
    pub fixed_leg_pv: f64,
    /// Value of the floating leg, unsigned.
    pub float_leg_pv: f64,
    /// Value of a fixed leg of 1 per year, per unit of notional.
    pub annuity: f64,
    /// Fixed rate at which the remaining swap has no value.
    pub par_rate: f64,
}

impl SwapContract {
    /// Returns the listed standard contract of `notional`, which receives fixed; its
    /// floating leg accrues actual days over 360.
    pub fn standard(terms: &SwapTerms, notional: f64) -> Self {
        Self {
            notional,
            receives_fixed: true,
            start: terms.start,
            end: terms.maturity,
            fixed: Leg {
                rate: terms.fixed_rate_e9 as f64 / 1e9,
                frequency: terms.fixed_frequency,
                day_count: terms.fixed_day_count,
            },
            floating: Leg { rate: 0.0, frequency: terms.float_frequency, day_count: DayCount::Act360 },
        }
    }

    /// Returns the payments after `valuation`; `current_fixing` is the rate of the running
    /// floating period.
    ///
    /// # Errors
    /// [`SwapError`].
    pub fn flows(&self, valuation: Date, current_fixing: Option<f64>) -> Result<SwapFlows, SwapError> {
        if self.end <= valuation {
            return Err(SwapError::Matured);
        }
        let mut annuity = CashFlows::default();
        for (from, to) in self.fixed.periods(self.start, self.end)? {
            if to > valuation {
                annuity.push(years(valuation, to), self.fixed.accrual(from, to));
            }
        }
        let mut floating = CashFlows::default();
        for (from, to) in self.floating.periods(self.start, self.end)? {
            if to <= valuation {
                continue;
            }
            let (accrual, end) = (self.floating.accrual(from, to), years(valuation, to));
            if from >= valuation {
                floating.push(years(valuation, from), 1.0);
                floating.push(end, self.floating.rate * accrual - 1.0);
            } else {
                let fixing = current_fixing.ok_or(SwapError::FixingMissing)?;
                floating.push(end, (fixing + self.floating.rate) * accrual);
            }
        }
        let sign = if self.receives_fixed { 1.0 } else { -1.0 };
        Ok(SwapFlows { notional: self.notional, sign, fixed_rate: self.fixed.rate, annuity, floating })
    }
}

impl Leg {
    /// Returns the periods from `start` to `end`, the last first.
    fn periods(&self, start: Date, end: Date) -> Result<impl Iterator<Item = (Date, Date)>, SwapError> {
        if ![1, 2, 4, 12].contains(&self.frequency) {
            return Err(SwapError::Frequency);
        }
        let months = 12 / i32::from(self.frequency);
        let dates = (0..).map(move |back: i32| {
            (end.add_months(-(back + 1) * months).max(start), end.add_months(-back * months))
        });
        Ok(dates.take_while(move |(_, to)| *to > start))
    }

    /// Returns the years from `from` to `to`.
    fn accrual(&self, from: Date, to: Date) -> f64 {
        let actual = f64::from(from.days_until(to));
        match self.day_count {
            DayCount::Act360 => actual / 360.0,
            DayCount::Act365Fixed => actual / 365.0,
            DayCount::Thirty360 => f64::from(days_30_360(from, to)) / 360.0,
            DayCount::ActActIcma => {
                let months = 12 / i32::from(self.frequency);
                let whole = f64::from(to.add_months(-months).days_until(to));
                actual / whole / f64::from(self.frequency)
            }
        }
    }
}

impl SwapFlows {
    /// Values the payments on `curve`, whose reference is the valuation date.
    pub fn value(&self, curve: &Curve) -> SwapValue {
        let annuity = self.annuity.present_value(curve);
        let floating = self.floating.present_value(curve);
        let (fixed_leg_pv, float_leg_pv) =
            (self.notional * (self.fixed_rate * annuity), self.notional * floating);
        SwapValue {
            pv: self.sign * (fixed_leg_pv - float_leg_pv),
            fixed_leg_pv,
            float_leg_pv,
            annuity,
            par_rate: floating / annuity,
        }
    }

    /// Returns the holder's payments in money, both legs combined.
    pub fn net(&self) -> CashFlows {
        let mut net = CashFlows::with_capacity(self.annuity.len() + self.floating.len());
        net.add(&self.annuity, self.sign * self.notional * self.fixed_rate);
        net.add(&self.floating, -self.sign * self.notional);
        net
    }
}
