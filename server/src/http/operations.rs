//! What whoever runs the site asks: `/health` and `/metrics`, and the small
//! door of an agent that has no pages.
//!
//! Does not know what an agent does.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;

use super::origin::{self, Origins};
use super::{body, headers, listen};
use crate::peers::{Peer, Peers};
use crate::shutdown::Shutdown;
use crate::telemetry::{Health, HealthReport, PrometheusHandle};

/// What the answers are made of.
#[derive(Clone, Debug)]
pub struct Operations {
    /// This process.
    pub health: Health,
    /// The other ones.
    pub peers: Peers,
    /// The figures.
    pub metrics: PrometheusHandle,
}

/// Health of this process, and what is known of the others. Only this one's
/// decides the status: a gateway is not to be restarted because trading is ill.
#[derive(Serialize)]
struct Answer {
    ok: bool,
    agents: BTreeMap<&'static str, crate::telemetry::AgentHealth>,
    elsewhere: BTreeMap<&'static str, Peer>,
}

/// Routes that need no user.
pub fn routes(operations: Operations) -> Router {
    Router::new().route("/health", get(health)).route("/metrics", get(metrics)).with_state(operations)
}

async fn health(State(operations): State<Operations>) -> Response {
    let HealthReport { ok, agents } = operations.health.report_all();
    let elsewhere = operations.peers.report().await;
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Answer { ok, agents, elsewhere })).into_response()
}

async fn metrics(State(operations): State<Operations>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], operations.metrics.render())
        .into_response()
}

/// Answers on `listener` until `shutdown`: health, figures, and `more`.
pub async fn serve(
    listener: TcpListener,
    operations: Operations,
    more: Option<Router>,
    origins: Origins,
    patience: Duration,
    shutdown: Shutdown,
) {
    let router = more
        .unwrap_or_default()
        .layer(from_fn_with_state(patience, body::arrived))
        .layer(from_fn_with_state(origins.clone(), origin::guard))
        .merge(routes(operations))
        .layer(from_fn_with_state(origins, headers::secure));
    listen(listener, router, patience, shutdown).await;
}
