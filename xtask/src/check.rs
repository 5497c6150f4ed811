//! `cargo xtask check`: formatting, lints, documentation, licences and coverage.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::progress::{self, Skips, Step};
use crate::project::Project;
use crate::{e2e, shell, wasm};

/// Packages and features of the two builds. Never `--all-features`, which would
/// build the server's and the browser's half of `app` together.
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

/// Lines of the engine that its tests must reach, in per cent.
const MIN_COVERAGE: &str = "95";

pub(crate) fn run(project: &Project) -> Result<ExitCode> {
    let skips = Skips::default();
    wasm::ensure_target(project)?;
    let mut failed = Vec::new();
    let mut check = |name: &'static str, work: &dyn Fn() -> Result<()>| {
        let step = Step::start(name);
        match work() {
            Ok(()) => step.done(),
            Err(error) => {
                progress::warn(&format!("{name}: {error:#}"));
                failed.push(name);
            }
        }
    };

    check("versions of wasm-bindgen", &|| wasm::check_versions(project));
    check("formatting", &|| shell::run(project.cargo().args(["fmt", "--all", "--check"])));
    check("clippy, native", &|| {
        let mut cargo = project.cargo();
        cargo.args(["clippy", "--locked", "--all-targets"]).args(NATIVE);
        shell::run(cargo.args(["--", "-D", "warnings"]))
    });
    check("clippy, WebAssembly", &|| {
        let mut cargo = project.cargo();
        cargo.args(["clippy", "--locked", "--lib", "--target", wasm::TARGET]);
        shell::run(cargo.args(WASM).args(["--", "-D", "warnings"]))
    });
    check("documentation", &|| {
        let mut cargo = project.cargo();
        cargo.args(["doc", "--locked", "--no-deps"]).args(NATIVE);
        shell::run(cargo.env("RUSTDOCFLAGS", "-D warnings"))
    });
    if has_subcommand(project, "deny")? {
        check("licences, bans, sources", &|| {
            let mut cargo = project.cargo();
            shell::run(cargo.args(["deny", "check", "bans", "licenses", "sources"]))
        });
    } else {
        skips.add("licences, bans, sources", "`cargo install --locked cargo-deny`, then check again");
    }
    if has_subcommand(project, "llvm-cov")? {
        check("coverage of the engine", &|| coverage(project));
    } else {
        skips.add("coverage of the engine", "`cargo install --locked cargo-llvm-cov`, then check again");
    }
    if project.end2end().join("node_modules").is_dir() {
        check("types of the browser tests", &|| e2e::check_types(project));
    } else {
        skips.add("types of the browser tests", "`npm ci` in end2end");
    }

    skips.report();
    if failed.is_empty() && skips.failures() == 0 {
        match skips.count() {
            0 => println!("check: passed"),
            count => println!("check: passed, {count} skipped"),
        }
        return Ok(ExitCode::SUCCESS);
    }
    println!("check: failed: {}", failed.join("; "));
    Ok(ExitCode::FAILURE)
}

/// Returns true if `cargo NAME` is installed; in continuous integration it is
/// installed first.
fn has_subcommand(project: &Project, name: &str) -> Result<bool> {
    let is_installed = || shell::succeeds(Command::new("cargo").args([name, "--version"]));
    if !is_installed() && progress::is_ci() {
        let package = format!("cargo-{name}");
        let step = Step::start(&package);
        let mut cargo = project.cargo();
        shell::run(cargo.args(["install", "--locked", "--quiet", &package]))?;
        step.done();
    }
    Ok(is_installed())
}

/// Reports the coverage of each file of the engine; fails below [`MIN_COVERAGE`].
fn coverage(project: &Project) -> Result<()> {
    let mut cargo = project.cargo();
    cargo.args(["llvm-cov", "--locked", "--release", "--package", "engine", "--tests"]);
    shell::run(cargo.args(["--summary-only", "--fail-under-lines", MIN_COVERAGE]))
}
