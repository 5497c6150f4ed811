//! Every setting of the program, and where its value comes from.
//!
//! Later sources win: defaults, `tickhall.toml`, `TICKHALL_*` variables of
//! `.env`, then of the environment, flags. One line names the setting that
//! cannot be read, and nothing has been written by then. Does not know what the
//! settings are used for.

use std::net::SocketAddr;
use std::path::PathBuf;

use engine::sim::Seed;

use crate::bus::Limits;

mod address;
mod settings;
mod sources;

pub use address::redacted;
pub use settings::{SETTINGS, Secrecy, Setting};
pub use sources::{ConfigError, Sources};

/// What drives the market's steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockMode {
    /// The time on the wall, at a speed.
    Realtime,
    /// Requests alone.
    Manual,
}

/// What a venue does while nobody watches it or has orders in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdlePolicy {
    /// Its time stands still.
    Pause,
    /// It goes on.
    Run,
}

/// When an order's answer leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// After the commit that makes it durable: the only safe answer.
    AfterCommit,
    /// Before it. Loses orders when killed; exists so that the test which
    /// kills the server can show that it would notice.
    BeforeCommit,
}

/// Names of the bus's streams, each behind the venue's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamNames {
    /// Steps, from market data.
    pub market_data: String,
    /// Committed batches, from trading.
    pub execution: String,
    /// Valuations, from portfolio.
    pub risk: String,
    /// Commands to trading.
    pub command: String,
    /// Trading's answers.
    pub reply: String,
    /// Commands to the venue's clock.
    pub control: String,
    /// What the clock does.
    pub clock: String,
    /// Sign-outs.
    pub session: String,
}

impl StreamNames {
    /// Each name with the setting that gives it.
    pub fn all(&self) -> [(&'static str, &str); 8] {
        let Self { market_data, execution, risk, command, reply, control, clock, session } = self;
        [
            ("streams.market_data", market_data),
            ("streams.execution", execution),
            ("streams.risk", risk),
            ("streams.command", command),
            ("streams.reply", reply),
            ("streams.control", control),
            ("streams.clock", clock),
            ("streams.session", session),
        ]
    }
}

/// How long a session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without a request or an open socket.
    pub idle_minutes: u64,
    /// Whatever happens.
    pub absolute_hours: u64,
}

/// How much a client may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Failed sign-ins of one account from one address.
    pub login_failures_per_minute: u32,
    /// Failed sign-ins from one address, whatever the account.
    pub login_failures_per_address_per_minute: u32,
    /// New users from one address.
    pub registrations_per_minute: u32,
    /// Requests of one user, or of one address before sign-in.
    pub requests_per_second: u32,
    /// Orders and cancels of one user.
    pub orders_per_second: u32,
    /// Lines that one user's or address's browsers may log.
    pub browser_lines_per_minute: u32,
    /// Control messages on one socket.
    pub socket_messages_per_second: u32,
    /// Cuts that one socket gets at most.
    pub socket_cuts_per_second: u32,
    /// Open sockets of one user.
    pub sockets_per_user: u32,
    /// Seconds that a socket may stay silent.
    pub socket_silence_seconds: u64,
    /// Seconds in which a request must arrive.
    pub request_seconds: u64,
}

/// What is kept of the market's past, and how it gets there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Newest rows kept of each instrument, in each table of market data.
    pub rows_per_instrument: u64,
    /// Rows that may wait for the writer before the oldest are dropped.
    pub queue_rows: usize,
}

/// How often state is saved, beside what every transaction saves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotIntervals {
    /// Journal entries between two snapshots of trading's state.
    pub journal_entries: u64,
    /// Steps between two snapshots of the simulation's state.
    pub sim_steps: u64,
    /// Venue seconds between two stored valuations of an account.
    pub portfolio_seconds: u64,
}

/// The effective configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Folder of the databases.
    pub data: PathBuf,
    /// PostgreSQL in the place of the folder's files.
    pub database_url: Option<String>,
    /// Redis in the place of the bus inside the process.
    pub redis_url: Option<String>,
    /// Address to listen on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Address of an agent's own `/health` and `/metrics`, when it runs alone
    /// and is not the gateway.
    pub agent_listen: SocketAddr,
    /// Where the site is reached from outside, when that is not where it
    /// listens; over https, cookies are for https alone.
    pub public_url: Option<String>,
    /// What drives the market's steps.
    pub clock: ClockMode,
    /// Venue seconds a wall second, in thousandths.
    pub speed_milli: u64,
    /// Seed of a new venue; drawn from the system when absent.
    pub seed: Option<Seed>,
    /// Who owns the venue; a claim token is printed when absent.
    pub owner_email: Option<String>,
    /// What a venue does while nobody watches.
    pub idle: IdlePolicy,
    /// What is logged, in `tracing`'s filter language.
    pub log: String,
    /// When an order's answer leaves.
    pub acknowledge: Acknowledge,
    /// Names on the bus.
    pub streams: StreamNames,
    /// What a stream keeps.
    pub stream_limits: Limits,
    /// How long sessions live.
    pub session: SessionLimits,
    /// How much a client may ask for.
    pub limits: RateLimits,
    /// What is kept of the past.
    pub history: HistoryLimits,
    /// How often state is saved.
    pub snapshot: SnapshotIntervals,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            database_url: None,
            redis_url: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            agent_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            clock: ClockMode::Realtime,
            speed_milli: 1_000,
            seed: None,
            owner_email: None,
            idle: IdlePolicy::Pause,
            log: "info".to_owned(),
            acknowledge: Acknowledge::AfterCommit,
            streams: StreamNames {
                market_data: "marketdata_stream".to_owned(),
                execution: "execution_stream".to_owned(),
                risk: "risk_stream".to_owned(),
                command: "command_stream".to_owned(),
                reply: "reply_stream".to_owned(),
                control: "control_stream".to_owned(),
                clock: "clock_stream".to_owned(),
                session: "session_stream".to_owned(),
            },
            stream_limits: Limits::default(),
            session: SessionLimits { idle_minutes: 30, absolute_hours: 12 },
            limits: RateLimits {
                login_failures_per_minute: 10,
                login_failures_per_address_per_minute: 300,
                registrations_per_minute: 120,
                requests_per_second: 50,
                orders_per_second: 50,
                browser_lines_per_minute: 30,
                socket_messages_per_second: 20,
                socket_cuts_per_second: 20,
                sockets_per_user: 8,
                socket_silence_seconds: 30,
                request_seconds: 30,
            },
            history: HistoryLimits { rows_per_instrument: 1_000_000, queue_rows: 20_000 },
            snapshot: SnapshotIntervals { journal_entries: 10_000, sim_steps: 600, portfolio_seconds: 60 },
        }
    }
}

impl Config {
    /// The effective configuration as a file that gives the same again, each
    /// setting under its description, secrets redacted.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for setting in SETTINGS {
            let value = match (setting.get)(self) {
                Some(_) if setting.secrecy == Secrecy::Hidden => Some("[redacted]".to_owned()),
                Some(value) if setting.secrecy == Secrecy::Address => Some(redacted(&value)),
                value => value,
            };
            text.push_str(&format!("# {}\n", setting.about));
            text.push_str(&match value {
                // A JSON string is a TOML string too.
                Some(value) => format!("{} = {}\n", setting.key, serde_json::Value::String(value)),
                None => format!("# {} is not set\n", setting.key),
            });
        }
        text
    }
}
