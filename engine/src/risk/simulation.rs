//! Monte Carlo over the same factors as the parametric figures, with any P&L:
//! linear, by Greeks, or by full revaluation.
//!
//! Draws nothing itself: standard normals are passed in.

use super::normal_var::NormalFactors;
use super::var::VarError;
use crate::sim::processes::{cholesky, correlate};

/// Fills `pnl` with one simulated P&L a path: factor moves
/// `h μ + √h L z` from `normal`'s draws, handed to `gain`. The result goes to
/// [`super::var::historical`]. `exposures` of the factors are not read.
///
/// # Errors
/// [`VarError::Factors`] when the covariances have no factor.
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
