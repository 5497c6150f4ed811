//! Client of the sequencer: appends commands to the command stream and matches
//! replies on the reply stream by correlation id.
//!
//! Concurrent commands are appended together. Does not know how a command is
//! decided.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::id::VenueId;
use engine::order::Reject;
use engine::time::WallTime;
use engine::venue::Command;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::bus::decode::decode_or_dead_letter;
use crate::bus::{Batch, Bus, BusError, Payload, StreamNames};
use crate::clock::{self, WallClock};
use crate::shutdown::Shutdown;
use protocol::bus::{AppliedCommand, CommandMessage, CommandReply, ReplyMessage, SequencerStatus, VERSION};

/// Commands that may wait for the sequencer before the next is refused as `busy`.
pub const QUEUE_CAPACITY: usize = 4_096;

/// Time beyond a command's validity for which its sender waits: a command that was
/// decided in time has to be committed.
const COMMIT_TIMEOUT: Duration = Duration::from_millis(500);

/// Delay before the replies are read again after an error.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Longest validity of a command.
const MAX_VALIDITY: Duration = Duration::from_secs(3_600);

/// Replies of one read.
const READ_MAX_MESSAGES: usize = 1_024;

/// Commands that are appended together.
const BATCH_MAX_COMMANDS: usize = 256;

/// Errors of a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Too many commands wait: 503 `busy`. The command was not sent.
    #[error("the sequencer has too much to do")]
    Busy,
    /// Without a reply in time: 202 `pending`. It may have been decided, but is not
    /// decided after its validity.
    #[error("the sequencer has not answered in time")]
    Pending,
    /// Store or bus is unreachable: 503 `unavailable`. The command was not sent.
    #[error("trading is not available")]
    Unavailable,
    /// The venue's books did not add up: 503 `trading_halted`.
    #[error("trading is halted")]
    TradingHalted,
    /// The venue refused; nothing changed.
    #[error(transparent)]
    Refused(#[from] Reject),
}

/// Sends commands to a venue's sequencer; clones share one connection.
#[derive(Clone, Debug)]
pub struct SequencerClient {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bus: Bus,
    streams: StreamNames,
    venue: VenueId,
    clock: WallClock,
    outgoing: mpsc::Sender<Outgoing>,
    waiting: Mutex<HashMap<Uuid, oneshot::Sender<CommandReply>>>,
}

/// A command to be appended to the stream.
#[derive(Debug)]
struct Outgoing {
    message: Payload,
    /// Receives `Ok` if the command may be on the stream.
    sent: oneshot::Sender<Result<(), SendError>>,
}

impl SequencerClient {
    /// Starts a client, which runs until `shutdown`.
    ///
    /// # Errors
    /// [`BusError`].
    pub async fn start(
        bus: Bus,
        streams: StreamNames,
        venue: VenueId,
        clock: WallClock,
        shutdown: Shutdown,
    ) -> Result<Self, BusError> {
        // Earlier replies are not for this client.
        let after = bus.last_id(&streams.reply).await?;
        let (outgoing, queue) = mpsc::channel(QUEUE_CAPACITY);
        let shared = Arc::new(Shared { bus, streams, venue, clock, outgoing, waiting: Mutex::default() });
        let worker = shared.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = worker.read_replies(after) => {}
                () = worker.write_commands(queue) => {}
            }
        });
        Ok(Self { shared })
    }

    /// Sends a command and waits for its durable reply. The sequencer ignores it
    /// later than `valid_for` from now.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(&self, command: Command, valid_for: Duration) -> Result<AppliedCommand, SendError> {
        let shared = &self.shared;
        let valid_for = valid_for.min(MAX_VALIDITY);
        let validity = i64::try_from(valid_for.as_micros()).unwrap_or(i64::MAX);
        let message = CommandMessage {
            v: VERSION,
            venue: shared.venue,
            correlation: Uuid::new_v4(),
            valid_until: WallTime(shared.clock.now().0.saturating_add(validity)),
            command,
        };
        let waiting = Waiting::register(shared.clone(), message.correlation);
        let (sent, appended) = oneshot::channel();
        let outgoing = Outgoing { message: Payload::new(message), sent };
        shared.outgoing.try_send(outgoing).map_err(|error| match error {
            TrySendError::Full(_) => SendError::Busy,
            TrySendError::Closed(_) => SendError::Unavailable,
        })?;
        let replied = async {
            // A task that ended at the shutdown may have appended it.
            appended.await.unwrap_or(Ok(()))?;
            Ok(waiting.reply().await)
        };
        match tokio::time::timeout(valid_for.saturating_add(COMMIT_TIMEOUT), replied).await {
            Ok(Ok(Some(CommandReply::Applied(reply)))) => Ok(*reply),
            Ok(Ok(Some(CommandReply::Refused(reject)))) => Err(SendError::Refused(reject)),
            Ok(Ok(Some(CommandReply::TradingHalted))) => Err(SendError::TradingHalted),
            Ok(Err(error)) => Err(error),
            // A bus that hangs may still take it: it is too late then.
            Ok(Ok(None)) | Err(_) => Err(SendError::Pending),
        }
    }
}

impl Shared {
    async fn status(&self) -> Option<SequencerStatus> {
        let bytes = self.bus.get_latest(&self.streams.trading_status).await.ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    async fn write_commands(&self, mut queue: mpsc::Receiver<Outgoing>) {
        let mut batch = Vec::new();
        while queue.recv_many(&mut batch, BATCH_MAX_COMMANDS).await > 0 {
            let commands = batch.iter().map(|outgoing| outgoing.message.clone()).collect();
            let result = self.append(commands).await;
            for outgoing in batch.drain(..) {
                // The sender may have given up.
                let _ = outgoing.sent.send(result.clone());
            }
        }
    }

    /// Appends commands to the stream, unless the sequencer takes none.
    async fn append(&self, commands: Vec<Payload>) -> Result<(), SendError> {
        match self.status().await {
            Some(SequencerStatus::Halted { .. }) => return Err(SendError::TradingHalted),
            Some(SequencerStatus::Unavailable) => return Err(SendError::Unavailable),
            Some(SequencerStatus::Running) | None => {}
        }
        match self.bus.append_all(&self.streams.command, commands, QUEUE_CAPACITY).await {
            // They may be on the stream: replies or timeouts will tell.
            Ok(()) | Err(BusError::Unanswered(_)) => Ok(()),
            Err(BusError::Full) => Err(SendError::Busy),
            Err(BusError::Unavailable(_) | BusError::Refused { .. }) => Err(SendError::Unavailable),
        }
    }

    async fn read_replies(&self, mut after: u64) {
        loop {
            match self.bus.read_after(&self.streams.reply, after, READ_MAX_MESSAGES).await {
                Ok(Batch::Messages(messages)) => {
                    for message in messages {
                        if message.payload.encoded().is_some_and(|bytes| self.is_for_others(bytes)) {
                            after = message.id;
                            continue;
                        }
                        let reply = decode_or_dead_letter::<ReplyMessage>(
                            &self.bus,
                            self.venue,
                            &self.streams.reply,
                            &message,
                            after,
                        );
                        if let Some(reply) = reply.await {
                            after = message.id;
                            self.deliver(&reply);
                        }
                    }
                }
                // Their senders time out and query by client order id.
                Ok(Batch::Trimmed { through }) => after = through,
                Err(error) => {
                    tracing::warn!(event = "replies_unreadable", %error, "The sequencer's replies cannot be read.");
                    clock::sleep(RETRY_DELAY).await;
                }
            }
        }
    }

    /// Returns true if no sender in this process waits for the reply.
    fn is_for_others(&self, bytes: &[u8]) -> bool {
        peek_correlation(bytes).is_some_and(|correlation| !self.waiting().contains_key(&correlation))
    }

    fn deliver(&self, message: &ReplyMessage) {
        let waiting = self.waiting().remove(&message.correlation);
        if let Some(waiting) = waiting {
            // The sender may have given up.
            let _ = waiting.send(message.reply.clone());
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, oneshot::Sender<CommandReply>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The correlation id of an encoded reply, which is one of the first fields; `None`
/// if the reply must be decoded.
fn peek_correlation(bytes: &[u8]) -> Option<Uuid> {
    const FIELD: &[u8] = br#""correlation":""#;
    const PREFIX_BYTES: usize = 128;
    let prefix = &bytes[..bytes.len().min(PREFIX_BYTES)];
    if !prefix.starts_with(b"{") {
        return None;
    }
    let id = prefix.windows(FIELD.len()).position(|window| window == FIELD)? + FIELD.len();
    Uuid::try_parse_ascii(prefix.get(id..id + uuid::fmt::Hyphenated::LENGTH)?).ok()
}

/// A waiting sender; dropping it removes the correlation id.
struct Waiting {
    shared: Arc<Shared>,
    correlation: Uuid,
    reply: oneshot::Receiver<CommandReply>,
}

impl Waiting {
    fn register(shared: Arc<Shared>, correlation: Uuid) -> Self {
        let (sender, reply) = oneshot::channel();
        shared.waiting().insert(correlation, sender);
        Self { shared, correlation, reply }
    }

    async fn reply(mut self) -> Option<CommandReply> {
        (&mut self.reply).await.ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared.waiting().remove(&self.correlation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_correlation_id_is_found_without_decoding_a_reply() {
        let (venue, correlation) = (VenueId::from_name("main"), Uuid::from_u128(42));
        let reply = CommandReply::Refused(Reject::UnknownOrder);
        let message = Payload::new(ReplyMessage { v: VERSION, venue, correlation, reply });
        assert_eq!(peek_correlation(&message.bytes()), Some(correlation));
        // Any other layout is decoded.
        let misplaced = format!(r#"entry 9-0: {{"correlation":"{correlation}"}}"#);
        for other in ["{}", "", &misplaced, r#"{"correlation":"x"}"#, r#"{"correlation":"00000000-0000"#] {
            assert_eq!(peek_correlation(other.as_bytes()), None, "{other}");
        }
    }
}
