//! Runs one part and counts its tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::counts::Counts;
use super::parts::{Kind, Outcome, Part};
use crate::project::{Project, SUITE};
use crate::server::PACKAGES;
use crate::services::Services;
use crate::shell::{self, Captured};
use crate::{e2e, progress, wasm};

/// Time after which a part is stopped; the long ones are sized to fit.
const PART_TIMEOUT: Duration = Duration::from_secs(30 * 60);

pub(super) struct Runner<'a> {
    project: &'a Project,
    filters: Vec<String>,
    pub(super) chromium: Option<PathBuf>,
    /// PostgreSQL and Redis; without them, the tests that need them are skipped.
    services: Option<Services>,
    nextest: bool,
}

impl<'a> Runner<'a> {
    pub(super) fn new(
        project: &'a Project,
        filters: Vec<String>,
        chromium: Option<PathBuf>,
        services: Option<Services>,
    ) -> Runner<'a> {
        let mut version = project.cargo();
        let nextest = shell::succeeds(version.args(["nextest", "--version"]));
        Runner { project, filters, chromium, services, nextest }
    }

    pub(super) fn has_services(&self) -> bool {
        self.services.is_some()
    }

    /// Compiles server and tests together: dependencies are built once, with the
    /// features of both, and the browser tests find the server built.
    pub(super) fn compile(&self) -> Result<()> {
        let mut cargo = self.project.cargo();
        cargo.args(["build", "--locked", "--profile", SUITE, "--lib", "--bins", "--tests"]);
        shell::run(cargo.args(package_args(PACKAGES)))
    }

    pub(super) fn run(&self, part: &Part) -> Result<Outcome> {
        let start = Instant::now();
        let (mut command, count): (Command, fn(&str) -> Option<Counts>) = match &part.kind {
            Kind::Rust { packages, only } if self.nextest => {
                (self.nextest(packages, only), Counts::from_nextest)
            }
            Kind::Rust { packages, only } => (self.libtest(packages, only), Counts::from_libtest),
            Kind::Docs { packages } => {
                let mut cargo = self.project.cargo();
                cargo.args(["test", "--locked", "--profile", SUITE, "--doc", "--no-fail-fast"]);
                cargo.args(package_args(packages)).arg("--").args(&self.filters);
                (cargo, Counts::from_libtest)
            }
            Kind::Parity { package, long } => return self.parity(part, package, *long, start),
            Kind::Browser { only } => return self.browser(part, only, start),
        };
        command.envs(part.env.iter().copied());
        if let Some(services) = &self.services {
            command.envs(services.environment());
        }
        let captured = shell::tee(&mut command, Some(PART_TIMEOUT))?;
        let counts = count(&captured.text);
        Ok(self.outcome(part, &captured, counts, start))
    }

    fn nextest(&self, packages: &[&str], only: &[&str]) -> Command {
        let mut cargo = self.project.cargo();
        cargo.args(["nextest", "run", "--locked", "--cargo-profile", SUITE]);
        cargo.args(["--no-fail-fast", "--no-tests", "pass", "--status-level", "slow"]);
        cargo.args(["--final-status-level", "fail"]);
        cargo.args(package_args(packages));
        // A test's name must contain one of the part's words and one of the caller's.
        let mut terms: Vec<_> =
            skipped_words(self.services.as_ref()).map(|word| format!("not test({word})")).collect();
        if !only.is_empty() {
            let words: Vec<_> = only.iter().map(|word| format!("test({word})")).collect();
            terms.push(format!("({})", words.join(" | ")));
        }
        if !terms.is_empty() {
            cargo.args(["--filterset", &terms.join(" & ")]);
        }
        cargo.arg("--").args(&self.filters);
        cargo
    }

    fn libtest(&self, packages: &[&str], only: &[&str]) -> Command {
        let mut cargo = self.project.cargo();
        cargo.args(["test", "--locked", "--profile", SUITE, "--no-fail-fast", "--tests"]);
        cargo.args(package_args(packages)).arg("--");
        match only {
            [] => cargo.args(&self.filters),
            words => cargo.args(words),
        };
        for word in skipped_words(self.services.as_ref()) {
            cargo.args(["--skip", word]);
        }
        cargo
    }

    /// Ignores the caller's filters: a report is compared as a whole.
    fn parity(&self, part: &Part, package: &str, long: bool, start: Instant) -> Result<Outcome> {
        wasm::ensure_target(self.project)?;
        let mut cargo = self.project.cargo();
        cargo.args(["build", "--locked", "--profile", "wasm-release", "--lib"]);
        cargo.args(["--target", wasm::TARGET, "--package", package]);
        shell::run(&mut cargo)?;
        let built = self.project.target.join(wasm::TARGET);
        let module = built.join(format!("wasm-release/{}.wasm", package.replace('-', "_")));
        let bound = self.project.target.join("wasm-tests").join(package);
        fs::create_dir_all(&bound)?;
        wasm::bind_for_node(&module, package, &bound)?;

        let program = self.project.target.join(SUITE).join(package);
        let native = || {
            let mut native = self.project.command(&program, &self.project.root);
            shell::output(native.args(long.then_some("long")))
        };
        let mut node = self.project.command("node", &bound);
        node.arg("--eval").arg(format!("process.stdout.write(require('./{package}.js').report({long}))"));
        let reports = [native()?, native()?, shell::output(&mut node)?];
        let (counts, differences) = compare_reports(&reports);
        for line in reports[0].lines() {
            progress::note(line);
        }
        for difference in differences {
            progress::warn(&difference);
        }
        let captured = Captured { success: true, text: String::new(), stopped: None };
        Ok(self.outcome(part, &captured, Some(counts), start))
    }

    fn browser(&self, part: &Part, only: &str, start: Instant) -> Result<Outcome> {
        let chromium = self.chromium.as_deref().context("no Chromium")?;
        let report = self.project.target.join("playwright.json");
        remove(&report)?;
        let mut playwright = e2e::playwright(self.project, chromium);
        playwright.args(["--reporter", "list,json"]).env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report);
        let mut words = self.filters.clone();
        if !only.is_empty() {
            words = vec![only.to_owned()];
        }
        if !words.is_empty() {
            playwright.args(["--pass-with-no-tests", "--grep", &words.join("|")]);
        }
        let captured = shell::tee(playwright.envs(part.env.iter().copied()), Some(PART_TIMEOUT))?;
        let counts = fs::read_to_string(&report)
            .map_err(anyhow::Error::from)
            .and_then(|json| Counts::from_playwright(&json));
        Ok(self.outcome(part, &captured, counts.ok(), start))
    }

    /// Adds one failure if the runner failed without a failing test or printed no
    /// result, or if a part had no test although no filter was used.
    fn outcome(&self, part: &Part, captured: &Captured, counts: Option<Counts>, start: Instant) -> Outcome {
        let mut remark = captured.stopped.clone();
        let mut counts = counts.unwrap_or_else(|| {
            remark.get_or_insert_with(|| "printed no result".to_owned());
            Counts::default()
        });
        let filtered = !self.filters.is_empty();
        if counts.failed == 0 {
            let failed = if remark.is_some() {
                true
            } else if !captured.success {
                remark = Some("the runner failed".to_owned());
                true
            } else if counts.none_ran() && !filtered && !may_be_empty(&part.kind) {
                remark = Some("contains no test".to_owned());
                true
            } else {
                false
            };
            counts.failed += u64::from(failed);
        }
        Outcome { title: part.title.to_owned(), counts, time: start.elapsed(), remark }
    }
}

/// Words in the names of tests that cannot run without PostgreSQL and Redis.
fn skipped_words(services: Option<&Services>) -> impl Iterator<Item = &'static str> {
    let missing = services.is_none();
    testbed::SERVER_TEST_WORDS.into_iter().filter(move |_| missing)
}

/// Returns true for documentation, which need not have examples.
fn may_be_empty(kind: &Kind) -> bool {
    matches!(kind, Kind::Docs { .. })
}

fn package_args<'a>(packages: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    packages.iter().flat_map(|package| ["--package", package])
}

/// Counts a line as passed if it is equal in all three reports; describes every
/// other one.
fn compare_reports(reports: &[String; 3]) -> (Counts, Vec<String>) {
    let [first, second, wasm] = reports.each_ref().map(|text| text.lines().collect::<Vec<_>>());
    let mut counts = Counts::default();
    let mut differences = Vec::new();
    for row in 0..first.len().max(second.len()).max(wasm.len()) {
        let line = |report: &[&str]| report.get(row).map_or("nothing", |line| line).to_owned();
        let (a, b, c) = (line(&first), line(&second), line(&wasm));
        if a == b && b == c {
            counts.passed += 1;
        } else {
            counts.failed += 1;
            differences.push(format!("native: {a}; again: {b}; WebAssembly: {c}"));
        }
    }
    (counts, differences)
}

fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_must_be_equal_in_all_three_reports() {
        for (reports, passed, failed) in [
            (["a\nb\n", "a\nb\n", "a\nb\n"], 2, 0),
            (["a\nb\n", "a\nx\n", "a\nb\n"], 1, 1),
            (["a\nb\n", "a\nb\n", "a\n"], 1, 1),
            (["", "", "a\n"], 0, 1),
            (["", "", ""], 0, 0),
        ] {
            let (counts, differences) = compare_reports(&reports.map(str::to_owned));
            assert_eq!((counts.passed, counts.failed), (passed, failed), "{reports:?}");
            assert_eq!(differences.len() as u64, failed);
        }
    }
}
