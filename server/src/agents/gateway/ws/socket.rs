//! One connection: sends `hello`, handles client messages, sends updates, and
//! closes with a code.
//!
//! Does not know what is in an update.

use std::pin::pin;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use engine::id::Seq;
use protocol::caller::Caller;
use protocol::socket::{ClientMessage, Encoding, FRAMES_VERSION, Frame, FrameError, Hello, Update};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_tungstenite::tungstenite;

use super::channel::error;
use super::registry::ConnectionPermit;
use super::subscription::Subscription;
use crate::agents::auth::SessionKey;
use crate::agents::gateway::{Gateway, model};
use crate::http::{ReadLimitExceeded, parse_json};

/// Longest that one send may wait for a client that does not read. With the
/// closing handshake it is gone within five seconds, on a busy machine too.
const SEND_TIMEOUT: Duration = Duration::from_secs(3);

/// Longest closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Pings within the longest silence of a client.
const PINGS_PER_SILENCE: u32 = 3;

/// The reason for closing: code and text of the close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Close(u16, &'static str);

const CLIENT_LEFT: Close = Close(1000, "goodbye");
const RESTARTING: Close = Close(1012, "the server is stopping");
const NOT_TEXT: Close = Close(1003, "send text");
const NOT_UTF8: Close = Close(1007, "not UTF-8");
const TOO_LARGE: Close = Close(1009, "a message may be 16 KiB");
const PROTOCOL_ERROR: Close = Close(1002, "not the protocol");
const SIGNED_OUT: Close = Close(4001, "the session has ended");
const SLOW: Close = Close(4008, "the client does not read");
const SILENT: Close = Close(4012, "the client does not answer");
const TOO_MANY: Close = Close(4029, "too many messages");

struct Connection {
    gateway: Gateway,
    socket: WebSocket,
    encoding: Encoding,
    subscription: Subscription,
    /// The number of the newest update, or part of one, that was sent.
    updates: u64,
    /// Times of the control messages of the last second.
    control_messages: Vec<Instant>,
    last_message: Instant,
    max_silence: Duration,
    /// Shortest time between two updates.
    update_interval: Duration,
}

/// Serves a connection until it closes.
pub(super) async fn run(
    gateway: Gateway,
    socket: WebSocket,
    caller: Caller,
    session: SessionKey,
    encoding: Encoding,
    permit: ConnectionPermit,
) {
    gateway.inner.activity.sockets_changed();
    let subscription = Subscription::new(caller.account);
    let mut connection = Connection {
        gateway: gateway.clone(),
        socket,
        encoding,
        subscription,
        updates: 0,
        control_messages: Vec::new(),
        last_message: Instant::now(),
        max_silence: Duration::from_secs(gateway.inner.limits.socket_silence_seconds),
        update_interval: Duration::from_secs(1) / gateway.inner.limits.socket_updates_per_second.max(1),
    };
    let reason = match connection.send_hello(&caller).await {
        Ok(()) => connection.serve(session, &permit).await,
        Err(reason) => reason,
    };
    metrics::counter!("tickhall_sockets_closed_total", "code" => reason.0.to_string()).increment(1);
    // Released before the close frame, so that it may reconnect at once.
    drop(permit);
    gateway.inner.activity.sockets_changed();
    connection.close(reason).await;
}

impl Connection {
    async fn send_hello(&mut self, caller: &Caller) -> Result<(), Close> {
        let hello = Hello {
            v: FRAMES_VERSION,
            venue: self.gateway.inner.venue,
            account: caller.account,
            seed_commitment: self.gateway.inner.seed_commitment,
        };
        self.send_frame(&Frame::Hello(hello)).await
    }

    async fn serve(&mut self, session: SessionKey, permit: &ConnectionPermit) -> Close {
        let inner = self.gateway.inner.clone();
        let mut changed = inner.model.versions();
        let mut pings = periodic(self.max_silence / PINGS_PER_SILENCE);
        let mut silence = pin!(sleep_until(self.last_message + self.max_silence));
        let mut sessions = periodic(inner.auth.sessions().check_interval().min(self.max_silence));
        let mut next_update: Option<Instant> = None;
        let mut last_update = Instant::now() - self.update_interval;
        loop {
            let update_due = async {
                match next_update {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let done = tokio::select! {
                biased;
                () = inner.shutdown.cancelled() => Err(RESTARTING),
                () = permit.signed_out.cancelled() => Err(SIGNED_OUT),
                received = self.socket.recv() => match self.on_message(received).await {
                    // New channels follow in the next update.
                    Ok(()) => {
                        next_update.get_or_insert(last_update + self.update_interval);
                        Ok(())
                    }
                    Err(reason) => Err(reason),
                },
                () = silence.as_mut() => {
                    let end = self.last_message + self.max_silence;
                    silence.as_mut().reset(end);
                    if Instant::now() < end { Ok(()) } else { Err(SILENT) }
                }
                _ = pings.tick() => self.send_message(Message::Ping(bytes::Bytes::new())).await,
                _ = sessions.tick() => match inner.auth.sessions().active(session).await {
                    Ok(Some(_)) => Ok(()),
                    Ok(None) => Err(SIGNED_OUT),
                    // Checked again when the store is back.
                    Err(_) => Ok(()),
                },
                () = update_due => {
                    (next_update, last_update) = (None, Instant::now());
                    self.send_update().await
                }
                Ok(()) = changed.changed(), if next_update.is_none() => {
                    next_update = Some(last_update + self.update_interval);
                    Ok(())
                }
            };
            if let Err(reason) = done {
                return reason;
            }
        }
    }

    async fn on_message(&mut self, received: Option<Result<Message, axum::Error>>) -> Result<(), Close> {
        let message = match received {
            None => return Err(CLIENT_LEFT),
            Some(Err(error)) => return Err(close_of(error)),
            Some(Ok(message)) => message,
        };
        self.last_message = Instant::now();
        match message {
            Message::Close(_) => Err(CLIENT_LEFT),
            Message::Binary(_) => Err(NOT_TEXT),
            // Few pongs answer the server's pings; any number may come unasked.
            Message::Ping(_) | Message::Pong(_) => self.count_control_message(),
            Message::Text(text) => {
                self.count_control_message()?;
                // A client may reconnect to a server that has just started before
                // its read model is complete.
                self.gateway.inner.model.wait_for_seq(Seq(0)).await;
                match self.handle(text.as_str()) {
                    Ok(None) => Ok(()),
                    Ok(Some(answer)) => self.send_frame(&answer).await,
                    Err(refused) => self.send_frame(&Frame::Error(refused)).await,
                }
            }
        }
    }

    /// Counts a control message against the limit of a second.
    fn count_control_message(&mut self) -> Result<(), Close> {
        let now = Instant::now();
        self.control_messages.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
        self.control_messages.push(now);
        let most = self.gateway.inner.limits.socket_messages_per_second as usize;
        if self.control_messages.len() > most { Err(TOO_MANY) } else { Ok(()) }
    }

    fn handle(&mut self, text: &str) -> Result<Option<Frame>, FrameError> {
        let message: ClientMessage =
            parse_json(text.as_bytes()).map_err(|refused| error(&refused.code, refused.message))?;
        let subscription = &mut self.subscription;
        let unavailable = || Err(error("unavailable", "The venue cannot be read right now.".to_owned()));
        let model = &self.gateway.inner.model;
        match message {
            ClientMessage::Ping { nonce } => {
                return Ok(Some(Frame::Pong { nonce, updates: self.updates }));
            }
            ClientMessage::Subscribe { channels, account_seq } => {
                model
                    .read(|view| subscription.add(&channels, account_seq, view))
                    .unwrap_or_else(unavailable)?;
            }
            ClientMessage::Unsubscribe { channels } => {
                model.read(|view| subscription.remove(&channels, view)).unwrap_or_else(unavailable)?;
            }
        }
        Ok(None)
    }

    async fn send_update(&mut self) -> Result<(), Close> {
        let subscription = &mut self.subscription;
        let gathered = self.gateway.inner.model.read(|view| subscription.gather(view)).flatten();
        let Some((envelope, items)) = gathered else { return Ok(()) };
        let parts = model::parts(&items, self.encoding);
        for (part, left) in parts.iter().zip((0..parts.len()).rev()) {
            self.updates += 1;
            let envelope = Update { number: self.updates, more: left > 0, ..envelope.clone() };
            self.send(model::encode_update(envelope, part, self.encoding)).await?;
        }
        Ok(())
    }

    async fn send_frame(&mut self, frame: &Frame) -> Result<(), Close> {
        self.send(model::encode(frame, self.encoding)).await
    }

    async fn send(&mut self, bytes: Vec<u8>) -> Result<(), Close> {
        let message = match self.encoding {
            Encoding::Postcard => Message::Binary(bytes.into()),
            // JSON is UTF-8.
            Encoding::Json => Message::Text(String::from_utf8(bytes).unwrap_or_default().into()),
        };
        self.send_message(message).await
    }

    async fn send_message(&mut self, message: Message) -> Result<(), Close> {
        match timeout(SEND_TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(CLIENT_LEFT),
            Err(_) => Err(SLOW),
        }
    }

    /// Sends the close frame and reads on for a moment, so that it arrives even
    /// if the client is still sending.
    async fn close(mut self, Close(code, reason): Close) {
        let frame = CloseFrame { code, reason: reason.into() };
        let goodbye = async {
            if self.socket.send(Message::Close(Some(frame))).await.is_err() {
                return;
            }
            for _ in 0..64 {
                match self.socket.recv().await {
                    Some(Ok(Message::Close(_))) => return,
                    // Nothing more is read from a client that sends too much: closing
                    // at once would reset the connection before the frame is read.
                    None if code == TOO_MANY.0 => std::future::pending().await,
                    None => return,
                    Some(_) => {}
                }
            }
        };
        let _ = timeout(CLOSE_TIMEOUT, goodbye).await;
    }
}

fn periodic(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    ticks
}

/// The close code for a transport error.
fn close_of(error: axum::Error) -> Close {
    use tungstenite::Error;
    match error.into_inner().downcast_ref::<Error>() {
        Some(Error::Io(error)) if ReadLimitExceeded::is_in(error) => TOO_MANY,
        Some(Error::Capacity(_)) => TOO_LARGE,
        Some(Error::Utf8(_)) => NOT_UTF8,
        Some(Error::Protocol(_)) => PROTOCOL_ERROR,
        _ => CLIENT_LEFT,
    }
}
