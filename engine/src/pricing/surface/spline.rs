//! Natural cubic spline with linear extrapolation.
//!
//! Knows no variance.

/// Spline with its second derivatives at the knots.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spline {
    knots: Vec<f64>,
    values: Vec<f64>,
    curvatures: Vec<f64>,
}

impl Spline {
    /// Creates the spline through `values` at rising `knots`, at least two.
    pub(super) fn new(knots: &[f64], values: Vec<f64>) -> Self {
        let count = knots.len();
        let mut curvatures = vec![0.0; count];
        // Thomas's algorithm on the tridiagonal system.
        let mut above = vec![0.0; count];
        for i in 1..count.saturating_sub(1) {
            let (before, after) = (knots[i] - knots[i - 1], knots[i + 1] - knots[i]);
            let turn = (values[i + 1] - values[i]) / after - (values[i] - values[i - 1]) / before;
            let pivot = 2.0 * (before + after) - before * above[i - 1];
            above[i] = after / pivot;
            curvatures[i] = (6.0 * turn - before * curvatures[i - 1]) / pivot;
        }
        for i in (1..count.saturating_sub(1)).rev() {
            curvatures[i] -= above[i] * curvatures[i + 1];
        }
        Self { knots: knots.to_vec(), values, curvatures }
    }

    /// Returns value, first and second derivative at `x`.
    pub(super) fn at(&self, x: f64) -> (f64, f64, f64) {
        let last = self.knots.len() - 1;
        let right = self.knots.partition_point(|knot| *knot < x).clamp(1, last);
        let (a, b) = (self.knots[right - 1], self.knots[right]);
        let (ya, yb) = (self.values[right - 1], self.values[right]);
        let (ca, cb) = (self.curvatures[right - 1], self.curvatures[right]);
        let width = b - a;
        let slope = (yb - ya) / width;
        if x < a {
            let end = slope - width * (2.0 * ca + cb) / 6.0;
            return (ya + (x - a) * end, end, 0.0);
        }
        if x > b {
            let end = slope + width * (ca + 2.0 * cb) / 6.0;
            return (yb + (x - b) * end, end, 0.0);
        }
        let (from, to) = ((b - x) / width, (x - a) / width);
        let square = width * width / 6.0;
        let value =
            from * ya + to * yb + square * (from * (from * from - 1.0) * ca + to * (to * to - 1.0) * cb);
        let first = slope + width / 6.0 * ((3.0 * to * to - 1.0) * cb - (3.0 * from * from - 1.0) * ca);
        (value, first, from * ca + to * cb)
    }

    /// Returns the knots with `between` points in each gap and in wings of width `wing` on
    /// both sides.
    pub(super) fn points(&self, between: u32, wing: f64) -> Vec<f64> {
        let (first, last) = (self.knots[0], self.knots[self.knots.len() - 1]);
        let ends: Vec<f64> =
            [first - wing].into_iter().chain(self.knots.iter().copied()).chain([last + wing]).collect();
        let mut points = Vec::new();
        for pair in ends.windows(2) {
            for step in 0..between {
                points.push(pair[0] + (pair[1] - pair[0]) * f64::from(step) / f64::from(between));
            }
        }
        points.push(last + wing);
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spline_is_smooth_at_its_knots_and_linear_outside() {
        let spline = Spline::new(&[-1.0, 0.0, 0.5, 2.0], vec![1.0, 0.2, 0.3, 2.0]);
        for (x, y) in [(-1.0, 1.0), (0.0, 0.2), (0.5, 0.3), (2.0, 2.0)] {
            let (before, here, after) = (spline.at(x - 1e-9), spline.at(x), spline.at(x + 1e-9));
            assert!((here.0 - y).abs() < 1e-15);
            assert!((before.1 - after.1).abs() < 1e-7 && (before.2 - after.2).abs() < 1e-7, "{x}");
        }
        // The derivative equals the difference quotient.
        let (near, far) = (spline.at(0.3 - 1e-5), spline.at(0.3 + 1e-5));
        assert!(((far.0 - near.0) / 2e-5 - spline.at(0.3).1).abs() < 1e-9);
        let (near, far) = (spline.at(-3.0), spline.at(-2.0));
        assert!((far.0 - near.0 - near.1).abs() < 1e-14 && near.2 == 0.0);
    }

    #[test]
    fn two_knots_are_a_line() {
        let line = Spline::new(&[0.0, 2.0], vec![1.0, 2.0]);
        assert_eq!([line.at(-2.0).0, line.at(1.0).0, line.at(4.0).0], [0.0, 1.5, 3.0]);
    }
}
