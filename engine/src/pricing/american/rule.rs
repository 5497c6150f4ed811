//! Quadrature of the exercise boundary: nodes, points and weights, independent of the
//! option and computed once.
//!
//! Time to expiry u is mapped to √(u/T), in which the boundary is smooth, and the integrals
//! over u in (0, τ) to an angle: u = τ sin²θ removes the square roots at both ends. Points
//! in θ are Gauss-Legendre's.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, PI};
use std::sync::OnceLock;

use crate::math::LANES;

/// Nodes of the boundary and points of its integrals.
#[derive(Debug)]
pub(super) struct QuadratureRule {
    /// √(τ/T) of the nodes, rising, the last is 1; 0 is not among them.
    pub(super) roots: Vec<f64>,
    /// Points, padded to whole blocks.
    pub(super) points: Vec<QuadraturePoint>,
    /// Weight of node n in the interpolated value at point p of the integral up to node i, at
    /// `[(i · nodes + n) · points + p]`.
    pub(super) interpolation: Vec<f64>,
}

/// sin θ, cos θ and the weight of du/τ at a point.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuadraturePoint {
    pub(super) sine: f64,
    pub(super) cosine: f64,
    pub(super) weight: f64,
}

impl QuadratureRule {
    /// Returns the rule with 24 nodes and 60 points: prices to about 2e-10.
    pub(super) fn precise() -> &'static Self {
        static RULE: OnceLock<QuadratureRule> = OnceLock::new();
        RULE.get_or_init(|| Self::new(24, 60))
    }

    /// Returns the rule with 5 nodes and 8 points: prices to about 1e-5.
    pub(super) fn fast() -> &'static Self {
        static RULE: OnceLock<QuadratureRule> = OnceLock::new();
        RULE.get_or_init(|| Self::new(5, 8))
    }

    fn new(nodes: usize, points: usize) -> Self {
        let extremum = |i: usize| libm::cos(PI * i as f64 / nodes as f64);
        let roots: Vec<f64> = (0..nodes).rev().map(|i| 0.5 * (1.0 + extremum(i))).collect();
        let mut points: Vec<QuadraturePoint> = gauss_legendre(points)
            .into_iter()
            .map(|(x, weight)| {
                let angle = 0.5 * FRAC_PI_2 * (1.0 + x);
                let (sine, cosine) = (libm::sin(angle), libm::cos(angle));
                QuadraturePoint { sine, cosine, weight: FRAC_PI_2 * weight * sine * cosine }
            })
            .collect();
        // Points without weight pad the last block.
        let idle = QuadraturePoint { sine: FRAC_1_SQRT_2, cosine: FRAC_1_SQRT_2, weight: 0.0 };
        points.resize(points.len().next_multiple_of(LANES), idle);
        let mut interpolation = vec![0.0; nodes * nodes * points.len()];
        for (i, root) in roots.iter().enumerate() {
            for (p, point) in points.iter().enumerate() {
                for (n, share) in shares(&roots, root * point.sine).into_iter().enumerate() {
                    interpolation[(i * nodes + n) * points.len() + p] = share;
                }
            }
        }
        Self { roots, points, interpolation }
    }

    /// Returns the interpolant of `values` at `root`; its value at 0 is 0.
    pub(super) fn interpolate(&self, values: &[f64], root: f64) -> f64 {
        let (mut over, mut under) = (0.0, 0.0);
        let last = self.roots.len() - 1;
        // The node at 0 has value 0 and half a weight.
        let mut sign = if self.roots.len().is_multiple_of(2) { 1.0 } else { -1.0 };
        if root > 0.0 {
            under += 0.5 * sign / root;
        } else {
            return 0.0;
        }
        for (n, (node, value)) in self.roots.iter().zip(values).enumerate() {
            sign = -sign;
            let distance = root - node;
            if distance == 0.0 {
                return *value;
            }
            let weight = if n == last { 0.5 * sign } else { sign } / distance;
            over += weight * value;
            under += weight;
        }
        over / under
    }
}

/// Returns each node's weight in the interpolant at `root`: barycentric weights of
/// Chebyshev's extrema (Salzer, 1972), without the one at 0.
fn shares(roots: &[f64], root: f64) -> Vec<f64> {
    let last = roots.len() - 1;
    let mut sign = if roots.len().is_multiple_of(2) { 1.0 } else { -1.0 };
    let mut sum = 0.5 * sign / root;
    let mut shares = vec![0.0; roots.len()];
    for (n, node) in roots.iter().enumerate() {
        sign = -sign;
        let distance = root - node;
        if distance == 0.0 {
            shares.fill(0.0);
            shares[n] = 1.0;
            return shares;
        }
        shares[n] = if n == last { 0.5 * sign } else { sign } / distance;
        sum += shares[n];
    }
    for share in &mut shares {
        *share /= sum;
    }
    shares
}

/// Returns points in (−1, 1), rising, and weights of the Gauss-Legendre rule, by Newton's
/// method on the polynomial's recurrence.
pub(super) fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let n = count as f64;
    let mut rule = Vec::with_capacity(count);
    for i in 0..count {
        let mut x = -libm::cos(PI * (i as f64 + 0.75) / (n + 0.5));
        let mut slope = 1.0;
        for _ in 0..8 {
            let (mut before, mut value) = (1.0, x);
            for k in 2..=count {
                let k = k as f64;
                let next = ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k;
                before = value;
                value = next;
            }
            slope = n * (x * value - before) / (x * x - 1.0);
            x -= value / slope;
        }
        rule.push((x, 2.0 / ((1.0 - x * x) * slope * slope)));
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_integrates_polynomials_exactly() {
        for count in [8, 12, 60] {
            let rule = gauss_legendre(count);
            for power in (0..2 * count as i32).step_by(2) {
                let sum: f64 = rule.iter().map(|(x, weight)| weight * libm::pow(*x, f64::from(power))).sum();
                let exact = 2.0 / f64::from(power + 1);
                assert!((sum - exact).abs() < 1e-15 * 4.0, "{count} points, x^{power}: {sum}");
            }
        }
    }

    #[test]
    fn the_interpolant_is_exact_at_nodes_and_for_polynomials() {
        let rule = QuadratureRule::precise();
        let cubic = |x: f64| x * (1.0 - x * (0.5 + x));
        let values: Vec<f64> = rule.roots.iter().map(|root| cubic(*root)).collect();
        for root in [1e-4, 0.1, 0.5, 0.77, 1.0] {
            assert!((rule.interpolate(&values, root) - cubic(root)).abs() < 1e-15, "{root}");
        }
        let nodes = rule.roots.len();
        let (i, p) = (17, 33);
        let count = rule.points.len();
        let by_table: f64 =
            (0..nodes).map(|n| rule.interpolation[(i * nodes + n) * count + p] * values[n]).sum();
        let at = rule.roots[i] * rule.points[p].sine;
        assert!((by_table - cubic(at)).abs() < 1e-15);
        // ∫₀¹ u du with u = sin²θ
        let half: f64 = rule.points.iter().map(|point| point.weight * point.sine * point.sine).sum();
        assert!((half - 0.5).abs() < 1e-15);
    }
}
