//! Implied volatilities of columns of prices, eight at a time.
//!
//! Allocates nothing; a missing volatility is NaN, [`super::implied_vol`] returns the
//! reason.

use super::kernel::{self, InverseProblem, NormalForm};
use crate::math::{Block, LANES, exp, load, store};

/// Prices and inputs of options, in columns of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PriceColumns {
    /// +1 for a call, −1 for a put.
    pub sign: Vec<f64>,
    /// Price of the underlier.
    pub spot: Vec<f64>,
    /// In the underlier's price unit.
    pub strike: Vec<f64>,
    /// Years to expiry.
    pub years: Vec<f64>,
    /// Continuously compounded.
    pub rate: Vec<f64>,
    /// Continuously compounded; equal to `rate` for an option on a future.
    pub div_yield: Vec<f64>,
    /// Present price of the option.
    pub price: Vec<f64>,
}

/// Accuracy of the volatilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accuracy {
    /// As precise as the price.
    Full,
    /// About 1e-10, with one step less for most prices.
    Marking,
}

/// Eight problems: a block per field of [`InverseProblem`].
struct ProblemBlock {
    sign: Block,
    asset: Block,
    cash: Block,
    years: Block,
    price: Block,
}

impl ProblemBlock {
    #[inline(always)]
    fn lane(&self, i: usize) -> InverseProblem {
        InverseProblem {
            call: self.sign[i] > 0.0,
            asset: self.asset[i],
            cash: self.cash[i],
            years: self.years[i],
            price: self.price[i],
        }
    }
}

/// Writes the volatility of each price to `vols`, NaN if there is none.
pub fn implied_vols(prices: &PriceColumns, accuracy: Accuracy, vols: &mut [f64]) {
    run(prices, accuracy, vols, |at| {
        let mut problems = undiscounted(prices, at);
        let (rate, div_yield) = (load(&prices.rate, at), load(&prices.div_yield, at));
        for i in 0..LANES {
            problems.asset[i] *= exp(-div_yield[i] * problems.years[i]);
            problems.cash[i] *= exp(-rate[i] * problems.years[i]);
        }
        problems
    });
}

/// As [`implied_vols`] for undiscounted prices on forwards: `spot` holds the forwards, the
/// rates are ignored.
pub fn implied_vols_of_forwards(prices: &PriceColumns, accuracy: Accuracy, vols: &mut [f64]) {
    run(prices, accuracy, vols, |at| undiscounted(prices, at));
}

#[inline(always)]
fn undiscounted(prices: &PriceColumns, at: usize) -> ProblemBlock {
    ProblemBlock {
        sign: load(&prices.sign, at),
        asset: load(&prices.spot, at),
        cash: load(&prices.strike, at),
        years: load(&prices.years, at),
        price: load(&prices.price, at),
    }
}

#[inline(always)]
fn run(
    prices: &PriceColumns,
    accuracy: Accuracy,
    vols: &mut [f64],
    problems: impl Fn(usize) -> ProblemBlock,
) {
    let tolerance = match accuracy {
        Accuracy::Full => kernel::FULL_TOLERANCE,
        Accuracy::Marking => kernel::MARKING_TOLERANCE,
    };
    for at in (0..prices.price.len().min(vols.len())).step_by(LANES) {
        store(vols, at, &solve(&problems(at), tolerance));
    }
}

/// Steps all lanes together until each has converged.
#[inline(always)]
fn solve(problems: &ProblemBlock, tolerance: f64) -> Block {
    let [mut moneyness, mut target, mut upper, mut deviation, mut admissible] = [[0.0; LANES]; 5];
    for i in 0..LANES {
        let problem = problems.lane(i);
        let state = problem.start();
        moneyness[i] = state.moneyness;
        target[i] = state.target;
        upper[i] = if state.upper { 1.0 } else { 0.0 };
        deviation[i] = state.guess;
        admissible[i] = if problem.is_admissible() { 1.0 } else { 0.0 };
    }
    for i in 0..LANES {
        let state =
            NormalForm { moneyness: moneyness[i], target: target[i], upper: upper[i] > 0.5, guess: 0.0 };
        if state.is_far() {
            deviation[i] = state.far_guess();
        }
    }
    let mut pending = admissible;
    for _ in 0..kernel::MAX_STEPS {
        for i in 0..LANES {
            let state =
                NormalForm { moneyness: moneyness[i], target: target[i], upper: upper[i] > 0.5, guess: 0.0 };
            let (next, size) = state.step(deviation[i]);
            deviation[i] = next;
            pending[i] = if size <= tolerance { 0.0 } else { admissible[i] };
        }
        if pending.iter().sum::<f64>() == 0.0 {
            break;
        }
    }
    let mut vols = [0.0; LANES];
    for i in 0..LANES {
        let converged = admissible[i] > pending[i];
        vols[i] = if converged { deviation[i] / problems.years[i].sqrt() } else { f64::NAN };
    }
    vols
}
