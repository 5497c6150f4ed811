//! Encoding and decoding of messages. A message that cannot be decoded, or whose id is
//! not that of its content, is moved to the dead-letter stream at once, counted and
//! logged with its id. It is never acted upon, and the stream is as if it had never been
//! there: no cursor moves by it, and no producer's id is refused because of it.
//!
//! Added fields are ignored. Does not know what a consumer does next.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};

use engine::id::VenueId;
use protocol::bus::{
    ClockStatus, CommandMessage, ControlMessage, ExecutionBatch, MarketStep, PortfolioMessage, ReplyMessage,
    VERSION,
};

use super::{Batch, Bus, BusError, Message};
use crate::clock;

/// Delay before a message that could not be moved is read again.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Messages of one read.
const READ_MAX_MESSAGES: usize = 256;

/// Longest reason of a dead letter: a parser's message may quote all of it.
const REASON_MAX_CHARS: usize = 300;

/// Longest part of a message in its dead letter.
const LETTER_MAX_BYTES: usize = 64 * 1_024;

/// A message with version and venue.
pub trait Envelope: Serialize + DeserializeOwned {
    /// The version that this build encodes and decodes.
    const VERSION: u8;

    /// Version and venue in the message.
    fn version_and_venue(&self) -> (u8, VenueId);

    /// Estimated length of the encoded message, by which a local stream is bounded.
    fn encoded_len_hint(&self) -> usize {
        512
    }

    /// Returns true if the message may have this id on its stream: a producer's own
    /// number is also in the content.
    fn has_id(&self, _id: u64) -> bool {
        true
    }

    /// Decodes a previous version, if this build supports one.
    fn decode_previous_version(_bytes: &[u8]) -> Option<Self> {
        None
    }
}

macro_rules! envelope {
    ($($message:ty $(: $len_hint:expr $(, $has_id:expr)?)?);+ $(;)?) => {$(
        impl Envelope for $message {
            const VERSION: u8 = VERSION;

            fn version_and_venue(&self) -> (u8, VenueId) {
                (self.v, self.venue)
            }

            $(fn encoded_len_hint(&self) -> usize {
                $len_hint(self)
            }

            $(fn has_id(&self, id: u64) -> bool {
                $has_id(self, id)
            })?)?
        }
    )+};
}

envelope!(
    MarketStep: step_len_hint, is_step;
    ExecutionBatch: batch_len_hint, is_batch_through;
    PortfolioMessage: valuation_len_hint;
    CommandMessage;
    ReplyMessage;
    ControlMessage;
    ClockStatus;
);

/// Returns true if the message is the step with this number, as its header says.
fn is_step(message: &MarketStep, number: u64) -> bool {
    let MarketStep { header, payload, .. } = message;
    header.step == number && payload.header(number, header.seen_seq) == *header
}

/// Returns true if the batch has every entry from its first to this one.
fn is_batch_through(batch: &ExecutionBatch, through: u64) -> bool {
    let entries = batch.entries.iter().map(|entry| entry.outcome.seq.0);
    batch.through.0 == through && batch.first_seq <= batch.through && entries.eq(batch.first_seq.0..=through)
}

fn step_len_hint(step: &MarketStep) -> usize {
    512 + 384 * step.payload.ticks.len() + 256 * step.payload.quotes.len()
}

fn batch_len_hint(batch: &ExecutionBatch) -> usize {
    let rows: usize = batch.books.iter().map(|book| book.bids.len() + book.asks.len()).sum();
    let quotes: usize = batch.quotes.iter().map(|quotes| quotes.quotes.len()).sum();
    512 + 1_024 * batch.entries.len() + 32 * rows + 256 * quotes
}

fn valuation_len_hint(message: &PortfolioMessage) -> usize {
    1_024 + 512 * message.valuation.positions.len()
}

/// Reasons why a message is a dead letter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON of the expected shape.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Of a version that this build does not know.
    #[error("version {0} is unknown")]
    Version(u8),
    /// Of another venue.
    #[error("belongs to venue {0}")]
    Venue(VenueId),
    /// Its content belongs to another id.
    #[error("its content is not that of message {0}")]
    Id(u64),
}

/// Encodes a message.
pub fn encode<M: Envelope>(message: &M) -> Bytes {
    // Plain data with text keys always has a JSON form.
    serde_json::to_vec(message).unwrap_or_default().into()
}

/// Decodes a message of `venue`.
///
/// # Errors
/// [`Unreadable`] for anything that must not be acted upon.
pub fn decode<M: Envelope>(venue: VenueId, bytes: &[u8]) -> Result<M, Unreadable> {
    let message = match json::<M>(bytes) {
        Ok(message) if message.version_and_venue().0 == M::VERSION => message,
        // A message may lack every field in which the versions differ.
        Ok(message) => {
            M::decode_previous_version(bytes).ok_or(Unreadable::Version(message.version_and_venue().0))?
        }
        Err(error) => M::decode_previous_version(bytes).ok_or_else(|| unreadable::<M>(bytes, &error))?,
    };
    match message.version_and_venue().1 {
        found if found == venue => Ok(message),
        found => Err(Unreadable::Venue(found)),
    }
}

/// Decodes a message of `venue` once for all its consumers in this process.
///
/// # Errors
/// As [`decode`].
pub fn decode_shared<M: Envelope + Send + Sync + 'static>(
    bus: &Bus,
    venue: VenueId,
    message: &Message,
) -> Result<Arc<M>, Unreadable> {
    let decoded = match message.payload.typed::<M>() {
        Some(message) => message,
        None => {
            let bytes = message.bytes();
            bus.decode_cache().get(&bytes, || decode::<M>(venue, &bytes))?
        }
    };
    check(venue, message.id, decoded)
}

/// Decodes a message of `venue`.
///
/// # Errors
/// As [`decode`].
pub fn decode_message<M: Envelope + Send + Sync + 'static>(
    venue: VenueId,
    message: &Message,
) -> Result<Arc<M>, Unreadable> {
    let decoded = match message.payload.typed::<M>() {
        Some(message) => message,
        None => Arc::new(decode(venue, &message.bytes())?),
    };
    check(venue, message.id, decoded)
}

/// Refuses messages of other venues and under other ids.
fn check<M: Envelope>(venue: VenueId, id: u64, message: Arc<M>) -> Result<Arc<M>, Unreadable> {
    match message.version_and_venue().1 {
        found if found != venue => Err(Unreadable::Venue(found)),
        _ if !message.has_id(id) => Err(Unreadable::Id(id)),
        _ => Ok(message),
    }
}

/// Decodes JSON. UTF-8 is validated once for all the bytes, not string by string.
///
/// # Errors
/// When the bytes are not an `M`.
pub(crate) fn json<M: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<M> {
    serde_json::from_str(std::str::from_utf8(bytes).map_err(serde_json::Error::custom)?)
}

/// The reason why the bytes are not an `M`: another version may lack its fields.
fn unreadable<M: Envelope>(bytes: &[u8], error: &serde_json::Error) -> Unreadable {
    #[derive(serde::Deserialize)]
    struct Version {
        v: u8,
    }
    match json(bytes) {
        Ok(Version { v }) if v != M::VERSION => Unreadable::Version(v),
        _ => Unreadable::Malformed(error.to_string().chars().take(REASON_MAX_CHARS).collect()),
    }
}

/// Decodes a message of `stream`, or moves it to the dead-letter stream. `position` is
/// that of the reader, who must stay there then.
pub async fn decode_or_dead_letter<M: Envelope + Send + Sync + 'static>(
    bus: &Bus,
    venue: VenueId,
    stream: &str,
    message: &Message,
    position: u64,
) -> Option<Arc<M>> {
    match decode_message(venue, message) {
        Ok(decoded) => Some(decoded),
        Err(reason) => {
            dead_letter(bus, venue, stream, message, position, &reason.to_string()).await;
            None
        }
    }
}

/// Moves a message that cannot be acted upon to the dead-letter stream, and rewinds its
/// own stream, at most to `position`, which is that of the reader. Of several readers,
/// one moves it. If the bus fails, the message stays, and is read again.
pub async fn dead_letter(
    bus: &Bus,
    venue: VenueId,
    stream: &str,
    message: &Message,
    position: u64,
    reason: &str,
) {
    let (bus, stream, message) = (bus.clone(), stream.to_owned(), message.clone());
    let reason = reason.to_owned();
    // A task of its own: a reader that is dropped meanwhile must not lose the letter.
    let moved =
        tokio::spawn(async move { move_message(&bus, venue, &stream, &message, position, &reason).await });
    let _ = moved.await;
}

async fn move_message(
    bus: &Bus,
    venue: VenueId,
    stream: &str,
    message: &Message,
    position: u64,
    reason: &str,
) {
    match bus.discard(stream, message, position).await {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => {
            tracing::warn!(event = "dead_letter_stays", stream, id = message.id, %error, "A message could not be moved yet.");
            return clock::sleep(RETRY_DELAY).await;
        }
    }
    metrics::counter!("tickhall_dead_letters_total", "stream" => stream.to_owned()).increment(1);
    tracing::error!(
        event = "dead_letter",
        stream,
        id = message.id,
        reason,
        "A message could not be handled and was moved to the dead-letter stream."
    );
    let letter = letter(venue, stream, message, reason);
    let stream = super::StreamNames::of(venue).dead_letter;
    if let Err(error) = bus.append_auto(&stream, letter, usize::MAX).await {
        tracing::error!(event = "dead_letter_lost", stream, %error, "A dead letter could not be stored.");
    }
}

/// The dead letter of a message, with its beginning.
fn letter(venue: VenueId, stream: &str, message: &Message, reason: &str) -> String {
    let bytes = message.bytes();
    let kept = &bytes[..bytes.len().min(LETTER_MAX_BYTES)];
    let letter = serde_json::json!({
        "v": 1,
        "venue": venue,
        "stream": stream,
        "id": message.id,
        "reason": reason,
        "bytes": String::from_utf8_lossy(kept),
    });
    letter.to_string()
}

/// Moves every message after `position` that cannot be decoded to the dead-letter
/// stream; returns true if there was one. For a producer whose ids are refused.
///
/// # Errors
/// [`BusError`].
pub async fn remove_unreadable<M: Envelope + Send + Sync + 'static>(
    bus: &Bus,
    venue: VenueId,
    stream: &str,
    position: u64,
) -> Result<bool, BusError> {
    let (mut after, mut removed) = (position, false);
    loop {
        let messages = match bus.read_now(stream, after, READ_MAX_MESSAGES).await? {
            Batch::Messages(messages) if messages.is_empty() => return Ok(removed),
            Batch::Messages(messages) => messages,
            Batch::Trimmed { through } if through <= after => return Ok(removed),
            Batch::Trimmed { through } => {
                after = through;
                continue;
            }
        };
        for message in messages {
            after = message.id;
            let decoded = decode_or_dead_letter::<M>(bus, venue, stream, &message, position).await;
            removed |= decoded.is_none();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_is_short_whatever_the_message_holds() {
        let venue = VenueId::from_name("main");
        // A word that no command has, of characters that JSON escapes.
        let word = "\\u0001".repeat(1_000_000);
        let text = format!("{{\"v\":1,\"venue\":\"{venue}\",\"correlation\":\"{word}\"}}");
        let message = Message { id: 7, payload: text.into_bytes().into() };
        let reason = decode_message::<CommandMessage>(venue, &message).unwrap_err().to_string();
        assert!(
            reason.starts_with("malformed: ") && reason.len() <= 2 * REASON_MAX_CHARS,
            "{}",
            reason.len()
        );
        let letter = letter(venue, "command_stream", &message, &reason);
        assert!(letter.len() <= 8 * LETTER_MAX_BYTES, "{}", letter.len());
        let letter: serde_json::Value = serde_json::from_str(&letter).unwrap();
        assert_eq!((&letter["id"], &letter["reason"]), (&7.into(), &reason.into()));
        assert_eq!(letter["bytes"].as_str().map(str::len), Some(LETTER_MAX_BYTES));
    }
}
