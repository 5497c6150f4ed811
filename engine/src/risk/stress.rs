//! Stress by full revaluation: every line is priced in every cell, without Greeks.
//!
//! Knows no limits and no margin.

use super::book::{RiskBook, RiskError, Scenario, Workspace};
use super::plan::RevaluationPlan;

/// Axes of a stress grid; a cell is one move per axis.
#[derive(Clone, Debug, PartialEq)]
pub struct StressGrid {
    /// Relative moves of all spots.
    pub spots: Vec<f64>,
    /// Volatility points added (0.05 is 5 points).
    pub vols: Vec<f64>,
    /// Rates added (1 bp is 0.0001).
    pub rates: Vec<f64>,
    /// Days passed.
    pub days: Vec<i32>,
}

impl StressGrid {
    /// Returns the number of cells.
    pub fn len(&self) -> usize {
        self.spots.len() * self.vols.len() * self.rates.len() * self.days.len()
    }

    /// Returns true if an axis is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the cells, spots varying slowest and days fastest.
    pub fn cells(&self) -> impl Iterator<Item = Scenario> {
        self.spots.iter().flat_map(move |spot| {
            self.vols.iter().flat_map(move |vol| {
                self.rates.iter().flat_map(move |rate| {
                    let (spot, vol, rate) = (*spot, *vol, *rate);
                    self.days.iter().map(move |days| Scenario { spot, vol, rate, days: *days })
                })
            })
        })
    }
}

/// Writes the gain of every line under `scenario`: stressed less base value. `base` holds
/// [`RiskBook::values`] without a scenario.
///
/// # Errors
/// [`RiskError`].
pub fn profit(
    book: &RiskBook,
    base: &[f64],
    scenario: &Scenario,
    workspace: &mut Workspace,
    profit: &mut [f64],
) -> Result<(), RiskError> {
    if base.len() != book.lines.len() {
        return Err(RiskError::Length);
    }
    book.values(scenario, workspace, profit)?;
    for (profit, base) in profit.iter_mut().zip(base) {
        *profit -= base;
    }
    Ok(())
}

/// Writes the gain of the whole book in every cell of `grid`, in the order of
/// [`StressGrid::cells`]; allocates nothing.
///
/// # Errors
/// [`RiskError`]; [`RiskError::Length`] unless there is one total per cell.
pub fn grid(plan: &mut RevaluationPlan, grid: &StressGrid, totals: &mut [f64]) -> Result<(), RiskError> {
    if totals.len() != grid.len() {
        return Err(RiskError::Length);
    }
    let base = plan.total(&Scenario::default())?;
    for (total, cell) in totals.iter_mut().zip(grid.cells()) {
        *total = plan.total(&cell)? - base;
    }
    Ok(())
}
