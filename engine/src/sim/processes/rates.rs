//! Laws of mean-reverting short rates: Vasicek and Cox-Ingersoll-Ross, with their zero bonds.
//! Draws nothing and does not fit parameters.

use crate::math::{noncentral_chi_square_cdf, normal_cdf};

/// Returns `(1 − e^(−κt)) / κ`, t if κ is zero.
pub(super) fn annuity(speed: f64, t: f64) -> f64 {
    if speed == 0.0 { t } else { -libm::expm1(-speed * t) / speed }
}

/// Vasicek (Ornstein-Uhlenbeck): `dX = κ(θ − X) dt + σ dW` from a given value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vasicek {
    /// Present value.
    pub start: f64,
    /// κ per year; 0 is a Brownian motion.
    pub speed: f64,
    /// θ.
    pub mean: f64,
    /// σ, absolute, per square root of a year.
    pub volatility: f64,
}

impl Vasicek {
    /// Returns the mean of `X_t`.
    pub fn mean_at(&self, t: f64) -> f64 {
        self.mean + (self.start - self.mean) * libm::exp(-self.speed * t)
    }

    /// Returns the variance of `X_t`.
    pub fn variance(&self, t: f64) -> f64 {
        self.volatility * self.volatility * annuity(2.0 * self.speed, t)
    }

    /// Returns the covariance of `X_s` and `X_t`.
    pub fn covariance(&self, s: f64, t: f64) -> f64 {
        let (first, last) = (s.min(t), s.max(t));
        self.variance(first) * libm::exp(-self.speed * (last - first))
    }

    /// Returns the stationary variance `σ² / 2κ`.
    pub fn stationary_variance(&self) -> f64 {
        self.volatility * self.volatility / (2.0 * self.speed)
    }

    /// Returns the half-life of a deviation, in years.
    pub fn half_life(&self) -> f64 {
        std::f64::consts::LN_2 / self.speed
    }

    /// Returns the probability that `X_t` is below `level`.
    pub fn probability_below(&self, level: f64, t: f64) -> f64 {
        normal_cdf((level - self.mean_at(t)) / libm::sqrt(self.variance(t)))
    }

    /// Returns the mean of `∫₀^T X`.
    pub fn integral_mean(&self, horizon: f64) -> f64 {
        let early = annuity(self.speed, horizon);
        self.mean * (horizon - early) + self.start * early
    }

    /// Returns the variance of `∫₀^T X`.
    pub fn integral_variance(&self, horizon: f64) -> f64 {
        let square = self.volatility * self.volatility;
        square * horizon * horizon * horizon * integral_shape(self.speed * horizon)
    }

    /// Returns `E[exp(−∫₀^T X)]`, the price of a bond that pays one at T.
    pub fn zero_bond(&self, horizon: f64) -> f64 {
        libm::exp(0.5 * self.integral_variance(horizon) - self.integral_mean(horizon))
    }
}

/// Returns `[x − 2(1 − e^(−x)) + (1 − e^(−2x))/2] / x³`, near zero by its series (1/3 at
/// zero), because the terms cancel.
fn integral_shape(x: f64) -> f64 {
    if libm::fabs(x) > 0.5 {
        return (x + 2.0 * libm::expm1(-x) - 0.5 * libm::expm1(-2.0 * x)) / (x * x * x);
    }
    // Σ_{n≥3} (−x)^(n−3) · (2^(n−1) − 2) / n!
    let (mut sum, mut power) = (0.0, 1.0 / 6.0);
    let mut twos = 4.0;
    for n in 3..30 {
        sum += power * (twos - 2.0);
        power *= -x / f64::from(n + 1);
        twos *= 2.0;
    }
    sum
}

/// Cox, Ingersoll and Ross: `dX = κ(θ − X) dt + σ√X dW` from a given value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cir {
    /// Present value, not negative.
    pub start: f64,
    /// κ per year, positive.
    pub speed: f64,
    /// θ, not negative.
    pub mean: f64,
    /// σ.
    pub volatility: f64,
}

impl Cir {
    /// Returns the mean of `X_t`.
    pub fn mean_at(&self, t: f64) -> f64 {
        self.mean + (self.start - self.mean) * libm::exp(-self.speed * t)
    }

    /// Returns the variance of `X_t`.
    pub fn variance(&self, t: f64) -> f64 {
        let early = annuity(self.speed, t);
        let left = libm::exp(-self.speed * t);
        let from_start = self.start * left * early;
        let from_mean = 0.5 * self.mean * self.speed * early * early;
        self.volatility * self.volatility * (from_start + from_mean)
    }

    /// Returns the stationary variance `θσ² / 2κ`.
    pub fn stationary_variance(&self) -> f64 {
        self.mean * self.volatility * self.volatility / (2.0 * self.speed)
    }

    /// Returns true if `2κθ ≥ σ²`: zero is never reached (Feller).
    pub fn stays_positive(&self) -> bool {
        2.0 * self.speed * self.mean >= self.volatility * self.volatility
    }

    /// Returns the probability that `X_t` is below `level`: a noncentral chi-square with
    /// `4κθ/σ²` degrees of freedom.
    pub fn probability_below(&self, level: f64, t: f64) -> f64 {
        let square = self.volatility * self.volatility;
        let scale = 4.0 / (square * annuity(self.speed, t));
        let freedom = 4.0 * self.speed * self.mean / square;
        let noncentrality = scale * self.start * libm::exp(-self.speed * t);
        noncentral_chi_square_cdf(scale * level, freedom, noncentrality)
    }

    /// Returns the value below which `X_t` is with probability `p`, by bisection: an exact step
    /// if `p` is uniform. NaN for an invalid probability.
    pub fn quantile(&self, p: f64, t: f64) -> f64 {
        if !(0.0..1.0).contains(&p) {
            return f64::NAN;
        }
        let (mut low, mut high) = (0.0, self.mean_at(t) + 8.0 * libm::sqrt(self.variance(t)));
        while self.probability_below(high, t) < p {
            low = high;
            high *= 2.0;
        }
        loop {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high || high - low <= 1e-15 * high {
                return middle;
            }
            if self.probability_below(middle, t) < p {
                low = middle;
            } else {
                high = middle;
            }
        }
    }

    /// Returns `E[exp(−∫₀^T X)]`, the price of a bond that pays one at T.
    ///
    /// With γ = √(κ² + 2σ²) and δ = γ − κ, written without cancellation for
    /// small σ: `ln A = −(2κθ/σ²) · [δT/2 + ln(1 − δ(1 − e^(−γT)) / 2γ)]`.
    pub fn zero_bond(&self, horizon: f64) -> f64 {
        let square = self.volatility * self.volatility;
        let root = libm::sqrt(self.speed * self.speed + 2.0 * square);
        if square == 0.0 {
            let early = annuity(self.speed, horizon);
            return libm::exp(-(self.mean * (horizon - early) + self.start * early));
        }
        let excess = 2.0 * square / (root + self.speed);
        let decayed = -libm::expm1(-root * horizon);
        let bracket = 0.5 * excess * horizon + libm::log1p(-excess * decayed / (2.0 * root));
        let log_a = -2.0 * self.speed * self.mean / square * bracket;
        let b = 2.0 * decayed / (2.0 * root * (1.0 - decayed) + (self.speed + root) * decayed);
        libm::exp(log_a - b * self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_agrees_with_the_formula() {
        for x in [0.499_999, 0.500_001] {
            let formula = (x + 2.0 * libm::expm1(-x) - 0.5 * libm::expm1(-2.0 * x)) / (x * x * x);
            assert!((integral_shape(x) / formula - 1.0).abs() < 1e-13, "{x}");
        }
        assert_eq!(integral_shape(0.0), 1.0 / 3.0);
    }

    #[test]
    fn quantiles_invert_probabilities() {
        let cir = Cir { start: 0.03, speed: 0.4, mean: 0.05, volatility: 0.1 };
        for p in [0.001, 0.2, 0.5, 0.99] {
            let level = cir.quantile(p, 0.7);
            assert!((cir.probability_below(level, 0.7) - p).abs() < 1e-13, "{p}");
        }
        assert!(cir.quantile(1.0, 0.7).is_nan());
    }

    #[test]
    fn bonds_without_volatility_discount_a_deterministic_path() {
        let still = Cir { start: 0.03, speed: 0.4, mean: 0.05, volatility: 0.0 };
        let almost = Cir { volatility: 1e-9, ..still };
        let vasicek = Vasicek { start: 0.03, speed: 0.4, mean: 0.05, volatility: 0.0 };
        assert!((still.zero_bond(5.0) - vasicek.zero_bond(5.0)).abs() < 1e-16);
        assert!((still.zero_bond(5.0) - almost.zero_bond(5.0)).abs() < 1e-15);
    }
}
