//! The exercise boundary of an American put on one unit of strike, by the
//! fixed point of L. Andersen, M. Lake and D. Offengenden, "High Performance
//! American Option Pricing" (2016), their equation system A (smooth pasting),
//! which tells the boundary much better than the value does.
//!
//! B(τ) = N/D with
//! N = e^(−rτ) φ(d₋)/(σ√τ) + r ∫ e^(−rt) φ(d₋(t, B(τ)/B(u)))/(σ√t) du,
//! D = e^(−qτ) (Φ(d₊) + φ(d₊)/(σ√τ)) + q ∫ e^(−qt) (Φ(d₊) + φ(d₊)/(σ√t)) du,
//! t = τ − u, all of them times to expiry. The square of ln(B/X), X the
//! boundary at expiry, is interpolated in √τ.

use super::rule::Rule;
use crate::math::{INVERSE_ROOT_TWO_PI, exp, ln, mills_ratio};

/// What the boundary depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dynamics {
    /// What the strike earns; positive.
    pub(super) rate: f64,
    /// What the underlier earns; not negative.
    pub(super) div_yield: f64,
    pub(super) vol: f64,
    pub(super) years: f64,
}

/// How long the fixed point is sought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Patience {
    pub(super) steps: u32,
    /// The largest change of ln B that counts as none.
    pub(super) enough: f64,
}

/// Room for a boundary; made once, used for any number of options.
#[derive(Debug)]
pub(super) struct Boundary {
    pub(super) rule: &'static Rule,
    /// ln² (B/X) at the nodes.
    pub(super) heights: Vec<f64>,
    /// ln X
    pub(super) log_start: f64,
    log_values: Vec<f64>,
    fresh: Vec<f64>,
    /// By node and point: rate terms, yield terms, σ√t, and ln B(u).
    rate_terms: Vec<f64>,
    yield_terms: Vec<f64>,
    deviations: Vec<f64>,
    between: Vec<f64>,
}

/// φ(d) and Φ(d)
#[inline(always)]
pub(super) fn density_and_mass(d: f64) -> (f64, f64) {
    let density = INVERSE_ROOT_TWO_PI * exp(-0.5 * (d * d));
    let tail = density * mills_ratio(d.abs());
    (density, if d > 0.0 { 1.0 - tail } else { tail })
}

impl Boundary {
    pub(super) fn new(rule: &'static Rule) -> Self {
        let (nodes, points) = (rule.roots.len(), rule.points.len());
        let table = || vec![0.0; nodes * points];
        Self {
            rule,
            heights: vec![0.0; nodes],
            log_start: 0.0,
            log_values: vec![0.0; nodes],
            fresh: vec![0.0; nodes],
            rate_terms: table(),
            yield_terms: table(),
            deviations: table(),
            between: table(),
        }
    }

    /// ln B at the node of the whole life.
    pub(super) fn log_now(&self) -> f64 {
        self.log_values.last().copied().unwrap_or(0.0)
    }

    /// ln B with √(u/T) = `root`.
    pub(super) fn log_at(&self, root: f64) -> f64 {
        let height = self.rule.interpolate(&self.heights, root);
        self.log_start - if height > 0.0 { height } else { 0.0 }.sqrt()
    }

    /// Finds the boundary; how many steps it took. `warm` starts from the
    /// boundary that was found last.
    pub(super) fn solve(&mut self, dynamics: &Dynamics, patience: Patience, warm: bool) -> u32 {
        self.prepare(dynamics);
        if !warm {
            self.guess(dynamics);
        }
        self.lift();
        for step in 1..=patience.steps {
            let change = self.step(dynamics);
            self.lift();
            if change <= patience.enough {
                return step;
            }
        }
        patience.steps
    }

    /// What does not change from step to step.
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

    /// Bjerksund and Stensland's curve (1993) between the boundary at expiry
    /// and the perpetual option's.
    fn guess(&mut self, dynamics: &Dynamics) {
        let Dynamics { rate, div_yield, vol, years } = *dynamics;
        let variance = vol * vol;
        // β of the mirrored call, whose money earns q and asset r.
        let carry = div_yield - rate;
        let b = carry / variance - 0.5;
        let beta = -b + (b * b + 2.0 * div_yield / variance).sqrt();
        let perpetual = beta / (beta - 1.0);
        let start = exp(-self.log_start);
        let gap = (perpetual - start).max(1e-9 * start);
        for (value, root) in self.log_values.iter_mut().zip(&self.rule.roots) {
            let tau = years * root * root;
            let drift = (carry * tau + 2.0 * vol * tau.sqrt()).max(vol * tau.sqrt());
            let decay = exp(-drift * start / gap);
            *value = -ln(start + gap * (1.0 - decay));
        }
    }

    /// Heights from logarithms, and the boundary between its nodes.
    fn lift(&mut self) {
        for (height, log_value) in self.heights.iter_mut().zip(&self.log_values) {
            let below = self.log_start - log_value;
            *height = below * below;
        }
        let (nodes, points) = (self.heights.len(), self.rule.points.len());
        for i in 0..nodes {
            let row = &mut self.between[i * points..(i + 1) * points];
            row.fill(0.0);
            for (n, height) in self.heights.iter().enumerate() {
                let at = (i * nodes + n) * points;
                for (sum, share) in row.iter_mut().zip(&self.rule.interpolation[at..at + points]) {
                    *sum += share * height;
                }
            }
            for value in row {
                let height = if *value > 0.0 { *value } else { 0.0 };
                *value = self.log_start - height.sqrt();
            }
        }
    }

    /// One step of the fixed point at all nodes; the largest change of ln B.
    fn step(&mut self, dynamics: &Dynamics) -> f64 {
        let Dynamics { rate, div_yield, vol, years } = *dynamics;
        let (plus, minus) = ((rate - div_yield) / vol + 0.5 * vol, (rate - div_yield) / vol - 0.5 * vol);
        let points = self.rule.points.len();
        let mut largest = 0.0_f64;
        for (i, root) in self.rule.roots.iter().enumerate() {
            let tau = years * root * root;
            let root_tau = tau.sqrt();
            let log_value = self.log_values[i];
            let inverse = 1.0 / (vol * root_tau);
            let reach = log_value * inverse;
            let (density, _) = density_and_mass(reach + minus * root_tau);
            let mut over = exp(-rate * tau) * density * inverse;
            let (density, mass) = density_and_mass(reach + plus * root_tau);
            let mut under = exp(-div_yield * tau) * (mass + density * inverse);
            let row = i * points..(i + 1) * points;
            let (rates, yields) = (&self.rate_terms[row.clone()], &self.yield_terms[row.clone()]);
            let (deviations, between) = (&self.deviations[row.clone()], &self.between[row]);
            for p in 0..points {
                let inverse = 1.0 / deviations[p];
                let reach = (log_value - between[p]) * inverse;
                let time = deviations[p] / vol;
                let (density, _) = density_and_mass(reach + minus * time);
                over += rates[p] * density * inverse;
                let (density, mass) = density_and_mass(reach + plus * time);
                under += yields[p] * (mass + density * inverse);
            }
            let change = ln(over / under) - log_value;
            // Never above the boundary at expiry, and no wild leaps.
            let next = (log_value + change.clamp(-1.0, 1.0)).min(self.log_start);
            largest = largest.max((next - log_value).abs());
            self.fresh[i] = next;
        }
        std::mem::swap(&mut self.fresh, &mut self.log_values);
        largest
    }
}
