//! Solving for the nodes: sequentially where a node moves only its own segment, jointly
//! by Newton's method for a spline.
//!
//! Every swap solves `rate/f · Σ DF(T_i) + DF(T_n) = 1`. Knows no dates.

use super::bootstrap::{Bootstrap, Grid, Pillar, PillarKind};
use super::{Curve, CurveError, Interpolation};
use crate::math::exp;

/// Newton step after which the next is below the resolution of a double.
const STEP_TOLERANCE: f64 = 1e-9;

/// Iteration limit, above that of any curve.
const MAX_ITERATIONS: u32 = 50;

/// Scratch buffers, and data that does not depend on quotes.
#[derive(Clone, Debug, Default)]
pub(super) struct SolverWorkspace {
    /// Per grid: number of payments before the current node and the sum of their discount
    /// factors.
    annuities: Vec<(usize, f64)>,
    /// Per grid, for a cubic: the cardinal values of the nodes at each payment.
    weights: Vec<Vec<f64>>,
    /// Linear system, nodes × (nodes + 1): derivatives, then the residual.
    system: Vec<f64>,
    /// Per grid: Σ T·DF·weight over the payments so far.
    moments: Vec<f64>,
}

impl SolverWorkspace {
    pub(super) fn for_plan(curve: &Curve, pillars: &[Pillar], grids: &[Grid]) -> Self {
        let mut workspace = Self { annuities: vec![(0, 0.0); grids.len()], ..Self::default() };
        if curve.interpolation == Interpolation::NaturalCubicZero {
            let nodes = pillars.len();
            workspace.system = vec![0.0; nodes * (nodes + 1)];
            workspace.moments = vec![0.0; grids.len() * nodes];
            workspace.weights = grids.iter().map(|grid| weights(curve, &grid.times, nodes)).collect();
        }
        workspace
    }
}

/// Returns `∂ z(time) / ∂ z_node` for every time and node.
fn weights(curve: &Curve, times: &[f64], nodes: usize) -> Vec<f64> {
    let mut weights = vec![0.0; times.len() * nodes];
    for (row, time) in weights.chunks_exact_mut(nodes.max(1)).zip(times) {
        curve.sensitivities(*time, |node, by| row[node] = by / time);
    }
    weights
}

/// Returns the logarithm of a deposit's discount factor.
fn deposit(rate: f64, accrual: f64, quote: usize) -> Result<f64, CurveError> {
    let growth = rate * accrual;
    if growth > -1.0 && growth.is_finite() {
        Ok(-libm::log1p(growth))
    } else {
        Err(CurveError::QuoteOutOfRange(quote))
    }
}

impl Bootstrap {
    /// Solves log-linear discount factors or linear zeros node by node.
    pub(super) fn solve_sequentially(&mut self, rates: &[f64], curve: &mut Curve) -> Result<(), CurveError> {
        self.workspace.annuities.fill((0, 0.0));
        for node in 0..self.pillars.len() {
            let quote = self.pillars[node].quote;
            let rate = rates[quote];
            match self.pillars[node].kind {
                PillarKind::Deposit(accrual) => curve.set_node(node, deposit(rate, accrual, quote)?),
                PillarKind::Swap { grid, .. } => self.swap_node(node, grid, rate, curve)?,
            }
            if node == 0 {
                curve.complete();
            }
            self.discount_segment(node, curve);
        }
        Ok(())
    }

    /// Adds the payments of the segment that ends at `node` to the annuities.
    fn discount_segment(&mut self, node: usize, curve: &Curve) {
        let end = curve.times[node + 1];
        for (grid, (paid, annuity)) in self.grids.iter().zip(&mut self.workspace.annuities) {
            while let Some(time) = grid.times.get(*paid).filter(|time| **time <= end) {
                let log_df = segment_log_df(curve, node, curve.values[node + 1], *time).0;
                *annuity += exp(log_df);
                *paid += 1;
            }
        }
    }

    /// Solves the node of a swap after all nodes before it.
    fn swap_node(&self, node: usize, grid: usize, rate: f64, curve: &mut Curve) -> Result<(), CurveError> {
        let quote = self.pillars[node].quote;
        let (paid, annuity) = self.workspace.annuities[grid];
        let Grid { frequency, times } = &self.grids[grid];
        let coupon = rate / f64::from(*frequency);
        let end = curve.times[node + 1];
        let inner = &times[paid..];
        let inner = &inner[..inner.partition_point(|time| *time < end)];
        // Value of the remaining payments and the redemption.
        let target = 1.0 - coupon * annuity;
        if inner.is_empty() {
            let df = target / (1.0 + coupon);
            if !(df > 0.0 && df.is_finite()) {
                return Err(CurveError::QuoteOutOfRange(quote));
            }
            curve.set_node(node, libm::log(df));
            return Ok(());
        }
        let mut at = first_guess(curve, node, rate);
        for _ in 0..MAX_ITERATIONS {
            let (mut value, mut slope) = (0.0, 0.0);
            for time in inner.iter().chain([&end]) {
                let weight = if *time == end { 1.0 + coupon } else { coupon };
                let (log_df, by) = segment_log_df(curve, node, at, *time);
                let present = weight * exp(log_df);
                value += present;
                slope += by * present;
            }
            let step = (value - target) / slope;
            at -= step;
            if !at.is_finite() {
                break;
            }
            if libm::fabs(step) < STEP_TOLERANCE {
                curve.values[node + 1] = at;
                return Ok(());
            }
        }
        Err(CurveError::NotConverged)
    }

    /// Solves a natural cubic, where every node moves every payment.
    pub(super) fn solve_jointly(&mut self, rates: &[f64], curve: &mut Curve) -> Result<(), CurveError> {
        let nodes = self.pillars.len();
        for (node, pillar) in self.pillars.iter().enumerate() {
            let rate = rates[pillar.quote];
            match pillar.kind {
                PillarKind::Deposit(accrual) => {
                    curve.set_node(node, deposit(rate, accrual, pillar.quote)?);
                }
                PillarKind::Swap { .. } if rate.is_finite() && rate > -1.0 => {
                    curve.values[node + 1] = libm::log1p(rate);
                }
                PillarKind::Swap { .. } => return Err(CurveError::QuoteOutOfRange(pillar.quote)),
            }
        }
        for _ in 0..MAX_ITERATIONS {
            curve.complete();
            self.linearise(rates, curve);
            let largest = eliminate(&mut self.workspace.system, nodes).ok_or(CurveError::NotConverged)?;
            for node in 0..nodes {
                curve.values[node + 1] -= self.workspace.system[node * (nodes + 1) + nodes];
            }
            if largest < STEP_TOLERANCE {
                curve.complete();
                return Ok(());
            }
        }
        Err(CurveError::NotConverged)
    }

    /// Fills the system `J · step = residual` at the curve's nodes.
    fn linearise(&mut self, rates: &[f64], curve: &Curve) {
        let nodes = self.pillars.len();
        let SolverWorkspace { annuities, weights, system, moments } = &mut self.workspace;
        annuities.fill((0, 0.0));
        moments.fill(0.0);
        system.fill(0.0);
        for (node, pillar) in self.pillars.iter().enumerate() {
            let row = &mut system[node * (nodes + 1)..][..=nodes];
            let PillarKind::Swap { grid: at, payments } = pillar.kind else {
                row[node] = 1.0; // a deposit's node is fixed
                continue;
            };
            let grid = &self.grids[at];
            let coupon = rates[pillar.quote] / f64::from(grid.frequency);
            let (paid, annuity) = &mut annuities[at];
            let moments = &mut moments[at * nodes..][..nodes];
            let mut last = (0.0, 1.0);
            for payment in *paid..payments {
                let time = grid.times[payment];
                let df = curve.df(time);
                last = (time, df);
                *annuity += df;
                for (moment, weight) in moments.iter_mut().zip(&weights[at][payment * nodes..]) {
                    *moment += time * df * weight;
                }
            }
            *paid = payments;
            // The last payment is the node itself: its own weight is one.
            let (time, df) = last;
            for (entry, moment) in row.iter_mut().zip(moments.iter()) {
                *entry = -coupon * moment;
            }
            row[node] -= time * df;
            row[nodes] = coupon * *annuity + df - 1.0;
        }
    }
}

/// Returns the logarithm of the discount factor in the segment that ends at `node` with
/// value `at`, and its derivative by `at`.
fn segment_log_df(curve: &Curve, node: usize, at: f64, time: f64) -> (f64, f64) {
    let (start, end) = (curve.times[node], curve.times[node + 1]);
    let share = (time - start) / (end - start);
    let from = curve.values[node];
    match curve.interpolation {
        Interpolation::LoglinearDf => (from + (at - from) * share, share),
        // Flat before the first node.
        _ if node == 0 => (-time * at, -time),
        _ => (-time * (from + (at - from) * share), -time * share),
    }
}

/// Returns a node's value for a zero rate equal to the swap's rate.
fn first_guess(curve: &Curve, node: usize, rate: f64) -> f64 {
    let zero = libm::log1p(rate.max(-0.5));
    match curve.interpolation {
        Interpolation::LoglinearDf => -zero * curve.times[node + 1],
        _ => zero,
    }
}

/// Solves `nodes` equations in place by Gaussian elimination with partial pivoting, the
/// solution in the last column. Returns its largest entry; `None` for a singular system.
fn eliminate(system: &mut [f64], nodes: usize) -> Option<f64> {
    let width = nodes + 1;
    for column in 0..nodes {
        let size = |row: usize, system: &[f64]| libm::fabs(system[row * width + column]);
        let mut best = column;
        for row in column + 1..nodes {
            if size(row, system) > size(best, system) {
                best = row;
            }
        }
        let pivot = system[best * width + column];
        if pivot == 0.0 || !pivot.is_finite() {
            return None;
        }
        if best != column {
            for at in 0..width {
                system.swap(best * width + at, column * width + at);
            }
        }
        let (upper, lower) = system.split_at_mut((column + 1) * width);
        let top = &upper[column * width..];
        for row in lower.chunks_exact_mut(width) {
            let factor = row[column] / pivot;
            if factor != 0.0 {
                for (entry, above) in row[column..].iter_mut().zip(&top[column..]) {
                    *entry -= factor * above;
                }
            }
        }
    }
    let mut largest: f64 = 0.0;
    for row in (0..nodes).rev() {
        let mut sum = system[row * width + nodes];
        for column in row + 1..nodes {
            sum -= system[row * width + column] * system[column * width + nodes];
        }
        let step = sum / system[row * width + row];
        system[row * width + nodes] = step;
        largest = largest.max(libm::fabs(step));
    }
    largest.is_finite().then_some(largest)
}
