//! `/health` and `/metrics`, and the small site of an agent without pages.
//!
//! Does not know what an agent does.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;

use super::ConnectionSettings;
use super::middleware::{self, Origins};
use crate::peers::{PeerHealth, Peers};
use crate::shutdown::Shutdown;
use crate::telemetry::{AgentHealth, Health, HealthReport, PrometheusHandle};

/// Sources of the answers.
#[derive(Clone, Debug)]
pub struct Operations {
    /// Agents of this process.
    pub health: Health,
    /// Agents of the others.
    pub peers: Peers,
    /// Metrics of this process.
    pub metrics: PrometheusHandle,
}

/// Health of this process, and of the others as far as it is known. Only this
/// one's decides the status: a gateway need not restart because trading is down.
#[derive(Serialize)]
struct SiteHealth {
    ok: bool,
    agents: BTreeMap<&'static str, AgentHealth>,
    elsewhere: BTreeMap<&'static str, PeerHealth>,
}

/// Routes that need no user.
pub fn routes(operations: Operations) -> Router {
    Router::new().route("/health", get(health)).route("/metrics", get(metrics)).with_state(operations)
}

async fn health(State(operations): State<Operations>) -> Response {
    let HealthReport { ok, agents } = operations.health.report_all();
    let elsewhere = operations.peers.report().await;
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(SiteHealth { ok, agents, elsewhere })).into_response()
}

async fn metrics(State(operations): State<Operations>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], operations.metrics.render())
        .into_response()
}

/// Serves health, metrics and `routes` on `listener` until `shutdown`.
pub async fn serve_agent(
    listener: TcpListener,
    operations: Operations,
    routes: Option<Router>,
    origins: Origins,
    settings: ConnectionSettings,
    shutdown: Shutdown,
) {
    let router = routes
        .unwrap_or_default()
        .layer(from_fn_with_state(settings.head_timeout, middleware::buffer_body))
        .layer(from_fn_with_state(origins.clone(), middleware::require_own_origin))
        .merge(self::routes(operations))
        .layer(from_fn(middleware::require_well_formed))
        .layer(from_fn_with_state(origins, middleware::security_headers));
    super::serve(listener, router, settings, shutdown).await;
}
