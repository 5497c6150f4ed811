//! `cargo xtask test`: the whole suite.
//!
//! The last line is always `N passed, N failed`, summed over the reports of the
//! runners. A run without any passed test fails too.

mod counts;
mod long_results;
mod parts;
mod runner;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use self::counts::Counts;
use self::long_results::LongResults;
use self::parts::{Need, Outcome, PARTS, Part};
use self::runner::Runner;
use crate::bundle::{self, Quality};
use crate::progress::{self, Skips, Step};
use crate::project::Project;
use crate::services::Services;
use crate::{e2e, shell};

#[derive(Args)]
pub(crate) struct Options {
    /// Also run the parts that take up to half an hour each. Their results are
    /// stored: the next run on the same sources runs the others.
    #[arg(long)]
    long: bool,
    /// Run only the part of this name; may be repeated.
    #[arg(long = "part", value_name = "NAME", value_parser = part_name)]
    parts: Vec<String>,
    /// Run only tests whose names hold one of these words.
    filters: Vec<String>,
}

fn part_name(name: &str) -> Result<String, String> {
    let mut names: Vec<_> = PARTS.iter().map(|part| part.name).collect();
    if names.contains(&name) {
        return Ok(name.to_owned());
    }
    names.sort_unstable();
    Err(format!("the parts are {}", names.join(", ")))
}

pub(crate) fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let start = Instant::now();
    let skips = Skips::default();
    let outcomes = match run_parts(project, options, &skips) {
        Ok(outcomes) => outcomes,
        Err(error) => {
            // The last line is printed even if the build failed.
            progress::warn(&format!("{error:#}"));
            vec![Outcome::broken("preparation")]
        }
    };

    println!();
    println!("── summary, after {}", progress::duration(start.elapsed()));
    for outcome in &outcomes {
        println!("   {outcome}");
    }
    skips.report();
    let mut total: Counts = outcomes.iter().map(|outcome| outcome.counts).sum();
    total.failed += skips.failures();
    println!("{} passed, {} failed", total.passed, total.failed);
    let green = total.failed == 0 && total.passed > 0;
    Ok(if green { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_parts(project: &Project, options: &Options, skips: &Skips) -> Result<Vec<Outcome>> {
    let parts: Vec<&Part> = PARTS
        .iter()
        .filter(|part| match options.parts.is_empty() {
            true => options.long || !part.long,
            false => options.parts.iter().any(|name| *name == part.name),
        })
        .collect();
    let needs = |need: Need| parts.iter().any(|part| part.needs.contains(&need));

    let mut chromium = None;
    if needs(Need::Browser) {
        match e2e::install_browser(project) {
            Ok(path) => chromium = Some(path),
            Err(error) => skips.add("browser tests", &format!("{error:#}")),
        }
    }
    let node = shell::find("node").is_some();
    if needs(Need::Node) && !node {
        skips.add("the comparison with WebAssembly", "install node 20 or newer");
    }

    let mut services = None;
    if needs(Need::Services) || needs(Need::ServicesForSome) {
        match Services::start() {
            Ok(started) => services = Some(started),
            Err(error) => skips.add("tests on PostgreSQL, Redis and nginx", &format!("{error:#}")),
        }
    }

    bundle::build(project, Quality::Release)?;
    let runner = Runner::new(project, options.filters.clone(), chromium, services);
    if needs(Need::Binaries) {
        let step = Step::start("server and tests: compiling");
        runner.compile()?;
        step.done();
    }

    let mut long_results = LongResults::open(project)?;
    let mut outcomes = Vec::new();
    for part in parts.iter().copied() {
        if part.needs.contains(&Need::Services) && !runner.has_services()
            || part.needs.contains(&Need::Node) && !node
            || part.needs.contains(&Need::Browser) && runner.chromium.is_none()
        {
            continue;
        }
        if let Some(outcome) = long_results.get(part) {
            outcomes.push(outcome);
            continue;
        }
        let step = Step::start(&format!("tests: {}", part.title));
        let outcome = runner.run(part).unwrap_or_else(|error| {
            progress::warn(&format!("{}: {error:#}", part.title));
            Outcome::broken(part.title)
        });
        step.done_with(&outcome.counts.to_string());
        long_results.store(part, &outcome)?;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}
