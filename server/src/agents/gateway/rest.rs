//! The REST API, `/api/v1`: each handler says who asks, parses, asks the
//! gateway, answers.
//!
//! Does not know how anything is answered.

mod account;
mod decided;
mod history;
mod orders;
mod quotes;
mod venue;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{delete, get, post};
use protocol::gateway::{Caller, HistoryQuery};

use super::Floor;
use crate::agents::auth::Identity;
use crate::http::{Problem, problem};

/// Everything but auth and the socket.
pub(super) fn routes() -> Router<Floor> {
    Router::new()
        .route("/api/v1/instruments", get(venue::instruments))
        .route("/api/v1/orders", post(orders::place).get(orders::list).delete(orders::cancel_all))
        .route("/api/v1/orders/preview", post(orders::preview))
        .route("/api/v1/orders/{id}", delete(orders::cancel).get(orders::one).patch(orders::amend))
        .route("/api/v1/quotes", get(quotes::list))
        .route("/api/v1/quotes/{id}/hit", post(quotes::hit))
        .route("/api/v1/quotes/{id}/lift", post(quotes::lift))
        .route("/api/v1/quotes/{id}/preview", post(quotes::preview))
        .route("/api/v1/history/ticks", get(history::ticks))
        .route("/api/v1/history/candles", get(history::candles))
        .route("/api/v1/portfolio/history", get(history::portfolio))
        .route("/api/v1/history/trades", get(history::trades))
        .route("/api/v1/portfolio", get(account::portfolio))
        .route("/api/v1/account", get(account::account))
        .route("/api/v1/venue", get(venue::venue))
        .route("/api/v1/venue/clock", get(venue::clock).post(venue::set_clock))
        .route("/api/v1/venue/claim", post(venue::claim))
}

/// Somebody who is signed in; nobody else gets further.
pub(super) struct Known(pub(super) Caller);

impl<S: Send + Sync> FromRequestParts<S> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self(Identity::from_request_parts(parts, state).await?.into()))
    }
}

/// A query string's fields, each known and given once.
pub(super) struct Asked(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if fields.iter().any(|(known, _)| *known == name) {
                let message = format!("{name:.64} is given twice.");
                return Err(problem(StatusCode::BAD_REQUEST, "invalid_query", message).at(&name));
            }
            fields.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(fields))
    }
}

impl Asked {
    /// Takes a field out.
    pub(super) fn take(&mut self, field: &str) -> Option<String> {
        let at = self.0.iter().position(|(name, _)| name == field)?;
        Some(self.0.swap_remove(at).1)
    }

    /// The history query that is left, and nothing else.
    pub(super) fn history(mut self) -> Result<HistoryQuery, Problem> {
        let query = HistoryQuery {
            instrument_id: self.take("instrument_id"),
            from: self.take("from"),
            to: self.take("to"),
            limit: self.take("limit"),
            cursor: self.take("cursor"),
        };
        self.nothing_else()?;
        Ok(query)
    }

    /// Refuses whatever has not been taken out.
    pub(super) fn nothing_else(self) -> Result<(), Problem> {
        match self.0.first() {
            Some((name, _)) => {
                let shown: String = name.chars().take(64).collect();
                let message = format!("There is no field {shown:?} here.");
                Err(problem(StatusCode::UNPROCESSABLE_ENTITY, "unknown_field", message).at(&shown))
            }
            None => Ok(()),
        }
    }
}
