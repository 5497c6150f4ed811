//! American puts on one unit of strike whose drift dominates their volatility, valued as
//! perpetual options.
//!
//! The error is that of paths which meet the boundary after expiry or end below it: at
//! most 2 Φ(−(r − q − σ²/2)√T/σ) of the strike. In this case the boundary is too close to
//! the strike for a grid over the time to expiry.

use super::boundary::{Dynamics, PARAMETERS};
use super::premium::Premium;
use crate::math::{exp, ln};

/// Drift in deviations above which the error is below rounding: 3e-23.
const PERPETUAL_MIN_DEVIATIONS: f64 = 10.0;

/// A perpetual option exercised at B: (1 − B)(s/B)^β.
#[derive(Clone, Copy, Debug)]
pub(super) struct Perpetual {
    /// β, negative: σ²β²/2 + (r − q − σ²/2)β = r.
    exponent: f64,
    /// Derivative in β of that equation's left side.
    steepness: f64,
    dynamics: Dynamics,
}

impl Perpetual {
    /// Returns the perpetual option if the error is below rounding.
    pub(super) fn of(dynamics: &Dynamics) -> Option<Self> {
        let Dynamics { rate, div_yield, vol, years } = *dynamics;
        let variance = vol * vol;
        let growth = rate - div_yield - 0.5 * variance;
        if growth * years.sqrt() < PERPETUAL_MIN_DEVIATIONS * vol {
            return None;
        }
        let root = (growth * growth + 2.0 * rate * variance).sqrt();
        let exponent = -(growth + root) / variance;
        Some(Self { exponent, steepness: -root, dynamics: *dynamics })
    }

    /// Returns ln B, B = β/(β − 1).
    pub(super) fn log_boundary(&self) -> f64 {
        -ln(1.0 - 1.0 / self.exponent)
    }

    /// Returns the value at spot `s` above the boundary, with its two derivatives.
    pub(super) fn value(&self, s: f64) -> Premium {
        let reach = ln(s) - self.log_boundary();
        let value = exp(self.exponent * reach) / (1.0 - self.exponent);
        let slope = self.exponent * value / s;
        Premium { value, slope, curvature: (self.exponent - 1.0) * slope / s }
    }

    /// Returns the value's derivatives in the boundary's parameters; the boundary is optimal,
    /// so its own derivative does not contribute.
    pub(super) fn parameter_slopes(&self, s: f64) -> [f64; PARAMETERS] {
        let (beta, Premium { value, .. }) = (self.exponent, self.value(s));
        let by_exponent = value * (ln(s) - self.log_boundary()) / self.steepness;
        let vol = self.dynamics.vol;
        [-vol * beta * (beta - 1.0), 1.0 - beta, beta].map(|moved| by_exponent * moved)
    }
}
