//! The command line: commands and flags of `tickhall`.
//!
//! Values of flags are text here; [`crate::config`] reads them, so that an
//! invalid value is reported the same from every source.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::bootstrap::AgentKind;
use crate::config::{Config, ConfigError, Sources};

/// A trading simulator in one binary.
#[derive(Debug, Parser)]
#[command(name = "tickhall", version, about)]
pub struct Cli {
    /// `serve` if absent.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings, before or after the command.
    #[command(flatten)]
    pub flags: Flags,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run every agent in this process.
    Serve,
    /// Run one agent alone, over PostgreSQL and Redis.
    Agent {
        /// Name of the agent.
        agent: AgentKind,
    },
    /// Query the health of a running process: exit code 0 if it is healthy.
    Health {
        /// Address of the process; this configuration's `listen` if absent.
        url: Option<String>,
    },
    /// Check the journal's chain, the projections and the ledger.
    Verify,
    /// Replay the journal, with steps generated from the seed, and compare.
    Replay,
    /// Copy the data folder into the empty PostgreSQL of --database-url.
    MigrateStore,
    /// Copy the store into a new data folder, also while it is served.
    Backup {
        /// Target folder; created if missing.
        folder: PathBuf,
    },
    /// Copy a backup into the store, which must be empty.
    Restore {
        /// Folder that `backup` wrote.
        folder: PathBuf,
    },
    /// Manage a user.
    User {
        /// Action on the user.
        #[command(subcommand)]
        action: UserAction,
    },
    /// Create a venue with a history of traders, orders and fills in the empty
    /// store, the same for the same --seed.
    SeedDemo {
        /// Number of traders, 1 to 100.
        #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
        traders: u32,
        /// Length of the history in venue minutes, 1 to 3900.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3900))]
        minutes: u32,
    },
    /// Print the effective configuration, secrets redacted.
    Config,
    /// Price rows of contracts with their market data: values and Greeks; invalid
    /// rows are reported by line.
    Price {
        /// CSV with a header, or JSON.
        #[arg(long, value_name = "FILE")]
        input: PathBuf,
    },
}

/// An action on a user.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum UserAction {
    /// Print a link that sets a new password, once and within an hour; works while
    /// the site runs.
    Reset {
        /// The user's e-mail address.
        email: String,
    },
}

/// Settings on the command line.
#[derive(Clone, Debug, Default, Args)]
pub struct Flags {
    /// File of settings; `tickhall.toml`, if it exists, is the default.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of the databases.
    #[arg(long, global = true, value_name = "FOLDER", allow_hyphen_values = true)]
    pub data: Option<String>,
    /// PostgreSQL, instead of files in the folder.
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Redis, instead of a bus inside the process.
    #[arg(long, global = true, value_name = "URL")]
    pub redis_url: Option<String>,
    /// Address to listen on; port 0 picks a free one. For a standalone agent other
    /// than the gateway: address of its /health and /metrics.
    #[arg(long, global = true, value_name = "ADDRESS", allow_hyphen_values = true)]
    pub listen: Option<String>,
    /// Clock of the market: realtime or manual.
    #[arg(long, global = true, allow_hyphen_values = true)]
    pub clock: Option<String>,
    /// Venue seconds per wall second.
    #[arg(long, global = true, allow_hyphen_values = true)]
    pub speed: Option<String>,
    /// Seed of a new venue; drawn from the system if absent.
    #[arg(long, global = true, allow_hyphen_values = true)]
    pub seed: Option<String>,
    /// E-mail address of the venue's owner; a link that sets the password is printed.
    #[arg(long, global = true, value_name = "EMAIL", allow_hyphen_values = true)]
    pub owner_email: Option<String>,
    /// While nobody watches: pause or run.
    #[arg(long, global = true, allow_hyphen_values = true)]
    pub idle: Option<String>,
    /// Log filter, like `info` or `info,server::agents::trading=debug`.
    #[arg(long, global = true, value_name = "FILTER", allow_hyphen_values = true)]
    pub log: Option<String>,
    /// Any other setting; `tickhall config` lists them.
    #[arg(long, global = true, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
}

impl Flags {
    /// Loads the configuration of `command`; these flags override every other
    /// source. `--listen` is the address on which that command listens.
    ///
    /// # Errors
    /// The first setting that is unknown or has an invalid value.
    pub fn load(
        &self,
        command: Option<&Command>,
        environment: Vec<(String, String)>,
    ) -> Result<Config, ConfigError> {
        let listen = match command {
            Some(Command::Agent { agent }) if *agent != AgentKind::Gateway => "agent.listen",
            _ => "listen",
        };
        let named = [
            ("data", "--data", &self.data),
            ("database_url", "--database-url", &self.database_url),
            ("redis_url", "--redis-url", &self.redis_url),
            (listen, "--listen", &self.listen),
            ("clock", "--clock", &self.clock),
            ("speed", "--speed", &self.speed),
            ("seed", "--seed", &self.seed),
            ("owner_email", "--owner-email", &self.owner_email),
            ("idle", "--idle", &self.idle),
            ("log", "--log", &self.log),
        ];
        let named = named
            .into_iter()
            .filter_map(|(key, flag, value)| Some((key.to_owned(), value.clone()?, flag.to_owned())));
        let set = self.set.iter().map(|text| {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            (key.trim().to_owned(), value.trim().to_owned(), format!("--set {}", key.trim()))
        });
        let flags = named.chain(set).collect();
        Sources { file: self.config.clone(), environment, flags, ..Sources::default() }.load()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Cli {
        Cli::try_parse_from(["tickhall"].iter().chain(arguments)).unwrap()
    }

    #[test]
    fn serve_is_the_default_and_flags_come_before_or_after_a_command() {
        assert_eq!(parsed(&[]).command, None);
        let cli = parsed(&["serve", "--speed", "2", "--set", "session.idle_minutes=5"]);
        assert_eq!(cli.command, Some(Command::Serve));
        let config = cli.flags.load(None, Vec::new()).unwrap();
        assert_eq!((config.speed_milli, config.session.idle_minutes), (2_000, 5));
        assert_eq!(parsed(&["--speed", "2", "verify"]).command, Some(Command::Verify));
    }

    #[test]
    fn listen_is_the_address_of_the_agent_that_is_started() {
        for (agent, site) in [("gateway", true), ("trading", false), ("market-data", false)] {
            let cli = parsed(&["agent", agent, "--listen", "127.0.0.1:4000"]);
            let config = cli.flags.load(cli.command.as_ref(), Vec::new()).unwrap();
            let address = "127.0.0.1:4000".parse().unwrap();
            assert_eq!((config.listen == address, config.agent.listen == address), (site, !site), "{agent}");
        }
        assert!(Cli::try_parse_from(["tickhall", "agent", "weather"]).is_err());
    }

    #[test]
    fn an_invalid_flag_is_named() {
        let error = parsed(&["--seed", "-1"]).flags.load(None, Vec::new()).unwrap_err().to_string();
        assert!(error.starts_with("--seed: its value is not a whole number"), "{error}");
        let error = parsed(&["--set", "sped=1"]).flags.load(None, Vec::new()).unwrap_err().to_string();
        assert!(error.starts_with("--set sped: no setting"), "{error}");
    }
}
