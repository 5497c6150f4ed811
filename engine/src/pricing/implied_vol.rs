//! Implied volatility of option prices.
//!
//! After P. Jäckel, "Let's Be Rational" (2015): the problem is reduced to an
//! out-of-the-money option, guessed by rational functions, and solved by Householder's
//! method of fourth order on the logarithm of the price, or of its distance from the
//! maximum. The result is as precise as the price.
//!
//! Knows no surface: one price, one volatility.

pub mod batch;
mod kernel;

use super::european::Vanilla;
use crate::instrument::OptionRight;
use crate::math::exp;
use kernel::InverseProblem;

/// Reason why a price has no implied volatility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImpliedVolError {
    /// A price below the intrinsic value of the forward.
    #[error("the price is below the intrinsic value")]
    BelowIntrinsic,
    /// A price at or above its maximum: the discounted forward for a call, the discounted
    /// strike for a put.
    #[error("the price is at or above its maximum")]
    AboveMaximum,
    /// An input that is NaN, infinite, or not positive where required.
    #[error("an input is no admissible number")]
    Invalid,
    /// The search did not converge.
    #[error("the volatility was not found")]
    NotConverged,
}

/// Spot, rate and yield of an option.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpotCarry {
    /// Price of the underlier.
    pub spot: f64,
    /// Continuously compounded.
    pub rate: f64,
    /// Continuously compounded.
    pub div_yield: f64,
}

/// Returns the volatility of an option on a spot from its present price.
///
/// # Errors
/// [`ImpliedVolError`].
pub fn implied_vol(terms: &Vanilla, carry: &SpotCarry, price: f64) -> Result<f64, ImpliedVolError> {
    let years = terms.years;
    let asset = carry.spot * exp(-carry.div_yield * years);
    let cash = terms.strike * exp(-carry.rate * years);
    let valid = carry.spot > 0.0 && terms.strike > 0.0 && carry.rate.is_finite();
    if !valid || !carry.div_yield.is_finite() {
        return Err(ImpliedVolError::Invalid);
    }
    let problem = InverseProblem { call: terms.right == OptionRight::Call, asset, cash, years, price };
    solve(&problem)
}

/// Returns the volatility of an option on a forward from its undiscounted price.
///
/// # Errors
/// [`ImpliedVolError`].
pub fn implied_vol_of_forward(terms: &Vanilla, forward: f64, price: f64) -> Result<f64, ImpliedVolError> {
    let call = terms.right == OptionRight::Call;
    solve(&InverseProblem { call, asset: forward, cash: terms.strike, years: terms.years, price })
}

fn solve(problem: &InverseProblem) -> Result<f64, ImpliedVolError> {
    if let Some(error) = problem.refusal() {
        return Err(error);
    }
    let state = problem.start();
    let mut deviation = if state.is_far() { state.far_guess() } else { state.guess };
    for _ in 0..kernel::MAX_STEPS {
        let (next, change) = state.step(deviation);
        deviation = next;
        if change <= kernel::FULL_TOLERANCE {
            return Ok(deviation / problem.years.sqrt());
        }
    }
    Err(ImpliedVolError::NotConverged)
}
