//! The browser bundle inside the binary: modules, scripts, style sheet, icon.
//!
//! `cargo xtask` writes a `.br` and a `.gz` beside each file; a client gets the
//! smallest that it accepts, and 304 if it has that one. Addresses contain the
//! bundle's version: browsers never ask for a file again, and a page of another
//! version gets 404 instead of a part that does not fit its module. Does not
//! know pages or markets.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use leptos::WasmSplitManifest;
use leptos::prelude::{ArcStoredValue, LeptosOptions, ReadValue as _};
use protocol::error::ApiError;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::http::{ErrorResponse, PathText};

/// Route of [`serve`].
pub const ROUTE: &str = "/pkg/{*path}";

/// Version of a bundle that xtask did not make, such as cargo-leptos's.
const UNVERSIONED: &str = "dev";

/// Script that loads the parts of the module, as the splitter names it.
const SPLIT_SCRIPT: &str = "__wasm_split.______________________.js";

#[derive(RustEmbed)]
#[folder = "../target/site/pkg"]
struct Bundle;

static VERSION: LazyLock<String> = LazyLock::new(|| text("version.txt").unwrap_or(UNVERSIONED.to_owned()));

/// The bundle's addresses, for Leptos.
pub fn leptos_options() -> LeptosOptions {
    LeptosOptions::builder().output_name("tickhall").site_pkg_dir(format!("pkg/{}", *VERSION)).build()
}

/// Parts of the module by lazy route, from which Leptos makes preload links.
/// `None` if the module is not split.
pub fn split_manifest() -> Option<WasmSplitManifest> {
    static MANIFEST: LazyLock<Option<WasmSplitManifest>> = LazyLock::new(|| {
        let parts = serde_json::from_str(&text("__wasm_split_manifest.json")?).ok()?;
        let value = (format!("/pkg/{}", *VERSION), parts, SPLIT_SCRIPT.to_owned());
        Some(WasmSplitManifest(ArcStoredValue::new(value)))
    });
    MANIFEST.clone()
}

/// Value of the `Link` header of a signed-in page: the module's parts that its
/// routes need, so that the browser fetches them beside the module and not after
/// it. Leptos makes the same links, but on a runtime of several threads only for
/// some of the pages.
pub fn preload_links(path: &str) -> Option<HeaderValue> {
    let WasmSplitManifest(manifest) = split_manifest()?;
    let manifest = manifest.try_read_value()?;
    let (folder, parts, _) = &*manifest;
    let routes: &[&str] = match path.split('/').nth(1) {
        Some("account") => &["__account_route"],
        Some("control") => &["__authenticated_route", "__control_route"],
        Some("portfolio") => &["__authenticated_route", "__portfolio_route"],
        _ => &["__authenticated_route", "__trade_route"],
    };
    let needed: BTreeSet<&String> = parts
        .iter()
        .filter(|(route, _)| routes.iter().any(|name| route.starts_with(name)))
        .flat_map(|(_, parts)| parts)
        .collect();
    let link = |part: &&String| {
        format!("<{folder}/{part}.wasm>; rel=preload; as=fetch; type=\"application/wasm\"; crossorigin")
    };
    HeaderValue::try_from(needed.iter().map(link).collect::<Vec<_>>().join(", ")).ok()
}

/// Handler of `GET /pkg/{version}/{file}`.
pub async fn serve(PathText(path): PathText, headers: HeaderMap) -> Response {
    let (version, file) = path.split_once('/').unwrap_or_default();
    let found = content_type(file).filter(|_| version == *VERSION).zip(pick(file, &headers));
    let Some((content_type, (found, encoding))) = found else {
        return ErrorResponse::from(ApiError::not_found()).into_response();
    };
    let etag = etag(&found);
    let mut response = if matches(&headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(found.data).into_response()
    };
    let caching = if version == UNVERSIONED { "no-cache" } else { "public, max-age=31536000, immutable" };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if let Ok(value) = HeaderValue::from_str(&etag) {
        out.insert(header::ETAG, value);
    }
    response
}

/// Type of a file of the bundle; `None` for files that are not served.
fn content_type(file: &str) -> Option<&'static str> {
    match file.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "wasm" => Some("application/wasm"),
        _ => None,
    }
}

fn text(file: &str) -> Option<String> {
    String::from_utf8(Bundle::get(file)?.data.into_owned()).ok()
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

/// Returns true if `Accept-Encoding` names the coding without `q=0`.
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

/// Returns true if `If-None-Match` holds the tag, weak or strong.
pub fn matches(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(str::trim))
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_map(name: header::HeaderName, value: &'static str) -> HeaderMap {
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
            let headers = header_map(header::ACCEPT_ENCODING, value);
            assert_eq!(accepts(&headers, encoding), expected, "{value} / {encoding}");
        }
    }

    #[test]
    fn a_tag_matches_weak_or_strong() {
        for (value, expected) in
            [("\"a\"", true), ("W/\"a\"", true), ("\"b\", \"a\"", true), ("*", true), ("\"b\"", false)]
        {
            let headers = header_map(header::IF_NONE_MATCH, value);
            assert_eq!(matches(&headers, "\"a\""), expected, "{value}");
        }
    }

    #[test]
    fn only_the_bundles_own_kinds_are_served() {
        assert!(content_type("tickhall.wasm").is_some());
        assert!(content_type("__wasm_split_manifest.json").is_none());
        assert!(content_type("version.txt").is_none());
        assert!(content_type("tickhall.js.br").is_none());
        assert!(content_type("tickhall").is_none());
    }

    #[tokio::test]
    async fn another_version_is_not_served() {
        for path in ["0123456789abcdef/tickhall.js", "tickhall.js"] {
            let response = serve(PathText(path.to_owned()), HeaderMap::new()).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json", "{path}");
        }
    }
}
