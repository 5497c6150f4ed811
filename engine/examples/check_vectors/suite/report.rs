//! What is said about the families: a row each, and their quantities beneath.

use std::fmt;

use super::Check;

/// All files of a folder.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// By file name.
    pub(crate) families: Vec<FamilyReport>,
    /// Files that are no family of vectors, with the reason.
    pub(crate) unreadable: Vec<String>,
}

/// One file.
#[derive(Debug)]
pub(crate) struct FamilyReport {
    name: String,
    cases: usize,
    /// Cases that could not be computed at all: each counts as a failure.
    broken: Vec<String>,
    quantities: Vec<Quantity>,
}

/// One quantity over all cases of a file.
#[derive(Debug)]
struct Quantity {
    name: &'static str,
    checks: usize,
    worst_error: f64,
    worst_must: f64,
    worst_goal: f64,
    /// The case that is worst against the goal.
    worst_case: String,
    must_failures: usize,
    goal_misses: usize,
}

impl Report {
    /// Checks and cases that break a release tolerance.
    pub(crate) fn must_failures(&self) -> usize {
        self.families.iter().map(FamilyReport::must_failures).sum()
    }

    /// Quantities of all families, and how many of them meet their goal in
    /// every case.
    pub(crate) fn goals(&self) -> (usize, usize) {
        let all = || self.families.iter().flat_map(|family| &family.quantities);
        (all().count(), all().filter(|quantity| quantity.goal_misses == 0).count())
    }
}

impl FamilyReport {
    pub(super) fn new(name: String) -> Self {
        Self { name, cases: 0, broken: Vec::new(), quantities: Vec::new() }
    }

    pub(super) fn add(&mut self, id: &str, checks: Result<Vec<Check>, String>) {
        self.cases += 1;
        match checks {
            Ok(checks) if checks.is_empty() => self.broken.push(format!("{id}: nothing was compared")),
            Ok(checks) => checks.iter().for_each(|check| self.see(id, check)),
            Err(error) => self.broken.push(format!("{id}: {error}")),
        }
    }

    fn see(&mut self, id: &str, check: &Check) {
        let known = self.quantities.iter().position(|quantity| quantity.name == check.quantity);
        let at = known.unwrap_or_else(|| {
            self.quantities.push(Quantity::new(check.quantity));
            self.quantities.len() - 1
        });
        self.quantities[at].see(id, check);
    }

    fn must_failures(&self) -> usize {
        self.broken.len() + self.quantities.iter().map(|quantity| quantity.must_failures).sum::<usize>()
    }

    fn worst(&self, of: fn(&Quantity) -> f64) -> f64 {
        self.quantities.iter().map(of).fold(0.0, f64::max)
    }
}

impl Quantity {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            checks: 0,
            worst_error: 0.0,
            worst_must: 0.0,
            worst_goal: 0.0,
            worst_case: String::new(),
            must_failures: 0,
            goal_misses: 0,
        }
    }

    fn see(&mut self, id: &str, check: &Check) {
        let (over_must, over_goal) = (check.over_must(), check.over_goal());
        self.checks += 1;
        self.worst_error = self.worst_error.max(check.error);
        self.worst_must = self.worst_must.max(over_must);
        if over_goal > self.worst_goal || self.worst_case.is_empty() {
            self.worst_goal = over_goal;
            id.clone_into(&mut self.worst_case);
        }
        self.must_failures += usize::from(over_must > 1.0);
        self.goal_misses += usize::from(over_goal > 1.0);
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
        writeln!(
            f,
            "{cases} cases, {} must failures; goals met in {met} of {quantities} quantities",
            self.must_failures()
        )
    }
}

impl fmt::Display for FamilyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let misses: usize = self.quantities.iter().map(|quantity| quantity.goal_misses).sum();
        writeln!(
            f,
            "{:<24} {:>6} {:>11.2e} {:>11.2e} {:>11.2e} {:>9} {:>11}",
            self.name,
            self.cases,
            self.worst(|quantity| quantity.worst_error),
            self.worst(|quantity| quantity.worst_must),
            self.worst(|quantity| quantity.worst_goal),
            self.must_failures(),
            misses
        )?;
        for quantity in &self.quantities {
            let Quantity { name, checks, worst_error, worst_must, worst_goal, .. } = quantity;
            write!(
                f,
                "  {name:<22} {checks:>6} {worst_error:>11.2e} {worst_must:>11.2e} {worst_goal:>11.2e}"
            )?;
            writeln!(
                f,
                " {:>9} {:>11}  {}",
                quantity.must_failures, quantity.goal_misses, quantity.worst_case
            )?;
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
