//! What whoever runs the site asks: `/health` and `/metrics`, and the small
//! door of an agent that has no pages.
//!
//! Does not know what an agent does.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http_body_util::Limited;
use serde::Serialize;
use tokio::net::TcpListener;

use super::origin::{self, Origins};
use super::{MAX_BODY_BYTES, headers, problem};
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

/// Refuses what says that it is too long, and cuts off what does not say so.
pub async fn bounded(request: Request, next: Next) -> Response {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if length.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > MAX_BODY_BYTES) {
        let message = "A body may be 64 KiB.";
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message).into_response();
    }
    // One byte more, so that whoever reads the body sees that it is too long.
    next.run(request.map(|body| Body::new(Limited::new(body, MAX_BODY_BYTES + 1)))).await
}

/// Answers on `listener` until `shutdown`: health, figures, and `more`.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    operations: Operations,
    more: Option<Router>,
    origins: Origins,
    shutdown: Shutdown,
) -> std::io::Result<()> {
    let router = more
        .unwrap_or_default()
        .layer(from_fn_with_state(origins, origin::guard))
        .layer(from_fn(bounded))
        .merge(routes(operations))
        .layer(from_fn(headers::secure));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(shutdown.cancelled_owned()).await
}
