//! Natural cubic splines through knots: values, slopes, and the splines of a
//! single node's unit, of which every other is a sum.
//!
//! Knows no rates. The first two knots share a value: that of the first node.

/// The value at `time` in the segment from knot `left`, second derivatives
/// `bends` given.
pub(super) fn value(times: &[f64], values: &[f64], bends: &[f64], left: usize, time: f64) -> f64 {
    let (start, end) = (times[left], times[left + 1]);
    let width = end - start;
    let (a, b) = ((end - time) / width, (time - start) / width);
    let cubic = (a * a * a - a) * bends[left] + (b * b * b - b) * bends[left + 1];
    values[left] + (values[left + 1] - values[left]) * b + cubic * (width * width / 6.0)
}

/// The first derivative at `time`.
pub(super) fn slope(times: &[f64], values: &[f64], bends: &[f64], left: usize, time: f64) -> f64 {
    let (start, end) = (times[left], times[left + 1]);
    let width = end - start;
    let (a, b) = ((end - time) / width, (time - start) / width);
    let cubic = (3.0 * b * b - 1.0) * bends[left + 1] - (3.0 * a * a - 1.0) * bends[left];
    (values[left + 1] - values[left]) / width + cubic * (width / 6.0)
}

/// The splines that are one at a node and zero at all others.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cardinals {
    /// Second derivatives at all knots, a row a node.
    bends: Vec<f64>,
    knots: usize,
}

impl Cardinals {
    /// The splines over `times`, the first of which is no node.
    pub(super) fn through(times: &[f64]) -> Self {
        let knots = times.len();
        let mut all = Self { bends: vec![0.0; (knots - 1) * knots], knots };
        let mut values = vec![0.0; knots];
        let mut scratch = vec![0.0; knots];
        for node in 0..knots - 1 {
            values.fill(0.0);
            values[node + 1] = 1.0;
            if node == 0 {
                values[0] = 1.0;
            }
            second_derivatives(times, &values, &mut all.bends[node * knots..][..knots], &mut scratch);
        }
        all
    }

    /// Second derivatives of the spline through `values`.
    pub(super) fn bend(&self, values: &[f64], bends: &mut [f64]) {
        bends.fill(0.0);
        if self.knots == 0 {
            return;
        }
        for (row, value) in self.bends.chunks_exact(self.knots).zip(&values[1..]) {
            for (bend, unit) in bends.iter_mut().zip(row) {
                *bend += unit * value;
            }
        }
    }

    /// The value of a node's spline.
    pub(super) fn value(&self, times: &[f64], node: usize, left: usize, time: f64) -> f64 {
        let bends = &self.bends[node * self.knots..][..self.knots];
        let unit = |knot: usize| f64::from(u8::from(knot == node + 1 || (knot == 0 && node == 0)));
        let (start, end) = (times[left], times[left + 1]);
        let width = end - start;
        let (a, b) = ((end - time) / width, (time - start) / width);
        let cubic = (a * a * a - a) * bends[left] + (b * b * b - b) * bends[left + 1];
        a * unit(left) + b * unit(left + 1) + cubic * (width * width / 6.0)
    }
}

/// Solves the tridiagonal system of a natural spline (Thomas's algorithm).
fn second_derivatives(times: &[f64], values: &[f64], bends: &mut [f64], scratch: &mut [f64]) {
    let last = times.len() - 1;
    (bends[0], scratch[0]) = (0.0, 0.0);
    for at in 1..last {
        let (before, after) = (times[at] - times[at - 1], times[at + 1] - times[at]);
        let share = before / (before + after);
        let pivot = share * bends[at - 1] + 2.0;
        bends[at] = (share - 1.0) / pivot;
        let change = (values[at + 1] - values[at]) / after - (values[at] - values[at - 1]) / before;
        scratch[at] = (6.0 * change / (before + after) - share * scratch[at - 1]) / pivot;
    }
    bends[last] = 0.0;
    for at in (0..last).rev() {
        bends[at] = bends[at] * bends[at + 1] + scratch[at];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_bends_nowhere() {
        // The first knot repeats the first node, so only later lines are straight.
        let times = [0.0, 1.0, 2.0, 4.0];
        let mut bends = [0.0; 4];
        let mut scratch = [0.0; 4];
        second_derivatives(&times, &[1.0, 2.0, 3.0, 5.0], &mut bends, &mut scratch);
        assert_eq!(bends, [0.0; 4]);
        assert_eq!(value(&times, &[1.0, 2.0, 3.0, 5.0], &bends, 2, 3.0), 4.0);
    }

    #[test]
    fn a_spline_is_the_sum_of_its_cardinals() {
        let times = [0.0, 0.5, 1.0, 3.0, 7.0];
        let values = [0.02, 0.02, 0.03, 0.025, 0.04];
        let cardinals = Cardinals::through(&times);
        let mut bends = [0.0; 5];
        let mut scratch = [0.0; 5];
        second_derivatives(&times, &values, &mut bends, &mut scratch);
        for (left, time) in [(0, 0.2), (2, 1.5), (3, 6.0)] {
            let whole = value(&times, &values, &bends, left, time);
            let sum: f64 =
                (0..4).map(|node| values[node + 1] * cardinals.value(&times, node, left, time)).sum();
            assert!((whole - sum).abs() < 1e-16, "{whole} is not {sum}");
        }
        // Two cubics meet in value and slope.
        let both = [slope(&times, &values, &bends, 1, 1.0), slope(&times, &values, &bends, 2, 1.0)];
        assert!((both[0] - both[1]).abs() < 1e-16);
    }
}
