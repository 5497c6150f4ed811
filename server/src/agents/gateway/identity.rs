//! The user of a request: session lookup, request limit, and the extractor of
//! handlers that need a signed-in user.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use protocol::error::ApiError;
use protocol::gateway::Caller;
use uuid::Uuid;

use super::Gateway;
use crate::agents::auth::SignedIn;
use crate::http::{ErrorResponse, PeerAddress};

/// The signed-in user of a request, if there is one.
#[derive(Clone, Debug)]
pub(super) struct Identity(pub(super) Option<SignedIn>);

impl Identity {
    /// Key of the request's rate limits: the user, else the address.
    pub(super) fn client(&self, address: IpAddr) -> Client {
        self.0.as_ref().map_or(Client::Address(address), |signed_in| Client::User(signed_in.user))
    }
}

/// Key of rate limits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// Somebody signed in.
    User(Uuid),
    /// Everybody else at an address.
    Address(IpAddr),
}

/// Extracts the signed-in user; 401 without one.
pub(super) struct RequireUser(pub(super) Caller);

impl<S: Send + Sync> FromRequestParts<S> for RequireUser {
    type Rejection = ErrorResponse;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ErrorResponse> {
        let identity = parts.extensions.get::<Identity>().and_then(|identity| identity.0.clone());
        Ok(Self(identity.ok_or_else(ApiError::not_signed_in)?.into()))
    }
}

/// Middleware: looks up the session and applies the client's request limit.
pub(super) async fn identify(
    State(gateway): State<Gateway>,
    PeerAddress(address): PeerAddress,
    mut request: Request,
    next: Next,
) -> Response {
    let inner = &gateway.inner;
    let identity = match inner.auth.sessions().find(request.headers()).await {
        Ok(found) => Identity(found),
        Err(error) => return ErrorResponse::from(ApiError::from(error)).into_response(),
    };
    // A page comes with many requests at once: only the API is limited.
    let limited = request.uri().path().starts_with("/api/");
    if limited && let Err(seconds) = inner.request_limit.check(&identity.client(address)) {
        return ErrorResponse::rate_limited("Too many requests in a second.", seconds).into_response();
    }
    if let Identity(Some(signed_in)) = &identity {
        inner.activity.note(inner.clock.now());
        // An account that stays unknown is refused by whatever reads it.
        inner.model.meet(signed_in.account).await;
    }
    request.extensions_mut().insert(identity);
    next.run(request).await
}
