//! JSON bodies, read strictly: at most 64 KiB and 32 levels, no key twice, no
//! field that the caller does not know, numbers kept as their source text.
//!
//! Does not know what a field means.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use protocol::gateway::ApiError;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Problem, problem};

/// Deepest nesting of arrays and objects.
const MAX_DEPTH: usize = 32;

/// A JSON object's fields, values still in their source text.
#[derive(Clone, Debug, Default)]
pub struct Fields(BTreeMap<String, Box<RawValue>>);

impl Fields {
    /// Reads an object.
    ///
    /// # Errors
    /// 400 `invalid_json`: not an object, a key twice, nested too deeply.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let raw: &RawValue = serde_json::from_slice(body).map_err(|error| invalid_json(&error))?;
        inspect(raw, 1)?;
        let members = members(raw).map_err(|error| invalid_json(&error))?;
        let owned = |(key, value): (Cow<'_, str>, &RawValue)| (key.into_owned(), value.to_owned());
        Ok(Self(members.into_iter().map(owned).collect()))
    }

    /// Refuses every field that is not in `known`.
    ///
    /// # Errors
    /// 422 `unknown_field`, naming the field.
    pub fn only(self, known: &[&str]) -> Result<Self, ApiError> {
        match self.0.keys().find(|field| !known.contains(&field.as_str())) {
            Some(field) => Err(unknown_field(field)),
            None => Ok(self),
        }
    }

    /// A string; `None` when absent or null.
    ///
    /// # Errors
    /// 422 `invalid_{field}` for any other type.
    pub fn text(&self, field: &str) -> Result<Option<String>, ApiError> {
        match self.get(field) {
            None => Ok(None),
            Some(raw) => serde_json::from_str(raw).map(Some).map_err(|_| wrong_type(field)),
        }
    }

    /// A number or a string, as text; `None` when absent or null. What is
    /// neither comes as its source text, which no parser of numbers accepts.
    pub fn number(&self, field: &str) -> Option<String> {
        self.get(field).map(|raw| serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned()))
    }

    fn get(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(|raw| raw.get()).filter(|raw| *raw != "null")
    }
}

/// A strictly read JSON body: `application/json`, and [`Fields::parse`]'s rules.
#[derive(Debug)]
pub struct Body(pub Fields);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        Ok(Self(Fields::parse(&read_json(request).await?)?))
    }
}

/// The bytes of a body that says it is JSON.
///
/// # Errors
/// 415 `unsupported_media_type`, and [`read`]'s.
pub async fn read_json(request: Request) -> Result<bytes::Bytes, Problem> {
    if is_json(request.headers()) {
        return read(request).await;
    }
    let message = "Send application/json.";
    Err(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message))
}

/// The body's bytes, which [`super::body`] has made sure are few.
///
/// # Errors
/// 400 when the connection breaks off.
pub async fn read(request: Request) -> Result<bytes::Bytes, Problem> {
    let collected = request.into_body().collect().await;
    let broken = |_| problem(StatusCode::BAD_REQUEST, "invalid_body", "The body broke off.");
    Ok(collected.map_err(broken)?.to_bytes())
}

/// The body as a plain value of type `T`, for inputs that are more than flat.
///
/// # Errors
/// 422 `unknown_field` or `invalid_value`.
pub fn decode<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    Fields::parse(body)?;
    serde_json::from_slice(body).map_err(|error| {
        let message = error.to_string();
        match message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) {
            Some((field, _)) => unknown_field(field),
            None => ApiError::new(422, "invalid_value", format!("The body means nothing: {message}.")),
        }
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or_default().trim())
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
}

fn unknown_field(field: &str) -> ApiError {
    let shown: String = field.chars().take(64).collect();
    ApiError::new(422, "unknown_field", format!("There is no field {shown:?} here.")).at(&shown)
}

fn wrong_type(field: &str) -> ApiError {
    ApiError::new(422, &format!("invalid_{field}"), format!("{field} must be a string.")).at(field)
}

fn invalid_json(error: &serde_json::Error) -> ApiError {
    let at = format!("line {}, column {}", error.line(), error.column());
    ApiError::new(400, "invalid_json", format!("The body is not one JSON object ({at})."))
}

/// Walks a value for doubled keys and depth. Each level reads its own text
/// again, which 64 KiB and 32 levels bound.
fn inspect(raw: &RawValue, depth: usize) -> Result<(), ApiError> {
    let nested = raw.get().starts_with(['{', '[']);
    if nested && depth > MAX_DEPTH {
        return Err(ApiError::new(400, "invalid_json", "The body is nested more than 32 deep."));
    }
    let children = match raw.get().as_bytes().first() {
        Some(b'{') => {
            let members = members(raw).map_err(|error| invalid_json(&error))?;
            members.into_iter().map(|(_, value)| value).collect()
        }
        Some(b'[') => elements(raw).map_err(|error| invalid_json(&error))?,
        _ => Vec::new(),
    };
    children.into_iter().try_for_each(|child| inspect(child, depth + 1))
}

type Members<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

fn members(raw: &RawValue) -> Result<Members<'_>, serde_json::Error> {
    struct Object;
    impl<'de> Visitor<'de> for Object {
        type Value = Members<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = BTreeMap::new();
            while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                if members.insert(key, value).is_some() {
                    return Err(A::Error::custom("a key twice"));
                }
            }
            Ok(members.into_iter().collect())
        }
    }
    serde_json::Deserializer::from_str(raw.get()).deserialize_map(Object)
}

fn elements(raw: &RawValue) -> Result<Vec<&RawValue>, serde_json::Error> {
    struct Array;
    impl<'de> Visitor<'de> for Array {
        type Value = Vec<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut elements = Vec::new();
            while let Some(element) = list.next_element()? {
                elements.push(element);
            }
            Ok(elements)
        }
    }
    serde_json::Deserializer::from_str(raw.get()).deserialize_seq(Array)
}

/// A key after its escapes are read: `"a"` and `"\u0061"` are one key.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &str) -> String {
        Fields::parse(body.as_bytes()).map(|_| "ok".to_owned()).unwrap_or_else(|error| error.code)
    }

    #[test]
    fn only_one_clean_object_is_read() {
        let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        for (body, expected) in [
            ("{}", "ok"),
            (r#"{"a":1,"b":[{"c":null}]}"#, "ok"),
            ("", "invalid_json"),
            ("[]", "invalid_json"),
            ("1", "invalid_json"),
            ("{", "invalid_json"),
            ("{} {}", "invalid_json"),
            (r#"{"a":NaN}"#, "invalid_json"),
            (r#"{"a":1,"a":2}"#, "invalid_json"),
            (r#"{"a":1,"\u0061":2}"#, "invalid_json"),
            (r#"{"x":{"a":1,"a":2}}"#, "invalid_json"),
            (&deep(31), "ok"), // with the object around them, 32 levels
            (&deep(32), "invalid_json"),
            (&deep(30_000), "invalid_json"),
        ] {
            let shown: String = body.chars().take(40).collect();
            assert_eq!(code(body), expected, "{shown}");
        }
    }

    #[test]
    fn numbers_keep_their_source_text() {
        let body = br#"{"a":0.1000000000000000055511,"b":"1e309","c":1e309,"d":true,"e":null}"#;
        let fields = Fields::parse(body).unwrap();
        let number = |field| fields.number(field);
        assert_eq!(number("a").as_deref(), Some("0.1000000000000000055511"));
        assert_eq!(number("b").as_deref(), Some("1e309"));
        assert_eq!(number("c").as_deref(), Some("1e309"));
        assert_eq!(number("d").as_deref(), Some("true"));
        assert_eq!((number("e"), number("f")), (None, None));
    }

    #[test]
    fn unknown_fields_and_wrong_types_are_named() {
        let fields = Fields::parse(br#"{"email":5,"role":"admin"}"#).unwrap();
        let error = fields.clone().only(&["email"]).unwrap_err();
        assert_eq!((error.code.as_str(), error.field.as_deref()), ("unknown_field", Some("role")));
        let error = fields.text("email").unwrap_err();
        assert_eq!((error.status, error.code.as_str()), (422, "invalid_email"));
    }
}
