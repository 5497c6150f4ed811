//! Fixed amounts at given times, valued on a curve: bonds and, on a single curve,
//! swaps.
//!
//! Knows no contracts and no dates, only years from the curve's reference.

use crate::math::exp;
use crate::pricing::BASIS_POINT;
use crate::pricing::curve::{Bootstrap, Curve, CurveError};

/// Amounts with their times, in any order; amounts may be negative, times may repeat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CashFlows {
    times: Vec<f64>,
    amounts: Vec<f64>,
}

impl CashFlows {
    /// Creates an empty list with capacity for `flows`.
    pub fn with_capacity(flows: usize) -> Self {
        Self { times: Vec::with_capacity(flows), amounts: Vec::with_capacity(flows) }
    }

    /// Removes all flows, keeps the capacity.
    pub fn clear(&mut self) {
        self.times.clear();
        self.amounts.clear();
    }

    /// Adds `amount` paid at `time` years.
    pub fn push(&mut self, time: f64, amount: f64) {
        self.times.push(time);
        self.amounts.push(amount);
    }

    /// Adds `factor` times the flows of another.
    pub fn add(&mut self, other: &Self, factor: f64) {
        self.times.extend_from_slice(&other.times);
        self.amounts.extend(other.amounts.iter().map(|amount| factor * amount));
    }

    /// Returns the flows sorted and summed by time, without zero amounts.
    pub fn merged(&self) -> Self {
        let mut sorted: Vec<(f64, f64)> = self.iter().collect();
        sorted.sort_by(|(left, _), (right, _)| left.total_cmp(right));
        let mut merged = Self::with_capacity(sorted.len());
        for flows in sorted.chunk_by(|(left, _), (right, _)| left == right) {
            let amount: f64 = flows.iter().map(|(_, amount)| amount).sum();
            if amount != 0.0 {
                merged.push(flows[0].0, amount);
            }
        }
        merged
    }

    /// Returns every time with its amount.
    pub fn iter(&self) -> impl Iterator<Item = (f64, f64)> {
        self.times.iter().copied().zip(self.amounts.iter().copied())
    }

    /// Returns the number of flows.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Returns true if there are no flows.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Returns the present value `Σ amount · DF(time)`.
    pub fn present_value(&self, curve: &Curve) -> f64 {
        self.iter().map(|(time, amount)| amount * curve.df(time)).sum()
    }

    /// Returns the present value with `spread` (continuously compounded, 1 bp is 0.0001)
    /// added to every zero rate.
    pub fn present_value_at(&self, curve: &Curve, spread: f64) -> f64 {
        self.iter().map(|(time, amount)| amount * exp(curve.log_df(time) - spread * time)).sum()
    }

    /// Returns the change of the present value by a parallel move of all zero rates, by
    /// full revaluation.
    pub fn shift_change(&self, curve: &Curve, shift: f64) -> f64 {
        self.iter().map(|(time, amount)| amount * curve.df(time) * libm::expm1(-shift * time)).sum()
    }

    /// Returns the parallel DV01 `[pv(z − 1 bp) − pv(z + 1 bp)] / 2`, positive for
    /// receipts.
    pub fn dv01(&self, curve: &Curve) -> f64 {
        self.iter().map(|(time, amount)| amount * curve.df(time) * sinh(BASIS_POINT * time)).sum()
    }

    /// Writes the key-rate DV01 on zero rates to `buckets`, one per node: the same
    /// difference for each node's zero rate alone. They sum to [`Self::dv01`] up to the
    /// third order in a basis point.
    pub fn key_rate_dv01(&self, curve: &Curve, buckets: &mut [f64]) {
        buckets.fill(0.0);
        self.add_key_rate_dv01(curve, 0.0, 1.0, buckets);
    }

    /// Adds `quantity` times the key-rate DV01, discounted with `spread` over
    /// the curve, to `buckets`; returns the parallel DV01 added.
    pub fn add_key_rate_dv01(&self, curve: &Curve, spread: f64, quantity: f64, buckets: &mut [f64]) -> f64 {
        let mut parallel = 0.0;
        for (time, amount) in self.iter() {
            let present = quantity * amount * exp(curve.log_df(time) - spread * time);
            parallel += present * sinh(BASIS_POINT * time);
            curve.sensitivities(time, |node, by| {
                if let Some(bucket) = buckets.get_mut(node) {
                    *bucket += present * sinh(BASIS_POINT * by);
                }
            });
        }
        parallel
    }

    /// Writes the key-rate DV01 on market quotes to `buckets`, one per quote in the
    /// plan's order: half of the difference between present values with quote `i` one
    /// basis point lower and higher, the curve bootstrapped anew.
    ///
    /// # Errors
    /// As [`Bootstrap::curve`], for a moved quote.
    pub fn quote_dv01(
        &self,
        plan: &mut Bootstrap,
        quotes: &[f64],
        buckets: &mut [f64],
    ) -> Result<(), CurveError> {
        let mut moved = quotes.to_vec();
        let mut up = plan.curve(quotes)?;
        let mut down = up.clone();
        for (quote, bucket) in buckets.iter_mut().enumerate().take(quotes.len()) {
            moved[quote] = quotes[quote] + BASIS_POINT;
            plan.solve_into(&moved, &mut up)?;
            moved[quote] = quotes[quote] - BASIS_POINT;
            plan.solve_into(&moved, &mut down)?;
            moved[quote] = quotes[quote];
            let gain = |time| down.df(time) - up.df(time);
            *bucket = self.iter().map(|(time, amount)| amount * gain(time)).sum::<f64>() * 0.5;
        }
        Ok(())
    }

    /// Returns the spread over the curve's zero rates at which the present value is
    /// `price`, by Newton's method on its logarithm. `None` unless the price and the
    /// present value are positive, or if the search does not converge.
    pub fn z_spread(&self, curve: &Curve, price: f64) -> Option<f64> {
        if !(price > 0.0 && price.is_finite()) {
            return None;
        }
        let mut at = 0.0;
        for _ in 0..MAX_ITERATIONS {
            let (mut value, mut moment) = (0.0, 0.0);
            for (time, amount) in self.iter() {
                let present = amount * exp(curve.log_df(time) - at * time);
                value += present;
                moment += time * present;
            }
            // d ln value / d spread = −moment / value
            let step = libm::log1p((value - price) / price) * value / moment;
            at += step;
            if !at.is_finite() {
                return None;
            }
            if libm::fabs(step) < STEP_TOLERANCE {
                return Some(at);
            }
        }
        None
    }
}

/// Newton step after which the next is below the resolution of a double.
const STEP_TOLERANCE: f64 = 1e-9;

/// Iteration limit, above that of any convex search.
const MAX_ITERATIONS: u32 = 100;

/// Returns the hyperbolic sine; for small arguments by its series, whose next term is
/// below the last bit.
fn sinh(x: f64) -> f64 {
    if libm::fabs(x) < 0.02 {
        let square = x * x;
        x * (1.0 + square / 6.0 * (1.0 + square / 20.0 * (1.0 + square / 42.0)))
    } else {
        libm::sinh(x)
    }
}
