//! Natural cubic splines through knots: values, slopes, and cardinal splines.
//!
//! Knows no rates. The first two knots have the value of the first node.

/// Returns the value at `time` in the segment from knot `left`; `curvatures` are second
/// derivatives.
pub(super) fn value(times: &[f64], values: &[f64], curvatures: &[f64], left: usize, time: f64) -> f64 {
    let (start, end) = (times[left], times[left + 1]);
    let width = end - start;
    let (a, b) = ((end - time) / width, (time - start) / width);
    let cubic = (a * a * a - a) * curvatures[left] + (b * b * b - b) * curvatures[left + 1];
    values[left] + (values[left + 1] - values[left]) * b + cubic * (width * width / 6.0)
}

/// Returns the first derivative at `time`.
pub(super) fn slope(times: &[f64], values: &[f64], curvatures: &[f64], left: usize, time: f64) -> f64 {
    let (start, end) = (times[left], times[left + 1]);
    let width = end - start;
    let (a, b) = ((end - time) / width, (time - start) / width);
    let cubic = (3.0 * b * b - 1.0) * curvatures[left + 1] - (3.0 * a * a - 1.0) * curvatures[left];
    (values[left + 1] - values[left]) / width + cubic * (width / 6.0)
}

/// Cardinal splines: one at their node and zero at all others.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cardinals {
    /// Second derivatives at all knots, one row per node.
    curvatures: Vec<f64>,
    knots: usize,
}

impl Cardinals {
    /// Creates the splines over `times`, the first of which is no node.
    pub(super) fn through(times: &[f64]) -> Self {
        let knots = times.len();
        let mut all = Self { curvatures: vec![0.0; (knots - 1) * knots], knots };
        let mut values = vec![0.0; knots];
        let mut scratch = vec![0.0; knots];
        for node in 0..knots - 1 {
            values.fill(0.0);
            values[node + 1] = 1.0;
            if node == 0 {
                values[0] = 1.0;
            }
            second_derivatives(times, &values, &mut all.curvatures[node * knots..][..knots], &mut scratch);
        }
        all
    }

    /// Writes the second derivatives of the spline through `values`.
    pub(super) fn write_curvatures(&self, values: &[f64], curvatures: &mut [f64]) {
        curvatures.fill(0.0);
        if self.knots == 0 {
            return;
        }
        for (row, value) in self.curvatures.chunks_exact(self.knots).zip(&values[1..]) {
            for (curvature, unit) in curvatures.iter_mut().zip(row) {
                *curvature += unit * value;
            }
        }
    }

    /// Returns the value of a node's spline.
    pub(super) fn value(&self, times: &[f64], node: usize, left: usize, time: f64) -> f64 {
        let curvatures = &self.curvatures[node * self.knots..][..self.knots];
        let unit = |knot: usize| f64::from(u8::from(knot == node + 1 || (knot == 0 && node == 0)));
        let (start, end) = (times[left], times[left + 1]);
        let width = end - start;
        let (a, b) = ((end - time) / width, (time - start) / width);
        let cubic = (a * a * a - a) * curvatures[left] + (b * b * b - b) * curvatures[left + 1];
        a * unit(left) + b * unit(left + 1) + cubic * (width * width / 6.0)
    }
}

/// Solves the tridiagonal system of a natural spline (Thomas's algorithm).
fn second_derivatives(times: &[f64], values: &[f64], curvatures: &mut [f64], scratch: &mut [f64]) {
    let last = times.len() - 1;
    (curvatures[0], scratch[0]) = (0.0, 0.0);
    for at in 1..last {
        let (before, after) = (times[at] - times[at - 1], times[at + 1] - times[at]);
        let share = before / (before + after);
        let pivot = share * curvatures[at - 1] + 2.0;
        curvatures[at] = (share - 1.0) / pivot;
        let change = (values[at + 1] - values[at]) / after - (values[at] - values[at - 1]) / before;
        scratch[at] = (6.0 * change / (before + after) - share * scratch[at - 1]) / pivot;
    }
    curvatures[last] = 0.0;
    for at in (0..last).rev() {
        curvatures[at] = curvatures[at] * curvatures[at + 1] + scratch[at];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_has_no_curvature() {
        // The first knot repeats the first node, so only later segments are straight.
        let times = [0.0, 1.0, 2.0, 4.0];
        let mut curvatures = [0.0; 4];
        let mut scratch = [0.0; 4];
        second_derivatives(&times, &[1.0, 2.0, 3.0, 5.0], &mut curvatures, &mut scratch);
        assert_eq!(curvatures, [0.0; 4]);
        assert_eq!(value(&times, &[1.0, 2.0, 3.0, 5.0], &curvatures, 2, 3.0), 4.0);
    }

    #[test]
    fn a_spline_is_the_sum_of_its_cardinals() {
        let times = [0.0, 0.5, 1.0, 3.0, 7.0];
        let values = [0.02, 0.02, 0.03, 0.025, 0.04];
        let cardinals = Cardinals::through(&times);
        let mut curvatures = [0.0; 5];
        let mut scratch = [0.0; 5];
        second_derivatives(&times, &values, &mut curvatures, &mut scratch);
        for (left, time) in [(0, 0.2), (2, 1.5), (3, 6.0)] {
            let whole = value(&times, &values, &curvatures, left, time);
            let sum: f64 =
                (0..4).map(|node| values[node + 1] * cardinals.value(&times, node, left, time)).sum();
            assert!((whole - sum).abs() < 1e-16, "{whole} is not {sum}");
        }
        // Adjacent cubics agree in slope.
        let both = [slope(&times, &values, &curvatures, 1, 1.0), slope(&times, &values, &curvatures, 2, 1.0)];
        assert!((both[0] - both[1]).abs() < 1e-16);
    }
}
