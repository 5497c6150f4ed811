//! Routes to a user's own sessions: list and revoke.
//!
//! Does not know how a session ends.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use engine::time::WallTime;
use protocol::caller::Caller;
use protocol::rest::SessionEntry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ACCOUNT_PAGE, GUEST_SIGN_OUT_QUESTION, SIGN_IN_FOR_ACCOUNT, see_other};
use crate::agents::auth::session_layer::SignedOut;
use crate::agents::auth::{Auth, AuthError, AuthSession, Identity};
use crate::http::{ErrorResponse, PathText, StrictForm};

/// The caller's session, for the caller.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionDetails {
    /// The signed-in user.
    caller: Caller,
    /// The session of the request.
    session: SessionEntry,
    /// End of the session if it stays idle from now on.
    idle_expires_at: WallTime,
}

/// The caller's sessions.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionList {
    /// The current one first.
    items: Vec<SessionEntry>,
}

/// Returns the caller with the session of the request.
#[utoipa::path(
    get,
    path = "/api/v1/auth/session",
    operation_id = "get_session",
    tag = "auth",
    responses((status = 200, description = "The session.", body = SessionDetails)),
)]
pub(super) async fn introspect(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Identity,
) -> Result<Json<SessionDetails>, ErrorResponse> {
    let session = entries(&auth, &caller).await?.into_iter().find(|entry| entry.current);
    let session = session.ok_or(AuthError::NotSignedIn)?;
    let idle_expires_at =
        auth.sessions().idle_expiry(caller.user.is_guest(), session.last_seen_at).min(session.expires_at);
    Ok(Json(SessionDetails { caller: caller.into(), session, idle_expires_at }))
}

/// Lists the caller's sessions, the current one first.
#[utoipa::path(
    get,
    path = "/api/v1/auth/sessions",
    operation_id = "list_sessions",
    tag = "auth",
    responses((status = 200, description = "The sessions.", body = SessionList)),
)]
pub(super) async fn list(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Identity,
) -> Result<Json<SessionList>, ErrorResponse> {
    Ok(Json(SessionList { items: entries(&auth, &caller).await? }))
}

/// Ends one of the caller's sessions; their own is a sign-out, with which a guest's account
/// ends.
#[utoipa::path(
    delete,
    path = "/api/v1/auth/sessions/{id}",
    operation_id = "end_session",
    tag = "auth",
    params(("id" = Uuid, Path, description = "The `session_id`.")),
    responses((status = 204, description = "It has ended.")),
)]
pub(super) async fn end(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Identity,
    PathText(id): PathText,
) -> Result<Response, ErrorResponse> {
    end_session(&auth, &caller, &id).await?;
    Ok(ended(&caller, &id, StatusCode::NO_CONTENT.into_response()))
}

/// Ends the caller's sessions other than that of the request.
#[utoipa::path(
    delete,
    path = "/api/v1/auth/sessions",
    operation_id = "end_other_sessions",
    tag = "auth",
    responses((status = 204, description = "They have ended.")),
)]
pub(super) async fn end_others(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Identity,
) -> Result<StatusCode, ErrorResponse> {
    auth.end_other_sessions(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Form that ends a session.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SessionForm {
    /// A session's id, or `others`.
    session: String,
}

/// Ends a session of the caller, or all others.
pub(super) async fn end_form(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Result<Identity, ErrorResponse>,
    StrictForm(form): StrictForm<SessionForm>,
) -> Response {
    let done = async {
        let (caller, id) = (caller?, form.session.as_str());
        if caller.user.is_guest() && is_own(&caller, id) {
            return Ok(see_other(GUEST_SIGN_OUT_QUESTION));
        }
        match id {
            "others" => auth.end_other_sessions(&caller).await?,
            id => match end_session(&auth, &caller, id).await {
                // Meanwhile it has ended by itself.
                Err(error) if error.error.status == 404 => {}
                done => done?,
            },
        }
        Ok::<_, ErrorResponse>(ended(&caller, id, see_other(ACCOUNT_PAGE)))
    };
    match done.await {
        Ok(response) => response,
        Err(error) if error.error.status == 401 => see_other(SIGN_IN_FOR_ACCOUNT),
        Err(error) => error.into_response(),
    }
}

async fn entries(auth: &Auth, caller: &Identity) -> Result<Vec<SessionEntry>, AuthError> {
    auth.sessions_of(caller.user.id, caller.user.is_guest(), caller.session.public_id()).await
}

async fn end_session(auth: &Auth, caller: &Identity, id: &str) -> Result<(), ErrorResponse> {
    let invalid = || ErrorResponse::new(StatusCode::BAD_REQUEST, "invalid_id", "The id must be a UUID.");
    let id: Uuid = id.parse().map_err(|_| invalid().at("session_id"))?;
    if auth.end_session(caller, id).await? {
        return Ok(());
    }
    Err(ErrorResponse::new(StatusCode::NOT_FOUND, "unknown_session", "You have no such session."))
}

/// `response`, which signs the browser out if the caller's own session ended.
fn ended(caller: &Identity, id: &str, response: Response) -> Response {
    if is_own(caller, id) {
        return (Extension(SignedOut), response).into_response();
    }
    response
}

/// Returns true if `id` is the session of the request.
fn is_own(caller: &Identity, id: &str) -> bool {
    id.parse() == Ok(caller.session.public_id())
}
