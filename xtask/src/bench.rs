//! `cargo xtask bench`: criterion in engine and server.

use std::process::ExitCode;

use anyhow::Result;

use crate::project::Project;
use crate::services::Services;
use crate::{progress, shell};

const ROOMS: [&str; 2] = ["engine", "server"];

pub(crate) fn run(project: &Project, args: &[String]) -> Result<ExitCode> {
    let rooms: Vec<_> =
        ROOMS.into_iter().filter(|room| project.root.join(room).join("benches").is_dir()).collect();
    if rooms.is_empty() {
        progress::loud(&format!("no benches folder in {}", ROOMS.join(" or ")));
        return Ok(ExitCode::FAILURE);
    }
    if rooms.contains(&"server") {
        // Benches start servers of their own, which let nothing be lost; here
        // they are only installed.
        drop(Services::start()?);
    }
    let mut cargo = project.cargo();
    cargo.args(["bench", "--locked", "--bench", "*"]);
    for room in rooms {
        cargo.args(["--package", room]);
    }
    shell::run(cargo.arg("--").args(args))?;
    Ok(ExitCode::SUCCESS)
}
