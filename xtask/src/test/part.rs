//! A part of the suite, and how it went.

use std::fmt;
use std::time::Duration;

use super::summary::Counts;
use crate::progress;

/// One row of the table in `parts`.
pub(super) struct Part {
    /// What `--part` takes.
    pub(super) name: &'static str,
    /// What people read.
    pub(super) title: &'static str,
    pub(super) needs: &'static [Need],
    pub(super) kind: Kind,
    /// Only with `--long`, at most half an hour, remembered when done.
    pub(super) long: bool,
    /// Settings that the tests read.
    pub(super) env: &'static [(&'static str, &'static str)],
}

/// What must be there before a part can run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// The compiled server and tests.
    Binaries,
    /// PostgreSQL and Redis, installed or named in the environment.
    Services,
    /// The same; without them, the tests that need them are left out by name.
    ServicesForSome,
    Node,
    /// Chromium and the node packages of end2end.
    Browser,
}

/// What runs a part and how its result is counted.
pub(super) enum Kind {
    /// Unit and integration tests of packages, by nextest where it is
    /// installed; only those whose names hold a word of `only`, unless it is empty.
    Rust { packages: &'static [&'static str], only: &'static [&'static str] },
    /// The examples in the documentation.
    Docs { packages: &'static [&'static str] },
    /// A package whose program and whose WebAssembly module print the same
    /// report: run natively twice and under node, and compared line by line.
    Parity { package: &'static str, long: bool },
    /// Playwright in end2end.
    Browser { only: &'static str },
}

/// How a part went.
pub(super) struct Outcome {
    pub(super) title: String,
    pub(super) counts: Counts,
    pub(super) time: Duration,
    /// What a reader should know besides.
    pub(super) remark: Option<String>,
}

impl Outcome {
    /// A part that could not even be counted: one failure.
    pub(super) fn broken(title: &str) -> Outcome {
        Outcome {
            title: title.to_owned(),
            counts: Counts { failed: 1, ..Counts::default() },
            time: Duration::ZERO,
            remark: Some("could not be run".to_owned()),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { title, counts, time, remark } = self;
        write!(f, "{title:<36} {counts}  ({})", progress::duration(*time))?;
        match remark {
            Some(remark) => write!(f, "  {remark}"),
            None => Ok(()),
        }
    }
}
