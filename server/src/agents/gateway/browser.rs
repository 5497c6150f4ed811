//! `POST /api/v1/logs`: what goes wrong in browsers, as lines of the log.
//!
//! Anybody may send a line, also whoever cannot sign in because the page broke:
//! so each client has few a minute, and a line has few words. Does not believe
//! what it is told: a line says that a browser said so.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;

use super::Floor;
use crate::agents::auth::{Identity, Peer};
use crate::http::json::{Body, Fields};
use crate::http::{Problem, problem};
use crate::telemetry::BROWSER;

/// What a line may say.
const FIELDS: [&str; 5] = ["level", "event", "message", "page", "details"];

/// Most characters of an event's name, of a message, of a page's path and of
/// details: a panic's place and stack.
const EVENT: usize = 64;
const MESSAGE: usize = 1_000;
const PAGE: usize = 200;
const DETAILS: usize = 8_000;

/// Writes one line.
pub(super) async fn log(
    State(floor): State<Floor>,
    identity: Option<Extension<Identity>>,
    Peer(address): Peer,
    Body(fields): Body,
) -> Result<StatusCode, Problem> {
    let line = Line::parse(fields)?;
    let user = identity.map(|Extension(identity)| identity.user.id.to_string());
    let client = user.clone().unwrap_or_else(|| address.to_string());
    floor.inner.browser_line_limit.check(&client).map_err(|seconds| {
        let message = "Too many lines in a minute.";
        problem(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message).after(seconds)
    })?;
    line.write(user.as_deref().unwrap_or("nobody"));
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Clone, Copy)]
enum Level {
    Error,
    Warn,
    Info,
}

struct Line {
    level: Level,
    event: String,
    message: String,
    page: String,
    details: String,
}

impl Line {
    fn parse(fields: Fields) -> Result<Self, Problem> {
        let fields = fields.only(&FIELDS)?;
        let level = match fields.text("level")?.as_deref() {
            Some("error") => Level::Error,
            Some("warn") => Level::Warn,
            Some("info") => Level::Info,
            _ => return Err(invalid("level", "The level must be error, warn or info.")),
        };
        let event = fields.text("event")?.unwrap_or_default();
        let word = event.starts_with(|first: char| first.is_ascii_lowercase())
            && event.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if !word || event.len() > EVENT {
            return Err(invalid("event", "An event is a word like page_failed."));
        }
        let text = |field, most| -> Result<String, Problem> {
            let text = fields.text(field)?.unwrap_or_default();
            match text.chars().count() <= most {
                true => Ok(text),
                false => Err(invalid(field, &format!("This may have {most} characters."))),
            }
        };
        let page = text("page", PAGE)?;
        // What follows a path may be a secret.
        let path = page.split(['?', '#']).next().unwrap_or_default().to_owned();
        let (message, details) = (text("message", MESSAGE)?, text("details", DETAILS)?);
        Ok(Self { level, event, message, page: path, details })
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

fn invalid(field: &str, message: &str) -> Problem {
    problem(StatusCode::UNPROCESSABLE_ENTITY, &format!("invalid_{field}"), message).at(field)
}
