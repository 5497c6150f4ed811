//! The browser tests: node, their packages, Chromium, Playwright.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::bundle::{self, Quality};
use crate::project::Project;
use crate::site::Deployment;
use crate::{install, progress, server, shell};

/// Part of the name of the test that covers the whole product.
pub(crate) const STORY: &str = "register, trade both";

/// Names under which a Chromium may already be installed.
const CHROMIUM: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// `cargo xtask e2e`: the browser tests alone, on what is built if need be.
pub(crate) fn run(project: &Project, args: &[String]) -> Result<ExitCode> {
    let chromium = install_browser(project)?;
    bundle::build(project, Quality::Release)?;
    server::tested(project)?;
    progress::flush();
    shell::exit_code(playwright(project, &chromium).args(args))
}

/// `cargo xtask smoke`: the story on the topology of compose.yaml.
pub(crate) fn smoke(project: &Project) -> Result<ExitCode> {
    let chromium = install_browser(project)?;
    let topology = match Deployment::available() {
        Deployment::Containers => "containers",
        Deployment::Processes => {
            progress::warn("no Docker engine runs: the same services run as plain processes");
            bundle::build(project, Quality::Release)?;
            server::tested(project)?;
            "processes"
        }
    };
    progress::flush();
    let mut playwright = playwright(project, &chromium);
    shell::exit_code(playwright.args(["--grep", STORY]).env("TICKHALL_TOPOLOGY", topology))
}

/// Playwright on the tested server.
pub(crate) fn playwright(project: &Project, chromium: &Path) -> Command {
    let mut command = project.command("node", &project.end2end());
    command
        .args(["node_modules/@playwright/test/cli.js", "test"])
        .env("TICKHALL_BIN", project.tested_server())
        .env("TICKHALL_CHROMIUM", chromium);
    if let Ok(xtask) = std::env::current_exe() {
        command.env("TICKHALL_XTASK", xtask);
    }
    command
}

/// Checks the types of the browser tests.
pub(crate) fn check_types(project: &Project) -> Result<()> {
    let mut command = project.command("node", &project.end2end());
    command.args(["node_modules/typescript/bin/tsc", "--noEmit"]);
    shell::run(&mut command)
}

/// Installs whatever is missing and returns the browser's path.
pub(crate) fn install_browser(project: &Project) -> Result<PathBuf> {
    if shell::find("node").is_none() || shell::find("npm").is_none() {
        install::debian(&["nodejs", "npm"])?;
    }
    install::npm(project, &project.end2end())?;
    if let Some(path) = std::env::var_os("TICKHALL_CHROMIUM").map(PathBuf::from) {
        if !path.is_file() {
            bail!("TICKHALL_CHROMIUM names {}, which is no file", path.display());
        }
        return Ok(path);
    }
    let chromium = || CHROMIUM.into_iter().find_map(shell::find);
    if let Some(path) = chromium() {
        return Ok(path);
    }
    // Without a font, every page is boxes.
    install::debian(&["chromium", "fonts-liberation"])?;
    match chromium() {
        Some(path) => Ok(path),
        None => bail!("Chromium was installed but is not on the PATH"),
    }
}
