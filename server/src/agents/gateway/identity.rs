//! The user of a request: the extractor of handlers that need one, and the
//! limit of requests.
//!
//! Does not know how sessions are kept.

use std::net::IpAddr;

use axum::Extension;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use protocol::caller::Caller;
use uuid::Uuid;

use super::Gateway;
use crate::agents::auth::Identity;
use crate::http::{ErrorResponse, PeerAddress};

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

/// Middleware: applies the client's limit, and waits until a user's account is
/// known here.
pub(super) async fn limit_requests(
    State(gateway): State<Gateway>,
    PeerAddress(address): PeerAddress,
    identity: Option<Extension<Identity>>,
    request: Request,
    next: Next,
) -> Response {
    let inner = &gateway.inner;
    let identity = identity.map(|Extension(identity)| identity);
    // A page comes with many requests at once: only the API is limited.
    let limited = request.uri().path().starts_with("/api/");
    if limited && let Err(seconds) = inner.request_limit.check(&Client::of(identity.as_ref(), address)) {
        return ErrorResponse::rate_limited("Too many requests in a second.", seconds).into_response();
    }
    if let Some(identity) = identity {
        inner.activity.note(inner.clock.now());
        // An account that stays unknown is refused by whatever reads it.
        inner.model.wait_for_account(identity.user.account).await;
    }
    next.run(request).await
}
