//! One comparison of a computed quantity with its reference value.

/// How far a result is from the truth, and how far it may be.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    /// What is compared; rows of the report are summed by it.
    pub(crate) quantity: &'static str,
    /// Distance in the unit of the tolerances; infinite for what is no number.
    pub(crate) error: f64,
    /// The release gate.
    pub(crate) must: f64,
    /// Level with, or ahead of, the best public implementation.
    pub(crate) goal: f64,
}

impl Check {
    /// |got − expected| against absolute tolerances.
    pub(crate) fn absolute(quantity: &'static str, got: f64, expected: f64, must: f64, goal: f64) -> Self {
        let error = (got - expected).abs();
        let error = if error.is_nan() { f64::INFINITY } else { error };
        Self { quantity, error, must, goal }
    }

    /// |got − expected| / `scale` against tolerances in that scale.
    pub(crate) fn scaled(
        quantity: &'static str,
        got: f64,
        expected: f64,
        scale: f64,
        must: f64,
        goal: f64,
    ) -> Self {
        let mut check = Self::absolute(quantity, got, expected, must, goal);
        if check.error != 0.0 {
            check.error /= scale.abs();
        }
        check
    }

    /// |got − expected| / |expected| against relative tolerances; zero must be
    /// met exactly.
    pub(crate) fn relative(quantity: &'static str, got: f64, expected: f64, must: f64, goal: f64) -> Self {
        Self::scaled(quantity, got, expected, expected, must, goal)
    }

    /// What must be so exactly (texts, counts, errors of the right kind).
    pub(crate) fn holds(quantity: &'static str, holds: bool) -> Self {
        Self { quantity, error: if holds { 0.0 } else { f64::INFINITY }, must: 0.0, goal: 0.0 }
    }

    /// What need not be so, but should (an error's reason).
    #[allow(dead_code, reason = "for families whose goal is a kind of error")]
    pub(crate) fn should_hold(quantity: &'static str, holds: bool) -> Self {
        let error = if holds { 0.0 } else { 1.0 };
        Self { quantity, error, must: 1.0, goal: 0.0 }
    }

    /// Error over the release tolerance; above 1 the check failed.
    pub(crate) fn over_must(&self) -> f64 {
        over(self.error, self.must)
    }

    /// Error over the goal's tolerance; above 1 the goal was missed.
    pub(crate) fn over_goal(&self) -> f64 {
        over(self.error, self.goal)
    }
}

/// `error / tolerance`, where no error is no error under any tolerance.
fn over(error: f64, tolerance: f64) -> f64 {
    if error == 0.0 {
        0.0
    } else if tolerance > 0.0 && tolerance.is_finite() {
        error / tolerance
    } else {
        f64::INFINITY
    }
}
