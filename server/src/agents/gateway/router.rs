//! All routes, and the middleware around them.
//!
//! Does not know what a route answers.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use leptos::prelude::LeptosOptions;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Gateway, account, browser_log, history, identity, openapi, orders, pages, quotes, venue, ws};
use crate::agents::auth;
use crate::http::{ErrorResponse, middleware, operations};

/// The whole site.
pub(super) fn router(gateway: Gateway, options: LeptosOptions) -> Router {
    let (api, description) = OpenApiRouter::with_openapi(openapi::empty())
        .merge(orders::routes())
        .merge(quotes::routes())
        .merge(history::routes())
        .merge(account::routes())
        .merge(venue::routes())
        .merge(auth::routes())
        .routes(routes!(ws::upgrade))
        .routes(routes!(browser_log::write_line))
        .split_for_parts();
    let query_routes = openapi::QueryRoutes::of(&description);
    let api = api
        .with_state(gateway.clone())
        .route_layer(from_fn_with_state(query_routes, openapi::refuse_queries));
    let origins = gateway.inner.origins.clone();
    // Routes without a user: bundle, description, health, metrics.
    let public = operations::routes(gateway.inner.operations.clone())
        .merge(openapi::routes(description, gateway.inner.auth.cookie_name()))
        .route(crate::assets::ROUTE, get(crate::assets::serve));
    let site = Router::new()
        .merge(api)
        .merge(pages::routes(&gateway, options))
        .layer(from_fn_with_state(gateway.clone(), identity::limit_reads))
        .layer(from_fn_with_state(gateway.inner.connections.head_timeout, middleware::buffer_body))
        .layer(from_fn_with_state(gateway.clone(), identity::limit_requests));
    auth::with_sessions(site, &gateway.inner.auth)
        .layer(from_fn_with_state(origins.clone(), middleware::require_own_origin))
        .layer(from_fn(pages::encode_errors))
        .merge(public)
        .method_not_allowed_fallback(|| async { ErrorResponse::method_not_allowed() })
        .layer(from_fn(middleware::require_well_formed))
        .layer(from_fn_with_state(origins, middleware::security_headers))
        .layer(from_fn(middleware::record_metrics))
}
