//! The project's tool: `cargo xtask run | test | check | dev | dist | bench | e2e | site | smoke | bundle | css`.
//!
//! Builds, checks and starts programs; knows nothing of markets.
#![allow(clippy::print_stdout, reason = "a command prints to its user")]

mod bundle;
mod check;
mod dev;
mod dist;
mod e2e;
mod fingerprint;
mod install;
mod progress;
mod project;
mod server;
mod services;
mod shell;
mod site;
mod test;
mod wasm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::project::Project;
use crate::services::Services;
use crate::site::Deployment;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, tests and runs Tickhall")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything into one binary and start it.
    Run {
        /// Arguments of `tickhall`; `serve` unless they name another command.
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Install what tests need and run them all.
    Test(test::Options),
    /// Formatting, lints, documentation and licences.
    Check,
    /// Build without optimising, serve, rebuild and restart on every change.
    Dev {
        /// Arguments of `tickhall`; `serve` unless they name another command.
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Pack the binary, the README and the licences into target/dist.
    Dist,
    /// Run the benchmarks of engine and server.
    Bench {
        /// Arguments of criterion.
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Run the browser tests alone.
    E2e {
        /// Arguments of `playwright test`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Run every service of compose.yaml: in containers if a Docker engine
    /// runs, else as plain processes. Ends with its standard input.
    Site {
        /// Plain processes even if a Docker engine runs.
        #[arg(long)]
        processes: bool,
        /// Run what is built already.
        #[arg(long)]
        built: bool,
        /// Lines of an .env file, like TICKHALL_CLOCK=manual.
        settings: Vec<String>,
    },
    /// Run the browser test of the whole product on every service of compose.yaml.
    Smoke,
    /// Make the browser bundle alone.
    Bundle,
    /// Write the style sheet alone, for `cargo leptos watch`.
    Css,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            progress::flush();
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let project = Project::find()?;
    match command {
        Command::Run { args } => server::run(&project, args),
        Command::Test(options) => test::run(&project, &options),
        Command::Check => check::run(&project),
        Command::Dev { args } => dev::run(&project, args),
        Command::Dist => dist::run(&project).map(|()| ExitCode::SUCCESS),
        Command::Bench { args } => bench(&project, &args).map(|()| ExitCode::SUCCESS),
        Command::E2e { args } => e2e::run(&project, &args),
        Command::Site { processes, built, settings } => {
            let deployment = if processes { Deployment::Processes } else { Deployment::available() };
            site::run(&project, deployment, built, &settings).map(|()| ExitCode::SUCCESS)
        }
        Command::Smoke => e2e::smoke(&project),
        Command::Bundle => bundle::build(&project, bundle::Quality::Release).map(|()| ExitCode::SUCCESS),
        Command::Css => bundle::css_alone(&project).map(|()| ExitCode::SUCCESS),
    }
}

fn bench(project: &Project, args: &[String]) -> Result<()> {
    // Benches start servers of their own, with durable settings; this only
    // installs them.
    drop(Services::start()?);
    let mut cargo = project.cargo();
    cargo.args(["bench", "--locked", "--bench", "*", "--package", "engine", "--package", "server", "--"]);
    shell::run(cargo.args(args))
}
