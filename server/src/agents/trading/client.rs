//! How gateway and auth reach the sequencer: a command goes onto the command
//! stream, its answer comes back on the reply stream by correlation id.
//!
//! Commands that meet on the way travel together. Works over any bus. Does not
//! know how a command is decided.

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

use crate::bus::decode::decode_or_bury;
use crate::bus::messages::{CommandMessage, CommandReply, ReplyMessage, TradingStatus, VERSION};
use crate::bus::{Batch, Bus, BusError, Parcel, StreamNames};
use crate::clock::WallClock;
use crate::shutdown::Shutdown;

pub use crate::bus::messages::Reply;

/// Commands that may wait for the sequencer before the next is told `busy`.
pub const QUEUE_LIMIT: usize = 4_096;

/// How much longer than a command's validity its sender waits: the commit of
/// what was decided in time.
const GRACE: Duration = Duration::from_millis(500);

/// No command is worth waiting for longer.
const LONGEST_VALIDITY: Duration = Duration::from_secs(3_600);

/// Replies that are read at once.
const READ: usize = 1_024;

/// Commands that are sent at once.
const SENT: usize = 256;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Too many commands wait: 503 `busy`. Nothing was sent.
    #[error("the sequencer has too much to do")]
    Busy,
    /// Sent and not answered in time: 202 `pending`. It may have been decided;
    /// it will not be decided later than its validity.
    #[error("the sequencer has not answered in time")]
    Pending,
    /// Store or bus is away: 503 `unavailable`. Nothing was sent.
    #[error("trading is not available")]
    Unavailable,
    /// The venue's books did not add up: 503 `trading_halted`.
    #[error("trading is halted")]
    TradingHalted,
    /// The venue refused; nothing changed.
    #[error(transparent)]
    Refused(#[from] Reject),
}

/// Sends commands to a venue's sequencer; clones share one reader of replies.
#[derive(Clone, Debug)]
pub struct SequencerClient {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bus: Bus,
    names: StreamNames,
    venue: VenueId,
    clock: WallClock,
    outgoing: mpsc::Sender<Outgoing>,
    waiting: Mutex<HashMap<Uuid, oneshot::Sender<CommandReply>>>,
}

/// A command on its way to the stream.
#[derive(Debug)]
struct Outgoing {
    message: Parcel,
    /// Whether it may be there.
    sent: oneshot::Sender<Result<(), SendError>>,
}

impl SequencerClient {
    /// A client whose reader of replies runs until `shutdown`.
    ///
    /// # Errors
    /// When the bus is away.
    pub async fn start(
        bus: Bus,
        names: StreamNames,
        venue: VenueId,
        clock: WallClock,
        shutdown: Shutdown,
    ) -> Result<Self, BusError> {
        // Replies from before belong to others.
        let after = bus.last_id(&names.reply).await?;
        let (outgoing, queue) = mpsc::channel(QUEUE_LIMIT);
        let shared = Arc::new(Shared { bus, names, venue, clock, outgoing, waiting: Mutex::default() });
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

    /// Sends a command and waits for its durable answer. It is refused with
    /// `too_late` when the sequencer sees it more than `valid_for` from now.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(&self, command: Command, valid_for: Duration) -> Result<Reply, SendError> {
        let shared = &self.shared;
        let valid_for = valid_for.min(LONGEST_VALIDITY);
        let validity = i64::try_from(valid_for.as_micros()).unwrap_or(i64::MAX);
        let message = CommandMessage {
            v: VERSION,
            venue: shared.venue,
            correlation: Uuid::new_v4(),
            valid_until: WallTime(shared.clock.now().0.saturating_add(validity)),
            command,
        };
        let waiting = Waiting::register(shared.clone(), message.correlation);
        let (sent, there) = oneshot::channel();
        let outgoing = Outgoing { message: Parcel::of(message), sent };
        shared.outgoing.try_send(outgoing).map_err(|error| match error {
            TrySendError::Full(_) => SendError::Busy,
            TrySendError::Closed(_) => SendError::Unavailable,
        })?;
        // A worker that ended at a shutdown may have sent it.
        there.await.unwrap_or(Ok(()))?;
        match tokio::time::timeout(valid_for.saturating_add(GRACE), waiting.answer()).await {
            Ok(Some(CommandReply::Applied(reply))) => Ok(*reply),
            Ok(Some(CommandReply::Refused(reject))) => Err(SendError::Refused(reject)),
            Ok(Some(CommandReply::TradingHalted)) => Err(SendError::TradingHalted),
            Ok(None) | Err(_) => Err(SendError::Pending),
        }
    }
}

impl Shared {
    async fn status(&self) -> Option<TradingStatus> {
        let bytes = self.bus.get_latest(&self.names.trading_status).await.ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    async fn write_commands(&self, mut queue: mpsc::Receiver<Outgoing>) {
        let mut taken = Vec::new();
        while queue.recv_many(&mut taken, SENT).await > 0 {
            let commands = taken.iter().map(|outgoing| outgoing.message.clone()).collect();
            let done = self.hand_over(commands).await;
            for outgoing in taken.drain(..) {
                // Whoever gave up meanwhile need not know.
                let _ = outgoing.sent.send(done.clone());
            }
        }
    }

    /// Puts commands onto the stream while the sequencer takes any.
    async fn hand_over(&self, commands: Vec<Parcel>) -> Result<(), SendError> {
        match self.status().await {
            Some(TradingStatus::Halted { .. }) => return Err(SendError::TradingHalted),
            Some(TradingStatus::Unavailable) => return Err(SendError::Unavailable),
            Some(TradingStatus::Running) | None => {}
        }
        match self.bus.append_all(&self.names.command, commands, QUEUE_LIMIT).await {
            // They may be on the stream: whoever waits will learn it.
            Ok(()) | Err(BusError::Unanswered(_)) => Ok(()),
            Err(BusError::Full) => Err(SendError::Busy),
            Err(BusError::Unavailable(_) | BusError::Refused { .. }) => Err(SendError::Unavailable),
        }
    }

    async fn read_replies(&self, mut after: u64) {
        loop {
            match self.bus.read_after(&self.names.reply, after, READ).await {
                Ok(Batch::Messages(messages)) => {
                    for message in messages {
                        after = message.id;
                        if message.parcel.is_written() && self.is_for_others(&message.bytes()) {
                            continue;
                        }
                        let reply = decode_or_bury::<ReplyMessage>(
                            &self.bus,
                            self.venue,
                            &self.names.reply,
                            &message,
                        );
                        if let Some(reply) = reply.await {
                            self.deliver(&reply);
                        }
                    }
                }
                // Their senders time out and ask by client order id.
                Ok(Batch::Trimmed { through }) => after = through,
                Err(error) => {
                    tracing::warn!(event = "replies_unreadable", %error, "The sequencer's replies cannot be read.");
                    super::pause(GRACE).await;
                }
            }
        }
    }

    /// Whether nobody here waits for this reply: then it need not be read.
    fn is_for_others(&self, bytes: &[u8]) -> bool {
        addressee(bytes).is_some_and(|correlation| !self.waiting().contains_key(&correlation))
    }

    fn deliver(&self, message: &ReplyMessage) {
        let waiting = self.waiting().remove(&message.correlation);
        if let Some(waiting) = waiting {
            // Whoever gave up meanwhile needs no answer.
            let _ = waiting.send(message.reply.clone());
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, oneshot::Sender<CommandReply>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom a reply is for, where that stands in front as it is written; `None`
/// where it has to be read to know.
fn addressee(bytes: &[u8]) -> Option<Uuid> {
    const NAME: &[u8] = br#""correlation":""#;
    const FRONT: usize = 128;
    let front = &bytes[..bytes.len().min(FRONT)];
    let id = front.windows(NAME.len()).position(|window| window == NAME)? + NAME.len();
    Uuid::try_parse_ascii(front.get(id..id + uuid::fmt::Hyphenated::LENGTH)?).ok()
}

/// A sender that waits; dropping it forgets the correlation id.
struct Waiting {
    shared: Arc<Shared>,
    correlation: Uuid,
    answer: oneshot::Receiver<CommandReply>,
}

impl Waiting {
    fn register(shared: Arc<Shared>, correlation: Uuid) -> Self {
        let (sender, answer) = oneshot::channel();
        shared.waiting().insert(correlation, sender);
        Self { shared, correlation, answer }
    }

    async fn answer(mut self) -> Option<CommandReply> {
        (&mut self.answer).await.ok()
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
    fn a_reply_says_in_front_whom_it_is_for() {
        let (venue, correlation) = (VenueId::from_name("main"), Uuid::from_u128(42));
        let reply = CommandReply::Refused(Reject::UnknownOrder);
        let message = Parcel::of(ReplyMessage { v: VERSION, venue, correlation, reply });
        assert_eq!(addressee(&message.bytes()), Some(correlation));
        // Whatever else it looks like is read whole.
        for other in ["{}", "", r#"{"correlation":"x"}"#, r#"{"correlation":"00000000-0000"#] {
            assert_eq!(addressee(other.as_bytes()), None, "{other}");
        }
    }
}
