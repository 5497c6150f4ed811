//! `cargo xtask site`: everything that compose.yaml says, as containers where a
//! Docker engine runs, else as plain processes on a private PostgreSQL and
//! Redis.
//!
//! Whoever started it may type `kill` (every agent, at once) and `start`; when
//! there is nothing more to read, the site ends and with it all that it kept.

use std::io::BufRead as _;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use testbed::{Postgres, Redis, Topology};

use crate::project::Project;
use crate::services::installed;
use crate::{bundle, progress, server, shell};

/// Where the first gateway of a site in containers is, away from one that
/// somebody may be running.
const PORT: &str = "3300";

/// Its name among other projects.
const NAME: &str = "tickhall-site";

/// How the site runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Containers,
    Processes,
}

impl How {
    /// Containers where an engine with Compose answers.
    pub(crate) fn possible() -> How {
        let engine = shell::succeeds(Command::new("docker").args(["info"]));
        let compose = engine && shell::succeeds(Command::new("docker").args(["compose", "version"]));
        if compose { How::Containers } else { How::Processes }
    }
}

/// Builds what is to run and runs it.
pub(crate) fn run(project: &Project, how: How, settings: &[String]) -> Result<ExitCode> {
    if how == How::Processes {
        bundle::build(project, bundle::Quality::Release)?;
        server::release(project)?;
    }
    serve(project, how, settings)
}

/// Runs what is built.
pub(crate) fn serve(project: &Project, how: How, settings: &[String]) -> Result<ExitCode> {
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|setting| setting.split_once('=').with_context(|| format!("{setting} is not NAME=VALUE")))
        .collect::<Result<_>>()?;
    match how {
        How::Containers => containers(project, &settings)?,
        How::Processes => processes(project, &settings)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn processes(project: &Project, settings: &[(&str, &str)]) -> Result<()> {
    let postgres = installed("postgresql", || Postgres::start(&["fsync=off"]))?;
    let (file, binary) = (project.root.join("compose.yaml"), project.server());
    drop(installed("redis-server", Redis::start)?);
    let mut site = Topology::start(&file, &binary, settings, postgres)?;
    tell(&site);
    for line in std::io::stdin().lock().lines() {
        match line?.trim() {
            "kill" => site.kill_all(),
            "start" => {
                site.start_all()?;
                tell(&site);
            }
            other => bail!("kill or start, not {other:?}"),
        }
    }
    Ok(())
}

fn tell(site: &Topology) {
    for name in site.published() {
        println!("{name} answers at {}", site.url(&name));
    }
    progress::flush();
}

fn containers(project: &Project, settings: &[(&str, &str)]) -> Result<()> {
    let compose = |words: &[&str]| {
        let mut docker = project.command("docker", &project.root);
        docker.args(["compose", "--project-name", NAME]).args(words);
        docker.env("GATEWAY_1_PORT", PORT).env("GATEWAY_2_PORT", "3301").envs(settings.iter().copied());
        shell::run(&mut docker)
    };
    let up = || -> Result<()> {
        compose(&["up", "--detach", "--build", "--wait"])?;
        println!("gateway-1 answers at http://127.0.0.1:{PORT}");
        progress::flush();
        Ok(())
    };
    let work = || -> Result<()> {
        up()?;
        for line in std::io::stdin().lock().lines() {
            match line?.trim() {
                "kill" => compose(&[
                    "kill",
                    "trading",
                    "market-data",
                    "portfolio",
                    "auth",
                    "gateway-1",
                    "gateway-2",
                ])?,
                "start" => up()?,
                other => bail!("kill or start, not {other:?}"),
            }
        }
        Ok(())
    };
    let worked = work();
    compose(&["down", "--volumes"])?;
    worked
}
