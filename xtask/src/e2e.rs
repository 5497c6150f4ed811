//! The browser tests.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::bundle::{self, Quality};
use crate::project::Project;
use crate::site::How;
use crate::{browser, progress, server, shell};

/// Words of the test that tells the whole story.
pub(crate) const STORY: &str = "register, trade both";

/// `cargo xtask e2e`: these tests alone, on what is built if need be.
pub(crate) fn run(project: &Project, args: &[String]) -> Result<ExitCode> {
    let chromium = browser::prepare(project)?;
    bundle::build(project, Quality::Release)?;
    server::release(project)?;
    progress::flush();
    let status = playwright(project, &chromium).args(args).status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `cargo xtask smoke`: the story on the whole site.
pub(crate) fn smoke(project: &Project) -> Result<ExitCode> {
    let chromium = browser::prepare(project)?;
    let how = match How::possible() {
        How::Containers => "containers",
        How::Processes => {
            progress::loud("no Docker engine runs: the same services run as plain processes");
            bundle::build(project, Quality::Release)?;
            server::release(project)?;
            "processes"
        }
    };
    progress::flush();
    let mut playwright = playwright(project, &chromium);
    playwright.args(["--grep", STORY]).env("TICKHALL_TOPOLOGY", how);
    Ok(if playwright.status()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Playwright on the release server.
pub(crate) fn playwright(project: &Project, chromium: &Path) -> Command {
    let mut command = project.command("node", &project.end2end());
    command
        .args(["node_modules/@playwright/test/cli.js", "test"])
        .env("TICKHALL_BIN", project.server())
        .env("TICKHALL_CHROMIUM", chromium);
    if let Ok(own) = std::env::current_exe() {
        command.env("TICKHALL_XTASK", own);
    }
    command
}

/// Whether the types of the browser tests hold.
pub(crate) fn types(project: &Project) -> Result<()> {
    let mut command = project.command("node", &project.end2end());
    command.args(["node_modules/typescript/bin/tsc", "--noEmit"]);
    shell::run(&mut command)
}
