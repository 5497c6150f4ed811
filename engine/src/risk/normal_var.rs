//! Value at risk in closed form: normal factors with components, and one
//! lognormal position.
//!
//! Losses are positive; confidence is in integer basis points.

use super::var::{VarError, WHOLE_BP, compensated_sum, tail_bp};
use crate::math::{inverse_normal_cdf, normal_cdf, normal_pdf};

/// Factors that move together and what a book has in each.
#[derive(Clone, Copy, Debug)]
pub struct NormalFactors<'a> {
    /// Money gained when a factor moves by one.
    pub exposures: &'a [f64],
    /// Means a day.
    pub means: &'a [f64],
    /// Covariances a day, row by row.
    pub covariance: &'a [f64],
    /// Days ahead.
    pub horizon: f64,
}

/// Risk of a normally distributed P&L.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormalRisk {
    /// Standard deviation over the horizon: `√(h wᵀΣw)`.
    pub sigma: f64,
    /// `z_α σ − h wᵀμ`.
    pub var: f64,
    /// `σ φ(z_α) / (1 − α) − h wᵀμ`.
    pub expected_shortfall: f64,
}

/// z_α, taken from the small tail, which a double holds more exactly.
fn quantile(tail_bp: u32) -> f64 {
    -inverse_normal_cdf(tail(tail_bp))
}

fn tail(tail_bp: u32) -> f64 {
    f64::from(tail_bp) / f64::from(WHOLE_BP)
}

/// Parametric risk of `factors`; each factor's share of the VaR is written to
/// `components`, which sum to it: `z_α h w_i(Σw)_i / σ − h w_i μ_i`.
///
/// # Errors
/// [`VarError::Confidence`]; [`VarError::Factors`] for sizes that differ or a
/// negative variance.
pub fn parametric(
    factors: &NormalFactors<'_>,
    confidence_bp: u32,
    components: &mut [f64],
) -> Result<NormalRisk, VarError> {
    let NormalFactors { exposures, means, covariance, horizon } = *factors;
    let tail_bp = tail_bp(confidence_bp)?;
    let size = exposures.len();
    let fits = means.len() == size && covariance.len() == size * size && components.len() == size;
    if size == 0 || !fits {
        return Err(VarError::Factors);
    }
    // First each factor's part of the variance, w_i (Σw)_i.
    for (at, (component, row)) in components.iter_mut().zip(covariance.chunks_exact(size)).enumerate() {
        *component = exposures[at] * dot(row, exposures);
    }
    let variance = horizon * compensated_sum(components);
    if !(variance >= 0.0 && variance.is_finite()) {
        return Err(VarError::Factors);
    }
    let (sigma, z) = (libm::sqrt(variance), quantile(tail_bp));
    let mean = horizon * dot(exposures, means);
    for (at, component) in components.iter_mut().enumerate() {
        let share = if sigma > 0.0 { z * horizon * *component / sigma } else { 0.0 };
        *component = share - horizon * exposures[at] * means[at];
    }
    Ok(NormalRisk {
        sigma,
        var: z * sigma - mean,
        expected_shortfall: sigma * normal_pdf(z) / tail(tail_bp) - mean,
    })
}

/// A product of vectors whose terms may cancel: products and sum in twice the
/// precision (Dekker's product, Neumaier's sum).
fn dot(left: &[f64], right: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0);
    for (a, b) in left.iter().zip(right) {
        let (product, error) = exact_product(*a, *b);
        let next = sum + product;
        lost += if libm::fabs(sum) >= libm::fabs(product) {
            (sum - next) + product
        } else {
            (product - next) + sum
        };
        lost += error;
        sum = next;
    }
    sum + lost
}

/// `a · b` as a double and what it lacks, without a fused instruction.
fn exact_product(a: f64, b: f64) -> (f64, f64) {
    // Veltkamp's split in halves of 26 bits.
    let split = |x: f64| {
        let wide = 134_217_729.0 * x;
        let high = wide - (wide - x);
        (high, x - high)
    };
    let product = a * b;
    let ((a_high, a_low), (b_high, b_low)) = (split(a), split(b));
    let error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    (product, if error.is_finite() { error } else { 0.0 })
}

/// One position whose value moves by `e^X`, `X ~ N((μ − σ²/2)h, σ²h)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LognormalPosition {
    /// What it is worth, positive also when short.
    pub value: f64,
    /// Whether a rise is a gain.
    pub long: bool,
    /// μ a year.
    pub drift: f64,
    /// σ per square root of a year.
    pub volatility: f64,
    /// Years ahead.
    pub horizon: f64,
}

/// Risk of a lognormal position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LognormalRisk {
    /// The loss not exceeded with the confidence.
    pub var: f64,
    /// The mean loss beyond it.
    pub expected_shortfall: f64,
    /// Standard deviation of a Monte Carlo estimate of the VaR, times the root
    /// of the number of paths.
    pub simulation_error: f64,
}

/// Risk of a lognormal position in closed form.
///
/// # Errors
/// [`VarError::Confidence`].
pub fn lognormal(position: &LognormalPosition, confidence_bp: u32) -> Result<LognormalRisk, VarError> {
    let LognormalPosition { value, long, drift, volatility, horizon } = *position;
    let tail_bp = tail_bp(confidence_bp)?;
    let (z, tail) = (quantile(tail_bp), tail(tail_bp));
    let deviation = volatility * libm::sqrt(horizon);
    let centre = drift * horizon - 0.5 * deviation * deviation;
    // The bad quantile of X, and the mean of e^X beyond it.
    let side = if long { -1.0 } else { 1.0 };
    let bad = centre + side * z * deviation;
    let mean_beyond = libm::exp(drift * horizon) * normal_cdf(side * deviation - z) / tail;
    let density = normal_pdf(z) / (deviation * value * libm::exp(bad));
    Ok(LognormalRisk {
        var: side * value * libm::expm1(bad),
        expected_shortfall: side * value * (mean_beyond - 1.0),
        simulation_error: libm::sqrt(tail * (1.0 - tail)) / density,
    })
}
