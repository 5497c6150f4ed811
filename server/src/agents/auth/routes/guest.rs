//! Guests' routes: registration with a name, and later with an address.
//!
//! Does not know what makes a guest.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use protocol::caller::Caller;
use protocol::rest::{CredentialsRequest, GuestRequest};
use serde::Deserialize;

use super::{
    ACCOUNT_PAGE, CredentialsForm, SIGN_IN_FOR_ACCOUNT, answer_form, credentials, local_path, open_session,
    see_other,
};
use crate::agents::auth::{AuthSession, Credentials, Identity};
use crate::http::{ClientAddress, ErrorResponse, Json, StrictForm};

/// Form of a guest.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GuestForm {
    name: String,
    /// Path to go to afterwards.
    next: String,
}

/// Registers a guest with a name alone, opens their account and signs them in.
#[utoipa::path(
    post,
    path = "/api/v1/auth/guest",
    operation_id = "register_guest",
    tag = "auth",
    security(()),
    request_body = GuestRequest,
    responses((status = 201, description = "Registered and signed in, with a cookie.", body = Caller)),
)]
pub(super) async fn create(
    mut session: AuthSession,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Json(request): Json<GuestRequest>,
) -> Result<Response, ErrorResponse> {
    let user = session.backend.create_guest(&request.name.unwrap_or_default(), address).await?;
    let caller = open_session(&mut session, &user, &headers).await?;
    Ok((StatusCode::CREATED, Json(caller)).into_response())
}

/// Gives the signed-in guest an address and a password; the account stays. All sessions of
/// the guest end, and a new one begins.
#[utoipa::path(
    post,
    path = "/api/v1/auth/keep",
    operation_id = "keep_guest",
    tag = "auth",
    request_body = CredentialsRequest,
    responses((status = 200, description = "Registered and signed in, with a new cookie.", body = Caller)),
)]
pub(super) async fn register(
    mut session: AuthSession,
    guest: Result<Identity, ErrorResponse>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Json(request): Json<CredentialsRequest>,
) -> Result<Json<Caller>, ErrorResponse> {
    let Credentials { email, password, .. } = credentials(request, address);
    let user = session.backend.register_guest(&guest?, &email, password, address).await?;
    Ok(Json(open_session(&mut session, &user, &headers).await?))
}

pub(super) async fn create_form(
    mut session: AuthSession,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    StrictForm(form): StrictForm<GuestForm>,
) -> Response {
    // Sent twice, or from a page that is older than the session: the account stays.
    if session.user.is_some() {
        return see_other(local_path(&form.next));
    }
    let created = async {
        let user = session.backend.create_guest(&form.name, address).await?;
        open_session(&mut session, &user, &headers).await
    };
    answer_form("/login", &[], &form.next, created.await)
}

pub(super) async fn register_form(
    mut session: AuthSession,
    guest: Result<Identity, ErrorResponse>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    StrictForm(form): StrictForm<CredentialsForm>,
) -> Response {
    let guest = match guest {
        Ok(guest) => guest,
        Err(error) if error.error.status == 401 => return see_other(SIGN_IN_FOR_ACCOUNT),
        Err(error) => return error.into_response(),
    };
    let registered = async {
        let Credentials { email, password, .. } = form.credentials(address);
        let user = session.backend.register_guest(&guest, &email, password, address).await?;
        open_session(&mut session, &user, &headers).await
    };
    form.answer(ACCOUNT_PAGE, registered.await)
}
