//! The browser tests.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::bundle::{self, Quality};
use crate::project::Project;
use crate::{browser, progress, server, shell};

/// `cargo xtask e2e`: these tests alone, on what is built if need be.
pub(crate) fn run(project: &Project, args: &[String]) -> Result<ExitCode> {
    let chromium = browser::prepare(project)?;
    bundle::build(project, Quality::Release)?;
    server::release(project)?;
    progress::flush();
    let status = playwright(project, &chromium).args(args).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Playwright on the release server.
pub(crate) fn playwright(project: &Project, chromium: &Path) -> Command {
    let mut command = project.command("node", &project.end2end());
    command
        .args(["node_modules/@playwright/test/cli.js", "test"])
        .env("TRADEFLOOR_BIN", project.server())
        .env("TRADEFLOOR_CHROMIUM", chromium);
    command
}

/// Whether the types of the browser tests hold.
pub(crate) fn types(project: &Project) -> Result<()> {
    let mut command = project.command("node", &project.end2end());
    command.args(["node_modules/typescript/bin/tsc", "--noEmit"]);
    shell::run(&mut command)
}
