//! The `tickhall` program: reads the command line, runs the command and reports
//! a failure in one line.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use engine::id::VenueId;
use engine::venue::VenueConfig;
use server::agents::auth::grant_reset;
use server::agents::trading;
use server::agents::trading::verify::{Report, Steps};
use server::bootstrap::{self, AgentKind, RunningServer, ServeError};
use server::cli::{Cli, Command, UserAction};
use server::clock::WallClock;
use server::commands::seed_demo::{self, Demo, DemoPlan, Progress};
use server::commands::store::{self, CopyError};
use server::config::Config;
use server::http::raise_descriptor_limit;
use server::shutdown::{Shutdown, on_signals};
use server::store::Store;
use server::telemetry::start_logging;

/// Requests and messages are many small allocations.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            print(error.render().to_string().trim_end());
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(error.render().to_string().lines().next().unwrap_or("error: bad usage")),
    };
    match run(cli).await {
        Ok(code) => code,
        // One line, even if a library's error has more.
        Err(error) => fail(&format!("error: {}", format!("{error:#}").replace(['\n', '\r'], " "))),
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    // Needs no settings, and so must work with invalid ones.
    if let Some(Command::Price { input }) = &cli.command {
        return price(input);
    }
    let shutdown = Shutdown::new();
    let command = cli.command.clone().unwrap_or(Command::Serve);
    if matches!(command, Command::Serve | Command::Agent { .. }) {
        // Before anything is opened that should be closed.
        on_signals(shutdown.clone())?;
        raise_descriptor_limit();
    }
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let config = cli.flags.load(cli.command.as_ref(), environment)?;
    match command {
        Command::Serve => serve(config, shutdown).await,
        Command::Agent { agent } => run_agent(agent, config, shutdown).await,
        Command::Health { url } => health(url, &config).await,
        Command::Config => {
            print(config.to_toml()?.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify => verify(&config).await,
        Command::Replay => replay(&config).await,
        Command::MigrateStore => print_reports(store::migrate(&config).await),
        Command::Backup { folder } => print_reports(store::backup(&config, &folder).await),
        Command::Restore { folder } => print_reports(store::restore(&config, &folder).await),
        Command::SeedDemo { traders, minutes } => seed_demo(config, DemoPlan { traders, minutes }).await,
        Command::User { action: UserAction::Reset { email } } => reset(&config, &email).await,
        Command::Price { input } => price(&input),
    }
}

/// Prices a file's rows to standard output. An invalid row makes the exit code 1
/// after all others were priced.
fn price(input: &Path) -> anyhow::Result<ExitCode> {
    let summary = server::commands::price::run(input, std::io::stdout().lock())?;
    Ok(if summary.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compares projections and ledger with the replayed journal.
async fn verify(config: &Config) -> anyhow::Result<ExitCode> {
    let store = open_existing_store(config).await?;
    let report = trading::verify::verify(&store, main_venue(), Steps::FromSeed).await?;
    store.close().await;
    print(&report.to_string());
    Ok(ExitCode::SUCCESS)
}

/// Replays the journal, with steps generated from the seed.
async fn replay(config: &Config) -> anyhow::Result<ExitCode> {
    let store = open_existing_store(config).await?;
    let (seq, state) = trading::verify::replay(&store, main_venue()).await?;
    store.close().await;
    print(&format!("replayed: {seq} entries\nstate   {state}"));
    Ok(ExitCode::SUCCESS)
}

/// Creates a demonstration and prints its logins.
async fn seed_demo(config: Config, plan: DemoPlan) -> anyhow::Result<ExitCode> {
    start_logging("warn", WallClock::System);
    let (venue, clock) = (VenueConfig::default(), WallClock::System);
    let demo = seed_demo::create(config, venue, plan, clock, print_progress).await?;
    let Demo { orders, fills, until, traders, password } = demo;
    print(&format!(
        "{} traders placed {orders} orders with {fills} fills; it is {until} there",
        traders.len()
    ));
    let (first, last) = (traders.first(), traders.last());
    if let (Some(first), Some(last)) = (first, last) {
        print(&format!("Serve it with the same --data or --database-url; sign in as {first} to {last}"));
        print(&format!("with the password {password}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the progress to standard error: on a terminal in one line, elsewhere a line
/// for each tenth.
fn print_progress(progress: Progress) {
    let Progress { minute, minutes, orders } = progress;
    let mut stderr = std::io::stderr();
    let line = format!("{minute} of {minutes} venue minutes, {orders} orders");
    let _ = if stderr.is_terminal() {
        let end = if minute == minutes { "\n" } else { "" };
        write!(stderr, "\r{line}{end}")
    } else if minute * 10 / minutes > (minute - 1) * 10 / minutes {
        writeln!(stderr, "{line}")
    } else {
        Ok(())
    };
}

/// Prints a report for each copied venue.
fn print_reports(reports: Result<Vec<Report>, CopyError>) -> anyhow::Result<ExitCode> {
    for report in reports? {
        print(&report.to_string());
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the link with which a user sets a new password.
async fn reset(config: &Config, email: &str) -> anyhow::Result<ExitCode> {
    ensure_store_exists(config)?;
    let store = Store::open_for_user_admin(config).await?;
    let token = grant_reset(&store, email, WallClock::System.now()).await?;
    store.close().await;
    let token = token.ok_or_else(|| anyhow::anyhow!("{email:?} is no user's e-mail address"))?;
    print(&reset_link(&config.public_url.clone().unwrap_or_else(|| local_url(config)), &token));
    Ok(ExitCode::SUCCESS)
}

/// Link with which a user sets a new password at `site`.
fn reset_link(site: &str, token: &str) -> String {
    format!("{site}/reset?token={token}")
}

/// Address of the site on this machine.
fn local_url(config: &Config) -> String {
    let mut address = config.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}

/// Opens an existing store to audit it, as of now, and writes nothing.
async fn open_existing_store(config: &Config) -> anyhow::Result<Store> {
    ensure_store_exists(config)?;
    Ok(Store::open_snapshot(config).await?)
}

fn ensure_store_exists(config: &Config) -> anyhow::Result<()> {
    let exists = config.database_url.is_some() || config.data.is_dir();
    anyhow::ensure!(exists, "--data {}: no such folder", config.data.display());
    Ok(())
}

fn main_venue() -> VenueId {
    VenueConfig::default().venue_id()
}

async fn serve(config: Config, shutdown: Shutdown) -> anyhow::Result<ExitCode> {
    start_logging(&config.log, WallClock::System);
    let (venue, clock) = (VenueConfig::default(), WallClock::System);
    let listener = bootstrap::listen(&config).await?;
    let running = bootstrap::start(config, venue, listener, clock, shutdown.clone()).await?;
    print_address("Tickhall is open", &running);
    shutdown.cancelled().await;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Runs one agent; ends with success if told to while it waits for the others.
async fn run_agent(agent: AgentKind, config: Config, shutdown: Shutdown) -> anyhow::Result<ExitCode> {
    start_logging(&config.log, WallClock::System);
    let venue = VenueConfig::default();
    let started =
        bootstrap::start_standalone(agent, config, &venue, WallClock::System, shutdown.clone()).await;
    let running = match started {
        Err(ServeError::Cancelled) => return Ok(ExitCode::SUCCESS),
        started => started?,
    };
    print_address(&format!("{agent} answers"), &running);
    shutdown.cancelled().await;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn print_address(what: &str, running: &RunningServer) {
    let RunningServer { address, claim_token, owner_token, resources, .. } = running;
    print(&format!("{what} at http://{address}"));
    if let Some(token) = claim_token {
        print(&format!("To own this venue, register, open /control and enter this token, once: {token}"));
    }
    if let (Some(token), Some(email)) = (owner_token, &resources.config.owner_email) {
        // An agent's own address is not the site's.
        let site = match (&resources.config.public_url, running.is_whole_site()) {
            (Some(url), _) => url.clone(),
            (None, true) => format!("http://{address}"),
            (None, false) => local_url(&resources.config),
        };
        let link = reset_link(&site, token);
        print(&format!(
            "{email} owns this venue and sets the password here, once and within an hour: {link}"
        ));
    }
}

/// Prints the health of a process.
async fn health(url: Option<String>, config: &Config) -> anyhow::Result<ExitCode> {
    let url = url.unwrap_or_else(|| local_url(config));
    let (is_healthy, report) = server::commands::health::query(&url).await.map_err(anyhow::Error::msg)?;
    print(&report);
    Ok(if is_healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a line; a closed pipe is ignored.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints the reason of a failure.
fn fail(line: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{line}");
    ExitCode::FAILURE
}
