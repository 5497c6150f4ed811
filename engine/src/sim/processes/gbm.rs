//! Law of geometric Brownian motion: moments, quantiles, covariances. Paths are made by
//! [`Gbm`](super::Gbm).

use crate::math::{inverse_normal_cdf, normal_cdf};

/// `dS = μS dt + σS dW` from a given price. Times are years.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GbmLaw {
    /// Present price, positive.
    pub spot: f64,
    /// μ per year.
    pub drift: f64,
    /// σ per square root of a year.
    pub volatility: f64,
}

impl GbmLaw {
    /// Returns the mean of `ln S_t`.
    pub fn log_mean(&self, t: f64) -> f64 {
        libm::log(self.spot) + (self.drift - 0.5 * self.volatility * self.volatility) * t
    }

    /// Returns the variance of `ln S_t`.
    pub fn log_variance(&self, t: f64) -> f64 {
        self.volatility * self.volatility * t
    }

    /// Returns the mean of `S_t`.
    pub fn mean(&self, t: f64) -> f64 {
        self.spot * libm::exp(self.drift * t)
    }

    /// Returns the variance of `S_t`.
    pub fn variance(&self, t: f64) -> f64 {
        self.covariance(t, t)
    }

    /// Returns the covariance of `S_s` and `S_t`.
    pub fn covariance(&self, s: f64, t: f64) -> f64 {
        self.mean(s) * self.mean(t) * libm::expm1(self.log_covariance(s, t))
    }

    /// Returns the covariance of `ln S_s` and `ln S_t`.
    pub fn log_covariance(&self, s: f64, t: f64) -> f64 {
        self.log_variance(s.min(t))
    }

    /// Returns the skewness of `S_t`.
    pub fn skewness(&self, t: f64) -> f64 {
        let v = self.log_variance(t);
        (libm::exp(v) + 2.0) * libm::sqrt(libm::expm1(v))
    }

    /// Returns the excess kurtosis of `S_t`: `e^4v + 2e^3v + 3e^2v − 6`.
    pub fn excess_kurtosis(&self, t: f64) -> f64 {
        let v = self.log_variance(t);
        libm::expm1(4.0 * v) + 2.0 * libm::expm1(3.0 * v) + 3.0 * libm::expm1(2.0 * v)
    }

    /// Returns the probability that `S_t` is below `level`.
    pub fn probability_below(&self, level: f64, t: f64) -> f64 {
        if level <= 0.0 {
            return 0.0;
        }
        // The logarithm of a quotient is more precise than a difference of two.
        let drift = (self.drift - 0.5 * self.volatility * self.volatility) * t;
        let distance = libm::log(level / self.spot) - drift;
        normal_cdf(distance / libm::sqrt(self.log_variance(t)))
    }

    /// Returns the price below which `S_t` is with probability `p`.
    pub fn quantile(&self, p: f64, t: f64) -> f64 {
        let drift = (self.drift - 0.5 * self.volatility * self.volatility) * t;
        let z = inverse_normal_cdf(p);
        self.spot * libm::exp(drift + libm::sqrt(self.log_variance(t)) * z)
    }
}
