//! `POST /api/v1/logs`: errors in browsers, as lines of the server's log.
//!
//! Open to everybody, also to whoever cannot sign in because the page broke: so
//! each client has few lines a minute, and a line is short. Does not believe
//! what it reads: a line says that a browser said so.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::rest::LogRequest;

use super::Gateway;
use super::identity::Client;
use crate::agents::auth::Identity;
use crate::http::{ClientAddress, ErrorResponse, Json};
use crate::telemetry::BROWSER;

/// Longest name of an event.
const EVENT_MAX_BYTES: usize = 64;

/// Longest message, path of a page, and details (message and stack of a panic).
const MESSAGE_MAX_CHARS: usize = 1_000;
const PAGE_MAX_CHARS: usize = 200;
const DETAILS_MAX_CHARS: usize = 8_000;

/// Writes a browser's error to the server's log.
#[utoipa::path(
    post,
    path = "/api/v1/logs",
    operation_id = "write_log",
    tag = "meta",
    security(()),
    request_body = LogRequest,
    responses((status = 204, description = "Written.")),
)]
pub(super) async fn write_line(
    State(gateway): State<Gateway>,
    identity: Option<Extension<Identity>>,
    ClientAddress(address): ClientAddress,
    Json(request): Json<LogRequest>,
) -> Result<StatusCode, ErrorResponse> {
    let line = Line::parse(request)?;
    let identity = identity.map(|Extension(identity)| identity);
    gateway
        .inner
        .browser_log_limit
        .check(&Client::of(identity.as_ref(), address))
        .map_err(|seconds| ErrorResponse::rate_limited("Too many lines in a minute.", seconds))?;
    let user = identity.map(|identity| identity.user.id.to_string());
    line.write(user.as_deref().unwrap_or("nobody"));
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Clone, Copy)]
enum Level {
    Error,
    Warn,
    Info,
}

/// A checked [`LogRequest`].
struct Line {
    level: Level,
    event: String,
    message: String,
    page: String,
    details: String,
}

impl Line {
    fn parse(request: LogRequest) -> Result<Self, ErrorResponse> {
        let level = match request.level.as_deref() {
            Some("error") => Level::Error,
            Some("warn") => Level::Warn,
            Some("info") => Level::Info,
            _ => return Err(invalid("level", "The level must be error, warn or info.")),
        };
        let event = request.event.unwrap_or_default();
        let snake_case = event.starts_with(|first: char| first.is_ascii_lowercase())
            && event.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if !snake_case || event.len() > EVENT_MAX_BYTES {
            return Err(invalid("event", "An event is a word like page_failed."));
        }
        let text = |field, text: Option<String>, max| -> Result<String, ErrorResponse> {
            let text = text.unwrap_or_default();
            match text.chars().count() <= max {
                true => Ok(text),
                false => Err(invalid(field, &format!("This may have {max} characters."))),
            }
        };
        let message = text("message", request.message, MESSAGE_MAX_CHARS)?;
        let page = text("page", request.page, PAGE_MAX_CHARS)?;
        let details = text("details", request.details, DETAILS_MAX_CHARS)?;
        // What follows a path may be a secret.
        let page = page.split(['?', '#']).next().unwrap_or_default().to_owned();
        Ok(Self { level, event, message, page, details })
    }

    fn write(&self, user: &str) {
        let Self { level, event, message, page, details } = self;
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(target: BROWSER, event, user, page, details, "{message}")
            };
        }
        match level {
            Level::Error => line!(error),
            Level::Warn => line!(warn),
            Level::Info => line!(info),
        }
    }
}

fn invalid(field: &str, message: &str) -> ErrorResponse {
    ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, &format!("invalid_{field}"), message).at(field)
}
