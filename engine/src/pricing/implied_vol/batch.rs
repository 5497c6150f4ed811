//! Implied volatilities of a column of prices, eight at a time.
//!
//! Allocates nothing; says "none" by NaN and leaves the reason to
//! [`super::implied_vol`].

use super::kernel::{self, Problem, State};
use crate::math::{Block, LANES, exp};

/// Prices to be explained, a column each, all of one length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
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
    /// What the option costs today.
    pub price: Vec<f64>,
}

/// How exact the volatilities shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accuracy {
    /// As exact as the price.
    Full,
    /// About 1e-10: one step less for most prices.
    Marking,
}

/// A volatility for each price into `vols`; NaN where there is none.
pub fn implied_vols(prices: &Prices, accuracy: Accuracy, vols: &mut [f64]) {
    let (years, rate, div_yield) = (&prices.years, &prices.rate, &prices.div_yield);
    run(prices.price.len(), accuracy, vols, |row| Problem {
        call: prices.sign[row] > 0.0,
        asset: prices.spot[row] * exp(-div_yield[row] * years[row]),
        cash: prices.strike[row] * exp(-rate[row] * years[row]),
        years: years[row],
        price: prices.price[row],
    });
}

/// As [`implied_vols`] for undiscounted prices on forwards: `spot` holds the
/// forwards, the rates are not looked at.
pub fn implied_vols_of_forwards(prices: &Prices, accuracy: Accuracy, vols: &mut [f64]) {
    run(prices.price.len(), accuracy, vols, |row| Problem {
        call: prices.sign[row] > 0.0,
        asset: prices.spot[row],
        cash: prices.strike[row],
        years: prices.years[row],
        price: prices.price[row],
    });
}

#[inline(always)]
fn run(rows: usize, accuracy: Accuracy, vols: &mut [f64], problem: impl Fn(usize) -> Problem) {
    let enough = match accuracy {
        Accuracy::Full => kernel::FULL,
        Accuracy::Marking => kernel::MARKING,
    };
    let rows = rows.min(vols.len());
    let mut at = 0;
    while at < rows {
        let count = LANES.min(rows - at);
        // The last row fills what a short block lacks.
        let problems: [Problem; LANES] = std::array::from_fn(|i| problem(at + i.min(count - 1)));
        let solved = solve(&problems, enough);
        vols[at..at + count].copy_from_slice(&solved[..count]);
        at += LANES;
    }
}

/// Steps all lanes together until each has settled.
#[inline(always)]
fn solve(problems: &[Problem; LANES], enough: f64) -> Block {
    let mut states = [State::default(); LANES];
    let mut deviations = [0.0; LANES];
    for i in 0..LANES {
        states[i] = problems[i].start();
        deviations[i] = states[i].guess;
    }
    let refused: [bool; LANES] = std::array::from_fn(|i| problems[i].refusal().is_some());
    let mut sizes = [0.0; LANES];
    for _ in 0..kernel::MAX_STEPS {
        for i in 0..LANES {
            (deviations[i], sizes[i]) = states[i].step(deviations[i]);
        }
        if (0..LANES).all(|i| sizes[i] <= enough || refused[i]) {
            break;
        }
    }
    std::array::from_fn(|i| {
        let settled = sizes[i] <= enough && !refused[i];
        if settled { states[i].vol(deviations[i]) } else { f64::NAN }
    })
}
