//! Guests' doors: coming in with a name, and staying with an address.
//!
//! Does not know what makes a guest.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use protocol::rest::{CredentialsRequest, GuestRequest};

use super::own::signed_in;
use super::{CREDENTIALS, Form, greet, see_other};
use crate::agents::auth::Auth;
use crate::http::{ErrorResponse, Json, PeerAddress};

pub(super) async fn enter(
    State(auth): State<Auth>,
    PeerAddress(address): PeerAddress,
    headers: HeaderMap,
    Json(request): Json<GuestRequest>,
) -> Result<Response, ErrorResponse> {
    let name = request.name.unwrap_or_default();
    let entered = auth.try_it(&name, address, &headers).await?;
    greet(&auth, StatusCode::CREATED, entered).await
}

pub(super) async fn keep(
    State(auth): State<Auth>,
    PeerAddress(address): PeerAddress,
    headers: HeaderMap,
    Json(request): Json<CredentialsRequest>,
) -> Result<Response, ErrorResponse> {
    let (email, password) = request.parts();
    let guest = signed_in(&auth, &headers).await?;
    let entered = auth.keep(&guest, &email, password, address, &headers).await?;
    greet(&auth, StatusCode::OK, entered).await
}

pub(super) async fn enter_form(State(auth): State<Auth>, PeerAddress(address): PeerAddress, request: Request) -> Response {
    let headers = request.headers().clone();
    match Form::read(request, &["name", "next"]).await {
        Ok(form) => form.answer("/login", auth.try_it(form.get("name"), address, &headers).await),
        Err(problem) => problem.into_response(),
    }
}

pub(super) async fn keep_form(State(auth): State<Auth>, PeerAddress(address): PeerAddress, request: Request) -> Response {
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
