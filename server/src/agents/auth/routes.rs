//! Auth's doors: JSON for programs, plain forms that work without JavaScript.
//!
//! A handler reads, asks [`Auth`], answers. Does not know how anybody is let in.

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::Router;
use protocol::error::ApiError;
use protocol::gateway::Caller;
use protocol::rest::{CredentialsRequest, ResetPasswordRequest};

use super::{Auth, AuthError, Entered, SignedIn};
use crate::http::{ErrorResponse, Json, PeerAddress, read_body};

mod guest;
mod own;

/// Fields of a sign-in, and of a registration.
const CREDENTIALS: [&str; 2] = ["email", "password"];

/// Fields of a new password.
const RESET: [&str; 2] = ["token", "password"];

/// A sign-in's or registration's in a form.
const GATE: [&str; 3] = ["email", "password", "next"];

/// Auth's routes, for whoever mounts them.
pub fn routes(auth: Auth) -> Router {
    Router::new()
        .route("/api/v1/auth/register", post(register))
        .route("/api/v1/auth/login", post(login))
        .route("/api/v1/auth/logout", post(logout))
        .route("/api/v1/session", get(session))
        .route("/api/v1/auth/session", get(own::introspect))
        .route("/api/v1/auth/sessions", get(own::list).delete(own::end_others))
        .route("/api/v1/auth/sessions/{id}", delete(own::end))
        .route("/account/sessions", post(own::end_form))
        .route("/api/v1/auth/reset", post(reset))
        .route("/reset", post(reset_form))
        .route("/api/v1/auth/guest", post(guest::enter))
        .route("/api/v1/auth/keep", post(guest::keep))
        .route("/guest", post(guest::enter_form))
        .route("/account/keep", post(guest::keep_form))
        .route("/register", post(register_form))
        .route("/login", post(login_form))
        .route("/logout", post(logout_form))
        .with_state(auth)
}

async fn register(
    State(auth): State<Auth>,
    PeerAddress(address): PeerAddress,
    headers: HeaderMap,
    Json(request): Json<CredentialsRequest>,
) -> Result<Response, ErrorResponse> {
    let (email, password) = request.parts();
    let entered = auth.register(&email, password, address, &headers).await?;
    greet(&auth, StatusCode::CREATED, entered).await
}

async fn login(
    State(auth): State<Auth>,
    PeerAddress(address): PeerAddress,
    headers: HeaderMap,
    Json(request): Json<CredentialsRequest>,
) -> Result<Response, ErrorResponse> {
    let (email, password) = request.parts();
    let entered = auth.sign_in(&email, password, address, &headers).await?;
    greet(&auth, StatusCode::OK, entered).await
}

async fn logout(State(auth): State<Auth>, headers: HeaderMap) -> Result<Response, ErrorResponse> {
    let cookie = auth.sign_out(&headers).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

async fn session(State(auth): State<Auth>, headers: HeaderMap) -> Result<Json<Caller>, ErrorResponse> {
    let found = auth.sessions().find(&headers).await.map_err(AuthError::from)?;
    Ok(Json(found.ok_or_else(ApiError::not_signed_in)?.into()))
}

/// The answer to somebody who was let in: who they are, and their cookie.
async fn greet(auth: &Auth, status: StatusCode, entered: Entered) -> Result<Response, ErrorResponse> {
    // Asked with the new cookie, as the next request will be.
    let pair = entered.cookie.to_str().ok().and_then(|cookie| cookie.split(';').next());
    let mut headers = HeaderMap::new();
    if let Some(cookie) = pair.and_then(|pair| HeaderValue::from_str(pair).ok()) {
        headers.insert(header::COOKIE, cookie);
    }
    let found = auth.sessions().find(&headers).await.map_err(AuthError::from)?;
    let caller: Caller = found.ok_or_else(ApiError::unavailable)?.into();
    Ok((status, [(header::SET_COOKIE, entered.cookie)], Json(caller)).into_response())
}

async fn register_form(State(auth): State<Auth>, PeerAddress(address): PeerAddress, request: Request) -> Response {
    let headers = request.headers().clone();
    let form = match Form::read(request, &GATE).await {
        Ok(form) => form,
        Err(problem) => return problem.into_response(),
    };
    let entered = auth.register(form.get("email"), form.get("password").to_owned(), address, &headers).await;
    form.answer("/register", entered)
}

async fn login_form(State(auth): State<Auth>, PeerAddress(address): PeerAddress, request: Request) -> Response {
    let headers = request.headers().clone();
    let form = match Form::read(request, &GATE).await {
        Ok(form) => form,
        Err(problem) => return problem.into_response(),
    };
    let entered = auth.sign_in(form.get("email"), form.get("password").to_owned(), address, &headers).await;
    form.answer("/login", entered)
}

async fn logout_form(State(auth): State<Auth>, headers: HeaderMap) -> Response {
    match auth.sign_out(&headers).await {
        Ok(cookie) => see_other("/login", Some(cookie)),
        Err(error) => ErrorResponse::from(error).into_response(),
    }
}

async fn reset(
    State(auth): State<Auth>,
    PeerAddress(address): PeerAddress,
    Json(request): Json<ResetPasswordRequest>,
) -> Result<StatusCode, ErrorResponse> {
    let ResetPasswordRequest { token, password } = request;
    auth.reset(&token.unwrap_or_default(), password.unwrap_or_default(), address).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn reset_form(State(auth): State<Auth>, PeerAddress(address): PeerAddress, request: Request) -> Response {
    let form = match Form::read(request, &RESET).await {
        Ok(form) => form,
        Err(problem) => return problem.into_response(),
    };
    let token: String = form.get("token").chars().take(64).collect();
    match auth.reset(&token, form.get("password").to_owned(), address).await {
        Ok(()) => see_other("/login?notice=password_set", None),
        Err(error) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("error", &ErrorResponse::from(error).error.code).append_pair("token", &token);
            see_other(&format!("/reset?{}", query.finish()), None)
        }
    }
}

/// A form's fields.
struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads a form that may have the fields `known`.
    async fn read(request: Request, known: &[&str]) -> Result<Self, ErrorResponse> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let plain = kind.is_some_and(|kind| {
            kind.split(';')
                .next()
                .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
        });
        if !plain {
            let message = "Send a form.";
            return Err(ErrorResponse::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message));
        }
        let body = read_body(request).await?;
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(&body) {
            if !known.contains(&name.as_ref()) {
                let message = "The form holds a field that is not known here.";
                return Err(ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_field", message).at(&name));
            }
            fields.insert(name.into_owned(), value.into_owned());
        }
        Ok(Self(fields))
    }

    fn get(&self, field: &str) -> &str {
        self.0.get(field).map_or("", String::as_str)
    }

    /// Goes on to where the user wanted to be, or back to the form with what
    /// is wrong. The password never comes back.
    fn answer(&self, page: &str, entered: Result<Entered, AuthError>) -> Response {
        let error = match entered {
            Ok(entered) => return see_other(local(self.get("next")), Some(entered.cookie)),
            Err(error) => ErrorResponse::from(error),
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("error", &error.error.code);
        query.append_pair("email", &self.get("email").chars().take(254).collect::<String>());
        if let Some(seconds) = error.retry_after {
            query.append_pair("wait", &seconds.to_string());
        }
        if local(self.get("next")) != "/" {
            query.append_pair("next", local(self.get("next")));
        }
        see_other(&format!("{page}?{}", query.finish()), None)
    }
}

/// `next` if it is a path of this site, else the front page.
fn local(next: &str) -> &str {
    let path = next.starts_with('/') && !next.starts_with("//");
    let plain = next.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
    if path && plain && next.len() <= 1_024 { next } else { "/" }
}

fn see_other(target: &str, cookie: Option<HeaderValue>) -> Response {
    let location = HeaderValue::from_str(target).unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

impl From<SignedIn> for Caller {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            user: signed_in.user.to_string(),
            name: signed_in.name.unwrap_or_else(|| signed_in.email.clone()),
            email: signed_in.email,
            account: signed_in.account,
            owner: signed_in.owner,
            session_id: signed_in.session.id().to_string(),
        }
    }
}

impl From<AuthError> for ErrorResponse {
    fn from(error: AuthError) -> Self {
        let message = error.to_string();
        match error {
            AuthError::InvalidEmail => {
                ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_email", message).at("email")
            }
            AuthError::InvalidName => {
                ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_name", message).at("name")
            }
            AuthError::NotGuest => ErrorResponse::new(StatusCode::CONFLICT, "not_guest", message),
            AuthError::EmailTaken => ErrorResponse::new(StatusCode::CONFLICT, "email_taken", message).at("email"),
            AuthError::Weak(weakness) => {
                ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, weakness.code(), message).at("password")
            }
            AuthError::InvalidCredentials => {
                ErrorResponse::new(StatusCode::UNAUTHORIZED, "invalid_credentials", message)
            }
            AuthError::InvalidToken => ErrorResponse::new(StatusCode::FORBIDDEN, "invalid_token", message).at("token"),
            AuthError::RateLimited { seconds } => {
                ErrorResponse::rate_limited(&message, seconds)
            }
            AuthError::Store(_) | AuthError::Hash(_) | AuthError::Account(_) => {
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
            assert_eq!(local(next), expected, "{next:?}");
        }
    }
}
