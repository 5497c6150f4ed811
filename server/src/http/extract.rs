//! Extractors: JSON bodies, forms and query strings, read strictly, and the
//! parameter of a path.
//!
//! Does not know what a field means.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::order::Reject;
use http_body_util::BodyExt as _;
use protocol::error::ApiError;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_path_to_error::Segment;

use super::ErrorResponse;

/// Deepest nesting of arrays and objects in a body.
const MAX_DEPTH: usize = 32;

/// Longest part of an unknown field's name that is sent back.
const SHOWN_MAX_CHARS: usize = 64;

/// Longest part of a parser's message that is sent back: it may quote the client.
const MESSAGE_MAX_CHARS: usize = 300;

/// A body of `application/json`, decoded strictly: one object, no duplicate
/// key, at most [`MAX_DEPTH`] levels, and no field that `T` does not have.
///
/// `T` must refuse unknown fields. The body is parsed once; only a refused one
/// is parsed again, to say what is wrong with it.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ErrorResponse;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ErrorResponse> {
        if !has_content_type(request.headers(), "application/json") {
            let (status, message) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send application/json.");
            return Err(ErrorResponse::new(status, "unsupported_media_type", message));
        }
        Ok(Self(parse_json(&read_body(request).await?)?))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The bytes of a body, which [`super::middleware::buffer_body`] has limited.
///
/// # Errors
/// 400 when the connection breaks off.
async fn read_body(request: Request) -> Result<Bytes, ErrorResponse> {
    let collected = request.into_body().collect().await;
    let broken = |_| ErrorResponse::new(StatusCode::BAD_REQUEST, "invalid_body", "The body broke off.");
    Ok(collected.map_err(broken)?.to_bytes())
}

fn has_content_type(headers: &HeaderMap, expected: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or_default().trim())
        .is_some_and(|kind| kind.eq_ignore_ascii_case(expected))
}

/// A body of `application/x-www-form-urlencoded` as `T`, which must refuse unknown
/// fields; no field twice.
#[derive(Debug)]
pub struct StrictForm<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for StrictForm<T> {
    type Rejection = ErrorResponse;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ErrorResponse> {
        if !has_content_type(request.headers(), "application/x-www-form-urlencoded") {
            let (status, message) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send a form.");
            return Err(ErrorResponse::new(status, "unsupported_media_type", message));
        }
        let body = read_body(request).await?;
        let form = serde_urlencoded::from_bytes(&body);
        Ok(Self(form.map_err(|error| explain_fields(&body, "invalid_form", &error))?))
    }
}

/// Decodes JSON as strictly as [`Json`] does.
///
/// # Errors
/// 400 `invalid_json`; 422 `unknown_field`, `invalid_{field}` or `invalid_value`.
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // serde would take a struct's fields from an array, too.
    if body.trim_ascii_start().starts_with(b"{")
        && let Ok(value) = serde_json::from_slice(body)
    {
        return Ok(value);
    }
    Err(explain::<T>(body))
}

/// The reason why `body` is no `T`: first what is wrong with it as JSON, then
/// the first field that does not fit.
fn explain<T: DeserializeOwned>(body: &[u8]) -> ApiError {
    if let Err(error) = check_strict(body) {
        let at = format!("line {}, column {}", error.line(), error.column());
        let message = format!("The body is not one JSON object of unique keys, 32 levels at most ({at}).");
        return ApiError::new(400, "invalid_json", message);
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut json) else {
        return ApiError::new(422, "invalid_value", "The body is not valid.");
    };
    let path: Vec<&Segment> = error.path().iter().collect();
    let message: String = error.inner().to_string().chars().take(MESSAGE_MAX_CHARS).collect();
    match path.as_slice() {
        [.., Segment::Map { key }] if message.starts_with("unknown field ") => unknown_field(key),
        [Segment::Map { key }] => wrong_type(key),
        _ => {
            let invalid = ApiError::new(422, "invalid_value", format!("The body is not valid: {message}."));
            match path.last() {
                Some(Segment::Map { key }) => invalid.at(key),
                _ => invalid,
            }
        }
    }
}

fn unknown_field(name: &str) -> ApiError {
    let shown = shown(name);
    ApiError::new(422, "unknown_field", format!("There is no field {shown:?} here.")).at(&shown)
}

/// The part of a client's name for a field that is sent back.
fn shown(name: &str) -> String {
    name.chars().take(SHOWN_MAX_CHARS).collect()
}

fn wrong_type(field: &str) -> ApiError {
    // The one field whose code is not named after it.
    if Reject::InvalidPrice.field() == Some(field) {
        return Reject::InvalidPrice.into();
    }
    ApiError::new(422, &format!("invalid_{field}"), format!("{field} has the wrong type.")).at(field)
}

/// Checks that `body` is one JSON object without duplicate keys, at most
/// [`MAX_DEPTH`] levels deep.
fn check_strict(body: &[u8]) -> Result<(), serde_json::Error> {
    let raw: &RawValue = serde_json::from_slice(body)?;
    serde_json::Deserializer::from_str(raw.get()).deserialize_map(Strict { depth: 1 })
}

/// Reads an array or object at `depth` and keeps nothing of it. Each level reads
/// its text again, which the limits of size and depth bound.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let mut json = serde_json::Deserializer::from_str(raw);
        let checked = match raw.as_bytes().first() {
            Some(b'{' | b'[') if self.depth > MAX_DEPTH => return Err(D::Error::custom("nested too deeply")),
            Some(b'{') => json.deserialize_map(self),
            Some(b'[') => json.deserialize_seq(self),
            _ => Ok(()),
        };
        checked.map_err(D::Error::custom)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
            if !keys.insert(key) {
                return Err(A::Error::custom("a duplicate key"));
            }
            map.next_value_seed(Self { depth: self.depth + 1 })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Self { depth: self.depth + 1 })?.is_some() {}
        Ok(())
    }
}

/// A key after its escapes are read: `"a"` and `"\u0061"` are one key.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// A query string as `T`, which must refuse unknown fields; no field twice.
#[derive(Debug)]
pub struct StrictQuery<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for StrictQuery<T> {
    type Rejection = ErrorResponse;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ErrorResponse> {
        let query = parts.uri.query().unwrap_or_default();
        let fields = serde_urlencoded::from_str(query);
        let fields = fields.map_err(|error| explain_fields(query.as_bytes(), "invalid_query", &error))?;
        check_no_nul(query)?;
        Ok(Self(fields))
    }
}

/// Checks that no field of `query` holds a NUL, which no text has here and which
/// PostgreSQL does not store.
fn check_no_nul(query: &str) -> Result<(), ApiError> {
    // A target has it encoded.
    if !query.contains("%00") {
        return Ok(());
    }
    match form_urlencoded::parse(query.as_bytes()).find(|(_, value)| value.contains('\0')) {
        Some((name, _)) => {
            let name = shown(&name);
            Err(ApiError::new(400, "invalid_query", format!("{name} holds a NUL.")).at(&name))
        }
        None => Ok(()),
    }
}

/// Refuses a query string of a route that has none.
///
/// # Errors
/// 422 `unknown_field`, of the first field.
pub fn refuse_query(query: &str) -> Result<(), ApiError> {
    match form_urlencoded::parse(query.as_bytes()).next() {
        Some((name, _)) => Err(unknown_field(&name)),
        None => Ok(()),
    }
}

/// The reason why urlencoded `fields` are refused, with `code` unless it is an
/// unknown field.
fn explain_fields(fields: &[u8], code: &str, error: &serde_urlencoded::de::Error) -> ApiError {
    let mut names = BTreeSet::new();
    for (name, _) in form_urlencoded::parse(fields) {
        if let Some(name) = names.replace(name) {
            let name = shown(&name);
            return ApiError::new(400, code, format!("{name} is given twice.")).at(&name);
        }
    }
    let message = error.to_string();
    match message.strip_prefix("unknown field `").and_then(|rest| rest.rsplit_once("`, expected")) {
        Some((name, _)) => unknown_field(name),
        None => {
            let message: String = message.chars().take(MESSAGE_MAX_CHARS).collect();
            ApiError::new(400, code, format!("A field is not valid: {message}."))
        }
    }
}

/// The parameter of a route's path; empty if it is not UTF-8, which no id and no
/// file's name is.
#[derive(Clone, Debug)]
pub struct PathText(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(path.map_or_else(|_| String::new(), |Path(text)| text)))
    }
}

#[cfg(test)]
mod tests {
    use protocol::rest::{DecimalText, PlaceOrderRequest};
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Numbers {
        a: Option<DecimalText>,
        b: Option<DecimalText>,
        c: Option<DecimalText>,
        d: Option<DecimalText>,
        e: Option<DecimalText>,
        f: Option<DecimalText>,
    }

    fn told<T: DeserializeOwned>(body: &str) -> (u16, String, Option<String>) {
        match parse_json::<T>(body.as_bytes()) {
            Ok(_) => (200, "ok".to_owned(), None),
            Err(error) => (error.status, error.code, error.field),
        }
    }

    #[test]
    fn only_one_clean_object_is_read() {
        let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        // What is strict JSON is refused for its fields, which the request does not have.
        for (body, code) in [
            ("{}", "ok"),
            (r#"{"a":1,"b":[{"c":null}]}"#, "unknown_field"),
            ("", "invalid_json"),
            ("[]", "invalid_json"),
            ("1", "invalid_json"),
            ("{", "invalid_json"),
            ("{} {}", "invalid_json"),
            (r#"{"a":NaN}"#, "invalid_json"),
            (r#"{"a":1,"a":2}"#, "invalid_json"),
            (r#"{"a":1,"\u0061":2}"#, "invalid_json"),
            (r#"{"side":"BUY","side":"BUY"}"#, "invalid_json"),
            (r#"{"quantity":{"a":1,"a":2}}"#, "invalid_json"),
            (r#"{"x":{"a":1,"a":2}}"#, "invalid_json"),
            (r#"{"x":1e309}"#, "unknown_field"),
            (&deep(31), "unknown_field"), // with the object around them, 32 levels
            (&deep(32), "invalid_json"),
            (&deep(30_000), "invalid_json"),
        ] {
            let shown: String = body.chars().take(40).collect();
            assert_eq!(told::<PlaceOrderRequest>(body).1, code, "{shown}");
        }
    }

    #[test]
    fn numbers_keep_their_source_text() {
        let body = br#"{"a":0.1000000000000000055511,"b":"1e309","c":1e309,"d":true,"e":null}"#;
        let numbers: Numbers = parse_json(body).unwrap();
        let text = |number: Option<DecimalText>| number.map(String::from);
        assert_eq!(text(numbers.a).as_deref(), Some("0.1000000000000000055511"));
        assert_eq!(text(numbers.b).as_deref(), Some("1e309"));
        assert_eq!(text(numbers.c).as_deref(), Some("1e309"));
        assert_eq!(text(numbers.d).as_deref(), Some("true"));
        assert_eq!((text(numbers.e), text(numbers.f)), (None, None));
    }

    #[test]
    fn unknown_fields_and_wrong_types_are_named() {
        for (body, code, field) in [
            (r#"{"side":1}"#, "invalid_side", "side"),
            (r#"{"type":{}}"#, "invalid_type", "type"),
            (r#"{"quantity":[1]}"#, "invalid_quantity", "quantity"),
            (r#"{"limit_price":{}}"#, "invalid_price", "limit_price"),
            (r#"{"role":"admin"}"#, "unknown_field", "role"),
            (r#"{"a`b":1}"#, "unknown_field", "a`b"),
        ] {
            let expected = (422, code.to_owned(), Some(field.to_owned()));
            assert_eq!(told::<PlaceOrderRequest>(body), expected, "{body}");
        }
        let error = parse_json::<protocol::rest::ClockCommand>(br#"{"step":{"steps":1.5}}"#).unwrap_err();
        assert_eq!((error.code.as_str(), error.field.as_deref()), ("invalid_value", Some("steps")));
        assert!(parse_json::<Value>(br#"{"a":1}"#).is_ok());
        // However long a client's word is, the answer is short.
        let long = format!("{{\"{}\":{{}}}}", "x".repeat(60_000));
        let error = parse_json::<protocol::rest::ClockCommand>(long.as_bytes()).unwrap_err();
        assert!(error.message.len() < 2 * MESSAGE_MAX_CHARS, "{}", error.message.len());
    }

    #[test]
    fn queries_hold_no_nul_and_routes_without_one_take_none() {
        let told =
            |checked: Result<(), ApiError>| checked.map_err(|error| (error.status, error.code, error.field));
        let refused =
            |status, code: &str, field: &str| Err((status, code.to_owned(), Some(field.to_owned())));
        assert_eq!(told(check_no_nul("a=1&b=%2500")), Ok(()));
        assert_eq!(told(check_no_nul("a=1&b=x%00")), refused(400, "invalid_query", "b"));
        assert_eq!(told(refuse_query("")), Ok(()));
        assert_eq!(told(refuse_query("account=x&b=1")), refused(422, "unknown_field", "account"));
        let long = "x".repeat(100);
        assert_eq!(told(refuse_query(&long)), refused(422, "unknown_field", &long[..SHOWN_MAX_CHARS]));
    }
}
