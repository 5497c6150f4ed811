//! Processes of prices and yields, in exact steps: the law at the end of a step does not
//! depend on the time grid.
//!
//! Draws nothing: standard normals are arguments. A year is 252 trading days of 23,400 venue
//! seconds.

mod correlation;
mod gbm;
mod hull_white;
mod jumps;
mod rates;

pub use correlation::{cholesky, correlate};
pub use gbm::GbmLaw;
pub use hull_white::{HullWhite, NelsonSiegel, TermStructure};
pub use jumps::{Heston, JumpDiffusion};
pub use rates::{Cir, Vasicek};

use crate::time::{MICROS_PER_SECOND, SECONDS_PER_TRADING_DAY, TRADING_DAYS_PER_YEAR};

/// Converts microseconds of venue time to years of volatility.
pub fn years(micros: f64) -> f64 {
    micros / (TRADING_DAYS_PER_YEAR * SECONDS_PER_TRADING_DAY * MICROS_PER_SECOND) as f64
}

/// Geometric Brownian motion `dS = μS dt + σS dW`, stepped in `ln S`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gbm {
    drift: f64,
    deviation: f64,
}

impl Gbm {
    /// Creates steps of `dt` years with annual `drift` and `volatility`.
    pub fn new(drift: f64, volatility: f64, dt: f64) -> Self {
        Self { drift: (drift - 0.5 * volatility * volatility) * dt, deviation: volatility * libm::sqrt(dt) }
    }

    /// Returns the logarithm of the price one step after `log_price`:
    /// `ln S + (μ − σ²/2) dt + σ √dt z`.
    pub fn next(&self, log_price: f64, z: f64) -> f64 {
        log_price + (self.drift + self.deviation * z)
    }

    /// Returns the logarithm of the price one step before `log_price`.
    pub fn previous(&self, log_price: f64, z: f64) -> f64 {
        log_price - (self.drift + self.deviation * z)
    }

    /// Returns the standard deviation of a step in `ln S`.
    pub fn deviation(&self) -> f64 {
        self.deviation
    }
}

/// Ornstein-Uhlenbeck (Vasicek) `dX = κ(θ − X) dt + σ dW`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanReverting {
    mean: f64,
    decay: f64,
    deviation: f64,
}

impl MeanReverting {
    /// Creates steps of `dt` years towards `mean` with annual `speed` κ (0 for a Brownian
    /// motion) and absolute annual `volatility`.
    pub fn new(mean: f64, speed: f64, volatility: f64, dt: f64) -> Self {
        let variance = if speed == 0.0 { dt } else { -libm::expm1(-2.0 * speed * dt) / (2.0 * speed) };
        Self { mean, decay: libm::exp(-speed * dt), deviation: volatility * libm::sqrt(variance) }
    }

    /// Returns the value one step after `x`:
    /// `θ + (x − θ) e^(−κdt) + σ √((1 − e^(−2κdt)) / 2κ) z`.
    pub fn next(&self, x: f64, z: f64) -> f64 {
        self.mean + (x - self.mean) * self.decay + self.deviation * z
    }

    /// Returns the standard deviation of a step.
    pub fn deviation(&self) -> f64 {
        self.deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_252_days_of_23_400_seconds() {
        assert_eq!(years(252.0 * 23_400.0 * 1e6), 1.0);
    }

    #[test]
    fn paths_without_volatility_are_deterministic() {
        let gbm = Gbm::new(0.05, 0.0, 1.0);
        // 100 × e^0.05
        assert!((libm::exp(gbm.next(libm::log(100.0), 3.0)) - 105.127_109_637_602_4).abs() < 1e-12);
        let ou = MeanReverting::new(0.04, core::f64::consts::LN_2, 0.0, 1.0);
        // Speed ln 2 halves the distance to the mean in a year: 0.04 + 0.02 / 2
        assert!((ou.next(0.06, 3.0) - 0.05).abs() < 1e-16);
    }

    #[test]
    fn zero_speed_is_a_brownian_motion() {
        let slow = MeanReverting::new(0.04, 0.0, 0.01, 0.25);
        // 0.06 + 0.01 × √0.25 × 2
        assert!((slow.next(0.06, 2.0) - 0.07).abs() < 1e-16);
        let almost = MeanReverting::new(0.04, 1e-9, 0.01, 0.25);
        assert!((almost.next(0.06, 2.0) - slow.next(0.06, 2.0)).abs() < 1e-11);
    }
}
