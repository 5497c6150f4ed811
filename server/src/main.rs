//! The `tickhall` command: reads the command line, starts what it asks for,
//! and says in one line why it cannot.
//!
//! Does not know how anything is done.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use engine::id::VenueId;
use engine::venue::VenueConfig;
use server::agents::auth::grant_reset;
use server::agents::trading;
use server::agents::trading::verify::{Report, Steps};
use server::bootstrap::{self, Agent, Running, ServeError};
use server::cli::{Cli, Command, UserAction};
use server::clock::WallClock;
use server::commands::seed_demo::{self, Made, Plan};
use server::commands::store::{self, CopyError};
use server::config::Config;
use server::shutdown::{Shutdown, on_signals};
use server::store::{Role, Store};
use server::telemetry::start_logging;

/// Requests and messages are many small pieces of memory.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            say(error.render().to_string().trim_end());
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(error.render().to_string().lines().next().unwrap_or("error: bad usage")),
    };
    let done = match run(cli).await {
        Ok(code) => return code,
        Err(error) => error,
    };
    // One line, whatever a library's error says.
    fail(&format!("error: {}", format!("{done:#}").replace(['\n', '\r'], " ")))
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    // Needs no settings, so broken ones must not stand in its way.
    if let Some(Command::Price { input }) = &cli.command {
        return price(input);
    }
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let config = cli.flags.load(cli.command.as_ref(), environment)?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(config).await,
        Command::Agent { agent } => alone(agent, config).await,
        Command::Health { url } => health(url, &config).await,
        Command::Config => {
            say(config.to_toml().trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify => verify(&config).await,
        Command::Replay => replay(&config).await,
        Command::MigrateStore => copied(store::migrate(&config).await),
        Command::Backup { folder } => copied(store::backup(&config, &folder).await),
        Command::Restore { folder } => copied(store::restore(&config, &folder).await),
        Command::SeedDemo { traders, minutes } => seed_demo(config, Plan { traders, minutes }).await,
        Command::User { action: UserAction::Reset { email } } => reset(&config, &email).await,
        Command::Price { input } => price(&input),
    }
}

/// Prices a file's rows to standard output; a bad row makes the exit code 1,
/// after everything else was priced.
fn price(input: &Path) -> anyhow::Result<ExitCode> {
    let summary = server::commands::price::run(input, std::io::stdout().lock())?;
    Ok(if summary.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compares projections and ledger with the journal, folded from its start.
async fn verify(config: &Config) -> anyhow::Result<ExitCode> {
    let store = stored(config).await?;
    let report = trading::verify::verify(&store, main_venue(), Steps::FromSeed).await?;
    store.close().await;
    say(&report.to_string());
    Ok(ExitCode::SUCCESS)
}

/// Decides the journal again, its steps made from the seed.
async fn replay(config: &Config) -> anyhow::Result<ExitCode> {
    let store = stored(config).await?;
    let (seq, state) = trading::verify::replay(&store, main_venue()).await?;
    store.close().await;
    say(&format!("replayed: {seq} entries\nstate   {state}"));
    Ok(ExitCode::SUCCESS)
}

/// Makes a demonstration and says who can sign in to it.
async fn seed_demo(config: Config, plan: Plan) -> anyhow::Result<ExitCode> {
    start_logging("warn", WallClock::System);
    let made = seed_demo::make(config, VenueConfig::default(), plan, WallClock::System).await?;
    let Made { orders, fills, until, traders, password } = made;
    say(&format!("{} traders placed {orders} orders with {fills} fills; it is {until} there", traders.len()));
    let (first, last) = (traders.first(), traders.last());
    if let (Some(first), Some(last)) = (first, last) {
        say(&format!("Serve it with the same --data or --database-url; sign in as {first} to {last}"));
        say(&format!("with the password {password}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what was copied, venue by venue.
fn copied(done: Result<Vec<Report>, CopyError>) -> anyhow::Result<ExitCode> {
    for report in done? {
        say(&report.to_string());
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints where a user sets a new password.
async fn reset(config: &Config, email: &str) -> anyhow::Result<ExitCode> {
    let there = config.database_url.is_some() || config.data.is_dir();
    anyhow::ensure!(there, "--data {}: no such folder", config.data.display());
    let store = Store::join(config).await?;
    let token = grant_reset(&store, email, WallClock::System.now()).await?;
    store.close().await;
    let token = token.ok_or_else(|| anyhow::anyhow!("{email:?} is no user's e-mail address"))?;
    let site = config.public_url.clone().unwrap_or_else(|| here(config));
    say(&format!("{site}/reset?token={token}"));
    Ok(ExitCode::SUCCESS)
}

/// Where the site listens, seen from this machine.
fn here(config: &Config) -> String {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        // Everywhere is also here.
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}

/// A store that is there: looking must not make one.
async fn stored(config: &Config) -> anyhow::Result<Store> {
    let there = config.database_url.is_some() || config.data.is_dir();
    anyhow::ensure!(there, "--data {}: no such folder", config.data.display());
    Ok(Store::open(config, Role::Auditor).await?)
}

fn main_venue() -> VenueId {
    VenueConfig::default().venue_id()
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    start_logging(&config.log, WallClock::System);
    let listener = bootstrap::listen(&config).await?;
    let running = bootstrap::start(config, VenueConfig::default(), listener, WallClock::System).await?;
    greet("Tickhall is open", &running);
    on_signals(running.shared.shutdown.clone())?;
    running.shared.shutdown.cancelled().await;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// One agent; told to end while it waits for the others, it ends.
async fn alone(agent: Agent, config: Config) -> anyhow::Result<ExitCode> {
    start_logging(&config.log, WallClock::System);
    let shutdown = Shutdown::new();
    on_signals(shutdown.clone())?;
    let venue = VenueConfig::default();
    let started = bootstrap::start_alone(agent, config, &venue, WallClock::System, shutdown.clone()).await;
    let running = match started {
        Err(ServeError::Ended) => return Ok(ExitCode::SUCCESS),
        started => started?,
    };
    greet(&format!("{agent} answers"), &running);
    shutdown.cancelled().await;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn greet(what: &str, running: &Running) {
    let Running { address, claim_token, .. } = running;
    say(&format!("{what} at http://{address}"));
    if let Some(token) = claim_token {
        say(&format!("To own this venue, sign in and claim it with this token, once: {token}"));
    }
}

/// Asks a process how it is.
async fn health(url: Option<String>, config: &Config) -> anyhow::Result<ExitCode> {
    let url = url.unwrap_or_else(|| here(config));
    let (healthy, answer) = server::commands::health::query(&url).await.map_err(anyhow::Error::msg)?;
    say(&answer);
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints what the command answers; a reader that has gone misses it.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints why the command does not do it.
fn fail(line: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{line}");
    ExitCode::FAILURE
}
