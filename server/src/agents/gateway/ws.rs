//! The live socket, `/api/v1/stream`.
//!
//! A socket pulls: it keeps what it has sent and takes from the gateway's
//! picture whatever is newer, one consistent update at a time. So a slow client
//! costs no memory, prices are conflated to the newest, and executions, which
//! the picture keeps numbered, are not lost. Does not know what is in an update.

mod channel;
mod registry;
mod socket;
mod subscription;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::{IntoResponse, Response};
use protocol::error::ApiError;
use protocol::gateway::Caller;
use protocol::socket::Encoding;
use serde::Deserialize;

use super::Gateway;
use super::model::FollowError;
use crate::agents::auth::{Identity, SessionEnded};
use crate::bus::Batch;
use crate::bus::decode::decode_or_dead_letter;
use crate::http::{ErrorResponse, StrictQuery};
use crate::shutdown::Shutdown;

pub(super) use registry::Sockets;

/// Largest message that a client may send.
const MAX_MESSAGE: usize = 16 * 1024;

/// What a socket reads at once; it is zeroed at every look, and clients say
/// little.
const READ_BUFFER: usize = 4 * 1024;

/// Most bytes that wait inside a socket for a slow client.
const MAX_WAITING: usize = 256 * 1024;

/// Query of the socket's route.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamQuery {
    /// `json` (default) or `postcard`.
    #[param(pattern = "^(json|postcard)$")]
    encoding: Option<String>,
}

/// Opens the WebSocket of live updates.
#[utoipa::path(
    get,
    path = "/api/v1/stream",
    operation_id = "open_stream",
    tag = "stream",
    params(StreamQuery),
    responses((status = 101, description = "The connection is a WebSocket now.")),
)]
pub(super) async fn upgrade(
    State(gateway): State<Gateway>,
    identity: Identity,
    StrictQuery(query): StrictQuery<StreamQuery>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ErrorResponse> {
    let encoding = match query.encoding.as_deref() {
        None | Some("json") => Encoding::Json,
        Some("postcard") => Encoding::Postcard,
        Some(_) => {
            let message = "The encoding must be json or postcard.";
            return Err(ApiError::new(422, "invalid_encoding", message).at("encoding").into());
        }
    };
    let upgrade =
        upgrade.map_err(|_| ApiError::new(426, "upgrade_required", "This route is a WebSocket."))?;
    let most = gateway.inner.limits.sockets_per_user as usize;
    let Some(permit) = gateway.inner.sockets.enter(&identity, most) else {
        let error = ApiError::new(429, "too_many_sockets", format!("A user may open {most} sockets."));
        return Err(error.into());
    };
    let session = identity.session;
    let caller = Caller::from(identity);
    Ok(upgrade
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_WAITING)
        .on_upgrade(move |socket| {
            let tasks = gateway.inner.socket_tasks.clone();
            tasks.track_future(socket::run(gateway, socket, caller, session, encoding, permit))
        })
        .into_response())
}

impl Gateway {
    /// Closes the sockets of sessions that were signed out, here or elsewhere.
    pub(super) async fn follow_sign_outs(&self, shutdown: Shutdown) -> Result<(), FollowError> {
        let inner = &self.inner;
        let stream = inner.streams.session.clone();
        let mut after = inner.bus.last_id(&stream).await?;
        loop {
            let batch = tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                batch = inner.bus.read_after(&stream, after, 256) => batch?,
            };
            match batch {
                // Sockets ask for their session from time to time anyway.
                Batch::Trimmed { through } => after = through,
                Batch::Messages(messages) => {
                    for message in messages {
                        after = message.id;
                        let read =
                            decode_or_dead_letter::<SessionEnded>(&inner.bus, inner.venue, &stream, &message)
                                .await;
                        if let Some(ended) = read {
                            inner.sockets.close_session(ended.key());
                        }
                    }
                }
            }
        }
    }
}
