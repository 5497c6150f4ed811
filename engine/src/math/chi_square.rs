//! Noncentral chi-square distribution.

use std::f64::consts::PI;

/// Standard deviations above the mean at which a Poisson probability is negligible, and an
/// addition for small means.
const SUM_REACH: (f64, f64) = (12.0, 60.0);

/// Returns the probability that a noncentral chi-square variable with `freedom` degrees of
/// freedom (> 0, any real number) and `noncentrality` ≥ 0 is at most `x`.
///
/// The Poisson mixture `Σ_j Pois(j; λ/2) · P(ν/2 + j, x/2)`, where the gamma
/// function ratio is itself the sum `P(a, y) = Σ_i y^(a+i) e^(−y) / Γ(a+i+1)`.
/// Both are summed downwards from negligible terms, so only positive numbers are added: a
/// relative error of about 1e-13. NaN for invalid parameters.
pub fn noncentral_chi_square_cdf(x: f64, freedom: f64, noncentrality: f64) -> f64 {
    let (a, y, mean) = (0.5 * freedom, 0.5 * x, 0.5 * noncentrality);
    if !(a > 0.0 && mean >= 0.0 && a.is_finite() && mean.is_finite()) || y.is_nan() {
        return f64::NAN;
    }
    if y <= 0.0 {
        return 0.0;
    }
    if y > MAX_HALF_ARGUMENT || mean > MAX_HALF_ARGUMENT {
        return f64::NAN;
    }
    let last_of = |mean: f64| libm::ceil(mean + SUM_REACH.0 * libm::sqrt(mean) + SUM_REACH.1);
    // The first i for which y^(a+i) e^(−y) / Γ(a+i+1) is negligible.
    let gamma_start = (last_of(y) - libm::floor(a)).max(SUM_REACH.1);
    let weight_start = last_of(mean);
    let (mut term, mut weight) = (0.0, 0.0);
    let (mut gamma, mut total) = (0.0, 0.0);
    let mut i = gamma_start;
    while i >= 0.0 {
        // An underflowed term cannot be scaled up.
        if term < MIN_SCALED_PROBABILITY {
            term = poisson(a + i, y);
        }
        if weight < MIN_SCALED_PROBABILITY && i <= weight_start {
            weight = poisson(i, mean);
        }
        gamma += term;
        let added = weight * gamma;
        total += added;
        if i < mean && added * i < 1e-18 * total {
            break;
        }
        // Down to the next: y^(a+i) / Γ(a+i+1) and mean^i / i!.
        term *= (a + i) / y;
        weight = if weight < MIN_SCALED_PROBABILITY { 0.0 } else { weight * i / mean };
        i -= 1.0;
    }
    total.min(1.0)
}

/// Maximum half-argument, some millions of terms.
const MAX_HALF_ARGUMENT: f64 = 1e7;

/// Probabilities below this are recomputed instead of scaled.
const MIN_SCALED_PROBABILITY: f64 = 1e-280;

/// Returns `mean^n e^(−mean) / Γ(n + 1)` for real `n` ≥ 0.
///
/// C. Loader, *Fast and Accurate Computation of Binomial Probabilities*
/// (2000): Stirling's error and a deviance that does not cancel.
fn poisson(n: f64, mean: f64) -> f64 {
    if mean == 0.0 {
        return if n == 0.0 { 1.0 } else { 0.0 };
    }
    if n < 16.0 {
        return libm::exp(n * libm::log(mean) - mean - libm::lgamma(n + 1.0));
    }
    let square = n * n;
    let stirling_error = (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / (1188.0 * square)) / square) / square)
            / square)
        / n;
    libm::exp(-stirling_error - deviance(n, mean)) / libm::sqrt(2.0 * PI * n)
}

/// Returns `n ln(n / mean) + mean − n`, by a series where the terms would cancel.
fn deviance(n: f64, mean: f64) -> f64 {
    let v = (n - mean) / (n + mean);
    if libm::fabs(v) >= 0.6 {
        return n * libm::log(n / mean) + mean - n;
    }
    // n ln((1+v)/(1−v)) = 2n (v + v³/3 + v⁵/5 + …), and 2n v = (n − mean)(1 + v).
    let mut sum = (n - mean) * v;
    let mut power = 2.0 * n * v;
    for odd in 1..1000 {
        power *= v * v;
        let next = sum + power / f64::from(2 * odd + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_noncentrality_it_is_the_chi_square() {
        for x in [0.01, 0.5, 2.0, 10.0, 40.0] {
            // Two degrees of freedom: 1 − e^(−x/2).
            let got = noncentral_chi_square_cdf(x, 2.0, 0.0);
            assert!((got + libm::expm1(-x / 2.0)).abs() < 1e-13, "{x}: {got}");
        }
    }

    #[test]
    fn one_degree_is_a_shifted_normal_squared() {
        let normal = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
        for (x, shift) in [(0.3, 0.2), (2.0, 1.5), (9.0, 4.0), (400.0, 21.0), (1e4, 99.0), (1e6, 1_001.0)] {
            let root: f64 = f64::sqrt(x);
            let expected = normal(root - shift) - normal(-root - shift);
            let got = noncentral_chi_square_cdf(x, 1.0, shift * shift);
            assert!((got - expected).abs() < 1e-12, "{x}, {shift}: {got} for {expected}");
        }
    }

    #[test]
    fn invalid_parameters_are_nan() {
        for (x, freedom, noncentrality) in [(1.0, 0.0, 1.0), (1.0, 1.0, -1.0), (f64::NAN, 1.0, 1.0)] {
            assert!(noncentral_chi_square_cdf(x, freedom, noncentrality).is_nan());
        }
        assert_eq!(noncentral_chi_square_cdf(-1.0, 1.0, 1.0), 0.0);
        assert_eq!(noncentral_chi_square_cdf(1e5, 3.0, 1.0), 1.0);
    }
}
