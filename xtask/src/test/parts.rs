//! The whole suite as one table, and the result of a part. A new kind of test
//! is a new row.

use std::fmt;
use std::time::Duration;

use super::counts::Counts;
use crate::e2e::STORY;
use crate::progress;
use crate::server::PACKAGES as NATIVE;

/// One part of the suite.
pub(super) struct Part {
    /// Value of `--part`.
    pub(super) name: &'static str,
    /// Title in the summary.
    pub(super) title: &'static str,
    pub(super) needs: &'static [Need],
    pub(super) kind: Kind,
    /// Runs only with `--long`, at most half an hour; its result is stored.
    pub(super) long: bool,
    /// Environment variables that the tests read.
    pub(super) env: &'static [(&'static str, &'static str)],
}

/// A precondition of a part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// The compiled server and tests.
    Binaries,
    /// PostgreSQL and Redis, installed or named in the environment.
    Services,
    /// The same; without them, the tests that need them are skipped by name.
    ServicesForSome,
    Node,
    /// Chromium and the node packages of end2end.
    Browser,
}

/// The runner of a part, which also counts its tests.
pub(super) enum Kind {
    /// Unit and integration tests of packages, by nextest if it is installed;
    /// only those whose names contain a word of `only`, unless it is empty.
    Rust { packages: &'static [&'static str], only: &'static [&'static str] },
    /// The examples in the documentation.
    Docs { packages: &'static [&'static str] },
    /// A package whose program and whose WebAssembly module print the same
    /// report: run natively twice and under node, and compared line by line.
    Parity { package: &'static str, long: bool },
    /// Playwright in end2end.
    Browser { only: &'static str },
}

/// Result of a part.
pub(super) struct Outcome {
    pub(super) title: String,
    pub(super) counts: Counts,
    pub(super) time: Duration,
    /// Reason of a failure outside the tests, or where the result comes from.
    pub(super) remark: Option<String>,
}

impl Outcome {
    /// Result of a part that could not even be counted: one failure.
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

/// A part that is not long and sets nothing.
const PART: Part =
    Part { name: "", title: "", needs: &[], kind: Kind::Browser { only: "" }, long: false, env: &[] };

pub(super) const PARTS: &[Part] = &[
    Part {
        name: "native",
        title: "engine, protocol, app, server, testbed",
        needs: &[Need::Binaries, Need::ServicesForSome],
        kind: Kind::Rust { packages: NATIVE, only: &[] },
        ..PART
    },
    Part {
        name: "postgres",
        title: "agents and HTTP again, on PostgreSQL",
        needs: &[Need::Binaries, Need::Services],
        // Every test that does not choose the kind of its store.
        kind: Kind::Rust { packages: NATIVE, only: &["agents::", "api::", "scenario::"] },
        env: &[("TICKHALL_TEST_STORE", "postgres")],
        ..PART
    },
    Part {
        name: "docs",
        title: "examples in the documentation",
        needs: &[Need::Binaries],
        kind: Kind::Docs { packages: NATIVE },
        ..PART
    },
    Part {
        name: "xtask",
        title: "xtask and git hooks",
        kind: Kind::Rust { packages: &["xtask"], only: &[] },
        ..PART
    },
    Part {
        name: "parity",
        title: "natively and in WebAssembly",
        needs: &[Need::Binaries, Need::Node],
        kind: Kind::Parity { package: "wasm-parity", long: false },
        ..PART
    },
    Part {
        name: "browser",
        title: "in the browser",
        needs: &[Need::Browser, Need::Binaries],
        kind: Kind::Browser { only: "" },
        ..PART
    },
    Part {
        name: "topology",
        title: "in the browser, on compose.yaml",
        needs: &[Need::Browser, Need::Binaries, Need::Services],
        kind: Kind::Browser { only: STORY },
        env: &[("TICKHALL_TOPOLOGY", "processes")],
        ..PART
    },
    // The long parts: at most half an hour each.
    Part {
        name: "long-kills",
        title: "killed under load, 200 and 100 times",
        needs: &[Need::Binaries, Need::ServicesForSome],
        kind: Kind::Rust { packages: NATIVE, only: &["kill"] },
        long: true,
        // One process with every agent, and a process for each agent.
        env: &[("TICKHALL_KILLS", "200"), ("TICKHALL_TOPOLOGY_KILLS", "100")],
    },
    Part {
        name: "long-properties",
        title: "properties of the engine, 20,000 cases",
        needs: &[Need::Binaries],
        kind: Kind::Rust { packages: &["engine"], only: &[] },
        long: true,
        env: &[("PROPTEST_CASES", "20000"), ("ROUND_TRIP_SEEDS", "100")],
    },
    Part {
        name: "long-previews",
        title: "10,000 previews in the browser",
        needs: &[Need::Browser, Need::Binaries],
        kind: Kind::Browser { only: "preview" },
        long: true,
        env: &[("TICKHALL_PREVIEWS", "10000")],
    },
    Part {
        name: "long-parity",
        title: "natively and in WebAssembly, long",
        needs: &[Need::Binaries, Need::Node],
        kind: Kind::Parity { package: "wasm-parity", long: true },
        long: true,
        ..PART
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = PARTS.iter().map(|part| part.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
