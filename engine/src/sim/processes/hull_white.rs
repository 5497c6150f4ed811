//! Hull and White's short rate, fitted to any curve of today: moments, bonds
//! and options on them, exact steps.
//!
//! Everything is under the risk-neutral measure. Draws nothing.

use super::rates::annuity;
use crate::instrument::OptionRight;
use crate::pricing::PricingError;
use crate::pricing::curve::Curve;
use crate::pricing::european::{SpotMarket, Vanilla, value};

/// What a short-rate model is fitted to.
pub trait TermStructure {
    /// Logarithm of today's discount factor to `t` years.
    fn log_discount(&self, t: f64) -> f64;
    /// Today's instantaneous forward rate at `t` years.
    fn forward(&self, t: f64) -> f64;
}

impl TermStructure for Curve {
    fn log_discount(&self, t: f64) -> f64 {
        self.log_df(t)
    }

    fn forward(&self, t: f64) -> f64 {
        self.forward_at(t)
    }
}

/// Nelson and Siegel's zero rates:
/// `z(t) = β0 + β1·g + β2·(g − e^(−t/τ))`, `g = (1 − e^(−t/τ)) / (t/τ)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NelsonSiegel {
    /// The long end.
    pub level: f64,
    /// β1: what the short end has more.
    pub slope: f64,
    /// β2: the hump.
    pub hump: f64,
    /// τ in years, positive.
    pub scale: f64,
}

impl TermStructure for NelsonSiegel {
    fn log_discount(&self, t: f64) -> f64 {
        let x = t / self.scale;
        let gone = -libm::expm1(-x); // t·g is scale · gone
        -(self.level * t
            + self.slope * self.scale * gone
            + self.hump * (self.scale * gone - t * libm::exp(-x)))
    }

    fn forward(&self, t: f64) -> f64 {
        let x = t / self.scale;
        self.level + (self.slope + self.hump * x) * libm::exp(-x)
    }
}

/// `dr = (θ(t) − κr) dt + σ dW`, θ fitted so that today's bonds cost what
/// today's curve says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HullWhite<C> {
    /// Today's curve.
    pub curve: C,
    /// κ a year; 0 is Ho and Lee's model.
    pub speed: f64,
    /// σ, absolute, per square root of a year.
    pub volatility: f64,
}

impl<C: TermStructure> HullWhite<C> {
    /// Mean of the short rate at `t`: `f(0,t) + σ²(1 − e^(−κt))² / 2κ²`.
    pub fn mean(&self, t: f64) -> f64 {
        let drift = self.volatility * annuity(self.speed, t);
        self.curve.forward(t) + 0.5 * drift * drift
    }

    /// Variance of the short rate at `t`.
    pub fn variance(&self, t: f64) -> f64 {
        self.volatility * self.volatility * annuity(2.0 * self.speed, t)
    }

    /// Price at `t` of a bond that pays one at `maturity` ≥ `t`, when the
    /// short rate is `rate`.
    pub fn bond(&self, t: f64, maturity: f64, rate: f64) -> f64 {
        let b = annuity(self.speed, maturity - t);
        let forward = self.curve.log_discount(maturity) - self.curve.log_discount(t);
        libm::exp(forward + b * (self.curve.forward(t) - rate) - 0.5 * self.variance(t) * b * b)
    }

    /// Value today of an option that expires at `expiry` on a bond that pays
    /// one at `maturity` (Jamshidian 1989): Black's formula on the forward
    /// bond with deviation `σ_p = √variance · (1 − e^(−κ(T−t))) / κ`.
    ///
    /// # Errors
    /// [`PricingError::InvalidInput`] for a strike that is not positive, or
    /// parameters that are no numbers.
    pub fn bond_option(
        &self,
        right: OptionRight,
        expiry: f64,
        maturity: f64,
        strike: f64,
    ) -> Result<f64, PricingError> {
        let deviation = libm::sqrt(self.variance(expiry)) * annuity(self.speed, maturity - expiry);
        // A call on the bond is a put on the strike, paid for in bonds: so the
        // logarithm of the strike is taken whole, and the far wings stay right.
        let right = match right {
            OptionRight::Call => OptionRight::Put,
            OptionRight::Put => OptionRight::Call,
        };
        let market = SpotMarket {
            spot: strike,
            rate: -self.curve.log_discount(maturity),
            div_yield: -self.curve.log_discount(expiry),
            vol: deviation,
        };
        // The deviation is that of the whole life: one "year".
        value(&Vanilla { right, strike: 1.0, years: 1.0 }, &market).map(|value| value.price)
    }

    /// The short rate at `t + dt`, `rate` at `t`, for a standard normal `z`:
    /// an exact step.
    pub fn next(&self, t: f64, dt: f64, rate: f64, z: f64) -> f64 {
        let left = (rate - self.mean(t)) * libm::exp(-self.speed * dt);
        self.mean(t + dt) + left + libm::sqrt(self.variance(dt)) * z
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_less_puts_are_forward_bonds() {
        let curve = NelsonSiegel { level: 0.04, slope: -0.02, hump: 0.01, scale: 2.0 };
        let model = HullWhite { curve, speed: 0.1, volatility: 0.012 };
        let option = |right| model.bond_option(right, 2.0, 5.0, 0.9).unwrap();
        let forward = libm::exp(curve.log_discount(5.0)) - 0.9 * libm::exp(curve.log_discount(2.0));
        let parity = option(OptionRight::Call) - option(OptionRight::Put) - forward;
        assert!(parity.abs() < 1e-16, "{parity:e}");
    }

    #[test]
    fn steps_of_any_length_have_one_law() {
        let curve = NelsonSiegel { level: 0.04, slope: -0.02, hump: 0.01, scale: 2.0 };
        let model = HullWhite { curve, speed: 0.3, volatility: 0.01 };
        let halfway = model.next(0.0, 1.0, model.mean(0.0), 0.0);
        assert!((halfway - model.mean(1.0)).abs() < 1e-16);
        // e^(−2κ) of the first step's variance is left after the second
        let kept = model.variance(1.0) * libm::exp(-0.6) + model.variance(1.0);
        assert!((kept - model.variance(2.0)).abs() < 1e-18);
    }

    #[test]
    fn the_forward_is_the_slope_of_the_discount() {
        let curve = NelsonSiegel { level: 0.04, slope: -0.02, hump: 0.01, scale: 2.0 };
        let slope = (curve.log_discount(2.999) - curve.log_discount(3.001)) / 0.002;
        assert!((slope - curve.forward(3.0)).abs() < 1e-9);
    }
}
