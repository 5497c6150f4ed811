//! The table of settings: key, meaning, how it is read and how it is shown.
//!
//! Does not know where a text comes from.

use std::str::FromStr;

use super::{Acknowledge, ClockMode, Config, IdlePolicy};

/// How much of a value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// All of it.
    Open,
    /// An address without its password; nothing of what is no address.
    Address,
    /// Nothing.
    Hidden,
}

/// One setting.
pub struct Setting {
    /// Its name in files; `TICKHALL_` and upper case in the environment,
    /// with `__` for the point.
    pub key: &'static str,
    /// What it does, with unit and limits.
    pub about: &'static str,
    /// Whether its value is shown.
    pub secrecy: Secrecy,
    /// The effective value as text that `set` reads; `None` when not set.
    pub get: fn(&Config) -> Option<String>,
    /// Takes a value, or says what would be right.
    pub set: fn(&mut Config, &str) -> Result<(), String>,
}

/// Largest speed, in thousandths of real time.
const MAX_SPEED_MILLI: u64 = 1_000_000;

macro_rules! plain {
    ($key:literal, $about:literal, $($field:ident).+, $read:expr) => {
        Setting {
            key: $key,
            about: $about,
            secrecy: Secrecy::Open,
            get: |config| Some(config.$($field).+.to_string()),
            set: |config, text| {
                config.$($field).+ = $read(text)?;
                Ok(())
            },
        }
    };
}

/// Every setting there is.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "data",
        about: "Folder of the databases",
        secrecy: Secrecy::Open,
        get: |config| Some(config.data.display().to_string()),
        set: |config, text| {
            config.data = some(text, "a folder")?.into();
            Ok(())
        },
    },
    Setting {
        key: "database_url",
        about: "PostgreSQL, like postgres://user:password@host/database; files in the data folder when absent",
        secrecy: Secrecy::Address,
        get: |config| config.database_url.clone(),
        set: |config, text| {
            config.database_url = Some(url(text, &["postgres", "postgresql"])?);
            Ok(())
        },
    },
    Setting {
        key: "redis_url",
        about: "Redis, like redis://user:password@host:6379/0; a bus inside the process when absent",
        secrecy: Secrecy::Address,
        get: |config| config.redis_url.clone(),
        set: |config, text| {
            config.redis_url = Some(url(text, &["redis", "redis+unix"])?);
            Ok(())
        },
    },
    plain!("listen", "Address to listen on; port 0 picks a free one", listen, |text| {
        parse(text, "an address like 127.0.0.1:3000")
    }),
    plain!(
        "agent.listen",
        "Address of /health and /metrics of an agent alone, the gateway's apart; port 0 picks a free one",
        agent_listen,
        |text| parse(text, "an address like 127.0.0.1:3001")
    ),
    Setting {
        key: "public_url",
        about: "Where browsers reach the site, like https://trade.example.org; the listening address when absent",
        secrecy: Secrecy::Open,
        get: |config| config.public_url.clone(),
        set: |config, text| {
            let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            let plain = |host: &&str| {
                !host.is_empty()
                    && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
            };
            host.filter(plain).ok_or("an address like https://trade.example.org")?;
            config.public_url = Some(text.to_owned());
            Ok(())
        },
    },
    plain!("clock", "What drives the market: realtime or manual", clock, parse_own),
    Setting {
        key: "speed",
        about: "Venue seconds a wall second: 0.001 to 1000",
        secrecy: Secrecy::Open,
        get: |config| Some(milli_text(config.speed_milli)),
        set: |config, text| {
            config.speed_milli = speed(text)?;
            Ok(())
        },
    },
    Setting {
        key: "seed",
        about: "Seed of a new venue: 0 to 18446744073709551615; drawn from the system when absent",
        secrecy: Secrecy::Hidden,
        // Its own text is not kept: nobody is shown it.
        get: |config| config.seed.as_ref().map(|_| String::new()),
        set: |config, text| {
            config.seed = Some(parse(text, "a whole number from 0 to 18446744073709551615 (invalid_seed)")?);
            Ok(())
        },
    },
    Setting {
        key: "owner_email",
        about: "E-mail address of the venue's owner; a claim token is printed when absent",
        secrecy: Secrecy::Open,
        get: |config| config.owner_email.clone(),
        set: |config, text| {
            let parts = text.split_once('@').filter(|(name, host)| !name.is_empty() && host.contains('.'));
            let printable = text.len() <= 254 && !text.chars().any(|c| c.is_control() || c.is_whitespace());
            parts.filter(|_| printable).ok_or("an e-mail address")?;
            config.owner_email = Some(text.to_owned());
            Ok(())
        },
    },
    plain!("idle", "While nobody watches and no order is live: pause or run", idle, parse_own),
    plain!("log", "What is logged, like info or info,server::agents::trading=debug", log, filter),
    plain!(
        "trading.acknowledge",
        "When answers leave: after_commit, or before_commit (loses orders; for the crash test)",
        acknowledge,
        parse_own
    ),
    plain!("streams.market_data", "Stream of steps", streams.market_data, stream),
    plain!("streams.execution", "Stream of committed batches", streams.execution, stream),
    plain!("streams.risk", "Stream of valuations", streams.risk, stream),
    plain!("streams.command", "Stream of commands to trading", streams.command, stream),
    plain!("streams.reply", "Stream of trading's answers", streams.reply, stream),
    plain!("streams.clock", "Stream of what the clock does", streams.clock, stream),
    plain!("streams.session", "Stream of sign-outs", streams.session, stream),
    plain!("streams.control", "Stream of commands to the clock", streams.control, stream),
    plain!(
        "streams.max_messages",
        "Messages that a stream keeps, about: 1000 to 1000000",
        stream_limits.messages,
        |text| within(text, 1_000, 1_000_000)
    ),
    plain!(
        "streams.max_bytes",
        "Bytes that a stream keeps, about: 1000000 to 4000000000",
        stream_limits.bytes,
        |text| within(text, 1_000_000, 4_000_000_000)
    ),
    plain!(
        "session.idle_minutes",
        "Session's life without activity: 1 to 1440",
        session.idle_minutes,
        |text| { within(text, 1, 1_440) }
    ),
    plain!("session.absolute_hours", "Session's longest life: 1 to 720", session.absolute_hours, |text| {
        within(text, 1, 720)
    }),
    plain!(
        "limits.login_failures_per_minute",
        "Failed sign-ins of one account from one address: 1 to 1000",
        limits.login_failures_per_minute,
        |text| within(text, 1, 1_000)
    ),
    plain!(
        "limits.login_failures_per_address_per_minute",
        "Failed sign-ins from one address, whatever the account: 1 to 100000",
        limits.login_failures_per_address_per_minute,
        |text| within(text, 1, 100_000)
    ),
    plain!(
        "limits.registrations_per_minute",
        "New users from one address: 1 to 100000",
        limits.registrations_per_minute,
        |text| within(text, 1, 100_000)
    ),
    plain!(
        "limits.requests_per_second",
        "Requests of one user or address: 1 to 100000",
        limits.requests_per_second,
        |text| within(text, 1, 100_000)
    ),
    plain!(
        "limits.orders_per_second",
        "Orders and cancels of one user: 1 to 100000",
        limits.orders_per_second,
        |text| { within(text, 1, 100_000) }
    ),
    plain!(
        "limits.browser_lines_per_minute",
        "Lines that one user's or address's browsers may log: 1 to 1000",
        limits.browser_lines_per_minute,
        |text| within(text, 1, 1_000)
    ),
    plain!(
        "limits.socket_messages_per_second",
        "Control messages on one socket: 1 to 1000",
        limits.socket_messages_per_second,
        |text| within(text, 1, 1_000)
    ),
    plain!(
        "limits.socket_cuts_per_second",
        "Most updates a second on one socket: 1 to 1000",
        limits.socket_cuts_per_second,
        |text| within(text, 1, 1_000)
    ),
    plain!(
        "limits.sockets_per_user",
        "Open sockets of one user: 1 to 1000",
        limits.sockets_per_user,
        |text| { within(text, 1, 1_000) }
    ),
    plain!(
        "limits.socket_silence_seconds",
        "Seconds that a socket may stay silent: 1 to 300",
        limits.socket_silence_seconds,
        |text| within(text, 1, 300)
    ),
    plain!(
        "limits.request_seconds",
        "Seconds in which a request's head, and its body, must arrive: 1 to 300",
        limits.request_seconds,
        |text| within(text, 1, 300)
    ),
    plain!(
        "history.rows_per_instrument",
        "Newest rows kept of each instrument's ticks and books: 1000 to 1000000000",
        history.rows_per_instrument,
        |text| within(text, 1_000, 1_000_000_000)
    ),
    plain!(
        "history.queue_rows",
        "Rows that may wait for the history writer: 100 to 10000000",
        history.queue_rows,
        |text| within(text, 100, 10_000_000)
    ),
    plain!(
        "snapshot.journal_entries",
        "Journal entries between two snapshots of the venue: 10 to 10000000",
        snapshot.journal_entries,
        |text| within(text, 10, 10_000_000)
    ),
    plain!(
        "snapshot.sim_steps",
        "Steps between two snapshots of the simulation: 10 to 1000000",
        snapshot.sim_steps,
        |text| within(text, 10, 1_000_000)
    ),
    plain!(
        "snapshot.portfolio_seconds",
        "Venue seconds between two stored valuations of an account: 1 to 86400",
        snapshot.portfolio_seconds,
        |text| within(text, 1, 86_400)
    ),
];

fn parse<T: FromStr>(text: &str, wanted: &str) -> Result<T, String> {
    text.parse().map_err(|_| wanted.to_owned())
}

fn parse_own<T: FromStr<Err = &'static str>>(text: &str) -> Result<T, String> {
    text.parse().map_err(str::to_owned)
}

fn within<T: FromStr + PartialOrd + std::fmt::Display>(text: &str, low: T, high: T) -> Result<T, String> {
    let wanted = format!("a whole number from {low} to {high}");
    let value: T = text.parse().map_err(|_| wanted.clone())?;
    if value < low || value > high {
        return Err(wanted);
    }
    Ok(value)
}

fn some<'a>(text: &'a str, wanted: &str) -> Result<&'a str, String> {
    if text.is_empty() || text.contains('\0') { Err(wanted.to_owned()) } else { Ok(text) }
}

/// An address of one of `schemes`.
fn url(text: &str, schemes: &[&str]) -> Result<String, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", ""));
    let plain = !rest.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if plain && schemes.contains(&scheme) {
        return Ok(text.to_owned());
    }
    Err(format!("an address that starts with {}://", schemes[0]))
}

/// A stream's name goes into keys of the bus.
fn stream(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if fits { Ok(text.to_owned()) } else { Err("1 to 64 of the characters a-z A-Z 0-9 _ - .".to_owned()) }
}

fn filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|_| "a filter like info or info,server::agents::trading=debug".to_owned())
}

/// Thousandths, read exactly.
fn speed(text: &str) -> Result<u64, String> {
    let wanted = "a number from 0.001 to 1000 with at most three decimals";
    engine::decimal::Decimal::parse(text)
        .ok()
        .and_then(|value| value.in_units_of(engine::decimal::Decimal::new(1, 3)))
        .and_then(|milli| u64::try_from(milli).ok())
        .filter(|milli| (1..=MAX_SPEED_MILLI).contains(milli))
        .ok_or_else(|| wanted.to_owned())
}

fn milli_text(milli: u64) -> String {
    let text = format!("{}.{:03}", milli / 1_000, milli % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

macro_rules! words {
    ($name:ident, $wanted:literal, $($word:literal $(| $alias:literal)* => $value:ident),+) => {
        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word $(| $alias)* => Ok(Self::$value),)+
                    _ => Err($wanted),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$value => $word,)+
                })
            }
        }
    };
}

words!(ClockMode, "realtime or manual", "realtime" | "live" => Realtime, "manual" => Manual);
words!(IdlePolicy, "pause or run", "pause" => Pause, "run" => Run);
words!(
    Acknowledge,
    "after_commit or before_commit",
    "after_commit" => AfterCommit,
    "before_commit" => BeforeCommit
);
