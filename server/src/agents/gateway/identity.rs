//! The user of a request: the extractor of handlers that need one, and the
//! limits of requests.
//!
//! Does not know how sessions are kept.

use std::net::IpAddr;

use axum::Extension;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use protocol::caller::Caller;
use uuid::Uuid;

use super::Gateway;
use super::pages::SERVER_FN_PREFIX;
use crate::agents::auth::Identity;
use crate::http::{ClientAddress, ErrorResponse};

/// Server functions that read nothing from the store: all others are reads.
const COMMANDS: [&str; 7] =
    ["place_order", "cancel_order", "amend_order", "take_quote", "cancel_all", "set_clock", "claim_venue"];

/// Extracts the signed-in user; 401 without one.
pub(super) struct RequireUser(pub(super) Caller);

impl<S: Send + Sync> FromRequestParts<S> for RequireUser {
    type Rejection = ErrorResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ErrorResponse> {
        Ok(Self(Identity::from_request_parts(parts, state).await?.into()))
    }
}

/// Key of rate limits: the signed-in user, else the address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Client {
    User(Uuid),
    Address(IpAddr),
}

impl Client {
    /// The client of a request.
    pub(super) fn of(identity: Option<&Identity>, address: IpAddr) -> Self {
        identity.map_or(Self::Address(address), |identity| Self::User(identity.user.id))
    }
}

/// Middleware: applies the client's limit of requests, and waits until a user's
/// account is known here.
pub(super) async fn limit_requests(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    identity: Option<Extension<Identity>>,
    request: Request,
    next: Next,
) -> Response {
    let inner = &gateway.inner;
    let identity = identity.map(|Extension(identity)| identity);
    let checked = match &identity {
        Some(identity) => inner.request_limit.check(&identity.user.id),
        None => inner.address_request_limit.check(&address),
    };
    if let Err(seconds) = checked {
        return ErrorResponse::rate_limited("Too many requests in a second.", seconds).into_response();
    }
    if let Some(identity) = identity {
        inner.activity.note(inner.clock.now());
        // An account that stays unknown is refused by whatever reads it.
        inner.model.wait_for_account(identity.user.account).await;
    }
    next.run(request).await
}

/// Middleware: applies the limits of what a user, and an address, reads at once.
pub(super) async fn limit_reads(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    identity: Option<Extension<Identity>>,
    request: Request,
    next: Next,
) -> Response {
    let inner = &gateway.inner;
    if !is_read(&request) {
        return next.run(request).await;
    }
    // In this order few of a user's reads wait among those of the address.
    let of_user = match identity {
        Some(Extension(identity)) => inner.reads_of_user.acquire(identity.user.id).await.map(Some),
        None => Some(None),
    };
    let Some(_of_user) = of_user else {
        return ErrorResponse::rate_limited("Too many reads wait for their turn.", 1).into_response();
    };
    let _of_address = inner.reads_of_address.acquire(address).await;
    next.run(request).await
}

/// Returns true for pages, and for what reads rows or the market over the API: these
/// share the store's readers.
fn is_read(request: &Request) -> bool {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match request.uri().path().strip_prefix(SERVER_FN_PREFIX) {
        Some(function) => !COMMANDS.contains(&function),
        None => reads && !request.headers().contains_key(header::UPGRADE),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn reads_are_told_from_commands_and_sockets() {
        for (method, path, upgrade, expected) in [
            ("GET", "/", false, true),
            ("HEAD", "/portfolio", false, true),
            ("GET", "/api/v1/orders", false, true),
            ("POST", "/api/v1/orders", false, false),
            ("DELETE", "/api/v1/orders", false, false),
            ("POST", "/api/ui/orders", false, true),
            ("POST", "/api/ui/place_order", false, false),
            ("GET", "/api/v1/stream", true, false),
        ] {
            let mut request = Request::builder().method(method).uri(path);
            if upgrade {
                request = request.header(header::UPGRADE, "websocket");
            }
            assert_eq!(is_read(&request.body(Body::empty()).unwrap()), expected, "{method} {path}");
        }
    }
}
