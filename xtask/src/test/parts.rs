//! The whole suite as one table. A new kind of test is a new row.

use super::part::{Kind, Need, Part};
use crate::e2e::STORY;
use crate::server::PACKAGES as NATIVE;

pub(super) fn all() -> Vec<Part> {
    vec![
        Part {
            name: "native",
            title: "engine, protocol, app, server, testbed",
            needs: &[Need::Binaries, Need::ServicesForSome],
            kind: Kind::Rust { packages: NATIVE, only: &[] },
            long: false,
            env: &[],
        },
        Part {
            name: "postgres",
            title: "agents and doors again, on PostgreSQL",
            needs: &[Need::Binaries, Need::Services],
            // What is not about one kind of store.
            kind: Kind::Rust { packages: NATIVE, only: &["agents::", "api::", "scenario::"] },
            long: false,
            env: &[("TICKHALL_TEST_STORE", "postgres")],
        },
        Part {
            name: "docs",
            title: "examples in the documentation",
            needs: &[Need::Binaries],
            kind: Kind::Docs { packages: NATIVE },
            long: false,
            env: &[],
        },
        Part {
            name: "xtask",
            title: "xtask and git hooks",
            needs: &[],
            kind: Kind::Rust { packages: &["xtask"], only: &[] },
            long: false,
            env: &[],
        },
        Part {
            name: "parity",
            title: "natively and in WebAssembly",
            needs: &[Need::Binaries, Need::Node],
            kind: Kind::Parity { package: "wasm-parity", long: false },
            long: false,
            env: &[],
        },
        Part {
            name: "browser",
            title: "in the browser",
            needs: &[Need::Browser, Need::Binaries],
            kind: Kind::Browser { only: "" },
            long: false,
            env: &[],
        },
        Part {
            name: "topology",
            title: "in the browser, on compose.yaml",
            needs: &[Need::Browser, Need::Binaries, Need::Services],
            kind: Kind::Browser { only: STORY },
            long: false,
            env: &[("TICKHALL_TOPOLOGY", "processes")],
        },
        // The long parts: at most half an hour each.
        Part {
            name: "long-kills",
            title: "killed under load, 200 and 100 times",
            needs: &[Need::Binaries, Need::ServicesForSome],
            kind: Kind::Rust { packages: NATIVE, only: &["kill"] },
            long: true,
            // The one process, and any process of many.
            env: &[("TICKHALL_KILLS", "200"), ("TICKHALL_TOPOLOGY_KILLS", "100")],
        },
        Part {
            name: "long-properties",
            title: "properties of the engine, 20,000 cases",
            needs: &[Need::Binaries],
            kind: Kind::Rust { packages: &["engine"], only: &[] },
            long: true,
            env: &[("PROPTEST_CASES", "20000")],
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
            env: &[],
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = all().iter().map(|part| part.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
