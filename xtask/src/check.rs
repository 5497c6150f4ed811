//! `cargo xtask check`: everything that can be said about the code beside
//! whether its tests pass: form, lints, licences, and what the tests reach.

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
    "protocol",
    "--package",
    "app",
    "--package",
    "frontend",
    "--package",
    "wasm-parity",
    "--features",
    "app/hydrate,frontend/hydrate",
];

/// Per cent of the engine's lines.
const COVERED: &str = "95";

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
    if subcommand(project, "deny")? {
        judge("licences, bans, sources", &|| {
            let mut cargo = project.cargo();
            shell::run(cargo.args(["deny", "check", "bans", "licenses", "sources"]))
        });
    } else {
        skips.add("licences, bans, sources", "`cargo install --locked cargo-deny`, then check again");
    }
    if subcommand(project, "llvm-cov")? {
        judge("lines of the engine that its tests reach", &|| coverage(project));
    } else {
        skips.add(
            "lines of the engine that its tests reach",
            "`cargo install --locked cargo-llvm-cov`, then check again",
        );
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

/// Whether `cargo NAME` is there; where nothing may be skipped it is fetched.
fn subcommand(project: &Project, name: &str) -> Result<bool> {
    let there = || shell::succeeds(Command::new("cargo").args([name, "--version"]));
    if !there() && skips::forbidden() {
        let package = format!("cargo-{name}");
        let step = Step::start(&package);
        let mut cargo = project.cargo();
        shell::run(cargo.args(["install", "--locked", "--quiet", &package]))?;
        step.done();
    }
    Ok(there())
}

/// Reports the share of the engine's lines that its own tests reach, file by
/// file, and fails below [`COVERED`].
fn coverage(project: &Project) -> Result<()> {
    let mut cargo = project.cargo();
    cargo.args(["llvm-cov", "--locked", "--release", "--package", "engine", "--tests"]);
    shell::run(cargo.args(["--summary-only", "--fail-under-lines", COVERED]))
}
