//! Settings of the program, one struct a topic; `defaults.toml` describes them.
//!
//! Later sources win: `defaults.toml`, `tickhall.toml`, `TICKHALL_*` variables
//! of `.env`, then of the environment, flags. Does not know what the settings
//! are used for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use engine::id::VenueId;
use engine::sim::Seed;
use serde::{Deserialize, Serialize};

use crate::bus::{StreamLimits, StreamNames};
use crate::http::{ConnectionSettings, TrustedProxies};

mod load;
mod values;

pub use load::{ConfigError, Sources};

/// Every setting with its description and default value.
const DEFAULTS: &str = include_str!("config/defaults.toml");

/// Source of time for the market's steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockMode {
    /// Wall time, at a speed.
    Realtime,
    /// Requests to the clock's endpoint.
    Manual,
    /// The same, many steps at a time that have seen the same entries: for a
    /// demonstration, and no setting.
    ManualInBatches,
}

/// Policy for a venue without viewers and live orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdlePolicy {
    /// Venue time stops.
    Pause,
    /// Venue time continues.
    Run,
}

/// Time at which an order's reply is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Acknowledge {
    /// After the commit that makes it durable: the only safe choice.
    AfterCommit,
    /// Before it. Loses orders when killed; lets the test that kills the server
    /// show that it would notice.
    BeforeCommit,
}

/// The effective configuration. Serializes as it may be shown: without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder of the databases.
    #[serde(deserialize_with = "values::folder")]
    pub data: PathBuf,
    /// PostgreSQL, instead of files in the folder.
    #[serde(default, deserialize_with = "values::database_url", serialize_with = "values::redacted_url")]
    pub database_url: Option<String>,
    /// Redis, instead of the bus inside the process.
    #[serde(default, deserialize_with = "values::redis_url", serialize_with = "values::redacted_url")]
    pub redis_url: Option<String>,
    /// Address to listen on; port 0 picks a free one.
    #[serde(deserialize_with = "values::socket_address")]
    pub listen: SocketAddr,
    pub agent: AgentSettings,
    /// Address of the site for browsers, if it is not `listen`; with https,
    /// cookies are for https only.
    #[serde(default, deserialize_with = "values::public_url")]
    pub public_url: Option<String>,
    /// Proxies whose `Forwarded` or `X-Forwarded-For` tells a client's address.
    #[serde(deserialize_with = "values::trusted_proxies", serialize_with = "values::text")]
    pub trusted_proxies: TrustedProxies,
    #[serde(deserialize_with = "values::clock_mode")]
    pub clock: ClockMode,
    /// Venue seconds per wall second, in thousandths.
    #[serde(rename = "speed", deserialize_with = "values::thousandths", serialize_with = "values::decimal")]
    pub speed_milli: u64,
    /// Seed of a new venue; drawn from the system if absent.
    #[serde(default, deserialize_with = "values::seed", serialize_with = "values::hidden")]
    pub seed: Option<Seed>,
    /// E-mail address of the venue's owner, whose password a printed link sets; a claim
    /// token is printed if absent.
    #[serde(default, deserialize_with = "values::email")]
    pub owner_email: Option<String>,
    #[serde(deserialize_with = "values::idle_policy")]
    pub idle: IdlePolicy,
    /// Log filter in `tracing`'s language.
    #[serde(deserialize_with = "values::log_filter")]
    pub log: String,
    pub trading: TradingSettings,
    pub streams: StreamSettings,
    pub session: SessionLimits,
    pub limits: ClientLimits,
    pub history: HistoryLimits,
    pub snapshot: SnapshotIntervals,
}

/// Settings of an agent that runs alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSettings {
    /// Address of `/health` and `/metrics`, except for the gateway.
    #[serde(deserialize_with = "values::socket_address")]
    pub listen: SocketAddr,
}

/// Settings of the trading agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TradingSettings {
    #[serde(deserialize_with = "values::acknowledge")]
    pub acknowledge: Acknowledge,
}

/// Names of the bus's streams, each prefixed with the venue's id, and their
/// sizes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StreamSettings {
    #[serde(deserialize_with = "values::stream_name")]
    pub market_data: String,
    #[serde(deserialize_with = "values::stream_name")]
    pub execution: String,
    #[serde(deserialize_with = "values::stream_name")]
    pub risk: String,
    #[serde(deserialize_with = "values::stream_name")]
    pub command: String,
    #[serde(deserialize_with = "values::stream_name")]
    pub reply: String,
    #[serde(deserialize_with = "values::stream_name")]
    pub control: String,
    #[serde(deserialize_with = "values::stream_name")]
    pub clock: String,
    #[serde(deserialize_with = "values::stream_name")]
    pub session: String,
    #[serde(deserialize_with = "values::between::<_, _, 1_000, 1_000_000>")]
    pub max_messages: usize,
    #[serde(deserialize_with = "values::between::<_, _, 1_000_000, 4_000_000_000>")]
    pub max_bytes: usize,
}

impl StreamSettings {
    /// The configured names in `venue`.
    pub fn names(&self, venue: VenueId) -> StreamNames {
        let name = |suffix: &str| StreamNames::name(venue, suffix);
        StreamNames {
            market_data: name(&self.market_data),
            execution: name(&self.execution),
            risk: name(&self.risk),
            command: name(&self.command),
            reply: name(&self.reply),
            control: name(&self.control),
            clock: name(&self.clock),
            session: name(&self.session),
            ..StreamNames::of(venue)
        }
    }

    /// Limits of every stream.
    pub fn limits(&self) -> StreamLimits {
        StreamLimits { messages: self.max_messages, bytes: self.max_bytes }
    }

    /// Each name with its setting.
    pub fn all(&self) -> [(&'static str, &str); 8] {
        [
            ("streams.market_data", &self.market_data),
            ("streams.execution", &self.execution),
            ("streams.risk", &self.risk),
            ("streams.command", &self.command),
            ("streams.reply", &self.reply),
            ("streams.control", &self.control),
            ("streams.clock", &self.clock),
            ("streams.session", &self.session),
        ]
    }
}

/// Durations of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SessionLimits {
    #[serde(deserialize_with = "values::between::<_, _, 1, 1_440>")]
    pub idle_minutes: u64,
    #[serde(deserialize_with = "values::between::<_, _, 1, 720>")]
    pub absolute_hours: u64,
    #[serde(deserialize_with = "values::between::<_, _, 1, 365>")]
    pub guest_days: u64,
}

/// Limits of a client's requests and connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClientLimits {
    #[serde(deserialize_with = "values::between::<_, _, 1, 1_000>")]
    pub login_failures_per_minute: u32,
    #[serde(deserialize_with = "values::between::<_, _, 1, 100_000>")]
    pub login_failures_per_address_per_minute: u32,
    #[serde(deserialize_with = "values::between::<_, _, 1, 100_000>")]
    pub registrations_per_minute: u32,
    #[serde(deserialize_with = "values::between::<_, _, 1, 1_000_000>")]
    pub guests: u32,
    #[serde(deserialize_with = "values::between::<_, _, 1, 1_000>")]
    pub sessions_per_user: u32,
    #[serde(deserialize_with = "values::between::<_, _, 1, 100_000>")]
    pub requests_per_second: u32,
    #[serde(deserialize_with = "values::between::<_, _, 1, 100_000>")]
    pub requests_per_address_per_second: u32,
    #[serde(deserialize_with = "values::between::<_, _, 1, 1_000>")]
    pub concurrent_reads_per_user: usize,
    #[serde(deserialize_with = "values::between::<_, _, 1, 1_000>")]
    pub concurrent_reads_per_address: usize,
    #[serde(deserialize_with = "values::between::<_, _, 1, 100_000>")]
    pub orders_per_second: u32,
    #[serde(deserialize_with = "values::between::<_, _, 1, 1_000>")]
    pub browser_lines_per_minute: u32,
    #[serde(deserialize_with = "values::between::<_, _, 1, 1_000>")]
    pub socket_messages_per_second: u32,
    #[serde(deserialize_with = "values::between::<_, _, 1, 1_000>")]
    pub socket_updates_per_second: u32,
    #[serde(deserialize_with = "values::between::<_, _, 1, 1_000>")]
    pub sockets_per_user: u32,
    #[serde(deserialize_with = "values::between::<_, _, 1, 300>")]
    pub socket_silence_seconds: u64,
    #[serde(deserialize_with = "values::between::<_, _, 1, 300>")]
    pub request_seconds: u64,
    #[serde(deserialize_with = "values::between::<_, _, 1, 300>")]
    pub answer_seconds: u64,
    #[serde(deserialize_with = "values::between::<_, _, 1, 1_000_000>")]
    pub connections_per_address: usize,
}

/// Limits of the stored history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryLimits {
    #[serde(deserialize_with = "values::between::<_, _, 1_000, 1_000_000_000>")]
    pub rows_per_instrument: u64,
    #[serde(deserialize_with = "values::between::<_, _, 100, 10_000_000>")]
    pub candles_per_interval: u64,
    #[serde(deserialize_with = "values::between::<_, _, 0, 30>")]
    pub past_days: u32,
    #[serde(deserialize_with = "values::between::<_, _, 100, 10_000>")]
    pub valuations_per_account: u64,
    #[serde(deserialize_with = "values::between::<_, _, 100, 10_000_000>")]
    pub queue_rows: usize,
}

/// Intervals between stored snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotIntervals {
    #[serde(deserialize_with = "values::between::<_, _, 10, 10_000_000>")]
    pub journal_entries: u64,
    #[serde(deserialize_with = "values::between::<_, _, 10, 1_000_000>")]
    pub sim_steps: u64,
    #[serde(deserialize_with = "values::between::<_, _, 1, 86_400>")]
    pub portfolio_seconds: u64,
}

/// Names of all settings, in the order of `defaults.toml`.
pub fn keys() -> impl Iterator<Item = &'static str> {
    DEFAULTS.lines().filter_map(key_of)
}

/// The setting of a line of `defaults.toml`, which is commented out if the
/// setting has no default.
fn key_of(line: &'static str) -> Option<&'static str> {
    let (key, _) = line.trim_start_matches("# ").split_once(" =")?;
    key.bytes().all(|byte| byte.is_ascii_lowercase() || b"_.".contains(&byte)).then_some(key)
}

impl Config {
    /// Limits of the connections of a listener.
    pub fn connections(&self) -> ConnectionSettings {
        let limits = &self.limits;
        ConnectionSettings {
            head_timeout: Duration::from_secs(limits.request_seconds),
            answer_timeout: Duration::from_secs(limits.answer_seconds),
            connections_per_address: limits.connections_per_address,
            trusted_proxies: self.trusted_proxies.clone(),
        }
    }

    /// The effective configuration as a file that can be read back, each setting
    /// with its description, secrets redacted.
    ///
    /// # Errors
    /// A value that JSON cannot hold, such as a path that is not UTF-8.
    pub fn to_toml(&self) -> serde_json::Result<String> {
        let values = serde_json::to_value(self)?;
        let lines = DEFAULTS.lines().map(|line| {
            let Some(key) = key_of(line) else { return format!("{line}\n") };
            match values.pointer(&format!("/{}", key.replace('.', "/"))) {
                None | Some(serde_json::Value::Null) => format!("# {key} is not set\n"),
                // A JSON string is a TOML string too.
                Some(text @ serde_json::Value::String(_)) => format!("{key} = {text}\n"),
                Some(value) => format!("{key} = \"{value}\"\n"),
            }
        });
        Ok(lines.collect())
    }
}

#[cfg(test)]
mod tests {
    use engine::venue::VenueConfig;

    use super::*;

    #[test]
    fn every_stream_has_its_configured_name() {
        let name = |suffix: &str| format!("my_{suffix}");
        let settings = StreamSettings {
            market_data: name("market_data"),
            execution: name("execution"),
            risk: name("risk"),
            command: name("command"),
            reply: name("reply"),
            control: name("control"),
            clock: name("clock"),
            session: name("session"),
            ..Config::defaults().unwrap().streams
        };
        let names = settings.names(VenueConfig::default().venue_id());
        for (found, suffix) in [
            (&names.market_data, "market_data"),
            (&names.execution, "execution"),
            (&names.risk, "risk"),
            (&names.command, "command"),
            (&names.reply, "reply"),
            (&names.control, "control"),
            (&names.clock, "clock"),
            (&names.session, "session"),
        ] {
            assert!(found.ends_with(&format!("}}:my_{suffix}")), "{found}");
        }
    }
}
