//! Routes to a user's own sessions: list and revoke.
//!
//! Does not know how a session ends.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use engine::time::WallTime;
use protocol::gateway::Caller;
use protocol::rest::SessionEntry;
use serde::Serialize;
use uuid::Uuid;

use super::{Form, see_other};
use crate::agents::auth::session_layer::SignedOut;
use crate::agents::auth::{Auth, AuthError, AuthSession, Identity};
use crate::http::ErrorResponse;

/// Page on which a browser shows the sessions.
const PAGE: &str = "/account";

/// The caller's session, for the caller.
#[derive(Serialize)]
pub(super) struct Introspection {
    caller: Caller,
    session: SessionEntry,
    /// End of the session if it stays idle from now on.
    idle_expires_at: WallTime,
}

#[derive(Serialize)]
pub(super) struct Listing {
    items: Vec<SessionEntry>,
}

pub(super) async fn introspect(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Identity,
) -> Result<Json<Introspection>, ErrorResponse> {
    let session = entries(&auth, &caller).await?.into_iter().find(|entry| entry.current);
    let session = session.ok_or(AuthError::NotSignedIn)?;
    let idle_expires_at = auth.sessions().idle_expiry(session.last_seen_at).min(session.expires_at);
    Ok(Json(Introspection { caller: caller.into(), session, idle_expires_at }))
}

pub(super) async fn list(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Identity,
) -> Result<Json<Listing>, ErrorResponse> {
    Ok(Json(Listing { items: entries(&auth, &caller).await? }))
}

/// Ends one of the caller's sessions; their own is a sign-out.
pub(super) async fn end(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Identity,
    Path(id): Path<String>,
) -> Result<Response, ErrorResponse> {
    end_session(&auth, &caller, &id).await?;
    Ok(ended(&caller, &id, StatusCode::NO_CONTENT.into_response()))
}

pub(super) async fn end_others(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Identity,
) -> Result<StatusCode, ErrorResponse> {
    auth.end_other_sessions(&caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same as a form: `session` is a session's id, or `others`.
pub(super) async fn end_form(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Result<Identity, ErrorResponse>,
    request: Request,
) -> Response {
    let done = async {
        let form = Form::read(request, &["session"]).await?;
        let (caller, id) = (caller?, form.get("session"));
        match id {
            "others" => auth.end_other_sessions(&caller).await?,
            id => match end_session(&auth, &caller, id).await {
                // Meanwhile it has ended by itself.
                Err(error) if error.error.status == 404 => {}
                done => done?,
            },
        }
        Ok::<_, ErrorResponse>(ended(&caller, id, see_other(PAGE)))
    };
    match done.await {
        Ok(response) => response,
        Err(error) if error.error.status == 401 => see_other("/login?next=/account"),
        Err(error) => error.into_response(),
    }
}

async fn entries(auth: &Auth, caller: &Identity) -> Result<Vec<SessionEntry>, AuthError> {
    auth.sessions_of(caller.user.id, caller.session.public_id()).await
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
    if id.parse() == Ok(caller.session.public_id()) {
        return (Extension(SignedOut), response).into_response();
    }
    response
}
