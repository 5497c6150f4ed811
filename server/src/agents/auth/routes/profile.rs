//! Routes to a user's own profile: the display name and the password.
//!
//! Does not know what makes a name or a password.

use axum::http::StatusCode;
use axum::response::Response;
use protocol::caller::Caller;
use protocol::rest::{ChangePasswordRequest, ProfileRequest};
use serde::Deserialize;

use super::{ACCOUNT_PAGE, SIGN_IN_FOR_ACCOUNT, refuse_form, see_other};
use crate::agents::auth::{AuthSession, Identity};
use crate::http::{ClientAddress, ErrorResponse, Json, StrictForm};

/// Form of a display name.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ProfileForm {
    /// Blank, to show the e-mail address.
    name: String,
}

/// Form of a password change.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ChangePasswordForm {
    current_password: String,
    password: String,
}

/// Sets the caller's display name.
#[utoipa::path(
    patch,
    path = "/api/v1/account/profile",
    operation_id = "update_profile",
    tag = "auth",
    request_body = ProfileRequest,
    responses((status = 200, description = "The user with the new name.", body = Caller)),
)]
pub(super) async fn rename(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Identity,
    Json(request): Json<ProfileRequest>,
) -> Result<Json<Caller>, ErrorResponse> {
    let user = auth.rename(&caller, &request.name.unwrap_or_default()).await?;
    Ok(Json(Identity { user, ..caller }.into()))
}

/// Changes the caller's password. Their other sessions end; failures are limited like those of
/// a sign-in.
#[utoipa::path(
    post,
    path = "/api/v1/auth/password",
    operation_id = "change_password",
    tag = "auth",
    request_body = ChangePasswordRequest,
    responses((status = 204, description = "The password is changed.")),
)]
pub(super) async fn change_password(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Identity,
    ClientAddress(address): ClientAddress,
    Json(request): Json<ChangePasswordRequest>,
) -> Result<StatusCode, ErrorResponse> {
    let ChangePasswordRequest { current_password, password } = request;
    let (present, new) = (current_password.unwrap_or_default(), password.unwrap_or_default());
    auth.change_password(&caller, present, new, address).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn rename_form(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Result<Identity, ErrorResponse>,
    StrictForm(form): StrictForm<ProfileForm>,
) -> Response {
    let renamed = async {
        auth.rename(&caller?, &form.name).await?;
        Ok(())
    };
    answer(renamed.await, "name_saved")
}

pub(super) async fn change_password_form(
    AuthSession { backend: auth, .. }: AuthSession,
    caller: Result<Identity, ErrorResponse>,
    ClientAddress(address): ClientAddress,
    StrictForm(form): StrictForm<ChangePasswordForm>,
) -> Response {
    let changed = async {
        auth.change_password(&caller?, form.current_password, form.password, address).await?;
        Ok(())
    };
    answer(changed.await, "password_changed")
}

/// Redirects to the account page, with `notice` or with the error.
fn answer(done: Result<(), ErrorResponse>, notice: &str) -> Response {
    match done {
        Ok(()) => see_other(&format!("{ACCOUNT_PAGE}?notice={notice}")),
        Err(error) if error.error.status == 401 => see_other(SIGN_IN_FOR_ACCOUNT),
        Err(error) => refuse_form(ACCOUNT_PAGE, &[], error),
    }
}
