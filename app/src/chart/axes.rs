//! Axes: values to pixels and back, and round steps for their labels.

const SECOND: i64 = 1_000_000;

/// Steps of a time axis, in microseconds.
const TIME_STEPS: [i64; 17] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    60 * SECOND,
    120 * SECOND,
    300 * SECOND,
    600 * SECOND,
    900 * SECOND,
    1_800 * SECOND,
    3_600 * SECOND,
    7_200 * SECOND,
    14_400 * SECOND,
    43_200 * SECOND,
    86_400 * SECOND,
];

/// A linear map between values and pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// Values at both ends.
    pub values: (f64, f64),
    /// Pixels at both ends.
    pub pixels: (f64, f64),
}

impl Axis {
    /// Pixel of `value`.
    pub fn at(&self, value: f64) -> f64 {
        let (from, to) = self.values;
        let (start, end) = self.pixels;
        let span = to - from;
        if span == 0.0 { (start + end) / 2.0 } else { start + (value - from) / span * (end - start) }
    }

    /// Value at `pixel`.
    pub fn value(&self, pixel: f64) -> f64 {
        let (from, to) = self.values;
        let (start, end) = self.pixels;
        let length = end - start;
        if length == 0.0 { from } else { from + (pixel - start) / length * (to - from) }
    }

    /// Pixels of one unit of value.
    pub fn per_unit(&self) -> f64 {
        let span = self.values.1 - self.values.0;
        if span == 0.0 { 0.0 } else { (self.pixels.1 - self.pixels.0).abs() / span.abs() }
    }
}

/// `value` limited to `least..=most`; `most` if the range is empty, where
/// `f64::clamp` would panic.
pub fn within(value: f64, least: f64, most: f64) -> f64 {
    value.max(least).min(most)
}

/// The smallest step of 1, 2 or 5 times a power of ten that fits at most `count`
/// times into `span`.
pub fn nice_step(span: i64, count: i64) -> i64 {
    let count = count.max(1);
    let least = (span.max(1) - 1) / count + 1;
    let mut power = 1_i64;
    loop {
        for factor in [1, 2, 5] {
            match power.checked_mul(factor) {
                Some(step) if step >= least => return step,
                Some(_) => {}
                None => return i64::MAX,
            }
        }
        let Some(next) = power.checked_mul(10) else { return i64::MAX };
        power = next;
    }
}

/// The shortest step of a clock that fits at most `count` times into `span_us`;
/// whole days beyond a day.
pub fn time_step(span_us: i64, count: i64) -> i64 {
    let fits = |step: &&i64| span_us / **step <= count.max(1);
    let days = || SECOND * 86_400 * nice_step(span_us / (SECOND * 86_400), count);
    TIME_STEPS.iter().find(fits).copied().unwrap_or_else(days)
}

/// The multiples of `step` from `from` to `to`, at most a hundred.
pub fn multiples(from: f64, to: f64, step: i64) -> Vec<i64> {
    let step = step.max(1);
    let first = (from / step as f64).ceil() as i64;
    let last = (to / step as f64).floor() as i64;
    (first..=last).take(100).map(|count| count.saturating_mul(step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_maps_both_ways() {
        // Prices grow upwards: 100 at the bottom (200 px), 110 at the top.
        let axis = Axis { values: (100.0, 110.0), pixels: (200.0, 0.0) };
        assert_eq!(axis.at(105.0), 100.0);
        assert_eq!(axis.value(50.0), 107.5);
        assert_eq!(axis.per_unit(), 20.0);
    }

    #[test]
    fn an_axis_of_one_value_maps_it_to_the_middle() {
        let flat = Axis { values: (5.0, 5.0), pixels: (0.0, 100.0) };
        assert_eq!(flat.at(5.0), 50.0);
        assert_eq!(flat.value(10.0), 5.0);
    }

    #[test]
    fn a_value_outside_is_limited_to_the_nearer_end() {
        for (value, expected) in [(-1.0, 0.0), (0.5, 0.5), (7.0, 2.0)] {
            assert_eq!(within(value, 0.0, 2.0), expected);
        }
    }

    #[test]
    fn steps_are_one_two_or_five_times_a_power_of_ten() {
        for (span, count, step) in
            [(0, 5, 1), (5, 5, 1), (6, 5, 2), (11, 5, 5), (37, 5, 10), (101, 5, 50), (1_000, 4, 500)]
        {
            assert_eq!(nice_step(span, count), step, "{span} in {count}");
        }
        assert!(nice_step(i64::MAX, 1) >= i64::MAX / 2);
    }

    #[test]
    fn time_steps_are_those_of_a_clock() {
        for (seconds, count, step) in
            [(3, 5, 1), (60, 6, 10), (61, 5, 15), (600, 5, 120), (86_400, 8, 14_400), (864_000, 5, 172_800)]
        {
            assert_eq!(time_step(seconds * SECOND, count), step * SECOND, "{seconds} s in {count}");
        }
    }

    #[test]
    fn ticks_lie_within_the_range() {
        assert_eq!(multiples(9.5, 21.0, 5), [10, 15, 20]);
        assert_eq!(multiples(-6.0, 1.0, 5), [-5, 0]);
        assert!(multiples(2.0, 1.0, 5).is_empty());
        assert_eq!(multiples(0.0, 1e12, 1).len(), 100);
    }
}
