//! The law of geometric Brownian motion at a time: moments, quantiles,
//! covariances.
//!
//! Draws nothing; paths are made by the step of the same name.

use crate::math::{inverse_normal_cdf, normal_cdf};

/// `dS = μS dt + σS dW` from a known price. Times are years.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GbmLaw {
    /// The price today, positive.
    pub spot: f64,
    /// μ a year.
    pub drift: f64,
    /// σ per square root of a year.
    pub volatility: f64,
}

impl GbmLaw {
    /// Mean of `ln S_t`.
    pub fn log_mean(&self, t: f64) -> f64 {
        libm::log(self.spot) + (self.drift - 0.5 * self.volatility * self.volatility) * t
    }

    /// Variance of `ln S_t`.
    pub fn log_variance(&self, t: f64) -> f64 {
        self.volatility * self.volatility * t
    }

    /// Mean of `S_t`.
    pub fn mean(&self, t: f64) -> f64 {
        self.spot * libm::exp(self.drift * t)
    }

    /// Variance of `S_t`.
    pub fn variance(&self, t: f64) -> f64 {
        self.covariance(t, t)
    }

    /// Covariance of `S_s` and `S_t`.
    pub fn covariance(&self, s: f64, t: f64) -> f64 {
        self.mean(s) * self.mean(t) * libm::expm1(self.log_covariance(s, t))
    }

    /// Covariance of `ln S_s` and `ln S_t`.
    pub fn log_covariance(&self, s: f64, t: f64) -> f64 {
        self.log_variance(s.min(t))
    }

    /// Skewness of `S_t`.
    pub fn skewness(&self, t: f64) -> f64 {
        let v = self.log_variance(t);
        (libm::exp(v) + 2.0) * libm::sqrt(libm::expm1(v))
    }

    /// Excess kurtosis of `S_t`: `e^4v + 2e^3v + 3e^2v − 6`.
    pub fn excess_kurtosis(&self, t: f64) -> f64 {
        let v = self.log_variance(t);
        libm::expm1(4.0 * v) + 2.0 * libm::expm1(3.0 * v) + 3.0 * libm::expm1(2.0 * v)
    }

    /// Probability that `S_t` is below `level`.
    pub fn probability_below(&self, level: f64, t: f64) -> f64 {
        if level <= 0.0 {
            return 0.0;
        }
        // One logarithm of a quotient keeps what two would lose.
        let drift = (self.drift - 0.5 * self.volatility * self.volatility) * t;
        let distance = libm::log(level / self.spot) - drift;
        normal_cdf(distance / libm::sqrt(self.log_variance(t)))
    }

    /// The price that `S_t` stays below with probability `p`.
    pub fn quantile(&self, p: f64, t: f64) -> f64 {
        let drift = (self.drift - 0.5 * self.volatility * self.volatility) * t;
        let z = inverse_normal_cdf(p);
        self.spot * libm::exp(drift + libm::sqrt(self.log_variance(t)) * z)
    }
}
