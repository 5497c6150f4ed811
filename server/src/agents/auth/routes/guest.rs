//! Guests' routes: registration with a name, and later with an address.
//!
//! Does not know what makes a guest.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use protocol::gateway::Caller;

use super::{CREDENTIALS, Form, Peer, credentials, open_session, see_other};
use crate::agents::auth::{AuthSession, Credentials, Identity};
use crate::http::Problem;
use crate::http::json::Body;

pub(super) async fn create(
    mut session: AuthSession,
    Peer(address): Peer,
    headers: HeaderMap,
    Body(fields): Body,
) -> Result<Response, Problem> {
    let name = fields.only(&["name"])?.text("name")?.unwrap_or_default();
    let user = session.backend.create_guest(&name, address).await?;
    let caller = open_session(&mut session, &user, &headers).await?;
    Ok((StatusCode::CREATED, Json(caller)).into_response())
}

pub(super) async fn register(
    mut session: AuthSession,
    guest: Result<Identity, Problem>,
    Peer(address): Peer,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Caller>, Problem> {
    let Credentials { email, password, .. } = credentials(body, address)?;
    let user = session.backend.register_guest(&guest?, &email, password, address).await?;
    Ok(Json(open_session(&mut session, &user, &headers).await?))
}

pub(super) async fn create_form(mut session: AuthSession, Peer(address): Peer, request: Request) -> Response {
    let headers = request.headers().clone();
    let form = match Form::read(request, &["name", "next"]).await {
        Ok(form) => form,
        Err(problem) => return problem.into_response(),
    };
    let created = async {
        let user = session.backend.create_guest(form.get("name"), address).await?;
        open_session(&mut session, &user, &headers).await
    };
    form.answer("/login", created.await)
}

pub(super) async fn register_form(
    mut session: AuthSession,
    guest: Result<Identity, Problem>,
    Peer(address): Peer,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let form = match Form::read(request, &CREDENTIALS).await {
        Ok(form) => form,
        Err(problem) => return problem.into_response(),
    };
    let guest = match guest {
        Ok(guest) => guest,
        Err(problem) if problem.error.status == 401 => return see_other("/login?next=/account"),
        Err(problem) => return problem.into_response(),
    };
    let registered = async {
        let Credentials { email, password, .. } = form.credentials(address);
        let user = session.backend.register_guest(&guest, &email, password, address).await?;
        open_session(&mut session, &user, &headers).await
    };
    form.answer("/account", registered.await)
}
