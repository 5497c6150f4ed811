//! Guests' doors: coming in with a name, and staying with an address.
//!
//! Does not know what makes a guest.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::own::signed_in;
use super::{CREDENTIALS, Form, Peer, greet, see_other};
use crate::agents::auth::Auth;
use crate::http::Problem;
use crate::http::json::Body;

pub(super) async fn enter(
    State(auth): State<Auth>,
    Peer(address): Peer,
    headers: HeaderMap,
    Body(fields): Body,
) -> Result<Response, Problem> {
    let name = fields.only(&["name"])?.text("name")?.unwrap_or_default();
    let entered = auth.try_it(&name, address, &headers).await?;
    greet(&auth, StatusCode::CREATED, entered).await
}

pub(super) async fn keep(
    State(auth): State<Auth>,
    Peer(address): Peer,
    headers: HeaderMap,
    Body(fields): Body,
) -> Result<Response, Problem> {
    let fields = fields.only(&CREDENTIALS)?;
    let email = fields.text("email")?.unwrap_or_default();
    let password = fields.text("password")?.unwrap_or_default();
    let guest = signed_in(&auth, &headers).await?;
    let entered = auth.keep(&guest, &email, password, address, &headers).await?;
    greet(&auth, StatusCode::OK, entered).await
}

pub(super) async fn enter_form(State(auth): State<Auth>, Peer(address): Peer, request: Request) -> Response {
    let headers = request.headers().clone();
    match Form::read(request, &["name", "next"]).await {
        Ok(form) => form.answer("/login", auth.try_it(form.get("name"), address, &headers).await),
        Err(problem) => problem.into_response(),
    }
}

pub(super) async fn keep_form(State(auth): State<Auth>, Peer(address): Peer, request: Request) -> Response {
    let headers = request.headers().clone();
    let form = match Form::read(request, &CREDENTIALS).await {
        Ok(form) => form,
        Err(problem) => return problem.into_response(),
    };
    let guest = match signed_in(&auth, &headers).await {
        Ok(guest) => guest,
        Err(problem) if problem.error.status == 401 => return see_other("/login?next=/account", None),
        Err(problem) => return problem.into_response(),
    };
    let (email, password) = (form.get("email"), form.get("password").to_owned());
    form.answer("/account", auth.keep(&guest, email, password, address, &headers).await)
}
