//! `cargo xtask site`: every service of compose.yaml, in containers if a Docker
//! engine runs, else as plain processes on a private PostgreSQL and Redis.
//!
//! Reads `kill` (every agent, at once), `start` and `reset EMAIL` (print the link that
//! sets a user's password) from standard input; ends with it, and removes everything
//! that was stored.

use std::io::BufRead as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use testbed::{Postgres, Proxy, Redis};

use crate::project::Project;
use crate::services::start_or_install;
use crate::{bundle, progress, server, shell};

/// Port of the proxy in a container, other than compose.yaml's default.
const PROXY_PORT: &str = "3300";

/// Name of the Compose project.
const PROJECT_NAME: &str = "tickhall-site";

/// Services of the product; all but the databases and the proxy.
const AGENTS: [&str; 6] = ["trading", "market-data", "portfolio", "auth", "gateway-1", "gateway-2"];

/// Runtime of compose.yaml's services.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deployment {
    Containers,
    Processes,
}

impl Deployment {
    /// Containers if a Docker engine with Compose answers.
    pub(crate) fn available() -> Deployment {
        let engine = shell::succeeds(Command::new("docker").args(["info"]));
        let compose = engine && shell::succeeds(Command::new("docker").args(["compose", "version"]));
        if compose { Deployment::Containers } else { Deployment::Processes }
    }
}

/// Runs the site, built first unless it is `built` already.
pub(crate) fn run(project: &Project, deployment: Deployment, built: bool, settings: &[String]) -> Result<()> {
    if deployment == Deployment::Processes && !built {
        bundle::build(project, bundle::Quality::Release)?;
        server::tested(project)?;
    }
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|setting| setting.split_once('=').with_context(|| format!("{setting} is not NAME=VALUE")))
        .collect::<Result<_>>()?;
    match deployment {
        Deployment::Containers => run_containers(project, &settings),
        Deployment::Processes => run_processes(project, &settings),
    }
}

fn run_processes(project: &Project, settings: &[(&str, &str)]) -> Result<()> {
    let postgres = start_or_install("postgresql", || Postgres::start(&["fsync=off"]))?;
    drop(start_or_install("redis-server", Redis::start)?);
    start_or_install("nginx", Proxy::check)?;
    let (file, binary) = (project.root.join("compose.yaml"), project.tested_server());
    let mut site = testbed::Topology::start(&file, &binary, settings, postgres)?;
    print_addresses(&site);
    for line in std::io::stdin().lock().lines() {
        match line?.trim() {
            "kill" => site.kill_all(),
            "start" => {
                site.start_all()?;
                print_addresses(&site);
            }
            line => {
                let email = reset_of(line)?;
                shell::run(&mut site.command(&["user", "reset", email]))?;
            }
        }
    }
    Ok(())
}

/// The address in a line `reset EMAIL`.
fn reset_of(line: &str) -> Result<&str> {
    line.strip_prefix("reset ").with_context(|| format!("kill, start or reset EMAIL, not {line:?}"))
}

fn print_addresses(site: &testbed::Topology) {
    for name in site.published() {
        println!("{name} answers at {}", site.url(&name));
    }
    progress::flush();
}

fn run_containers(project: &Project, settings: &[(&str, &str)]) -> Result<()> {
    let compose = |arguments: &[&str]| {
        let mut docker = project.command("docker", &project.root);
        docker.args(["compose", "--project-name", PROJECT_NAME]).args(arguments);
        docker.env("PROXY_PORT", PROXY_PORT);
        shell::run(docker.envs(settings.iter().copied()))
    };
    let start = || -> Result<()> {
        compose(&["up", "--detach", "--build", "--wait"])?;
        println!("proxy answers at http://127.0.0.1:{PROXY_PORT}");
        progress::flush();
        Ok(())
    };
    let serve = || -> Result<()> {
        start()?;
        for line in std::io::stdin().lock().lines() {
            match line?.trim() {
                "kill" => compose(&[&["kill"][..], &AGENTS].concat())?,
                "start" => start()?,
                line => compose(&["exec", "--no-TTY", "auth", "tickhall", "user", "reset", reset_of(line)?])?,
            }
        }
        Ok(())
    };
    let result = serve();
    compose(&["down", "--volumes"])?;
    result
}
