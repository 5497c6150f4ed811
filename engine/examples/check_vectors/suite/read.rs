//! Reading fields of a case, with a message that names what is missing.

use engine::time::Date;
use serde_json::Value;

/// The number `name`.
pub(super) fn number(of: &Value, name: &str) -> Result<f64, String> {
    of[name].as_f64().ok_or_else(|| format!("malformed: no number {name:?}"))
}

/// The numbers `name`.
pub(super) fn numbers(of: &Value, name: &str) -> Result<Vec<f64>, String> {
    let list = list(of, name)?;
    let numbers: Option<Vec<f64>> = list.iter().map(Value::as_f64).collect();
    numbers.ok_or_else(|| format!("malformed: {name:?} holds what is no number"))
}

/// The whole number `name`.
pub(super) fn whole(of: &Value, name: &str) -> Result<i64, String> {
    of[name].as_i64().ok_or_else(|| format!("malformed: no whole number {name:?}"))
}

/// The text `name`.
pub(super) fn text<'a>(of: &'a Value, name: &str) -> Result<&'a str, String> {
    of[name].as_str().ok_or_else(|| format!("malformed: no text {name:?}"))
}

/// The list `name`.
pub(super) fn list<'a>(of: &'a Value, name: &str) -> Result<&'a [Value], String> {
    of[name].as_array().map(Vec::as_slice).ok_or_else(|| format!("malformed: no list {name:?}"))
}

/// The date `name`.
pub(super) fn date(of: &Value, name: &str) -> Result<Date, String> {
    text(of, name)?.parse().map_err(|error| format!("malformed: {name:?}: {error}"))
}

/// What serde reads at `name`.
pub(super) fn parsed<T: serde::de::DeserializeOwned>(of: &Value, name: &str) -> Result<T, String> {
    serde_json::from_value(of[name].clone()).map_err(|error| format!("malformed: {name:?}: {error}"))
}
