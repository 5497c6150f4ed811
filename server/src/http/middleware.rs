//! Middleware: whole bodies, same-origin checks, security headers, request
//! metrics.
//!
//! Does not know sessions: a cookie of any name counts as one. Does not know
//! what a body or a page holds.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::Instant;

use super::ErrorResponse;

/// Largest body.
const BODY_MAX_BYTES: usize = 64 * 1024;

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

/// Reads the whole body, at most [`BODY_MAX_BYTES`] and within `timeout`,
/// before the request goes on.
pub async fn buffer_body(State(timeout): State<Duration>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    if body.size_hint().lower() > BODY_MAX_BYTES as u64 {
        return body_too_large().into_response();
    }
    match tokio::time::timeout(timeout, collect(body)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(error)) => error.into_response(),
        Err(_) => {
            let message = "The request did not arrive in time.";
            let error = ErrorResponse::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", message);
            ([(header::CONNECTION, "close")], error).into_response()
        }
    }
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

/// Counts and times requests by route pattern, so that the number of series
/// does not grow with addresses.
pub async fn record_metrics(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = request.method().as_str().to_owned();
    let started = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    let labels = [("route", route), ("method", method), ("status", status)];
    metrics::counter!("tickhall_requests_total", &labels).increment(1);
    metrics::histogram!("tickhall_request_seconds").record(started.elapsed().as_secs_f64());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

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
