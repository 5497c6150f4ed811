//! The live socket, `/api/v1/stream`.
//!
//! A socket pulls: it remembers the version it has sent and reads from the
//! read model whatever is newer, one consistent update at a time. So a slow
//! client costs no memory, prices are conflated to the newest, and executions,
//! which the read model holds by number, are not lost. Does not know what is in
//! an update.

mod channel;
mod registry;
mod socket;
mod subscription;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use protocol::caller::Caller;
use protocol::error::ApiError;
use protocol::socket::Encoding;
use serde::Deserialize;

use super::Gateway;
use super::model::FollowError;
use crate::agents::auth::{Identity, SessionEnded};
use crate::bus::Batch;
use crate::bus::decode::decode_or_dead_letter;
use crate::http::{ErrorResponse, ReadLimit, StrictQuery};
use crate::shutdown::Shutdown;

pub(super) use registry::Sockets;

/// Largest message that a client may send.
const MESSAGE_MAX_BYTES: usize = 16 * 1024;

/// Most bytes of a client's frame before its payload.
const FRAME_HEADER_MAX_BYTES: usize = 14;

/// Size of a socket's read buffer; it is zeroed at every read, and clients send
/// little.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Sign-outs that are read from the session stream at once.
const SIGN_OUTS_PER_READ: usize = 256;

/// Most bytes that wait inside a socket for a slow client.
const WRITE_BUFFER_MAX_BYTES: usize = 256 * 1024;

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
    Extension(read_limit): Extension<ReadLimit>,
    headers: HeaderMap,
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
    if !has_valid_key(&headers) {
        let message = "The Sec-WebSocket-Key must be 16 bytes in Base64.";
        return Err(ApiError::new(400, "invalid_websocket_key", message).into());
    }
    let limits = gateway.inner.limits;
    let most = limits.sockets_per_user as usize;
    let Some(permit) = gateway.inner.sockets.acquire(&identity, most) else {
        let error = ApiError::new(429, "too_many_sockets", format!("A user may open {most} sockets."));
        return Err(error.into());
    };
    // Frames without a payload, of which a message may have any number, are seen by
    // nobody but whoever counts the bytes.
    let message_bytes = (MESSAGE_MAX_BYTES + FRAME_HEADER_MAX_BYTES) as u64;
    read_limit.set(u64::from(limits.socket_messages_per_second) * message_bytes);
    let session = identity.session;
    let caller = Caller::from(identity);
    Ok(upgrade
        .max_message_size(MESSAGE_MAX_BYTES)
        .max_frame_size(MESSAGE_MAX_BYTES)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER_MAX_BYTES)
        .on_upgrade(move |socket| {
            let tasks = gateway.inner.socket_tasks.clone();
            tasks.track_future(socket::run(gateway, socket, caller, session, encoding, permit))
        })
        .into_response())
}

/// Returns true if the handshake has one key, of 16 bytes in Base64 (RFC 6455, 4.1).
fn has_valid_key(headers: &HeaderMap) -> bool {
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else { return false };
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.as_bytes().strip_suffix(b"==").is_some_and(|digits| digits.len() == 22 && digits.iter().all(digit))
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
                batch = inner.bus.read_after(&stream, after, SIGN_OUTS_PER_READ) => batch?,
            };
            match batch {
                // Sockets check their session from time to time anyway.
                Batch::Trimmed { through } => after = through,
                Batch::Messages(messages) => {
                    for message in messages {
                        let (bus, venue) = (&inner.bus, inner.venue);
                        let read =
                            decode_or_dead_letter::<SessionEnded>(bus, venue, &stream, &message, after).await;
                        if let Some(ended) = read {
                            after = message.id;
                            inner.sockets.close_session(ended.key());
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_16_bytes_in_base64_once() {
        for (keys, valid) in [
            (&["dGhlIHNhbXBsZSBub25jZQ=="][..], true),
            (&["+/+/+/+/+/+/+/+/+/+/+w=="], true),
            (&[], false),
            (&["x"], false),
            (&[""], false),
            (&["dGhlIHNhbXBsZSBub25jZQ="], false),
            (&["dGhlIHNhbXBsZSBub25j_Q=="], false),
            (&["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="], false),
        ] {
            let mut headers = HeaderMap::new();
            for key in keys {
                headers.append(header::SEC_WEBSOCKET_KEY, key.parse().unwrap());
            }
            assert_eq!(has_valid_key(&headers), valid, "{keys:?}");
        }
    }
}
