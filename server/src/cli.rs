//! The command line: what can be asked of `tickhall`, and with which flags.
//!
//! Flags are texts here; [`crate::config`] reads them, so that a bad value is
//! reported the same wherever it came from.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::bootstrap::Agent;
use crate::config::{Config, ConfigError, Sources};

/// A trading floor in one binary.
#[derive(Debug, Parser)]
#[command(name = "tickhall", version, about)]
pub struct Cli {
    /// `serve` when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings, before or after the command.
    #[command(flatten)]
    pub flags: Flags,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run every agent in this process.
    Serve,
    /// Run one agent alone, over PostgreSQL and Redis.
    Agent {
        /// Which.
        agent: Agent,
    },
    /// Ask a running process how it is: exit code 0 when it is well.
    Health {
        /// Where; this configuration's own `listen` when absent.
        url: Option<String>,
    },
    /// Check the journal's chain, the projections and the ledger.
    Verify,
    /// Decide the journal again and compare; make its steps again from the seed.
    Replay,
    /// Copy the data folder into the empty PostgreSQL of --database-url.
    MigrateStore,
    /// Copy the store into a new folder that can be served, while it is served.
    Backup {
        /// Where to; made if it is not there.
        folder: PathBuf,
    },
    /// Copy a backup into the store, which must be empty.
    Restore {
        /// What `backup` made.
        folder: PathBuf,
    },
    /// Look after a user.
    User {
        /// What to do.
        #[command(subcommand)]
        action: UserAction,
    },
    /// Make a venue with a past in the empty store: traders, orders, fills, the
    /// same for the same --seed.
    SeedDemo {
        /// How many trade, 1 to 100.
        #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
        traders: u32,
        /// Venue minutes, 1 to 3900.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3900))]
        minutes: u32,
    },
    /// Print the effective configuration, secrets redacted.
    Config,
    /// Price rows of contracts and market: values, Greeks, and bad rows by line.
    Price {
        /// CSV with a header, or JSON.
        #[arg(long, value_name = "FILE")]
        input: PathBuf,
    },
}

/// What can be done for a user.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum UserAction {
    /// Print a link that sets a new password, once and within an hour; the site
    /// may go on.
    Reset {
        /// The user's e-mail address.
        email: String,
    },
}

/// Settings on the command line.
#[derive(Clone, Debug, Default, Args)]
pub struct Flags {
    /// File of settings; `tickhall.toml` is read when it is there.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of the databases.
    #[arg(long, global = true, value_name = "FOLDER", allow_hyphen_values = true)]
    pub data: Option<String>,
    /// PostgreSQL in the place of files in the folder.
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Redis in the place of a bus inside the process.
    #[arg(long, global = true, value_name = "URL")]
    pub redis_url: Option<String>,
    /// Address to listen on; port 0 picks a free one. Of an agent alone that is
    /// not the gateway: where its /health and /metrics are.
    #[arg(long, global = true, value_name = "ADDRESS", allow_hyphen_values = true)]
    pub listen: Option<String>,
    /// What drives the market: realtime or manual.
    #[arg(long, global = true, allow_hyphen_values = true)]
    pub clock: Option<String>,
    /// Venue seconds a wall second.
    #[arg(long, global = true, allow_hyphen_values = true)]
    pub speed: Option<String>,
    /// Seed of a new venue; drawn from the system when absent.
    #[arg(long, global = true, allow_hyphen_values = true)]
    pub seed: Option<String>,
    /// E-mail address of the venue's owner.
    #[arg(long, global = true, value_name = "EMAIL", allow_hyphen_values = true)]
    pub owner_email: Option<String>,
    /// While nobody watches: pause or run.
    #[arg(long, global = true, allow_hyphen_values = true)]
    pub idle: Option<String>,
    /// What is logged, like `info` or `info,server::agents::trading=debug`.
    #[arg(long, global = true, value_name = "FILTER", allow_hyphen_values = true)]
    pub log: Option<String>,
    /// Any other setting; `tickhall config` lists them.
    #[arg(long, global = true, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub set: Vec<String>,
}

impl Flags {
    /// The effective configuration of `command`, with these flags on top of
    /// everything. `--listen` is where the command itself listens.
    ///
    /// # Errors
    /// The first setting that is unknown or cannot be read.
    pub fn load(
        &self,
        command: Option<&Command>,
        environment: Vec<(String, String)>,
    ) -> Result<Config, ConfigError> {
        let listen = match command {
            Some(Command::Agent { agent }) if *agent != Agent::Gateway => "agent.listen",
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

    fn parsed(words: &[&str]) -> Cli {
        Cli::try_parse_from(["tickhall"].iter().chain(words)).unwrap()
    }

    #[test]
    fn serve_goes_without_saying_and_flags_stand_anywhere() {
        assert_eq!(parsed(&[]).command, None);
        let cli = parsed(&["serve", "--speed", "2", "--set", "session.idle_minutes=5"]);
        assert_eq!(cli.command, Some(Command::Serve));
        let config = cli.flags.load(None, Vec::new()).unwrap();
        assert_eq!((config.speed_milli, config.session.idle_minutes), (2_000, 5));
        assert_eq!(parsed(&["--speed", "2", "verify"]).command, Some(Command::Verify));
    }

    #[test]
    fn an_agent_listens_where_it_is_told() {
        for (agent, site) in [("gateway", true), ("trading", false), ("market-data", false)] {
            let cli = parsed(&["agent", agent, "--listen", "127.0.0.1:4000"]);
            let config = cli.flags.load(cli.command.as_ref(), Vec::new()).unwrap();
            let told = "127.0.0.1:4000".parse().unwrap();
            assert_eq!((config.listen == told, config.agent_listen == told), (site, !site), "{agent}");
        }
        assert!(Cli::try_parse_from(["tickhall", "agent", "weather"]).is_err());
    }

    #[test]
    fn a_bad_flag_names_itself() {
        let error = parsed(&["--seed", "-1"]).flags.load(None, Vec::new()).unwrap_err().to_string();
        assert!(error.starts_with("--seed: its value is not a whole number"), "{error}");
        let error = parsed(&["--set", "sped=1"]).flags.load(None, Vec::new()).unwrap_err().to_string();
        assert!(error.starts_with("--set sped: no setting"), "{error}");
    }
}
