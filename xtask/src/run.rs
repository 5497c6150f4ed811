//! `cargo xtask run`: from a fresh clone to a server that answers.

use std::process::ExitCode;

use anyhow::Result;

use crate::bundle::{self, Quality};
use crate::project::Project;
use crate::{progress, server};

pub(crate) fn run(project: &Project, args: Vec<String>) -> Result<ExitCode> {
    bundle::build(project, Quality::Release)?;
    server::release(project)?;
    let args = server::arguments(args);
    println!("── tickhall {}", args.join(" "));
    progress::flush();
    let mut command = project.command(project.server(), &project.root);
    command.args(args);
    become_it(&mut command)
}

/// Hands the terminal and its signals over for good.
#[cfg(unix)]
fn become_it(command: &mut std::process::Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn become_it(command: &mut std::process::Command) -> Result<ExitCode> {
    let status = command.status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
