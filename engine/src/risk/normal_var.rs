//! Value at risk in closed form: normal factors with components, and a lognormal position.
//!
//! Losses are positive; confidence is in integer basis points.

use super::var::{VarError, WHOLE_BP, compensated_sum, tail_bp};
use crate::math::{inverse_normal_cdf, normal_cdf, normal_pdf};
use crate::sim::processes::{cholesky, correlate};

/// Normal factors with a book's exposures.
#[derive(Clone, Copy, Debug)]
pub struct NormalFactors<'a> {
    /// Gain per unit move of each factor.
    pub exposures: &'a [f64],
    /// Daily means.
    pub means: &'a [f64],
    /// Daily covariances, row by row.
    pub covariance: &'a [f64],
    /// Horizon in days.
    pub horizon: f64,
}

/// Risk of a normal P&L.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormalRisk {
    /// Standard deviation over the horizon: `√(h wᵀΣw)`.
    pub sigma: f64,
    /// `z_α σ − h wᵀμ`.
    pub var: f64,
    /// `σ φ(z_α) / (1 − α) − h wᵀμ`.
    pub expected_shortfall: f64,
}

/// Returns z_α, computed from the small tail for precision.
fn quantile(tail_bp: u32) -> f64 {
    -inverse_normal_cdf(tail(tail_bp))
}

fn tail(tail_bp: u32) -> f64 {
    f64::from(tail_bp) / f64::from(WHOLE_BP)
}

/// Computes the parametric risk of `factors`; writes each factor's share of the VaR to
/// `components`, which sum to it: `z_α h w_i(Σw)_i / σ − h w_i μ_i`.
///
/// # Errors
/// [`VarError::Confidence`]; [`VarError::Factors`] for different sizes or a negative variance.
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
    // Each factor's part of the variance, w_i (Σw)_i.
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

/// Returns the inner product in twice the precision (Dekker's product, Neumaier's sum), for
/// terms that may cancel.
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

/// Returns `a · b` as a double and its rounding error, without a fused instruction.
fn exact_product(a: f64, b: f64) -> (f64, f64) {
    // Veltkamp's split into halves of 26 bits.
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

/// Fills `pnl` with simulated P&Ls: factor moves `h μ + √h L z` from `normal`'s draws, passed
/// to `gain`, which may be linear, by Greeks, or a full revaluation. The sample is evaluated
/// by [`super::var::historical`]. `exposures` of the factors are not used.
///
/// # Errors
/// [`VarError::Factors`] for covariances that are not positive definite.
pub fn simulate(
    factors: &NormalFactors<'_>,
    mut normal: impl FnMut() -> f64,
    mut gain: impl FnMut(&[f64]) -> f64,
    pnl: &mut [f64],
) -> Result<(), VarError> {
    let size = factors.means.len();
    let lower = cholesky(factors.covariance, size).ok_or(VarError::Factors)?;
    let root = libm::sqrt(factors.horizon);
    let (mut normals, mut moves) = (vec![0.0; size], vec![0.0; size]);
    for pnl in pnl {
        normals.iter_mut().for_each(|z| *z = normal());
        correlate(&lower, &normals, &mut moves);
        for (change, mean) in moves.iter_mut().zip(factors.means) {
            *change = factors.horizon * mean + root * *change;
        }
        *pnl = gain(&moves);
    }
    Ok(())
}

/// A position whose value moves by `e^X`, `X ~ N((μ − σ²/2)h, σ²h)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LognormalPosition {
    /// Unsigned value.
    pub value: f64,
    /// True for a long position.
    pub long: bool,
    /// μ per year.
    pub drift: f64,
    /// σ per square root of a year.
    pub volatility: f64,
    /// Horizon in years.
    pub horizon: f64,
}

/// Risk of a lognormal position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LognormalRisk {
    /// Loss not exceeded at the confidence.
    pub var: f64,
    /// Mean loss beyond it.
    pub expected_shortfall: f64,
    /// Standard error of a Monte Carlo estimate of the VaR × the root of the number of paths.
    pub simulation_error: f64,
}

/// Computes the risk of a lognormal position in closed form.
///
/// # Errors
/// [`VarError::Confidence`].
pub fn lognormal(position: &LognormalPosition, confidence_bp: u32) -> Result<LognormalRisk, VarError> {
    let LognormalPosition { value, long, drift, volatility, horizon } = *position;
    let tail_bp = tail_bp(confidence_bp)?;
    let (z, tail) = (quantile(tail_bp), tail(tail_bp));
    let deviation = volatility * libm::sqrt(horizon);
    let centre = drift * horizon - 0.5 * deviation * deviation;
    // The quantile of X on the side of losses, and the mean of e^X beyond it.
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
