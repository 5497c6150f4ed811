//! `cargo xtask test`: everything that can be run, and one line at the end.
//!
//! The last line is always `N passed, N failed`, summed over what the runners
//! themselves report. Nothing counted is a failure too.

mod long;
mod parity;
mod part;
mod parts;
mod runner;
mod summary;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use self::part::{Need, Outcome, Part};
use self::runner::Runner;
use self::summary::Counts;
use crate::bundle::{self, Quality};
use crate::progress::{self, Step};
use crate::project::Project;
use crate::services::Services;
use crate::skips::Skips;
use crate::{browser, shell};

#[derive(Args)]
pub(crate) struct Options {
    /// Also run the parts that take up to half an hour each. What they reached
    /// is remembered, so that the next run of the same sources goes on there.
    #[arg(long)]
    long: bool,
    /// Run only the part of this name; may be repeated.
    #[arg(long = "part", value_name = "NAME", value_parser = known_part)]
    parts: Vec<String>,
    /// Run only tests whose names hold one of these words.
    filters: Vec<String>,
}

fn known_part(name: &str) -> Result<String, String> {
    let mut names: Vec<_> = parts::all().iter().map(|part| part.name).collect();
    if names.contains(&name) {
        return Ok(name.to_owned());
    }
    names.sort_unstable();
    Err(format!("the parts are {}", names.join(", ")))
}

pub(crate) fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let start = Instant::now();
    let skips = Skips::default();
    let outcomes = match everything(project, options, &skips) {
        Ok(outcomes) => outcomes,
        Err(error) => {
            // Without a build there is nothing to count, yet the last line is due.
            progress::loud(&format!("{error:#}"));
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

fn everything(project: &Project, options: &Options, skips: &Skips) -> Result<Vec<Outcome>> {
    let parts: Vec<Part> = parts::all()
        .into_iter()
        .filter(|part| match options.parts.is_empty() {
            true => options.long || !part.long,
            false => options.parts.iter().any(|name| *name == part.name),
        })
        .collect();
    let needs = |need: Need| parts.iter().any(|part| part.needs.contains(&need));

    let mut chromium = None;
    if needs(Need::Browser) {
        match browser::prepare(project) {
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
            Err(error) => skips.add("tests on PostgreSQL and Redis", &format!("{error:#}")),
        }
    }

    bundle::build(project, Quality::Release)?;
    let runner = Runner::new(project, options.filters.clone(), chromium, services);
    if needs(Need::Binaries) {
        let step = Step::start("server and tests: compiling");
        runner.compile()?;
        step.done();
    }

    let mut ledger = long::Ledger::open(project)?;
    let mut outcomes = Vec::new();
    for part in &parts {
        if part.needs.contains(&Need::Services) && !runner.has_services()
            || part.needs.contains(&Need::Node) && !node
            || part.needs.contains(&Need::Browser) && runner.chromium.is_none()
        {
            continue;
        }
        if let Some(known) = ledger.finished(part) {
            outcomes.push(known);
            continue;
        }
        let step = Step::start(&format!("tests: {}", part.title));
        let outcome = runner.run(part).unwrap_or_else(|error| {
            progress::loud(&format!("{}: {error:#}", part.title));
            Outcome::broken(part.title)
        });
        step.done_with(&outcome.counts.to_string());
        ledger.record(part, &outcome)?;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}
