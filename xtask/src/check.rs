//! `cargo xtask check`: everything that can be said without running the code.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::progress::Step;
use crate::project::Project;
use crate::skips::{self, Skips};
use crate::{bindgen, e2e, progress, shell, wasm_target};

/// What the browser runs is linted for the browser; never `--all-features`,
/// which would build the server's and the browser's half of `app` together.
const NATIVE: &[&str] = &["--workspace", "--exclude", "frontend", "--features", "app/ssr"];
const WASM: &[&str] = &[
    "--package",
    "engine",
    "--package",
    "app",
    "--package",
    "frontend",
    "--package",
    "parity",
    "--features",
    "app/hydrate,frontend/hydrate",
];

pub(crate) fn run(project: &Project) -> Result<ExitCode> {
    let skips = Skips::default();
    wasm_target::ensure(project)?;
    let mut failed = Vec::new();
    let mut judge = |name: &'static str, work: &dyn Fn() -> Result<()>| {
        let step = Step::start(name);
        match work() {
            Ok(()) => step.done(),
            Err(error) => {
                progress::loud(&format!("{name}: {error:#}"));
                failed.push(name);
            }
        }
    };

    judge("wasm-bindgen's two halves", &|| bindgen::check_versions(project));
    judge("formatting", &|| shell::run(project.cargo().args(["fmt", "--all", "--check"])));
    judge("clippy, native", &|| {
        let mut cargo = project.cargo();
        cargo.args(["clippy", "--locked", "--all-targets"]).args(NATIVE);
        shell::run(cargo.args(["--", "-D", "warnings"]))
    });
    judge("clippy, WebAssembly", &|| {
        let mut cargo = project.cargo();
        cargo.args(["clippy", "--locked", "--lib", "--target", wasm_target::TRIPLE]);
        shell::run(cargo.args(WASM).args(["--", "-D", "warnings"]))
    });
    judge("documentation", &|| {
        let mut cargo = project.cargo();
        cargo.args(["doc", "--locked", "--no-deps"]).args(NATIVE);
        shell::run(cargo.env("RUSTDOCFLAGS", "-D warnings"))
    });
    if cargo_deny(project)? {
        judge("licences, bans, sources", &|| {
            let mut cargo = project.cargo();
            shell::run(cargo.args(["deny", "check", "bans", "licenses", "sources"]))
        });
    } else {
        skips.add("licences, bans, sources", "`cargo install --locked cargo-deny`, then check again");
    }
    if project.end2end().join("node_modules").is_dir() {
        judge("types of the browser tests", &|| e2e::types(project));
    } else {
        skips.add("types of the browser tests", "`npm ci` in end2end");
    }

    skips.report();
    if failed.is_empty() && skips.failures() == 0 {
        match skips.count() {
            0 => println!("check: all is well"),
            count => println!("check: nothing is wrong, but {count} skipped"),
        }
        return Ok(ExitCode::SUCCESS);
    }
    println!("check: failed: {}", failed.join("; "));
    Ok(ExitCode::FAILURE)
}

/// Whether cargo-deny is there; where nothing may be skipped it is fetched.
fn cargo_deny(project: &Project) -> Result<bool> {
    let there = || shell::succeeds(Command::new("cargo").args(["deny", "--version"]));
    if !there() && skips::forbidden() {
        let step = Step::start("cargo-deny");
        let mut cargo = project.cargo();
        shell::run(cargo.args(["install", "--locked", "--quiet", "cargo-deny"]))?;
        step.done();
    }
    Ok(there())
}
