//! The bus: streams of messages between agents, and newest values by key.
//!
//! Nothing is stored on the bus alone: every consumer keeps its cursor in the
//! store and refills gaps from the journal, so a bus that lost its data costs
//! nothing.
//!
//! Guarantees of every implementation, checked by `tests/conformance/bus.rs`:
//! - message ids of a stream rise; they are the producer's own sequence
//!   ([`Bus::append_after`]) or assigned by the stream ([`Bus::append_auto`]), and
//!   assigned ids keep rising after a data loss as long as the bus's clock does;
//! - every consumer has its own cursor and gets every message after it once, in
//!   order, or [`Batch::Trimmed`];
//! - a stream keeps its newest messages within [`StreamLimits`];
//! - a data loss looks like an empty stream and advances
//!   [`Bus::data_loss_epoch`];
//! - an entry that no producer here writes is a message that cannot be decoded, and
//!   [`Bus::discard`] makes the stream as if it had never been there;
//! - streams and newest values share one namespace;
//! - reads that wait for messages wait for an unreachable bus; all else fails at once,
//!   and soon when the bus stops answering.
//!
//! Does not know what the bytes mean beyond the helpers in [`decode`].

mod cache;
pub mod decode;
mod decode_cache;
mod local;
mod payload;
mod redis;
mod stream_names;

use bytes::Bytes;
use tokio::sync::watch;

use decode_cache::DecodeCache;
use local::LocalBus;
use redis::RedisBus;

pub use cache::Cache;
pub use payload::Payload;
pub use stream_names::StreamNames;

/// Highest id of a message: as microseconds, the year 2112. The scripts on a Redis
/// server count exactly up to twice as much.
pub const MAX_MESSAGE_ID: u64 = 1 << 52;

/// Bounds of a stream, which keeps its newest messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Messages of one stream; over Redis those that were appended together count
    /// as one.
    pub messages: usize,
    /// Bytes of one stream's messages.
    pub bytes: usize,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self { messages: 16_384, bytes: 16 * 1024 * 1024 }
    }
}

/// One message of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Rising within the stream, not dense.
    pub id: u64,
    /// The content.
    pub payload: Payload,
}

impl Message {
    /// JSON of one of the types in [`protocol::bus`].
    pub fn bytes(&self) -> Bytes {
        self.payload.bytes()
    }
}

/// Result of [`Bus::append_after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendResult {
    /// All messages are on the stream, right after the expected last id.
    Appended,
    /// Nothing changed: the stream's last id is another one, 0 after a data loss.
    LastIdIs(u64),
}

/// Result of a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    /// Messages after the cursor, in order.
    Messages(Vec<Message>),
    /// Messages after the cursor were trimmed: the consumer must refill from the
    /// store and continue after `through`.
    Trimmed {
        /// The last trimmed id.
        through: u64,
    },
}

impl Batch {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Messages(messages) if messages.is_empty())
    }
}

/// Errors of the bus.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The stream holds as many untrimmed messages as the caller allows.
    #[error("the stream is full")]
    Full,
    /// The bus cannot be reached, or refuses the request.
    #[error("the bus is unavailable: {0}")]
    Unavailable(String),
    /// The connection broke before the answer: the request may have been executed.
    #[error("the bus has not answered: {0}")]
    Unanswered(String),
    /// The bus cannot be used as it is configured.
    #[error("--redis-url {url}: {why}")]
    Refused {
        /// The configured address, without its password.
        url: String,
        /// The cause.
        why: String,
    },
}

/// Handle of a bus; clones share it.
#[derive(Clone, Debug)]
pub enum Bus {
    /// Bounded rings inside this process.
    Local(LocalBus),
    /// Redis Streams.
    Redis(RedisBus),
}

impl Bus {
    /// Opens the bus on the Redis server at `redis_url`, or one inside this
    /// process.
    ///
    /// # Errors
    /// [`BusError::Refused`], one line that names the setting.
    pub async fn open(redis_url: Option<&str>, limits: StreamLimits) -> Result<Self, BusError> {
        match redis_url {
            Some(url) => Ok(Self::Redis(RedisBus::open(url, limits).await?)),
            None => Ok(Self::Local(LocalBus::new(limits))),
        }
    }

    /// A bus inside this process.
    pub fn local() -> Self {
        Self::Local(LocalBus::default())
    }

    /// Appends all of `messages`, whose ids are the producer's own rising sequence
    /// numbers, if `last` is the stream's last id; else none. So duplicates
    /// change nothing, and a producer notices that the stream has lost its
    /// earlier messages.
    ///
    /// # Errors
    /// [`BusError::Unavailable`], [`BusError::Unanswered`].
    pub async fn append_after(
        &self,
        stream: &str,
        last: u64,
        messages: &[(u64, Payload)],
    ) -> Result<AppendResult, BusError> {
        let ([(first, _), ..], [.., (newest, _)]) = (messages, messages) else {
            return Ok(AppendResult::Appended);
        };
        match self {
            Self::Local(bus) => Ok(bus.append_after(stream, last, *first, messages)),
            Self::Redis(bus) => bus.append_after(stream, last, *first..=*newest, messages).await,
        }
    }

    /// Appends with the stream's next id, which is returned, unless the stream
    /// holds `limit` untrimmed messages.
    ///
    /// # Errors
    /// [`BusError::Full`], [`BusError::Unavailable`], [`BusError::Unanswered`].
    pub async fn append_auto(
        &self,
        stream: &str,
        message: impl Into<Payload>,
        limit: usize,
    ) -> Result<u64, BusError> {
        let message = message.into();
        match self {
            Self::Local(bus) => bus.append_all(stream, vec![message], limit),
            Self::Redis(bus) => bus.append_auto(stream, &[message], limit).await,
        }
    }

    /// Appends all of `messages` without interleaving, with the stream's next
    /// ids, unless the stream holds `limit` untrimmed messages.
    ///
    /// # Errors
    /// [`BusError::Full`], [`BusError::Unavailable`], [`BusError::Unanswered`].
    pub async fn append_all(
        &self,
        stream: &str,
        messages: Vec<Payload>,
        limit: usize,
    ) -> Result<(), BusError> {
        if messages.is_empty() {
            return Ok(());
        }
        match self {
            Self::Local(bus) => bus.append_all(stream, messages, limit).map(|_| ()),
            Self::Redis(bus) => bus.append_auto(stream, &messages, limit).await.map(|_| ()),
        }
    }

    /// Waits for messages after `after`, also while the bus is unreachable, and
    /// returns at least one, in order, and at most `max`, where messages that were
    /// appended together may count as one. Cancel-safe.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] when waiting would not help.
    pub async fn read_after(&self, stream: &str, after: u64, max: usize) -> Result<Batch, BusError> {
        match self {
            Self::Local(bus) => Ok(bus.read_after(stream, after, max).await),
            Self::Redis(bus) => bus.read_after(stream, after, max).await,
        }
    }

    /// Returns the messages after `after` without waiting for one, perhaps none.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn read_now(&self, stream: &str, after: u64, max: usize) -> Result<Batch, BusError> {
        match self {
            Self::Local(bus) => Ok(bus.read_now(stream, after, max)),
            Self::Redis(bus) => bus.read_now(stream, after, max).await,
        }
    }

    /// The stream's highest id so far below [`MAX_MESSAGE_ID`]; 0 when it is new.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn last_id(&self, stream: &str) -> Result<u64, BusError> {
        match self {
            Self::Local(bus) => Ok(bus.last_id(stream)),
            Self::Redis(bus) => bus.last_id(stream).await,
        }
    }

    /// Makes assigned ids continue above `id`, so that a consumer's stored cursor
    /// stays valid when the stream is new or its clock went back.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn resume(&self, stream: &str, id: u64) -> Result<(), BusError> {
        match self {
            Self::Local(bus) => {
                bus.resume(stream, id);
                Ok(())
            }
            Self::Redis(bus) => bus.resume(stream, id).await,
        }
    }

    /// Removes messages up to and including `through`.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn trim(&self, stream: &str, through: u64) -> Result<(), BusError> {
        match self {
            Self::Local(bus) => {
                bus.trim(stream, through);
                Ok(())
            }
            Self::Redis(bus) => bus.trim(stream, through).await,
        }
    }

    /// Removes a message that cannot be acted upon, and rewinds the stream as
    /// [`Self::rewind`] does. Returns true if it was there, with the same content: of
    /// several consumers, one removes it, and none removes what its producer has
    /// appended in its place.
    ///
    /// # Errors
    /// [`BusError::Unavailable`], [`BusError::Unanswered`].
    pub async fn discard(&self, stream: &str, message: &Message, floor: u64) -> Result<bool, BusError> {
        match self {
            Self::Local(bus) => Ok(bus.discard(stream, message, floor)),
            Self::Redis(bus) => bus.discard(stream, message, floor).await,
        }
    }

    /// Makes the last id fall back to that of the newest message, but not below
    /// `floor`, the position of the caller: an id far ahead of the producer's would
    /// refuse everything that the producer has to append.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn rewind(&self, stream: &str, floor: u64) -> Result<(), BusError> {
        match self {
            Self::Local(bus) => {
                bus.rewind(stream, floor);
                Ok(())
            }
            Self::Redis(bus) => bus.rewind(stream, floor).await,
        }
    }

    /// Replaces the newest value of `key`.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn put_latest(&self, key: &str, bytes: impl Into<Bytes>) -> Result<(), BusError> {
        self.put_all_latest(vec![(key.to_owned(), bytes.into())]).await
    }

    /// Replaces the newest values of several keys at once.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn put_all_latest(&self, values: Vec<(String, Bytes)>) -> Result<(), BusError> {
        if values.is_empty() {
            return Ok(());
        }
        match self {
            Self::Local(bus) => {
                bus.put_latest(values);
                Ok(())
            }
            Self::Redis(bus) => bus.put_latest(&values).await,
        }
    }

    /// Removes the newest values of `keys`.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn remove_all_latest(&self, keys: &[String]) -> Result<(), BusError> {
        if keys.is_empty() {
            return Ok(());
        }
        match self {
            Self::Local(bus) => {
                bus.remove_latest(keys);
                Ok(())
            }
            Self::Redis(bus) => bus.remove_latest(keys).await,
        }
    }

    /// The newest value of `key`.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn get_latest(&self, key: &str) -> Result<Option<Bytes>, BusError> {
        let found = self.get_all_latest(&[key.to_owned()]).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// The newest value of each of `keys`, in their order.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn get_all_latest(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, BusError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        match self {
            Self::Local(bus) => Ok(bus.get_latest(keys)),
            Self::Redis(bus) => bus.get_latest(keys).await,
        }
    }

    /// Counter of data losses: owners of newest values put them again, owners of
    /// an outbox compare it with its stream.
    pub fn data_loss_epoch(&self) -> watch::Receiver<u64> {
        match self {
            Self::Local(bus) => bus.data_loss_epoch(),
            Self::Redis(bus) => bus.data_loss_epoch(),
        }
    }

    /// True for the in-process bus: reads need no round trip.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// True if the bus answered the last health probe.
    pub fn is_up(&self) -> bool {
        match self {
            Self::Local(_) => true,
            Self::Redis(bus) => bus.is_up(),
        }
    }

    /// Waits until the bus does not answer.
    pub async fn wait_until_down(&self) {
        match self {
            Self::Local(_) => std::future::pending().await,
            Self::Redis(bus) => bus.wait_until_down().await,
        }
    }

    fn decode_cache(&self) -> &DecodeCache {
        match self {
            Self::Local(bus) => bus.decode_cache(),
            Self::Redis(bus) => bus.decode_cache(),
        }
    }

    /// The cache of expiring values.
    pub fn cache(&self) -> Cache {
        match self {
            Self::Local(bus) => Cache::Local(bus.cache()),
            Self::Redis(bus) => Cache::Redis(bus.cache()),
        }
    }
}
