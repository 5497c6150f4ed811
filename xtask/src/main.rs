//! The one front door: `cargo xtask run | test | check | dev | dist | bench | e2e | site | smoke`.
//!
//! Builds, checks and starts things; knows nothing of markets.
#![allow(clippy::print_stdout, reason = "talking to whoever typed the command is what this program is for")]

mod bench;
mod bindgen;
mod browser;
mod bundle;
mod check;
mod compress;
mod css;
mod dev;
mod dist;
mod e2e;
mod fingerprint;
mod glue;
mod install;
mod order;
mod progress;
mod project;
mod run;
#[cfg(test)]
mod scratch;
mod server;
mod services;
mod shell;
mod site;
mod skips;
mod snip;
mod test;
mod wasm_opt;
mod wasm_target;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::project::Project;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tickhall's one front door")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything into one binary and start it.
    Run {
        /// What `tickhall` is given; `serve` where no other command is named.
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Install what tests need and run them all.
    Test(test::Options),
    /// Formatting, lints, documentation and licences.
    Check,
    /// Build without optimising, serve, rebuild and restart on every change.
    Dev {
        /// What `tickhall` is given; `serve` where no other command is named.
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Pack the binary, the README and the licences into target/dist.
    Dist,
    /// Run the benchmarks of engine and server.
    Bench {
        /// What criterion is given.
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Run the browser tests alone.
    E2e {
        /// What `playwright test` is given.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// The whole site as compose.yaml says: containers where a Docker engine
    /// runs, else plain processes. Ends when its input does.
    Site {
        /// Plain processes even where a Docker engine runs.
        #[arg(long)]
        processes: bool,
        /// Build nothing: run what is there.
        #[arg(long)]
        built: bool,
        /// What an .env file would say, like TICKHALL_CLOCK=manual.
        settings: Vec<String>,
    },
    /// The browser's story on the whole site, as `site` runs it.
    Smoke,
    /// Write the style sheet alone, for `cargo leptos watch`.
    Css,
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            progress::flush();
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode> {
    let project = Project::find()?;
    match command {
        Command::Run { args } => run::run(&project, args),
        Command::Test(options) => test::run(&project, &options),
        Command::Check => check::run(&project),
        Command::Dev { args } => dev::run(&project, args),
        Command::Dist => dist::run(&project).map(|()| ExitCode::SUCCESS),
        Command::Bench { args } => bench::run(&project, &args),
        Command::E2e { args } => e2e::run(&project, &args),
        Command::Site { processes, built, settings } => {
            let how = if processes { site::How::Processes } else { site::How::possible() };
            if built { site::serve(&project, how, &settings) } else { site::run(&project, how, &settings) }
        }
        Command::Smoke => e2e::smoke(&project),
        Command::Css => bundle::css_alone(&project).map(|()| ExitCode::SUCCESS),
    }
}
