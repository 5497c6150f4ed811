//! Reading what others wrote: a message that cannot be read goes to the dead
//! letters at once, counted and logged with its id, and is never acted upon.
//!
//! Added fields are ignored. Does not know what a reader does next.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};

use engine::id::VenueId;
use protocol::bus::{ExecutionBatch, MarketStep, PortfolioMessage};
use protocol::old::MarketStepV1;

use super::control::{ClockStatus, ControlMessage};
use super::messages::{CommandMessage, ReplyMessage};
use super::{Bus, Message};

/// A message that says its version and its venue.
pub trait Envelope: Serialize + DeserializeOwned {
    /// The version that this build reads.
    const VERSION: u8;

    /// Version and venue, as written.
    fn stamp(&self) -> (u8, VenueId);

    /// About how many bytes it takes, written or not: a stream is bounded by it.
    fn weight(&self) -> usize {
        512
    }

    /// What bytes of an earlier version say, if this build knows it.
    fn older(_bytes: &[u8]) -> Option<Self> {
        None
    }
}

macro_rules! envelope {
    ($($message:ty $(: $weight:expr)?),+ $(,)?) => {$(
        impl Envelope for $message {
            const VERSION: u8 = 1;

            fn stamp(&self) -> (u8, VenueId) {
                (self.v, self.venue)
            }

            $(fn weight(&self) -> usize {
                $weight(self)
            })?
        }
    )+};
}

impl Envelope for MarketStep {
    const VERSION: u8 = Self::VERSION;

    fn stamp(&self) -> (u8, VenueId) {
        (self.v, self.venue)
    }

    fn weight(&self) -> usize {
        512 + 384 * self.payload.ticks.len() + 256 * self.payload.quotes.len()
    }

    fn older(bytes: &[u8]) -> Option<Self> {
        json::<MarketStepV1>(bytes).ok().filter(|old| old.v == 1).map(Self::from)
    }
}

envelope!(
    ExecutionBatch: weight_of_batch,
    PortfolioMessage: weight_of_valuation,
    CommandMessage,
    ReplyMessage,
    ControlMessage,
    ClockStatus,
);

fn weight_of_batch(batch: &ExecutionBatch) -> usize {
    let rows: usize = batch.books.iter().map(|book| book.bids.len() + book.asks.len()).sum();
    let quotes: usize = batch.quotes.iter().map(|quotes| quotes.quotes.len()).sum();
    512 + 1_024 * batch.entries.len() + 32 * rows + 256 * quotes
}

fn weight_of_valuation(message: &PortfolioMessage) -> usize {
    1_024 + 512 * message.valuation.positions.len()
}

/// Why a message is a dead letter.
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
}

/// The bytes of a message.
pub fn encode<M: Envelope>(message: &M) -> Bytes {
    // Plain data with text keys always has a JSON form.
    serde_json::to_vec(message).unwrap_or_default().into()
}

/// Reads a message of `venue`.
///
/// # Errors
/// [`Unreadable`] for anything that must not be acted upon.
pub fn decode<M: Envelope>(venue: VenueId, bytes: &[u8]) -> Result<M, Unreadable> {
    let message = match json::<M>(bytes) {
        Ok(message) if message.stamp().0 == M::VERSION => message,
        // Where nothing is that the versions write each in its own way, either
        // reads the other's.
        Ok(message) => M::older(bytes).ok_or(Unreadable::Version(message.stamp().0))?,
        Err(error) => M::older(bytes).ok_or_else(|| unreadable::<M>(bytes, &error))?,
    };
    match message.stamp().1 {
        found if found == venue => Ok(message),
        found => Err(Unreadable::Venue(found)),
    }
}

/// Reads a message of `venue` that others in this process read too: it is read
/// once for all of them.
///
/// # Errors
/// As [`decode`].
pub fn decode_shared<M: Envelope + Send + Sync + 'static>(
    bus: &Bus,
    venue: VenueId,
    message: &Message,
) -> Result<Arc<M>, Unreadable> {
    match message.parcel.said::<M>() {
        Some(said) => of_venue(venue, said),
        None => {
            let bytes = message.bytes();
            of_venue(venue, bus.decoded().get(&bytes, || decode::<M>(venue, &bytes))?)
        }
    }
}

/// Lets through what belongs to `venue`.
fn of_venue<M: Envelope>(venue: VenueId, read: Arc<M>) -> Result<Arc<M>, Unreadable> {
    match read.stamp().1 {
        found if found == venue => Ok(read),
        found => Err(Unreadable::Venue(found)),
    }
}

/// Reads JSON. The bytes are looked at as text once, not text by text.
///
/// # Errors
/// When they are not that, or not an `M`.
pub(crate) fn json<M: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<M> {
    serde_json::from_str(std::str::from_utf8(bytes).map_err(serde_json::Error::custom)?)
}

/// Why the bytes are no `M`: another version need not have this one's fields.
fn unreadable<M: Envelope>(bytes: &[u8], error: &serde_json::Error) -> Unreadable {
    #[derive(serde::Deserialize)]
    struct Version {
        v: u8,
    }
    match json(bytes) {
        Ok(Version { v }) if v != M::VERSION => Unreadable::Version(v),
        _ => Unreadable::Malformed(error.to_string()),
    }
}

/// Reads a message of `stream`, or moves it to the dead letters.
pub async fn decode_or_bury<M: Envelope + Send + Sync + 'static>(
    bus: &Bus,
    venue: VenueId,
    stream: &str,
    message: &Message,
) -> Option<Arc<M>> {
    let read = match message.parcel.said::<M>() {
        Some(said) => of_venue(venue, said),
        None => decode(venue, &message.bytes()).map(Arc::new),
    };
    match read {
        Ok(read) => Some(read),
        Err(reason) => {
            bury(bus, venue, stream, message, &reason.to_string()).await;
            None
        }
    }
}

/// Moves a message that no one can act upon to the dead letters.
pub async fn bury(bus: &Bus, venue: VenueId, stream: &str, message: &Message, reason: &str) {
    metrics::counter!("dead_letters_total", "stream" => stream.to_owned()).increment(1);
    tracing::error!(
        event = "dead_letter",
        stream,
        id = message.id,
        reason,
        "A message could not be read and was set aside."
    );
    let letter = serde_json::json!({
        "v": 1,
        "venue": venue,
        "stream": stream,
        "id": message.id,
        "reason": reason,
        "bytes": String::from_utf8_lossy(&message.bytes()),
    });
    let stream = super::StreamNames::of(venue).dead_letter;
    if let Err(error) = bus.append_auto(&stream, letter.to_string(), usize::MAX).await {
        tracing::error!(event = "dead_letter_lost", stream, %error, "A dead letter could not be kept.");
    }
}
