//! Comparisons of computed quantities with reference values, and their report.

use std::fmt;

use super::Result;

/// A comparison: its error and tolerances.
#[derive(Clone, Debug)]
struct Check {
    /// Name of the quantity; rows of the report are summed by it.
    quantity: &'static str,
    /// Distance in the unit of the tolerances; infinite for NaN.
    error: f64,
    /// Tolerance of the release gate.
    must: f64,
    /// Tolerance of the best public implementation.
    goal: f64,
}

/// The checks of one case.
#[derive(Default)]
pub(crate) struct Checks(Vec<Check>);

impl Checks {
    /// Checks |actual − expected| against absolute tolerances.
    pub(super) fn absolute(
        &mut self,
        quantity: &'static str,
        actual: f64,
        expected: f64,
        must: f64,
        goal: f64,
    ) {
        let error = (actual - expected).abs();
        let error = if error.is_nan() { f64::INFINITY } else { error };
        self.0.push(Check { quantity, error, must, goal });
    }

    /// Checks |actual − expected| / `scale`.
    pub(super) fn scaled(
        &mut self,
        quantity: &'static str,
        actual: f64,
        expected: f64,
        scale: f64,
        must: f64,
        goal: f64,
    ) {
        self.absolute(quantity, actual, expected, must, goal);
        if let Some(check) = self.0.last_mut().filter(|check| check.error != 0.0) {
            check.error /= scale.abs();
        }
    }

    /// Checks |actual − expected| / |expected|; zero must be exact.
    pub(super) fn relative(
        &mut self,
        quantity: &'static str,
        actual: f64,
        expected: f64,
        must: f64,
        goal: f64,
    ) {
        self.scaled(quantity, actual, expected, expected, must, goal);
    }

    /// Checks an exact condition (texts, counts, errors of the right kind).
    pub(super) fn holds(&mut self, quantity: &'static str, holds: bool) {
        let error = if holds { 0.0 } else { f64::INFINITY };
        self.0.push(Check { quantity, error, must: 0.0, goal: 0.0 });
    }

    /// Checks a condition that is a goal only (the reason of an error).
    pub(super) fn should_hold(&mut self, quantity: &'static str, holds: bool) {
        let error = if holds { 0.0 } else { 1.0 };
        self.0.push(Check { quantity, error, must: 1.0, goal: 0.0 });
    }
}

/// Returns `error / tolerance`, 0 without an error; above 1 the check has failed.
fn ratio(error: f64, tolerance: f64) -> f64 {
    if error == 0.0 {
        0.0
    } else if tolerance > 0.0 && tolerance.is_finite() {
        error / tolerance
    } else {
        f64::INFINITY
    }
}

/// Results of all files of a folder.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// By file name.
    pub(crate) families: Vec<FamilyReport>,
    /// Files that cannot be checked, with the reason.
    pub(crate) unreadable: Vec<String>,
}

/// Results of one file.
#[derive(Debug)]
pub(crate) struct FamilyReport {
    pub(crate) name: String,
    cases: usize,
    /// Cases that could not be computed; each counts as a failure.
    broken: Vec<String>,
    quantities: Vec<Quantity>,
}

/// Results of one quantity over all cases of a file.
#[derive(Debug, Default)]
struct Quantity {
    name: &'static str,
    checks: usize,
    worst_error: f64,
    worst_must: f64,
    worst_goal: f64,
    /// The worst case against the goal.
    worst_case: String,
    must_failures: usize,
    goal_misses: usize,
}

impl Report {
    /// Returns the number of checks and cases that fail the release gate.
    pub(crate) fn must_failures(&self) -> usize {
        self.families.iter().map(FamilyReport::must_failures).sum()
    }

    /// Returns the number of quantities and of those that meet their goal in every case.
    pub(crate) fn goals(&self) -> (usize, usize) {
        let goals = self.families.iter().map(FamilyReport::goals);
        goals.fold((0, 0), |sum, family| (sum.0 + family.0, sum.1 + family.1))
    }
}

impl FamilyReport {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), cases: 0, broken: Vec::new(), quantities: Vec::new() }
    }

    pub(super) fn add(&mut self, id: &str, checks: Result<Checks>) {
        self.cases += 1;
        match checks {
            Ok(Checks(checks)) if checks.is_empty() => {
                self.broken.push(format!("{id}: nothing was compared"));
            }
            Ok(Checks(checks)) => checks.iter().for_each(|check| self.add_check(id, check)),
            Err(error) => self.broken.push(format!("{id}: {error}")),
        }
    }

    fn add_check(&mut self, id: &str, check: &Check) {
        let existing = self.quantities.iter().position(|quantity| quantity.name == check.quantity);
        let at = existing.unwrap_or_else(|| {
            self.quantities.push(Quantity { name: check.quantity, ..Quantity::default() });
            self.quantities.len() - 1
        });
        let quantity = &mut self.quantities[at];
        let (over_must, over_goal) = (ratio(check.error, check.must), ratio(check.error, check.goal));
        quantity.checks += 1;
        quantity.worst_error = quantity.worst_error.max(check.error);
        quantity.worst_must = quantity.worst_must.max(over_must);
        if over_goal > quantity.worst_goal || quantity.worst_case.is_empty() {
            quantity.worst_goal = over_goal;
            id.clone_into(&mut quantity.worst_case);
        }
        quantity.must_failures += usize::from(over_must > 1.0);
        quantity.goal_misses += usize::from(over_goal > 1.0);
    }

    /// Returns the number of quantities and of those that meet their goal in every case.
    pub(crate) fn goals(&self) -> (usize, usize) {
        let met = self.quantities.iter().filter(|quantity| quantity.goal_misses == 0);
        (self.quantities.len(), met.count())
    }

    fn must_failures(&self) -> usize {
        self.broken.len() + self.quantities.iter().map(|quantity| quantity.must_failures).sum::<usize>()
    }

    fn worst(&self, of: fn(&Quantity) -> f64) -> f64 {
        self.quantities.iter().map(of).fold(0.0, f64::max)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<24} {:>6} {:>11} {:>11} {:>11} {:>9} {:>11}",
            "family", "cases", "worst error", "over must", "over goal", "failures", "goal misses"
        )?;
        for family in &self.families {
            family.fmt(f)?;
        }
        for file in &self.unreadable {
            writeln!(f, "CANNOT BE CHECKED: {file}")?;
        }
        let (quantities, met) = self.goals();
        let cases: usize = self.families.iter().map(|family| family.cases).sum();
        let failures = self.must_failures();
        writeln!(f, "{cases} cases, {failures} must failures; goals met in {met} of {quantities} quantities")
    }
}

impl fmt::Display for FamilyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let worst =
            [self.worst(|q| q.worst_error), self.worst(|q| q.worst_must), self.worst(|q| q.worst_goal)];
        let misses = self.quantities.iter().map(|quantity| quantity.goal_misses).sum();
        write_row(f, &self.name, self.cases, worst, self.must_failures(), misses)?;
        writeln!(f)?;
        for q in &self.quantities {
            let worst = [q.worst_error, q.worst_must, q.worst_goal];
            write_row(f, &format!("  {}", q.name), q.checks, worst, q.must_failures, q.goal_misses)?;
            writeln!(f, "  {}", q.worst_case)?;
        }
        for case in self.broken.iter().take(5) {
            writeln!(f, "  NOT COMPUTED: {case}")?;
        }
        if self.broken.len() > 5 {
            writeln!(f, "  NOT COMPUTED: {} more", self.broken.len() - 5)?;
        }
        Ok(())
    }
}

fn write_row(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    count: usize,
    [error, must, goal]: [f64; 3],
    failures: usize,
    misses: usize,
) -> fmt::Result {
    write!(f, "{name:<24} {count:>6} {error:>11.2e} {must:>11.2e} {goal:>11.2e} {failures:>9} {misses:>11}")
}
