//! The doors to one's own sessions: what they are, and ending them.
//!
//! Does not know how a session ends.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::time::WallTime;
use protocol::error::ApiError;
use protocol::gateway::Caller;
use protocol::rest::SessionEntry;
use serde::Serialize;
use uuid::Uuid;

use super::{Form, see_other};
use crate::agents::auth::{Auth, AuthError, SignedIn};
use crate::http::ErrorResponse;

/// Where a browser looks at its sessions.
const PAGE: &str = "/account";

/// What a session is, to whoever asks with it.
#[derive(Serialize)]
pub(super) struct Introspection {
    caller: Caller,
    session: SessionEntry,
    /// When it ends if nothing more is asked with it.
    idle_expires_at: WallTime,
}

#[derive(Serialize)]
pub(super) struct Listing {
    items: Vec<SessionEntry>,
}

pub(super) async fn introspect(
    State(auth): State<Auth>,
    headers: HeaderMap,
) -> Result<Json<Introspection>, ErrorResponse> {
    let caller = signed_in(&auth, &headers).await?;
    let listed = auth.sessions_of(caller.user, caller.session.id()).await?;
    let session = listed.into_iter().find(|entry| entry.current).ok_or_else(ApiError::not_signed_in)?;
    let idle_expires_at = auth.sessions().idle_end(session.last_seen_at).min(session.expires_at);
    Ok(Json(Introspection { caller: caller.into(), session, idle_expires_at }))
}

pub(super) async fn list(State(auth): State<Auth>, headers: HeaderMap) -> Result<Json<Listing>, ErrorResponse> {
    let caller = signed_in(&auth, &headers).await?;
    Ok(Json(Listing { items: auth.sessions_of(caller.user, caller.session.id()).await? }))
}

/// Ends one of the caller's sessions; their own is a sign-out.
pub(super) async fn end(
    State(auth): State<Auth>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ErrorResponse> {
    let caller = signed_in(&auth, &headers).await?;
    end_named(&auth, &caller, &id).await?;
    Ok(gone(&auth, &caller, &id, StatusCode::NO_CONTENT.into_response()))
}

pub(super) async fn end_others(State(auth): State<Auth>, headers: HeaderMap) -> Result<StatusCode, ErrorResponse> {
    auth.end_others(&signed_in(&auth, &headers).await?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same as a form: `session` is a session's id, or `others`.
pub(super) async fn end_form(State(auth): State<Auth>, request: Request) -> Response {
    let headers = request.headers().clone();
    let done = async {
        let form = Form::read(request, &["session"]).await?;
        let caller = signed_in(&auth, &headers).await?;
        match form.get("session") {
            "others" => auth.end_others(&caller).await?,
            // What has ended meanwhile is as wanted.
            id => match end_named(&auth, &caller, id).await {
                Err(problem) if problem.error.status == 404 => {}
                done => done?,
            },
        }
        Ok::<_, ErrorResponse>(gone(&auth, &caller, form.get("session"), see_other(PAGE, None)))
    };
    match done.await {
        Ok(response) => response,
        Err(problem) if problem.error.status == 401 => see_other("/login?next=/account", None),
        Err(problem) => problem.into_response(),
    }
}

pub(super) async fn signed_in(auth: &Auth, headers: &HeaderMap) -> Result<SignedIn, ErrorResponse> {
    let found = auth.sessions().find(headers).await.map_err(AuthError::from)?;
    Ok(found.ok_or_else(ApiError::not_signed_in)?)
}

async fn end_named(auth: &Auth, caller: &SignedIn, id: &str) -> Result<(), ErrorResponse> {
    let invalid = || ErrorResponse::new(StatusCode::BAD_REQUEST, "invalid_id", "The id must be a UUID.");
    let id: Uuid = id.parse().map_err(|_| invalid().at("session_id"))?;
    if auth.end_named(caller, id).await? {
        return Ok(());
    }
    Err(ErrorResponse::new(StatusCode::NOT_FOUND, "unknown_session", "You have no such session."))
}

/// The answer, and for whoever ended their own session a browser that forgets.
fn gone(auth: &Auth, caller: &SignedIn, id: &str, mut response: Response) -> Response {
    if id.parse() == Ok(caller.session.id()) {
        response.headers_mut().insert(header::SET_COOKIE, auth.sessions().forget());
    }
    response
}
