//! The live socket, `/api/v1/stream`.
//!
//! A socket pulls: it remembers the version it has sent and takes from the read
//! model whatever is newer, one consistent update at a time. So a slow client
//! costs no memory, prices are conflated to the newest, and executions, which
//! the read model holds by number, are not lost. Does not know what is in an
//! update.

mod channel;
mod registry;
mod socket;
mod subscription;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use protocol::gateway::{ApiError, Caller};
use protocol::socket::Encoding;

use super::Floor;
use super::model::FollowError;
use super::rest::Asked;
use super::router::Identity;
use crate::agents::auth::SessionEnded;
use crate::bus::Batch;
use crate::bus::decode::decode_or_bury;
use crate::http::{Problem, problem};
use crate::shutdown::Shutdown;

pub(super) use registry::Sockets;

/// Largest message that a client may send.
const MESSAGE_MAX_BYTES: usize = 16 * 1024;

/// Size of a socket's read buffer; it is zeroed at every read, and clients send
/// little.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Most bytes that wait inside a socket for a slow client.
const WRITE_BUFFER_MAX_BYTES: usize = 256 * 1024;

/// Upgrades the request to a socket, or refuses it.
pub(super) async fn upgrade(
    State(floor): State<Floor>,
    axum::Extension(Identity(identity)): axum::Extension<Identity>,
    mut asked: Asked,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let signed_in = identity.ok_or_else(Problem::not_signed_in)?;
    let encoding = match asked.take("encoding").as_deref() {
        None | Some("json") => Encoding::Json,
        Some("postcard") => Encoding::Postcard,
        Some(_) => {
            let message = "The encoding must be json or postcard.";
            return Err(problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid_encoding", message).at("encoding"));
        }
    };
    let upgrade = upgrade
        .map_err(|_| problem(StatusCode::UPGRADE_REQUIRED, "upgrade_required", "This is a WebSocket."))?;
    let most = floor.inner.limits.sockets_per_user as usize;
    let Some(permit) = floor.inner.sockets.acquire(&signed_in, most) else {
        let error = ApiError::new(429, "too_many_sockets", format!("A user may open {most} sockets."));
        return Err(error.into());
    };
    let caller = Caller::from(signed_in.clone());
    Ok(upgrade
        .max_message_size(MESSAGE_MAX_BYTES)
        .max_frame_size(MESSAGE_MAX_BYTES)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_MAX_BYTES)
        .on_upgrade(move |socket| {
            let tasks = floor.inner.socket_tasks.clone();
            tasks.track_future(socket::run(floor, socket, caller, signed_in, encoding, permit))
        })
        .into_response())
}

impl Floor {
    /// Closes the sockets of sessions that were signed out, here or elsewhere.
    pub(super) async fn follow_sign_outs(&self, shutdown: Shutdown) -> Result<(), FollowError> {
        let inner = &self.inner;
        let stream = inner.names.session.clone();
        let mut after = inner.bus.last_id(&stream).await?;
        loop {
            let batch = tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                batch = inner.bus.read_after(&stream, after, 256) => batch?,
            };
            match batch {
                // Sockets check their session from time to time anyway.
                Batch::Trimmed { through } => after = through,
                Batch::Messages(messages) => {
                    for message in messages {
                        after = message.id;
                        let read =
                            decode_or_bury::<SessionEnded>(&inner.bus, inner.venue, &stream, &message).await;
                        if let Some(ended) = read {
                            inner.sockets.close_session(ended.key());
                        }
                    }
                }
            }
        }
    }
}
