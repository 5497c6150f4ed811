//! Running one part and counting it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::parity;
use super::part::{Kind, Outcome, Part};
use super::summary::Counts;
use crate::bindgen::{self, Host};
use crate::project::Project;
use crate::server::PACKAGES;
use crate::services::Services;
use crate::shell::{self, Heard};
use crate::{e2e, progress, wasm_target};

/// A part is stopped after this long: the long ones are cut to fit.
const LIMIT: Duration = Duration::from_secs(30 * 60);

pub(super) struct Runner<'a> {
    project: &'a Project,
    filters: Vec<String>,
    pub(super) chromium: Option<PathBuf>,
    /// What tests share; those that need it are left out when it is missing.
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

    /// Compiles server and tests in one go: dependencies are built once, with
    /// the features of both, and the browser tests find the server ready.
    pub(super) fn compile(&self) -> Result<()> {
        let mut cargo = self.project.cargo();
        cargo.args(["build", "--locked", "--release", "--lib", "--bins", "--tests"]);
        shell::run(cargo.args(chosen(PACKAGES)))
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
                cargo.args(["test", "--locked", "--release", "--doc", "--no-fail-fast"]);
                cargo.args(chosen(packages)).arg("--").args(&self.filters);
                (cargo, Counts::from_libtest)
            }
            Kind::Parity { package, long } => return self.parity(part, package, *long, start),
            Kind::Browser { only } => return self.browser(part, only, start),
        };
        command.envs(part.env.iter().copied());
        if let Some(services) = &self.services {
            command.envs(services.environment());
        }
        let heard = shell::tee(&mut command, Some(LIMIT))?;
        let counts = count(&heard.text);
        Ok(self.judge(part, &heard, counts, start))
    }

    fn nextest(&self, packages: &[&str], only: &[&str]) -> Command {
        let mut cargo = self.project.cargo();
        cargo.args(["nextest", "run", "--locked", "--cargo-profile", "release"]);
        cargo.args(["--no-fail-fast", "--no-tests", "pass", "--status-level", "slow"]);
        cargo.args(["--final-status-level", "fail"]);
        cargo.args(chosen(packages));
        // A test must hold one of the part's words and one of the caller's.
        let mut terms: Vec<_> =
            left_out(self.services.as_ref()).map(|word| format!("not test({word})")).collect();
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
        cargo.args(["test", "--locked", "--release", "--no-fail-fast", "--tests"]);
        cargo.args(chosen(packages)).arg("--");
        match only {
            [] => cargo.args(&self.filters),
            words => cargo.args(words),
        };
        for word in left_out(self.services.as_ref()) {
            cargo.args(["--skip", word]);
        }
        cargo
    }

    /// Not filtered: a report is cheap to compare and means nothing in part.
    fn parity(&self, part: &Part, package: &str, long: bool, start: Instant) -> Result<Outcome> {
        wasm_target::ensure(self.project)?;
        let mut cargo = self.project.cargo();
        cargo.args(["build", "--locked", "--profile", "wasm-release", "--lib"]);
        cargo.args(["--target", wasm_target::TRIPLE, "--package", package]);
        shell::run(&mut cargo)?;
        let built = self.project.target.join(wasm_target::TRIPLE);
        let module = built.join(format!("wasm-release/{}.wasm", package.replace('-', "_")));
        let bound = self.project.target.join("wasm-tests").join(package);
        fs::create_dir_all(&bound)?;
        bindgen::generate(&module, package, Host::Node, &bound)?;

        let program = self.project.target.join("release").join(package);
        let native = || {
            let mut native = self.project.command(&program, &self.project.root);
            shell::output(native.args(long.then_some("long")))
        };
        let mut node = self.project.command("node", &bound);
        node.arg("--eval").arg(format!("process.stdout.write(require('./{package}.js').report({long}))"));
        let reports = [native()?, native()?, shell::output(&mut node)?];
        let (counts, differences) = parity::compare(&reports);
        for line in reports[0].lines() {
            progress::note(line);
        }
        for difference in differences {
            progress::loud(&difference);
        }
        let heard = Heard { success: true, text: String::new(), stopped: None };
        Ok(self.judge(part, &heard, Some(counts), start))
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
        let heard = shell::tee(playwright.envs(part.env.iter().copied()), Some(LIMIT))?;
        let counts = fs::read_to_string(&report)
            .map_err(anyhow::Error::from)
            .and_then(|json| Counts::from_playwright(&json));
        Ok(self.judge(part, &heard, counts.ok(), start))
    }

    /// A runner that fails without a failing test, or cannot be counted, is one
    /// failure; so is a part without any test, unless filters were given.
    fn judge(&self, part: &Part, heard: &Heard, counts: Option<Counts>, start: Instant) -> Outcome {
        let mut remark = heard.stopped.clone();
        let mut counts = counts.unwrap_or_else(|| {
            remark.get_or_insert_with(|| "printed no result".to_owned());
            Counts::default()
        });
        let filtered = !self.filters.is_empty();
        if counts.failed == 0 {
            let trouble = if remark.is_some() {
                true
            } else if !heard.success {
                remark = Some("the runner failed".to_owned());
                true
            } else if counts.none_ran() && !filtered && !may_be_empty(&part.kind) {
                remark = Some("held no test".to_owned());
                true
            } else {
                false
            };
            counts.failed += u64::from(trouble);
        }
        Outcome { title: part.title.to_owned(), counts, time: start.elapsed(), remark }
    }
}

/// Words in the names of tests that cannot run without PostgreSQL and Redis.
fn left_out(services: Option<&Services>) -> impl Iterator<Item = &'static str> {
    let missing = services.is_none();
    testbed::NAMED.into_iter().filter(move |_| missing)
}

/// Documentation need not have examples.
fn may_be_empty(kind: &Kind) -> bool {
    matches!(kind, Kind::Docs { .. })
}

fn chosen<'a>(packages: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    packages.iter().flat_map(|package| ["--package", package])
}

fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
