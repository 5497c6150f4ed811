//! All routes, and what every request passes on its way: who it is from,
//! whether it may change things, how often it may come.
//!
//! Does not know what a route answers.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use leptos::prelude::LeptosOptions;
use tokio::time::Instant;

use super::{Floor, browser, pages, rest, ws};
use crate::agents::auth::{self, Identity, Peer};
use crate::http::{body, headers, operations, origin, problem};

/// The whole site.
pub(super) fn router(floor: Floor, options: LeptosOptions) -> Router {
    let api = rest::routes()
        .route("/api/v1/stream", get(ws::upgrade))
        .route("/api/v1/logs", post(browser::log))
        .with_state(floor.clone());
    let origins = floor.inner.origins.clone();
    let site = Router::new()
        .merge(api)
        .merge(auth::routes())
        .merge(pages::routes(&floor, options))
        .layer(from_fn_with_state(floor.inner.patience(), body::arrived))
        .layer(from_fn_with_state(floor.clone(), limit));
    auth::with_sessions(site, &floor.inner.auth)
        .layer(from_fn_with_state(floor.inner.origins.clone(), origin::guard))
        .merge(unasked(floor))
        .method_not_allowed_fallback(|| async {
            problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Not with this method.")
        })
        .layer(from_fn_with_state(origins, headers::secure))
        .layer(from_fn(counted))
}

/// What needs no user: the bundle, health, figures.
fn unasked(floor: Floor) -> Router {
    operations::routes(floor.inner.operations.clone()).route(crate::assets::ROUTE, get(crate::assets::serve))
}

/// Counts requests by route, so that the numbers do not grow with addresses.
async fn counted(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = request.method().as_str().to_owned();
    let began = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    let labels = [("route", route), ("method", method), ("status", status)];
    metrics::counter!("tickhall_requests_total", &labels).increment(1);
    metrics::histogram!("tickhall_request_seconds").record(began.elapsed().as_secs_f64());
    response
}

/// Takes the request from the budget of its user, else of its address, and
/// waits until a user's account is known here.
async fn limit(
    State(floor): State<Floor>,
    Peer(address): Peer,
    identity: Option<Extension<Identity>>,
    request: Request,
    next: Next,
) -> Response {
    let inner = &floor.inner;
    let user = identity.map(|Extension(identity)| identity.user);
    let client = user.as_ref().map_or_else(|| address.to_string(), |user| user.id.to_string());
    // Pages come with many requests at once; only the API is limited.
    let limited = request.uri().path().starts_with("/api/");
    if limited && inner.request_limit.check(&client).is_err() {
        let message = "Too many requests in a second.";
        return problem(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message).after(1).into_response();
    }
    if let Some(user) = user {
        inner.activity.note(inner.clock.now());
        // If it stays unknown, the handlers that need it refuse.
        inner.model.wait_for_account(user.account).await;
    }
    next.run(request).await
}

/// What is nowhere: an error for programs, a page for people.
pub(super) fn is_for_programs(method: &Method, path: &str) -> bool {
    path.starts_with("/api/") || path == "/api" || !matches!(*method, Method::GET | Method::HEAD)
}
