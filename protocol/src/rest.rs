//! Requests and answers of REST and server functions.
//!
//! Requests refuse unknown fields. A missing or `null` field stays absent: what
//! parses its value refuses it by name. Does not know HTTP, nor how anything is
//! answered.

mod account;
mod auth;
mod history;
mod logs;
mod orders;
mod quotes;
mod venue;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

pub use account::*;
pub use auth::*;
pub use history::*;
pub use logs::*;
pub use orders::*;
pub use quotes::*;
pub use venue::*;

/// A decimal number in its source text, from a JSON number or string: never a
/// float. A boolean comes as its text, which no number parser accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecimalText(String);

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str(raw).map(Self).map_err(D::Error::custom),
            Some(b'{' | b'[') => Err(D::Error::custom("expected a number or a string")),
            _ => Ok(Self(raw.to_owned())),
        }
    }
}

impl From<DecimalText> for String {
    fn from(text: DecimalText) -> Self {
        text.0
    }
}

/// A page of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Opaque position of the next page; absent on the last one.
    pub next_cursor: Option<String>,
}
