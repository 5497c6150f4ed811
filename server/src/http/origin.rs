//! Cross-site requests: every mutation and every socket upgrade must come from
//! this site's own origin.
//!
//! Does not know sessions: a cookie of any name counts as one.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Problem, problem};

/// Where the site is reached from outside.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// `https://trade.example.org`: the only origin allowed when it is set;
    /// otherwise the request's own `Host` is.
    pub public_url: Option<String>,
}

impl Origins {
    /// Whether a request may change something.
    ///
    /// # Errors
    /// 403 `foreign_origin` for another site's, and for a cookie's bearer that
    /// does not say where it comes from.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let refused = |message| Err(problem(StatusCode::FORBIDDEN, "foreign_origin", message));
        let Some(origin) = headers.get(header::ORIGIN) else {
            return if headers.contains_key(header::COOKIE) {
                refused("A request with a cookie must carry its Origin.")
            } else {
                Ok(())
            };
        };
        let known = origin.to_str().is_ok_and(|origin| match &self.public_url {
            Some(own) => origin.eq_ignore_ascii_case(own.trim_end_matches('/')),
            None => authority(origin).is_some_and(|claimed| {
                let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
                host.is_some_and(|host| host.eq_ignore_ascii_case(claimed))
            }),
        });
        if known { Ok(()) } else { refused("The request comes from another site.") }
    }
}

/// The `host[:port]` of an origin; `None` for `null` and other schemes.
fn authority(origin: &str) -> Option<&str> {
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
}

/// Middleware: applies [`Origins::check`] to what changes something and to
/// upgrades.
pub async fn guard(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let upgrades = request.headers().contains_key(header::UPGRADE);
    if (!reads || upgrades)
        && let Err(problem) = origins.check(request.headers())
    {
        return problem.into_response();
    }
    next.run(request).await
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
