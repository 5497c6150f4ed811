//! All routes, and the middleware around them.
//!
//! Does not know what a route answers.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use leptos::prelude::LeptosOptions;

use super::{Gateway, account, browser_log, history, identity, orders, pages, quotes, venue, ws};
use crate::agents::auth;
use crate::http::{ErrorResponse, middleware, operations};

/// The whole site.
pub(super) fn router(gateway: Gateway, options: LeptosOptions) -> Router {
    let api = orders::routes()
        .merge(quotes::routes())
        .merge(history::routes())
        .merge(account::routes())
        .merge(venue::routes())
        .route("/api/v1/stream", get(ws::upgrade))
        .route("/api/v1/logs", post(browser_log::write_line))
        .with_state(gateway.clone());
    let origins = gateway.inner.origins.clone();
    // Routes without a user: bundle, health, metrics.
    let public = operations::routes(gateway.inner.operations.clone())
        .route(crate::assets::ROUTE, get(crate::assets::serve));
    let site = Router::new()
        .merge(api)
        .merge(auth::routes())
        .merge(pages::routes(&gateway, options))
        .layer(from_fn_with_state(gateway.inner.request_timeout(), middleware::buffer_body))
        .layer(from_fn_with_state(gateway.clone(), identity::limit_requests));
    auth::with_sessions(site, &gateway.inner.auth)
        .layer(from_fn_with_state(origins.clone(), middleware::require_own_origin))
        .merge(public)
        .method_not_allowed_fallback(|| async {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            ErrorResponse::new(status, "method_not_allowed", "This route does not have this method.")
        })
        .layer(from_fn_with_state(origins, middleware::security_headers))
        .layer(from_fn(middleware::record_metrics))
}
