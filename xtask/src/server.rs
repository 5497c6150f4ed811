//! The server's binary: building it and running it.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::bundle::{self, Quality};
use crate::progress::{self, Step};
use crate::project::{Project, SUITE};
use crate::shell;

/// Packages that are built and tested together. Cargo unifies the features of
/// shared dependencies over this list: another list would compile them again.
pub(crate) const PACKAGES: &[&str] = &["engine", "protocol", "app", "wasm-parity", "server", "testbed"];

/// The smallest test target. Features that only tests ask for count as soon as
/// one test is built: with it the suite builds the dependencies once.
const SMALLEST_TEST: &str = "servers";

/// `cargo xtask run`: builds everything and starts the server.
pub(crate) fn run(project: &Project, args: Vec<String>) -> Result<ExitCode> {
    bundle::build(project, Quality::Release)?;
    product(project)?;
    let args = arguments(args);
    println!("── tickhall {}", args.join(" "));
    progress::flush();
    replace_process(project.command(project.server(), &project.root).args(args))
}

/// Builds the release server alone, with bundle and migrations inside.
pub(crate) fn product(project: &Project) -> Result<()> {
    build(project, &["--release", "--package", "server"])
}

/// Builds the server that the tests start, with bundle and migrations inside.
pub(crate) fn tested(project: &Project) -> Result<()> {
    let packages = PACKAGES.iter().flat_map(|package| ["--package", package]);
    let selection = ["--profile", SUITE, "--test", SMALLEST_TEST].into_iter().chain(packages);
    build(project, &selection.collect::<Vec<_>>())
}

/// Builds the server that reads the bundle from the folder.
pub(crate) fn dev(project: &Project) -> Result<()> {
    build(project, &["--package", "server"])
}

fn build(project: &Project, selection: &[&str]) -> Result<()> {
    let step = Step::start("server: compiling");
    let mut cargo = project.cargo();
    cargo.args(["build", "--locked", "--bin", "tickhall"]).args(selection);
    shell::run(&mut cargo)?;
    step.done();
    Ok(())
}

/// Adds `serve` to the server's arguments unless they name a command or ask for help.
pub(crate) fn arguments(mut args: Vec<String>) -> Vec<String> {
    let is_named = args.first().is_some_and(|first| !first.starts_with('-'));
    let is_help = |arg: &String| matches!(arg.as_str(), "--help" | "-h" | "--version" | "-V");
    if !is_named && !args.iter().any(is_help) {
        args.insert(0, "serve".to_owned());
    }
    args
}

/// Runs a program in place of this one, which so gets the terminal's signals.
#[cfg(unix)]
fn replace_process(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn replace_process(command: &mut Command) -> Result<ExitCode> {
    shell::exit_code(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serve_is_the_default_command() {
        for (args, expected) in [
            (&[][..], &["serve"][..]),
            (&["--clock", "manual"], &["serve", "--clock", "manual"]),
            (&["verify"], &["verify"]),
            (&["--help"], &["--help"]),
        ] {
            let args = args.iter().map(ToString::to_string).collect();
            assert_eq!(arguments(args), expected);
        }
    }
}
