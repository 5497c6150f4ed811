//! Vanilla interest-rate swaps on a single curve: legs, par rate, annuity.
//!
//! A floating coupon is the simple forward over its period, so that on one
//! curve it is worth `DF(start) − DF(end)` whatever its day count; a coupon
//! already fixed is known. Flows on or before the valuation date are gone.
//! Knows no quotes: a swap is terms, a curve is a market.

use serde::{Deserialize, Serialize};

use crate::instrument::{DayCount, SwapTerms, days_30_360};
use crate::pricing::cash_flows::CashFlows;
use crate::pricing::curve::{Curve, years};
use crate::time::Date;

/// What a swap exchanges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SwapContract {
    /// Face on which both legs accrue.
    pub notional: f64,
    /// Whether its holder receives the fixed leg and pays the floating one.
    pub receives_fixed: bool,
    /// Start of the first periods.
    pub start: Date,
    /// End of the last periods; schedules count back from here in whole
    /// periods.
    pub end: Date,
    /// Fixed leg: rate, payments a year (1, 2, 4 or 12) and day count.
    pub fixed: Leg,
    /// Floating leg: spread over the forward, payments a year and day count.
    pub floating: Leg,
}

/// One leg's rate and schedule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    /// The fixed rate, or the floating leg's spread (0.05 is 5 %).
    pub rate: f64,
    /// Payments a year: 1, 2, 4 or 12.
    pub frequency: u8,
    /// How periods accrue.
    pub day_count: DayCount,
}

/// Why a swap has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwapError {
    /// Payments a year other than 1, 2, 4 or 12.
    #[error("a leg pays 1, 2, 4 or 12 times a year")]
    Frequency,
    /// Nothing is left on the valuation date.
    #[error("the swap has matured")]
    Matured,
    /// The running floating coupon was fixed before the valuation date.
    #[error("the current fixing is missing")]
    FixingMissing,
}

/// What is left of a swap on a valuation date, for one unit of notional.
#[derive(Clone, Debug, PartialEq)]
pub struct SwapFlows {
    notional: f64,
    sign: f64,
    fixed_rate: f64,
    /// Accruals of the fixed periods.
    annuity: CashFlows,
    /// The floating coupons, forwards as a payment made at the start and
    /// taken back at the end.
    floating: CashFlows,
}

/// A swap's value on a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SwapValue {
    /// What it is worth to its holder.
    pub pv: f64,
    /// Value of the fixed leg, unsigned.
    pub fixed_leg_pv: f64,
    /// Value of the floating leg, unsigned.
    pub float_leg_pv: f64,
    /// Value of one a year on the fixed leg, for a notional of one.
    pub annuity: f64,
    /// The fixed rate at which what is left would be worth nothing.
    pub par_rate: f64,
}

impl SwapContract {
    /// The listed standard contract of `notional`; its floating leg accrues
    /// actual days over 360 and its holder receives fixed.
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

    /// What is left on `valuation`; `current_fixing` is the rate of the
    /// floating period that has begun before it.
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
    /// Periods from `start` to `end`, the last first.
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

    /// Years from `from` to `to`.
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
    /// Values what is left on `curve`, whose reference is the valuation date.
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

    /// The holder's flows in money, both legs in one.
    pub fn net(&self) -> CashFlows {
        let mut net = CashFlows::with_capacity(self.annuity.len() + self.floating.len());
        net.add(&self.annuity, self.sign * self.notional * self.fixed_rate);
        net.add(&self.floating, -self.sign * self.notional);
        net
    }
}
