//! Values of settings: parsed from text or number, and shown without secrets.
//!
//! Does not know which source a value comes from.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use engine::decimal::Decimal;
use engine::sim::Seed;
use serde::de::{self, Deserialize, Deserializer, Error as _, Unexpected};
use serde::ser::{Serialize, Serializer};

use super::{Acknowledge, ClockMode, IdlePolicy};
use crate::http::TrustedProxies;

/// A single value; numbers and booleans become the text that they were.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Text, E> {
                Ok(Text(value.to_string()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Reads a value with `parse`; the error says that it is not `expected`.
fn read<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    let Text(text) = Text::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &expected))
}

/// A whole number within limits.
pub(super) fn between<'de, D, T, const MIN: u64, const MAX: u64>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    read(deserializer, &format!("a whole number from {MIN} to {MAX}"), |text| {
        let value = text.parse().ok().filter(|value| (MIN..=MAX).contains(value))?;
        T::try_from(value).ok()
    })
}

pub(super) fn folder<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    read(deserializer, "a folder", |text| (!text.is_empty() && !text.contains('\0')).then(|| text.into()))
}

pub(super) fn socket_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    read(deserializer, "an address like 127.0.0.1:3000", |text| text.parse().ok())
}

pub(super) fn database_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    url(deserializer, &["postgres", "postgresql"])
}

pub(super) fn redis_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    url(deserializer, &["redis", "redis+unix"])
}

/// An address with one of `schemes`.
fn url<'de, D: Deserializer<'de>>(deserializer: D, schemes: &[&str]) -> Result<Option<String>, D::Error> {
    read(deserializer, &format!("an address that starts with {}://", schemes[0]), |text| {
        let (scheme, rest) = text.split_once("://")?;
        let is_plain = !rest.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        (is_plain && schemes.contains(&scheme)).then(|| Some(text.to_owned()))
    })
}

pub(super) fn public_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    read(deserializer, "an address like https://trade.example.org", |text| {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        (!host.is_empty() && host.bytes().all(is_host)).then(|| Some(text.to_owned()))
    })
}

pub(super) fn trusted_proxies<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<TrustedProxies, D::Error> {
    let expected = "addresses and networks between commas, like 127.0.0.1,10.0.0.0/8";
    read(deserializer, expected, TrustedProxies::parse)
}

pub(super) fn email<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    read(deserializer, "an e-mail address", |text| {
        let (name, host) = text.split_once('@')?;
        let is_printable = text.len() <= 254 && !text.chars().any(|c| c.is_control() || c.is_whitespace());
        (!name.is_empty() && host.contains('.') && is_printable).then(|| Some(text.to_owned()))
    })
}

pub(super) fn seed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Seed>, D::Error> {
    let expected = "a whole number from 0 to 18446744073709551615 (invalid_seed)";
    read(deserializer, expected, |text| Seed::from_str(text).ok().map(Some))
}

/// A decimal number in thousandths, read exactly.
pub(super) fn thousandths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    read(deserializer, "a number from 0.001 to 1000 with at most three decimals", |text| {
        let milli = Decimal::parse(text).ok()?.in_units_of(Decimal::new(1, 3))?;
        u64::try_from(milli).ok().filter(|milli| (1..=1_000_000).contains(milli))
    })
}

/// A part of the bus's keys.
pub(super) fn stream_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    read(deserializer, "1 to 64 of the characters a-z A-Z 0-9 _ - .", |text| {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        (is_plain && (1..=64).contains(&text.len())).then(|| text.to_owned())
    })
}

pub(super) fn log_filter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    read(deserializer, "a filter like info or info,server::agents::trading=debug", |text| {
        tracing_subscriber::EnvFilter::try_new(text).is_ok().then(|| text.to_owned())
    })
}

pub(super) fn clock_mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ClockMode, D::Error> {
    read(deserializer, "realtime or manual", |text| match text {
        "realtime" | "live" => Some(ClockMode::Realtime),
        "manual" => Some(ClockMode::Manual),
        _ => None,
    })
}

pub(super) fn idle_policy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IdlePolicy, D::Error> {
    read(deserializer, "pause or run", |text| match text {
        "pause" => Some(IdlePolicy::Pause),
        "run" => Some(IdlePolicy::Run),
        _ => None,
    })
}

pub(super) fn acknowledge<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Acknowledge, D::Error> {
    read(deserializer, "after_commit or before_commit", |text| match text {
        "after_commit" => Some(Acknowledge::AfterCommit),
        "before_commit" => Some(Acknowledge::BeforeCommit),
        _ => None,
    })
}

/// Shows a value as it is written in a file.
pub(super) fn text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(super) fn redacted_url<S: Serializer>(url: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    url.as_deref().map(crate::redact::redact_url).serialize(serializer)
}

pub(super) fn hidden<T, S: Serializer>(secret: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|_| crate::redact::HIDDEN).serialize(serializer)
}

/// Shows thousandths as a decimal number.
pub(super) fn decimal<S: Serializer>(milli: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    let text = format!("{}.{:03}", milli / 1_000, milli % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').serialize(serializer)
}
