//! The tower layers that give requests their session, and the cookie.
//!
//! Does not know who may do what.

use std::collections::HashSet;

use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, map_response_with_state};
use axum::response::{IntoResponse, Response};
use axum_login::tower_sessions::cookie::{Cookie, SameSite, time};
use axum_login::tower_sessions::{Expiry, SessionManagerLayer};
use axum_login::{AuthManagerLayerBuilder, AuthzBackend as _};
use protocol::caller::{Caller, Permission};
use protocol::error::ApiError;

use super::session_store::{LOGIN_KEY, SessionKey};
use super::{Auth, AuthError, AuthSession};
use crate::http::ErrorResponse;
use crate::store::users::User;

/// The signed-in user of a request, and the session.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Key of the session.
    pub session: SessionKey,
    /// The user.
    pub user: User,
    /// Permissions of the user's role.
    pub permissions: HashSet<Permission>,
}

impl Identity {
    /// The user of a request's session; `None` if nobody is signed in.
    ///
    /// # Errors
    /// When the permissions cannot be read.
    pub async fn of(session: &AuthSession) -> Result<Option<Self>, AuthError> {
        let (Some(user), Some(id)) = (&session.user, session.session.id()) else { return Ok(None) };
        let permissions = session.backend.get_all_permissions(user).await?;
        Ok(Some(Self { session: SessionKey::of(&id), user: user.clone(), permissions }))
    }
}

impl From<Identity> for Caller {
    fn from(Identity { session, user, permissions }: Identity) -> Self {
        Self {
            user: user.id.to_string(),
            name: user.name.unwrap_or_else(|| user.email.clone()),
            email: user.email,
            account: user.account,
            owner: user.owner,
            session_id: session.public_id().to_string(),
            permissions,
        }
    }
}

/// Extension of a response after which the browser shall forget its session.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignedOut;

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = ErrorResponse;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ErrorResponse> {
        Ok(parts.extensions.get::<Self>().cloned().ok_or_else(ApiError::not_signed_in)?)
    }
}

/// Adds to the requests of `router` an [`AuthSession`], and an [`Identity`] if
/// somebody is signed in.
pub fn with_sessions(router: Router, auth: &Auth) -> Router {
    let cookie = auth.inner.cookie;
    let lifetime = time::Duration::seconds(auth.sessions().absolute_seconds(false));
    let sessions = SessionManagerLayer::new(auth.sessions().clone())
        .with_name(cookie.name())
        .with_secure(cookie.secure)
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(lifetime));
    let login = AuthManagerLayerBuilder::new(auth.clone(), sessions).with_data_key(LOGIN_KEY).build();
    router.layer(from_fn(identify)).layer(login).layer(map_response_with_state(cookie, complete))
}

async fn identify(session: AuthSession, mut request: Request, next: Next) -> Result<Response, ErrorResponse> {
    if let Some(identity) = Identity::of(&session).await? {
        request.extensions_mut().insert(identity);
    }
    Ok(next.run(request).await)
}

/// The session's cookie.
#[derive(Clone, Copy, Debug)]
pub(super) struct SessionCookie {
    /// True if the site is served over https.
    pub(super) secure: bool,
}

impl SessionCookie {
    /// Browsers accept a `__Host-` cookie over https alone, from this host and
    /// for all of its paths.
    pub(super) fn name(self) -> &'static str {
        if self.secure { "__Host-tickhall" } else { "tickhall" }
    }

    fn removal(self) -> Option<HeaderValue> {
        let cookie = Cookie::build(self.name()).path("/").http_only(true).same_site(SameSite::Lax);
        HeaderValue::try_from(cookie.secure(self.secure).removal().build().to_string()).ok()
    }
}

/// Corrects two answers of tower-sessions 0.14. It answers an empty 500 if the
/// store fails. And it removes the cookie of every session that is not found,
/// without `Secure`: browsers ignore that for `__Host-` cookies, and elsewhere
/// the answer to an older request would remove the cookie of a new sign-in.
async fn complete(State(cookie): State<SessionCookie>, mut response: Response) -> Response {
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR && response.body().is_end_stream() {
        return ErrorResponse::from(ApiError::unavailable()).into_response();
    }
    let headers = response.headers();
    let removed = format!("{}=;", cookie.name());
    // No other cookie is set anywhere.
    let removes =
        headers.get(header::SET_COOKIE).is_some_and(|set| set.as_bytes().starts_with(removed.as_bytes()));
    let signed_out = response.extensions().get::<SignedOut>().is_some();
    match cookie.removal().filter(|_| signed_out) {
        Some(removal) => drop(response.headers_mut().insert(header::SET_COOKIE, removal)),
        None if removes => drop(response.headers_mut().remove(header::SET_COOKIE)),
        None => {}
    }
    response
}
