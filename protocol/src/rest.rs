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

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for DecimalText {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};
        const TEXT: &str = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$";
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(TEXT));
        let forms = AnyOfBuilder::new()
            .item(text)
            .item(ObjectBuilder::new().schema_type(Type::Number))
            .description(Some(
                "Exact decimal number, as text or as a JSON number that is never read as a float.",
            ))
            .examples(["101.25"]);
        Schema::AnyOf(forms.build()).into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for DecimalText {}

/// A page of rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Opaque position of the next page; `null` on the last one.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
}
