//! The exercise boundary of an American put on one unit of strike, by the
//! fixed point of L. Andersen, M. Lake and D. Offengenden, "High Performance American
//! Option Pricing" (2016), their equation system A (smooth pasting), which determines the
//! boundary more precisely than value matching.
//!
//! B(τ) = N/D with
//! N = e^(−rτ) φ(d₋)/(σ√τ) + r ∫ e^(−rt) φ(d₋(t, B(τ)/B(u)))/(σ√t) du,
//! D = e^(−qτ) (Φ(d₊) + φ(d₊)/(σ√τ)) + q ∫ e^(−qt) (Φ(d₊) + φ(d₊)/(σ√t)) du,
//! t = τ − u, all of them times to expiry. The square of ln(B/X), X the
//! boundary at expiry, is interpolated in √τ. Their fixed-point steps diverge
//! where (r − q)√T is large against σ; Newton's method on all nodes together
//! does not, and takes a third of the steps elsewhere.

use super::rule::QuadratureRule;
use crate::math::{INVERSE_ROOT_TWO_PI, LANES, exp, ln, mills_ratio};

/// Inputs of the boundary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dynamics {
    /// Rate earned by the strike: positive, or 0 with a negative `div_yield`.
    pub(super) rate: f64,
    /// Rate earned by the underlier.
    pub(super) div_yield: f64,
    pub(super) vol: f64,
    pub(super) years: f64,
}

/// Termination of Newton's method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SolverLimits {
    pub(super) max_steps: u32,
    /// Change of ln B that counts as convergence.
    pub(super) tolerance: f64,
}

/// Boundary with its workspace, reused for any number of options.
#[derive(Debug)]
pub(super) struct Boundary {
    pub(super) rule: &'static QuadratureRule,
    /// ln² (B/X) at the nodes.
    pub(super) heights: Vec<f64>,
    /// ln X
    pub(super) log_start: f64,
    log_values: Vec<f64>,
    /// By node and point: rate terms, yield terms, σ√t, and ln X − ln B(u).
    rate_terms: Vec<f64>,
    yield_terms: Vec<f64>,
    deviations: Vec<f64>,
    depths: Vec<f64>,
    /// Newton's equations and their components.
    jacobian: Vec<f64>,
    residuals: Vec<f64>,
    changes: Vec<f64>,
    over_slopes: Vec<f64>,
    under_slopes: Vec<f64>,
    /// Per parameter: derivative of ln X, and half the derivative of the heights.
    start_slopes: [f64; PARAMETERS],
    leans: [Vec<f64>; PARAMETERS],
    /// Copy of the jacobian, which solving overwrites.
    matrix: Vec<f64>,
}

/// Parameters of differentiation: volatility, the strike's rate, the underlier's rate.
pub(super) const PARAMETERS: usize = 3;

/// Returns φ(d) and Φ(d).
#[inline(always)]
pub(super) fn density_and_mass(d: f64) -> (f64, f64) {
    let density = INVERSE_ROOT_TWO_PI * exp(-0.5 * (d * d));
    let tail = density * mills_ratio(d.abs());
    (density, if d > 0.0 { 1.0 - tail } else { tail })
}

impl Boundary {
    pub(super) fn new(rule: &'static QuadratureRule) -> Self {
        let (nodes, points) = (rule.roots.len(), rule.points.len());
        let table = || vec![0.0; nodes * points];
        Self {
            rule,
            heights: vec![0.0; nodes],
            log_start: 0.0,
            log_values: vec![0.0; nodes],
            rate_terms: table(),
            yield_terms: table(),
            deviations: table(),
            depths: table(),
            jacobian: vec![0.0; nodes * nodes],
            residuals: vec![0.0; nodes],
            changes: vec![0.0; nodes],
            over_slopes: vec![0.0; points],
            under_slopes: vec![0.0; points],
            start_slopes: [0.0; PARAMETERS],
            leans: std::array::from_fn(|_| vec![0.0; nodes]),
            matrix: vec![0.0; nodes * nodes],
        }
    }

    /// Returns ln B today.
    pub(super) fn log_now(&self) -> f64 {
        self.log_values.last().copied().unwrap_or(0.0)
    }

    /// Returns ln B at √(u/T) = `root`.
    pub(super) fn log_at(&self, root: f64) -> f64 {
        let height = self.rule.interpolate(&self.heights, root);
        self.log_start - if height > 0.0 { height } else { 0.0 }.sqrt()
    }

    /// Returns the derivatives of ln B at √(u/T) = `root` in each parameter, after
    /// [`Boundary::differentiate`].
    pub(super) fn log_slopes_at(&self, root: f64) -> [f64; PARAMETERS] {
        let height = self.rule.interpolate(&self.heights, root);
        std::array::from_fn(|parameter| {
            let lean = self.rule.interpolate(&self.leans[parameter], root);
            let deepening = if height > MIN_DEPTH * MIN_DEPTH { lean / height.sqrt() } else { 0.0 };
            self.start_slopes[parameter] - deepening
        })
    }

    /// Solves for the boundary; returns the number of steps.
    pub(super) fn solve(&mut self, dynamics: &Dynamics, limits: SolverLimits) -> u32 {
        self.prepare(dynamics);
        self.guess(dynamics);
        self.update_heights();
        let mut best_residual = f64::INFINITY;
        for step in 1..=limits.max_steps {
            let change = self.step(dynamics, &mut best_residual);
            self.update_heights();
            if change <= limits.tolerance {
                return step;
            }
        }
        limits.max_steps
    }

    /// Computes the terms that are constant over the steps.
    fn prepare(&mut self, dynamics: &Dynamics) {
        let Dynamics { rate, div_yield, vol, years } = *dynamics;
        self.log_start = if rate < div_yield { ln(rate / div_yield) } else { 0.0 };
        let points = &self.rule.points;
        for (i, root) in self.rule.roots.iter().enumerate() {
            let tau = years * root * root;
            let deviation = vol * tau.sqrt();
            let row = i * points.len()..(i + 1) * points.len();
            let rows = self.rate_terms[row.clone()]
                .iter_mut()
                .zip(&mut self.yield_terms[row.clone()])
                .zip(&mut self.deviations[row]);
            for (point, ((rate_term, yield_term), out)) in points.iter().zip(rows) {
                let t = tau * point.cosine * point.cosine;
                let weight = tau * point.weight;
                *rate_term = rate * weight * exp(-rate * t);
                *yield_term = div_yield * weight * exp(-div_yield * t);
                *out = deviation * point.cosine;
            }
        }
    }

    /// Sets the first guess: Bjerksund and Stensland's curve (1993) between the boundary at
    /// expiry and the perpetual option's.
    fn guess(&mut self, dynamics: &Dynamics) {
        let Dynamics { rate, div_yield, vol, years } = *dynamics;
        let variance = vol * vol;
        // β of the symmetric call, with rate q and yield r.
        let carry = div_yield - rate;
        let b = carry / variance - 0.5;
        let beta = -b + (b * b + 2.0 * div_yield / variance).sqrt();
        let perpetual = beta / (beta - 1.0);
        let start = exp(-self.log_start);
        // A perpetual option that is never exercised has no boundary.
        let gap = (perpetual - start).clamp(1e-9 * start, 1e6 * start);
        for (value, root) in self.log_values.iter_mut().zip(&self.rule.roots) {
            let tau = years * root * root;
            let drift = (carry * tau + 2.0 * vol * tau.sqrt()).max(vol * tau.sqrt());
            let decay = exp(-drift * start / gap);
            let guess = -ln(start + gap * (1.0 - decay));
            *value = guess.min(self.log_start - 0.1 * vol * tau.sqrt());
        }
    }

    /// Computes heights from logarithms, and the boundary between its nodes.
    fn update_heights(&mut self) {
        for (height, log_value) in self.heights.iter_mut().zip(&self.log_values) {
            let below = self.log_start - log_value;
            *height = below * below;
        }
        let (nodes, points) = (self.heights.len(), self.rule.points.len());
        for i in 0..nodes {
            let row = &mut self.depths[i * points..(i + 1) * points];
            row.fill(0.0);
            for (n, height) in self.heights.iter().enumerate() {
                let at = (i * nodes + n) * points;
                for (sum, share) in row.iter_mut().zip(&self.rule.interpolation[at..at + points]) {
                    *sum += share * height;
                }
            }
            for value in row {
                let height = if *value > 1e-300 { *value } else { 1e-300 };
                *value = height.sqrt();
            }
        }
    }

    /// Takes a Newton step at all nodes; returns the largest change of ln B. A previous step
    /// that increased the residual is first reduced to a quarter.
    fn step(&mut self, dynamics: &Dynamics, best_residual: &mut f64) -> f64 {
        let nodes = self.log_values.len();
        for _ in 0..MAX_RETREATS {
            for i in 0..nodes {
                self.row(i, dynamics);
            }
            let residual = self.residuals.iter().fold(0.0_f64, |largest, r| largest.max(r.abs()));
            if residual <= *best_residual {
                *best_residual = residual;
                break;
            }
            for (log_value, change) in self.log_values.iter_mut().zip(&mut self.changes) {
                *log_value -= 0.75 * *change;
                *change *= 0.25;
            }
            self.update_heights();
        }
        self.changes.copy_from_slice(&self.residuals);
        solve_in_place(&mut self.jacobian, &mut self.changes);
        let mut largest = 0.0_f64;
        for (log_value, change) in self.log_values.iter_mut().zip(&mut self.changes) {
            // Below the boundary at expiry, by limited steps.
            let most = (0.7 * (self.log_start - *log_value)).min(MAX_LOG_STEP);
            *change = change.clamp(-MAX_LOG_STEP, most);
            *log_value += *change;
            largest = largest.max(change.abs());
        }
        largest
    }

    /// Computes node `i`'s residual ln(N/D) − ln B, and its negated derivatives in all nodes'
    /// ln B.
    fn row(&mut self, i: usize, dynamics: &Dynamics) {
        let Dynamics { rate, div_yield, vol, years } = *dynamics;
        let (plus, minus) = ((rate - div_yield) / vol + 0.5 * vol, (rate - div_yield) / vol - 0.5 * vol);
        let (nodes, points) = (self.log_values.len(), self.rule.points.len());
        let row = i * points..(i + 1) * points;
        let (rates, yields) = (&self.rate_terms[row.clone()], &self.yield_terms[row.clone()]);
        let (deviations, depths) = (&self.deviations[row.clone()], &self.depths[row]);
        let tau = years * self.rule.roots[i] * self.rule.roots[i];
        let root_tau = tau.sqrt();
        let per_vol = 1.0 / vol;
        let log_value = self.log_values[i];
        let depth = self.log_start - log_value;

        // Sums of N and D and of their derivatives in ln B(τ) − ln B(u).
        let [mut over, mut under] = [[0.0; LANES]; 2];
        let starts = (0..points).step_by(LANES);
        for at in starts.clone() {
            for l in 0..LANES {
                let p = at + l;
                let inverse = 1.0 / deviations[p];
                let reach = (depths[p] - depth) * inverse;
                let time = deviations[p] * per_vol;
                let d2 = reach + minus * time;
                let (density, _) = density_and_mass(d2);
                let money = rates[p] * density * inverse;
                over[l] += money;
                self.over_slopes[p] = -money * d2 * inverse;
                let d1 = reach + plus * time;
                let (density, mass) = density_and_mass(d1);
                let asset = yields[p] * density * inverse;
                under[l] += yields[p] * mass + asset;
                self.under_slopes[p] = asset * (1.0 - d1 * inverse);
            }
        }
        let inverse = 1.0 / (vol * root_tau);
        let d2 = log_value * inverse + minus * root_tau;
        let (density, _) = density_and_mass(d2);
        let money = exp(-rate * tau) * density * inverse;
        let d1 = log_value * inverse + plus * root_tau;
        let (density, mass) = density_and_mass(d1);
        let kept = exp(-div_yield * tau);
        let asset = kept * density * inverse;
        let over = money + over.iter().sum::<f64>();
        let under = kept * mass + asset + under.iter().sum::<f64>();
        self.residuals[i] = ln(over / under) - log_value;

        let (per_over, per_under) = (1.0 / over, 1.0 / under);
        let mut own = [0.0; LANES];
        for at in starts.clone() {
            for (lane, own) in own.iter_mut().enumerate() {
                let p = at + lane;
                let slope = self.over_slopes[p] * per_over - self.under_slopes[p] * per_under;
                *own += slope;
                self.over_slopes[p] = if depths[p] > MIN_DEPTH { slope / depths[p] } else { 0.0 };
            }
        }
        for n in 0..nodes {
            let shares = &self.rule.interpolation[(i * nodes + n) * points..][..points];
            let mut sum = [0.0; LANES];
            for at in starts.clone() {
                for l in 0..LANES {
                    sum[l] += self.over_slopes[at + l] * shares[at + l];
                }
            }
            // ln B(u) = ln X − √h(u) moves with h at node n.
            let depth = self.log_start - self.log_values[n];
            self.jacobian[i * nodes + n] = depth * sum.iter().sum::<f64>();
        }
        let first = -money * d2 * inverse * per_over - asset * (1.0 - d1 * inverse) * per_under;
        self.jacobian[i * nodes + i] += 1.0 - first - own.iter().sum::<f64>();
    }
}

impl Boundary {
    /// Differentiates the solved boundary in each parameter.
    ///
    /// The residuals stay 0 while a parameter moves, which is a linear system in the depths
    /// ln X − ln B with Newton's matrix.
    pub(super) fn differentiate(&mut self, dynamics: &Dynamics) {
        let Dynamics { rate, div_yield, .. } = *dynamics;
        self.start_slopes =
            if rate < div_yield { [0.0, 1.0 / rate, -1.0 / div_yield] } else { [0.0; PARAMETERS] };
        let nodes = self.log_values.len();
        for i in 0..nodes {
            self.row(i, dynamics);
            let slopes = self.residual_slopes(i, dynamics);
            for (lean, slope) in self.leans.iter_mut().zip(slopes) {
                lean[i] = -slope;
            }
        }
        self.matrix.copy_from_slice(&self.jacobian);
        for lean in &mut self.leans {
            self.jacobian.copy_from_slice(&self.matrix);
            solve_in_place(&mut self.jacobian, lean);
            for (lean, log_value) in lean.iter_mut().zip(&self.log_values) {
                *lean *= self.log_start - log_value;
            }
        }
    }

    /// Returns the derivatives of node `i`'s residual ln(N/D) − ln B in each parameter at
    /// constant depths. ∂d±/∂σ is −d∓/σ, and ∂d/∂r = −∂d/∂q is √t/σ.
    fn residual_slopes(&self, i: usize, dynamics: &Dynamics) -> [f64; PARAMETERS] {
        let Dynamics { rate, div_yield, vol, years } = *dynamics;
        let (plus, minus) = ((rate - div_yield) / vol + 0.5 * vol, (rate - div_yield) / vol - 0.5 * vol);
        let points = self.rule.points.len();
        let tau = years * self.rule.roots[i] * self.rule.roots[i];
        let depth = self.log_start - self.log_values[i];
        let per_vol = 1.0 / vol;
        let (mut over, mut under) = (0.0, 0.0);
        let ([mut over_slopes, mut under_slopes], [x_rate, x_yield]) =
            ([[0.0; PARAMETERS]; 2], [self.start_slopes[1], self.start_slopes[2]]);
        // The last term is outside the integrals: it has its own weight, and its distance
        // moves with X.
        for p in 0..=points {
            let outside = p == points;
            let (root, reach) = if outside {
                (tau.sqrt(), self.log_values[i] / (vol * tau.sqrt()))
            } else {
                let deviation = self.deviations[i * points + p];
                (deviation * per_vol, (self.depths[i * points + p] - depth) / deviation)
            };
            let (t, inverse) = (root * root, 1.0 / (vol * root));
            let (d1, d2) = (reach + plus * root, reach + minus * root);
            let (density2, _) = density_and_mass(d2);
            let (density1, mass) = density_and_mass(d1);
            let (money, asset) = (exp(-rate * t), exp(-div_yield * t));
            // Weights of N and D, and their derivatives in their own rate.
            let weight = if outside { 1.0 } else { tau * self.rule.points[p].weight };
            let ([own_money, own_asset], [more_money, more_asset]) = if outside {
                ([money, asset], [-t * money, -t * asset])
            } else {
                let (money, asset) = (weight * money, weight * asset);
                ([rate * money, div_yield * asset], [(1.0 - rate * t) * money, (1.0 - div_yield * t) * asset])
            };
            let (bend, lift) = (density2 * inverse, density1 * inverse);
            let held = mass + lift;
            over += own_money * bend;
            under += own_asset * held;
            over_slopes[0] += own_money * bend * (d1 * d2 - 1.0) * per_vol;
            under_slopes[0] += own_asset * (lift * (d1 * d2 - 1.0) - density1 * d2) * per_vol;
            let tilt = -own_money * bend * d2;
            let turn = own_asset * (density1 - lift * d1);
            let step = root * per_vol;
            let (by_rate, by_yield) =
                if outside { (step + inverse * x_rate, inverse * x_yield - step) } else { (step, -step) };
            over_slopes[1] += more_money * bend + tilt * by_rate;
            under_slopes[1] += turn * by_rate;
            over_slopes[2] += tilt * by_yield;
            under_slopes[2] += more_asset * held + turn * by_yield;
        }
        std::array::from_fn(|k| over_slopes[k] / over - under_slopes[k] / under - self.start_slopes[k])
    }
}

/// Maximum step in ln B.
const MAX_LOG_STEP: f64 = 0.7;
/// Depth below which the interpolant counts as the boundary at expiry.
const MIN_DEPTH: f64 = 1e-9;
/// Maximum number of reductions of a step.
const MAX_RETREATS: u32 = 6;

/// Solves the square system in place by Gaussian elimination with partial pivoting; `right`
/// becomes the solution, not finite for a singular matrix.
fn solve_in_place(matrix: &mut [f64], right: &mut [f64]) {
    let n = right.len();
    for k in 0..n {
        let larger = |a: usize, b: usize| matrix[b * n + k].abs() > matrix[a * n + k].abs();
        let pivot = (k + 1..n).fold(k, |best, i| if larger(best, i) { i } else { best });
        if pivot != k {
            for j in k..n {
                matrix.swap(k * n + j, pivot * n + j);
            }
            right.swap(k, pivot);
        }
        let (above, below) = matrix.split_at_mut((k + 1) * n);
        let leading = &above[k * n..];
        for (i, row) in below.chunks_exact_mut(n).enumerate() {
            let factor = row[k] / leading[k];
            for (value, lead) in row[k..].iter_mut().zip(&leading[k..]) {
                *value -= factor * lead;
            }
            right[k + 1 + i] -= factor * right[k];
        }
    }
    for k in (0..n).rev() {
        let known: f64 = (k + 1..n).map(|j| matrix[k * n + j] * right[j]).sum();
        right[k] = (right[k] - known) / matrix[k * n + k];
    }
}
