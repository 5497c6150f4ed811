//! Middleware: well-formed requests, whole bodies, same-origin checks, security
//! headers, request metrics.
//!
//! Does not know sessions: a cookie of any name counts as one. Does not know
//! what a body or a page holds.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::Instant;

use super::ErrorResponse;

/// Largest body.
const BODY_MAX_BYTES: usize = 64 * 1024;

/// Methods that a route may have. Any other word is a method too, by HTTP.
static METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// Content security policy of everything but a page: nothing may run or be framed.
const NO_CONTENT_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Content security policy of a page whose own scripts carry `nonce`.
pub fn page_policy(nonce: &str) -> String {
    format!(
        "default-src 'self'; \
         script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
         style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; \
         object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Refuses what no route can answer: a method that none has, a target that is no
/// path, and a request whose `Host` or `Origin` is not one.
pub async fn require_well_formed(request: Request, next: Next) -> Response {
    match check_form(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check_form(request: &Request) -> Result<(), ErrorResponse> {
    if !METHODS.contains(request.method()) {
        return Err(ErrorResponse::method_not_allowed());
    }
    let malformed = |message| Err(ErrorResponse::new(StatusCode::BAD_REQUEST, "invalid_request", message));
    let path = request.uri().path_and_query().map(|target| target.as_str());
    if !path.is_some_and(|path| path.starts_with('/')) {
        return malformed("The target of a request is a path.");
    }
    let count = |name| request.headers().get_all(name).iter().count();
    match count(header::HOST) {
        0 if request.version() < Version::HTTP_11 => {}
        1 => {}
        _ => return malformed("A request has one Host."),
    }
    if count(header::ORIGIN) > 1 {
        return malformed("A request has one Origin.");
    }
    Ok(())
}

/// Reads the whole body, at most [`BODY_MAX_BYTES`] and within `timeout`,
/// before the request goes on.
pub async fn buffer_body(State(timeout): State<Duration>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    if body.size_hint().lower() > BODY_MAX_BYTES as u64 {
        return closing(body_too_large());
    }
    match tokio::time::timeout(timeout, collect(body)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(error)) => closing(error),
        Err(_) => {
            let message = "The request did not arrive in time.";
            closing(ErrorResponse::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", message))
        }
    }
}

/// The last response of a connection: the rest of the body is not read.
fn closing(error: ErrorResponse) -> Response {
    ([(header::CONNECTION, "close")], error).into_response()
}

async fn collect(body: Body) -> Result<Bytes, ErrorResponse> {
    match Limited::new(body, BODY_MAX_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(body_too_large()),
        Err(_) => Err(ErrorResponse::new(StatusCode::BAD_REQUEST, "invalid_body", "The body broke off.")),
    }
}

fn body_too_large() -> ErrorResponse {
    ErrorResponse::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "A body may be 64 KiB.")
}

/// Origins that mutations and socket upgrades may come from.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// Public address, like `https://trade.example.org`: the only allowed
    /// origin if it is set; otherwise the request's own `Host` is.
    pub public_url: Option<String>,
}

impl Origins {
    /// Checks that a request comes from this site.
    ///
    /// # Errors
    /// 403 `foreign_origin` for another site, and for a cookie without an origin.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), ErrorResponse> {
        let foreign = |message| Err(ErrorResponse::new(StatusCode::FORBIDDEN, "foreign_origin", message));
        let Some(origin) = headers.get(header::ORIGIN) else {
            return if headers.contains_key(header::COOKIE) {
                foreign("A request with a cookie must carry its Origin.")
            } else {
                Ok(())
            };
        };
        let own = origin.to_str().is_ok_and(|origin| match &self.public_url {
            Some(own) => origin.eq_ignore_ascii_case(own.trim_end_matches('/')),
            None => authority(origin).is_some_and(|claimed| {
                let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
                host.is_some_and(|host| host.eq_ignore_ascii_case(claimed))
            }),
        });
        if own { Ok(()) } else { foreign("The request comes from another site.") }
    }
}

/// The `host[:port]` of an origin; `None` for `null` and other schemes.
fn authority(origin: &str) -> Option<&str> {
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
}

/// Applies [`Origins::check`] to mutations and upgrades.
pub async fn require_own_origin(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let upgrades = request.headers().contains_key(header::UPGRADE);
    if (!reads || upgrades)
        && let Err(error) = origins.check(request.headers())
    {
        return error.into_response();
    }
    next.run(request).await
}

/// Adds the security headers of every answer. `no-referrer` would make browsers
/// send `Origin: null` with forms, so it is `same-origin`. HSTS only where the
/// public address is https.
pub async fn security_headers(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if origins.public_url.is_some_and(|url| url.starts_with("https://")) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NO_CONTENT_POLICY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Counts and times requests by route pattern, known method and status, so that the
/// number of series does not grow with what clients invent.
pub async fn record_metrics(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = method_label(request.method()).to_owned();
    let started = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    let labels = [("route", route), ("method", method), ("status", status)];
    metrics::counter!("tickhall_requests_total", &labels).increment(1);
    metrics::histogram!("tickhall_request_seconds").record(started.elapsed().as_secs_f64());
    response
}

/// The metric label of a method: `other` if no route may have it.
fn method_label(method: &Method) -> &'static str {
    METHODS.iter().find(|known| *known == method).map_or("other", Method::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_no_route_has_share_one_label_and_are_refused() {
        for (word, label) in [
            ("GET", "GET"),
            ("DELETE", "DELETE"),
            ("CONNECT", "other"),
            ("TRACE", "other"),
            ("get", "other"),
            ("M1", "other"),
            (&"Q".repeat(60_000), "other"),
        ] {
            let method = Method::from_bytes(word.as_bytes()).unwrap();
            assert_eq!(method_label(&method), label, "{word:.20}");
            let request = Request::builder().method(method).uri("/").header("host", "x");
            let checked = check_form(&request.body(Body::empty()).unwrap());
            assert_eq!(checked.err().map(|error| error.error.status), (label == "other").then_some(405));
        }
    }

    #[test]
    fn a_request_has_a_path_one_host_and_at_most_one_origin() {
        let (http_10, http_11) = (Version::HTTP_10, Version::HTTP_11);
        for (version, target, headers, allowed) in [
            (http_11, "/", &[("host", "x")][..], true),
            (http_11, "/a?b=c", &[("host", "x"), ("origin", "http://x")], true),
            (http_11, "http://x/a", &[("host", "x")], true),
            (http_11, "http://x", &[("host", "x")], true),
            (http_11, "/", &[("host", "")], true),
            (http_10, "/", &[], true),
            (http_11, "/", &[], false),
            (http_11, "/", &[("host", "x"), ("host", "x")], false),
            (http_10, "/", &[("host", "x"), ("host", "y")], false),
            (http_11, "/", &[("host", "x"), ("origin", "http://x"), ("origin", "http://y")], false),
            (http_11, "a:1", &[("host", "x")], false),
            (http_11, "x", &[("host", "x")], false),
            (http_11, "*", &[("host", "x")], false),
            (http_11, "http://x?a=b", &[("host", "x")], false),
        ] {
            let mut request = Request::builder().version(version).uri(target);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let checked = check_form(&request.body(Body::empty()).unwrap());
            let code = checked.err().map(|error| (error.error.status, error.error.code.clone()));
            let expected = (!allowed).then(|| (400, "invalid_request".to_owned()));
            assert_eq!(code, expected, "{version:?} {target} {headers:?}");
        }
    }

    #[test]
    fn only_the_own_origin_may_change_things() {
        let public = Some("https://trade.example.org".to_owned());
        for (public_url, origin, cookie, allowed) in [
            (None, Some("http://localhost:3000"), true, true),
            (None, Some("https://LOCALHOST:3000"), true, true),
            (None, Some("http://localhost:3001"), false, false),
            (None, Some("https://evil.example"), false, false),
            (None, Some("null"), false, false),
            (None, None, true, false),
            (None, None, false, true),
            (public.clone(), Some("https://trade.example.org"), true, true),
            (public.clone(), Some("http://localhost:3000"), true, false),
            (public, Some("https://trade.example.org.evil.example"), true, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "localhost:3000".parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            if cookie {
                headers.insert(header::COOKIE, "tickhall=x".parse().unwrap());
            }
            let origins = Origins { public_url };
            assert_eq!(origins.check(&headers).is_ok(), allowed, "{origin:?} {origins:?}");
        }
    }
}
