//! The browser bundle inside the binary: WASM, script and style sheet.
//!
//! `cargo xtask` leaves each file with a `.br` and a `.gz` beside it; a client
//! gets the smallest that it accepts, and 304 when it already holds that one.
//! Knows nothing of pages or of markets.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../target/site/pkg"]
struct Bundle;

/// Answers `GET /pkg/{*file}`.
pub async fn serve(Path(file): Path<String>, headers: HeaderMap) -> Response {
    let Some(kind) = content_type(&file) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some((found, encoding)) = pick(&file, &headers) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = etag(&found);
    let mut response = if matches(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(found.data).into_response()
    };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if let Ok(value) = HeaderValue::from_str(&etag) {
        out.insert(header::ETAG, value);
    }
    response
}

/// Only what the bundle is made of has a type; anything else is not served.
fn content_type(file: &str) -> Option<&'static str> {
    match file.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "wasm" => Some("application/wasm"),
        _ => None,
    }
}

fn pick(file: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    for (encoding, extension) in [("br", "br"), ("gzip", "gz")] {
        if accepts(headers, encoding)
            && let Some(found) = Bundle::get(&format!("{file}.{extension}"))
        {
            return Some((found, Some(encoding)));
        }
    }
    Some((Bundle::get(file)?, None))
}

/// Whether `Accept-Encoding` names the coding without `q=0`.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|choice| {
            let mut parts = choice.split(';').map(str::trim);
            let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
            let refused = parts
                .filter_map(|part| part.strip_prefix("q="))
                .any(|q| q.parse::<f32>().is_ok_and(|q| q == 0.0));
            named && !refused
        })
}

fn etag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let hex: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

fn matches(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|known| {
            let known = known.trim();
            known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn an_encoding_is_accepted_only_when_named_and_not_refused() {
        for (value, encoding, expected) in [
            ("gzip, deflate, br", "br", true),
            ("GZIP", "gzip", true),
            ("gzip;q=0.5", "gzip", true),
            ("gzip;q=0, br", "gzip", false),
            ("identity", "br", false),
            ("", "br", false),
        ] {
            let headers = asking(header::ACCEPT_ENCODING, value);
            assert_eq!(accepts(&headers, encoding), expected, "{value} / {encoding}");
        }
    }

    #[test]
    fn a_known_tag_matches_weak_or_strong() {
        for (value, expected) in
            [("\"a\"", true), ("W/\"a\"", true), ("\"b\", \"a\"", true), ("*", true), ("\"b\"", false)]
        {
            let headers = asking(header::IF_NONE_MATCH, value);
            assert_eq!(matches(&headers, "\"a\""), expected, "{value}");
        }
    }

    #[test]
    fn only_the_bundles_own_kinds_are_served() {
        assert!(content_type("tickhall.wasm").is_some());
        assert!(content_type("manifest.json").is_none());
        assert!(content_type("tickhall.js.br").is_none());
        assert!(content_type("tickhall").is_none());
    }
}
