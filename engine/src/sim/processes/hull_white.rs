//! Hull-White short rate, fitted to the present curve: moments, bonds, bond options, exact
//! steps, all under the risk-neutral measure. Draws nothing.

use super::rates::annuity;
use crate::instrument::OptionRight;
use crate::math::{INVERSE_ROOT_TWO_PI, mills_ratio, normal_pdf};
use crate::pricing::PricingError;
use crate::pricing::curve::Curve;
use crate::pricing::european::{SpotMarket, Vanilla, value};

/// Curve that a short-rate model is fitted to.
pub trait TermStructure {
    /// Returns the logarithm of the discount factor to `t` years.
    fn log_discount(&self, t: f64) -> f64;
    /// Returns the instantaneous forward rate at `t` years.
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

/// Nelson-Siegel zero rates:
/// `z(t) = β0 + β1·g + β2·(g − e^(−t/τ))`, `g = (1 − e^(−t/τ)) / (t/τ)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NelsonSiegel {
    /// β0: the long-term rate.
    pub level: f64,
    /// β1: the short-term excess.
    pub slope: f64,
    /// β2: the hump.
    pub hump: f64,
    /// τ in years, positive.
    pub scale: f64,
}

impl TermStructure for NelsonSiegel {
    fn log_discount(&self, t: f64) -> f64 {
        let x = t / self.scale;
        let decayed = -libm::expm1(-x); // t·g is scale · decayed
        -(self.level * t
            + self.slope * self.scale * decayed
            + self.hump * (self.scale * decayed - t * libm::exp(-x)))
    }

    fn forward(&self, t: f64) -> f64 {
        let x = t / self.scale;
        self.level + (self.slope + self.hump * x) * libm::exp(-x)
    }
}

/// `dr = (θ(t) − κr) dt + σ dW`, θ fitted to the present curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HullWhite<C> {
    /// Present curve.
    pub curve: C,
    /// κ per year; 0 is the Ho-Lee model.
    pub speed: f64,
    /// σ, absolute, per square root of a year.
    pub volatility: f64,
}

impl<C: TermStructure> HullWhite<C> {
    /// Returns the mean of the short rate at `t`: `f(0,t) + σ²(1 − e^(−κt))² / 2κ²`.
    pub fn mean(&self, t: f64) -> f64 {
        let drift = self.volatility * annuity(self.speed, t);
        self.curve.forward(t) + 0.5 * drift * drift
    }

    /// Returns the variance of the short rate at `t`.
    pub fn variance(&self, t: f64) -> f64 {
        self.volatility * self.volatility * annuity(2.0 * self.speed, t)
    }

    /// Returns the price at `t` of a bond that pays one at `maturity` ≥ `t`, at short rate
    /// `rate`.
    pub fn bond(&self, t: f64, maturity: f64, rate: f64) -> f64 {
        let b = annuity(self.speed, maturity - t);
        let forward = self.curve.log_discount(maturity) - self.curve.log_discount(t);
        libm::exp(forward + b * (self.curve.forward(t) - rate) - 0.5 * self.variance(t) * b * b)
    }

    /// Returns the present value of an option that expires at `expiry` on a bond that pays one
    /// at `maturity` (Jamshidian 1989): Black's formula on the forward bond with deviation `σ_p = √variance · (1 − e^(−κ(T−t))) / κ`.
    ///
    /// # Errors
    /// [`PricingError::InvalidInput`] for a strike that is not positive or invalid parameters.
    pub fn bond_option(
        &self,
        right: OptionRight,
        expiry: f64,
        maturity: f64,
        strike: f64,
    ) -> Result<f64, PricingError> {
        let deviation = libm::sqrt(self.variance(expiry)) * annuity(self.speed, maturity - expiry);
        let (own, other) = (self.curve.log_discount(maturity), self.curve.log_discount(expiry));
        if strike > 0.0 && strike.is_finite() {
            let moneyness = libm::log(strike) + other - own;
            if deviation > 0.0 && deviation < NARROW_DEVIATION {
                let (bond, cash) = (libm::exp(own), strike * libm::exp(other));
                return Ok(narrow_option(right, bond, cash, moneyness, deviation));
            }
        }
        let market = SpotMarket { spot: libm::exp(own), rate: -other, div_yield: 0.0, vol: deviation };
        // The deviation covers the whole time to expiry: one "year".
        value(&Vanilla { right, strike, years: 1.0 }, &market).map(|value| value.price)
    }

    /// Returns the short rate at `t + dt` from `rate` at `t` and a standard normal `z`, an exact
    /// step.
    pub fn next(&self, t: f64, dt: f64, rate: f64, z: f64) -> f64 {
        let left = (rate - self.mean(t)) * libm::exp(-self.speed * dt);
        self.mean(t + dt) + left + libm::sqrt(self.variance(dt)) * z
    }
}

/// Deviation below which five Gauss points suffice.
const NARROW_DEVIATION: f64 = 0.25;

/// Deviations above which the continued fraction of Mills' ratio is used.
const FRACTION_MIN_DEVIATIONS: f64 = 2.5;

/// Returns Black's formula for a small deviation s, where both of its terms are nearly equal.
/// The out-of-the-money value is
/// `m (M(z) − M(z+s)) = m ∫ (1 − x M(x)) dx` over [z, z+s], with Mills' ratio M
/// and m the near leg times φ(z): nothing is subtracted.
fn narrow_option(right: OptionRight, bond: f64, cash: f64, moneyness: f64, deviation: f64) -> f64 {
    let z = libm::fabs(moneyness) / deviation - 0.5 * deviation;
    let half = 0.5 * deviation;
    let integral: f64 =
        GAUSS_LEGENDRE_5.iter().map(|(at, weight)| weight * mills_slope(z + half * (1.0 + at))).sum::<f64>()
            * half;
    let out = bond.min(cash) * normal_pdf(z) * integral;
    // A strike above the forward bond puts the call out of the money.
    let inner = (right == OptionRight::Call) == (moneyness < 0.0);
    if inner { out + libm::fabs(bond - cash) } else { out }
}

/// Returns `1 − x M(x)`, for large x c / (x + c) with c = 1/(x + 2/(x + 3/(x + …))).
fn mills_slope(x: f64) -> f64 {
    if x < FRACTION_MIN_DEVIATIONS {
        // M(x) + M(−x) is 1/φ(x).
        let ratio = mills_ratio(libm::fabs(x));
        let ratio = if x < 0.0 { libm::exp(0.5 * x * x) / INVERSE_ROOT_TWO_PI - ratio } else { ratio };
        return 1.0 - x * ratio;
    }
    let mut tail = 0.0;
    for level in (2..FRACTION_LEVELS).rev() {
        tail = f64::from(level) / (x + tail);
    }
    let c = 1.0 / (x + tail);
    c / (x + c)
}

/// Levels of the continued fraction, exact to the last bit from 2 on.
const FRACTION_LEVELS: u32 = 160;

/// Gauss-Legendre points and weights on [−1, 1].
const GAUSS_LEGENDRE_5: [(f64, f64); 5] = [
    (-0.906_179_845_938_664, 0.236_926_885_056_189_08),
    (-0.538_469_310_105_683_1, 0.478_628_670_499_366_47),
    (0.0, 0.568_888_888_888_888_9),
    (0.538_469_310_105_683_1, 0.478_628_670_499_366_47),
    (0.906_179_845_938_664, 0.236_926_885_056_189_08),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn put_call_parity_holds_for_bond_options() {
        let curve = NelsonSiegel { level: 0.04, slope: -0.02, hump: 0.01, scale: 2.0 };
        let model = HullWhite { curve, speed: 0.1, volatility: 0.012 };
        let option = |right| model.bond_option(right, 2.0, 5.0, 0.9).unwrap();
        let forward = libm::exp(curve.log_discount(5.0)) - 0.9 * libm::exp(curve.log_discount(2.0));
        let parity = option(OptionRight::Call) - option(OptionRight::Put) - forward;
        assert!(parity.abs() < 1e-16, "{parity:e}");
    }

    #[test]
    fn narrow_and_wide_formulas_agree() {
        for (deviation, right) in [(0.2, OptionRight::Call), (0.001, OptionRight::Put)] {
            for distance in [0.0, 0.4, -1.7, 2.4, 2.6, 4.0, -3.0] {
                let moneyness: f64 = distance * deviation;
                let (bond, cash) = (0.9, 0.9 * libm::exp(moneyness));
                let narrow = narrow_option(right, bond, cash, moneyness, deviation);
                let terms = Vanilla { right, strike: cash, years: 1.0 };
                let market = SpotMarket { spot: bond, rate: 0.0, div_yield: 0.0, vol: deviation };
                let wide = value(&terms, &market).unwrap().price;
                assert!((narrow / wide - 1.0).abs() < 1e-11, "{deviation}, {distance}: {narrow} for {wide}");
            }
        }
    }

    #[test]
    fn the_law_is_independent_of_the_step_length() {
        let curve = NelsonSiegel { level: 0.04, slope: -0.02, hump: 0.01, scale: 2.0 };
        let model = HullWhite { curve, speed: 0.3, volatility: 0.01 };
        let halfway = model.next(0.0, 1.0, model.mean(0.0), 0.0);
        assert!((halfway - model.mean(1.0)).abs() < 1e-16);
        // e^(−2κ) of the first step's variance remains after the second
        let combined = model.variance(1.0) * libm::exp(-0.6) + model.variance(1.0);
        assert!((combined - model.variance(2.0)).abs() < 1e-18);
    }

    #[test]
    fn the_forward_is_the_slope_of_the_log_discount() {
        let curve = NelsonSiegel { level: 0.04, slope: -0.02, hump: 0.01, scale: 2.0 };
        let slope = (curve.log_discount(2.999) - curve.log_discount(3.001)) / 0.002;
        assert!((slope - curve.forward(3.0)).abs() < 1e-9);
    }
}
