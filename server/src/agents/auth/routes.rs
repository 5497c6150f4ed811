//! Auth's routes: JSON for programs, plain forms that work without JavaScript.
//!
//! A handler parses, calls [`Auth`] and answers. Does not know how a password
//! is checked.

use std::net::IpAddr;

use axum::Extension;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum_login::tower_sessions::Expiry;
use axum_login::tower_sessions::cookie::time;
use protocol::caller::Caller;
use protocol::error::ApiError;
use protocol::rest::{CredentialsRequest, RegisterRequest, ResetPasswordRequest};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::session_layer::SignedOut;
use super::session_store::DEVICE_KEY;
use super::{AuthError, AuthSession, Credentials, HashError, Identity, device};
use crate::http::{ClientAddress, ErrorResponse, Json, StrictForm};
use crate::store::users::User;

mod guest;
mod profile;
mod session_admin;

/// Page of the caller's account.
const ACCOUNT_PAGE: &str = "/account";

/// The same, after a guest sent a form that would end the session.
const GUEST_SESSION_PROBLEM: &str = "/account?error=guest_session";

/// The same, with the question whether a guest agrees to losing the account.
const GUEST_SIGN_OUT_QUESTION: &str = "/account?notice=guest_sign_out";

/// The same, for somebody who has to sign in first.
const SIGN_IN_FOR_ACCOUNT: &str = "/login?next=/account";

/// Longest field that goes back to a refused form: an e-mail address.
const FIELD_MAX_CHARS: usize = 254;

/// Form of a sign-in, and of a guest's registration.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CredentialsForm {
    email: String,
    password: String,
    /// Path to go to afterwards.
    next: String,
}

/// Form of a registration.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RegisterForm {
    /// Display name; may be blank.
    name: String,
    email: String,
    password: String,
    /// Path to go to afterwards.
    next: String,
}

/// Form of a sign-out.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SignOutForm {
    /// `account` if a guest has agreed to losing it.
    delete: String,
}

/// Form of a new password.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ResetForm {
    token: String,
    password: String,
}

/// Auth's routes, to be mounted below [`super::with_sessions`].
pub fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(logout))
        .routes(routes!(session))
        .routes(routes!(session_admin::introspect))
        .routes(routes!(session_admin::list, session_admin::end_others))
        .routes(routes!(session_admin::end))
        .routes(routes!(reset))
        .routes(routes!(profile::rename))
        .routes(routes!(profile::change_password))
        .routes(routes!(guest::create))
        .routes(routes!(guest::register))
        .route("/account/sessions", post(session_admin::end_form))
        .route("/account/profile", post(profile::rename_form))
        .route("/account/password", post(profile::change_password_form))
        .route("/reset", post(reset_form))
        .route("/guest", post(guest::create_form))
        .route("/account/keep", post(guest::register_form))
        .route("/register", post(register_form))
        .route("/login", post(login_form))
        .route("/logout", post(logout_form))
}

/// Registers a user with an address and a password, opens their account and signs them in.
#[utoipa::path(
    post,
    path = "/api/v1/auth/register",
    operation_id = "register",
    tag = "auth",
    security(()),
    request_body = RegisterRequest,
    responses((status = 201, description = "Registered and signed in, with a cookie.", body = Caller)),
)]
async fn register(
    mut session: AuthSession,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Json(request): Json<RegisterRequest>,
) -> Result<Response, ErrorResponse> {
    let RegisterRequest { email, password, name } = request;
    let credentials = credentials(CredentialsRequest { email, password }, address);
    let user = session.backend.register(credentials, &name.unwrap_or_default()).await?;
    let caller = open_session(&mut session, &user, &headers).await?;
    Ok((StatusCode::CREATED, Json(caller)).into_response())
}

/// Signs a user in. A session of the request ends.
#[utoipa::path(
    post,
    path = "/api/v1/auth/login",
    operation_id = "sign_in",
    tag = "auth",
    security(()),
    request_body = CredentialsRequest,
    responses((status = 200, description = "Signed in, with a cookie.", body = Caller)),
)]
async fn login(
    mut session: AuthSession,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Json(request): Json<CredentialsRequest>,
) -> Result<Json<Caller>, ErrorResponse> {
    Ok(Json(sign_in(&mut session, credentials(request, address), &headers).await?))
}

/// Ends the session of the request, if there is one. A guest's account ends with it.
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    operation_id = "sign_out",
    tag = "auth",
    security(()),
    responses((status = 204, description = "Nobody is signed in.")),
)]
async fn logout(mut session: AuthSession) -> Result<Response, ErrorResponse> {
    session.logout().await.map_err(AuthError::from)?;
    Ok((StatusCode::NO_CONTENT, Extension(SignedOut)).into_response())
}

/// Returns the signed-in user.
#[utoipa::path(
    get,
    path = "/api/v1/session",
    operation_id = "get_caller",
    tag = "auth",
    responses((status = 200, description = "The user.", body = Caller)),
)]
async fn session(identity: Identity) -> Json<Caller> {
    Json(identity.into())
}

async fn register_form(
    mut session: AuthSession,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    StrictForm(form): StrictForm<RegisterForm>,
) -> Response {
    if is_guest(&session) {
        return see_other(GUEST_SESSION_PROBLEM);
    }
    let RegisterForm { name, email, password, next } = form;
    let registered = async {
        let credentials = Credentials { email: email.clone(), password, address };
        let user = session.backend.register(credentials, &name).await?;
        open_session(&mut session, &user, &headers).await
    };
    answer_form("/register", &[("email", &email), ("name", &name)], &next, registered.await)
}

async fn login_form(
    mut session: AuthSession,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    StrictForm(form): StrictForm<CredentialsForm>,
) -> Response {
    if is_guest(&session) {
        return see_other(GUEST_SESSION_PROBLEM);
    }
    form.answer("/login", sign_in(&mut session, form.credentials(address), &headers).await)
}

async fn logout_form(mut session: AuthSession, StrictForm(form): StrictForm<SignOutForm>) -> Response {
    if is_guest(&session) && form.delete != "account" {
        return see_other(GUEST_SIGN_OUT_QUESTION);
    }
    match session.logout().await {
        Ok(_) => (Extension(SignedOut), see_other("/login")).into_response(),
        Err(error) => ErrorResponse::from(AuthError::from(error)).into_response(),
    }
}

/// Sets a new password with the token of a reset link, and ends all sessions of the user.
#[utoipa::path(
    post,
    path = "/api/v1/auth/reset",
    operation_id = "reset_password",
    tag = "auth",
    security(()),
    request_body = ResetPasswordRequest,
    responses((status = 204, description = "The password is set.")),
)]
async fn reset(
    session: AuthSession,
    ClientAddress(address): ClientAddress,
    Json(request): Json<ResetPasswordRequest>,
) -> Result<StatusCode, ErrorResponse> {
    let ResetPasswordRequest { token, password } = request;
    let (token, password) = (token.unwrap_or_default(), password.unwrap_or_default());
    session.backend.reset(&token, password, address).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn reset_form(
    session: AuthSession,
    ClientAddress(address): ClientAddress,
    StrictForm(form): StrictForm<ResetForm>,
) -> Response {
    let token: String = form.token.chars().take(64).collect();
    match session.backend.reset(&token, form.password, address).await {
        Ok(()) => see_other("/login?notice=password_set"),
        Err(error) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("error", &ErrorResponse::from(error).error.code).append_pair("token", &token);
            see_other(&format!("/reset?{}", query.finish()))
        }
    }
}

async fn sign_in(
    session: &mut AuthSession,
    credentials: Credentials,
    headers: &HeaderMap,
) -> Result<Caller, AuthError> {
    let user = session.authenticate(credentials).await?.ok_or(AuthError::InvalidCredentials)?;
    open_session(session, &user, headers).await
}

/// Returns true if the request's session is a guest's: a form must not end it
/// without a question, because the account ends with it.
fn is_guest(session: &AuthSession) -> bool {
    session.user.as_ref().is_some_and(User::is_guest)
}

/// Starts a session of `user` with a new id; the session of the request ends.
async fn open_session(
    session: &mut AuthSession,
    user: &User,
    headers: &HeaderMap,
) -> Result<Caller, AuthError> {
    // axum-login keeps the session if a signed-in user signs in again.
    session.logout().await?;
    session.login(user).await?;
    let lifetime = session.backend.sessions().absolute_seconds(user.is_guest());
    session.session.set_expiry(Some(Expiry::OnInactivity(time::Duration::seconds(lifetime))));
    session.session.insert(DEVICE_KEY, device::user_agent(headers)).await?;
    // The store gives the session its id.
    session.session.save().await?;
    Ok(Identity::of(session).await?.ok_or(AuthError::NotSignedIn)?.into())
}

fn credentials(request: CredentialsRequest, address: IpAddr) -> Credentials {
    let CredentialsRequest { email, password } = request;
    Credentials { email: email.unwrap_or_default(), password: password.unwrap_or_default(), address }
}

impl CredentialsForm {
    fn credentials(&self, address: IpAddr) -> Credentials {
        Credentials { email: self.email.clone(), password: self.password.clone(), address }
    }

    fn answer(&self, page: &str, signed_in: Result<Caller, AuthError>) -> Response {
        answer_form(page, &[("email", &self.email)], &self.next, signed_in)
    }
}

/// Redirects to `next`, the path that the user wanted, or back to the form on `page`
/// with the error and `fields`, those that are not blank; never with the password.
fn answer_form(
    page: &str,
    fields: &[(&str, &str)],
    next: &str,
    signed_in: Result<Caller, AuthError>,
) -> Response {
    let next = local_path(next);
    match signed_in {
        Ok(_) => see_other(next),
        Err(error) => {
            let next = (next != "/").then_some(("next", next));
            let fields: Vec<_> = fields.iter().copied().chain(next).collect();
            refuse_form(page, &fields, error.into())
        }
    }
}

/// Redirects back to the form on `page` with the error and `fields`, those that are
/// not blank.
fn refuse_form(page: &str, fields: &[(&str, &str)], error: ErrorResponse) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("error", &error.error.code);
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, &value.chars().take(FIELD_MAX_CHARS).collect::<String>());
    }
    if let Some(seconds) = error.retry_after {
        query.append_pair("wait", &seconds.to_string());
    }
    see_other(&format!("{page}?{}", query.finish()))
}

/// `next` if it is a path of this site, else the front page.
fn local_path(next: &str) -> &str {
    let path = next.starts_with('/') && !next.starts_with("//");
    let plain = next.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
    if path && plain && next.len() <= 1_024 { next } else { "/" }
}

fn see_other(target: &str) -> Response {
    let location = HeaderValue::from_str(target).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

impl From<AuthError> for ErrorResponse {
    fn from(error: AuthError) -> Self {
        let message = error.to_string();
        match error {
            AuthError::InvalidEmail => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_email", message).at("email")
            }
            AuthError::InvalidName(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_name", message).at("name")
            }
            AuthError::TooManyGuests => ApiError::new(503, "too_many_guests", message).into(),
            AuthError::WrongPassword => {
                Self::new(StatusCode::FORBIDDEN, "wrong_password", message).at("current_password")
            }
            AuthError::NoPassword => Self::new(StatusCode::CONFLICT, "no_password", message),
            AuthError::NotGuest => Self::new(StatusCode::CONFLICT, "not_guest", message),
            AuthError::EmailTaken => Self::new(StatusCode::CONFLICT, "email_taken", message).at("email"),
            AuthError::Weak(weakness) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, weakness.code(), message).at("password")
            }
            AuthError::InvalidCredentials => {
                Self::new(StatusCode::UNAUTHORIZED, "invalid_credentials", message)
            }
            AuthError::InvalidToken => Self::new(StatusCode::FORBIDDEN, "invalid_token", message).at("token"),
            AuthError::RateLimited { seconds } => Self::rate_limited(&message, seconds),
            AuthError::NotSignedIn => ApiError::not_signed_in().into(),
            AuthError::Hash(HashError::AddressBusy) => {
                Self::rate_limited("Too many people sign in from this address. Try again shortly.", 1)
            }
            AuthError::Hash(HashError::Busy) => {
                ApiError::new(503, "busy", "Too many people sign in. Try again shortly.").into()
            }
            AuthError::Store(_)
            | AuthError::Session(_)
            | AuthError::Hash(HashError::Failed(_))
            | AuthError::Account(_) => {
                tracing::error!(event = "auth_unavailable", error = %message, "auth could not answer");
                ApiError::unavailable().into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_stays_on_this_site() {
        for (next, expected) in [
            ("/portfolio", "/portfolio"),
            ("/trade?symbol=ACME", "/trade?symbol=ACME"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/a\r\nSet-Cookie: x=y", "/"),
            ("/\t/evil.example", "/"),
        ] {
            assert_eq!(local_path(next), expected, "{next:?}");
        }
    }
}
