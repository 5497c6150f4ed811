//! The bus: streams of bytes on which agents wake each other, and a cache of
//! newest values.
//!
//! Nothing that is only on the bus counts: every consumer keeps its cursor in
//! the store and refills gaps from there, so a bus that is wiped costs nothing.
//!
//! What every implementation promises, and `tests/conformance/bus.rs` checks:
//! - ids of a stream rise; they are the producer's own sequence
//!   ([`Bus::append`]) or given by the stream ([`Bus::append_auto`]), and those
//!   go on rising after a wipe as long as the bus's clock does;
//! - a reader has a place of its own and sees every message after it once, in
//!   order, or hears that some are [`Batch::Trimmed`];
//! - a stream keeps about as much as [`Limits`] say, its newest;
//! - a wipe looks like an empty stream, and [`Bus::wipes`] tells of it;
//! - streams and newest values share one space of names;
//! - reading waits an outage through, writing fails at once.
//!
//! Does not know what the bytes mean beyond the helpers in [`decode`].

mod cache;
pub mod control;
pub mod decode;
mod local;
pub mod messages;
mod names;
mod parcel;
mod redis;
mod shared;

use bytes::Bytes;
use tokio::sync::watch;

use crate::config::Config;
use local::LocalBus;
use redis::RedisBus;
use shared::Decoded;

pub use cache::Cache;
pub use names::StreamNames;
pub use parcel::Parcel;

/// What a stream keeps: its newest messages, about as many as this allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages of one stream; over Redis those that were appended together count
    /// as one.
    pub messages: usize,
    /// Bytes of one stream's messages.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { messages: 16_384, bytes: 16 * 1024 * 1024 }
    }
}

/// One message of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its place: rising within the stream, not dense.
    pub id: u64,
    /// What it says.
    pub parcel: Parcel,
}

impl Message {
    /// JSON of one of the event types.
    pub fn bytes(&self) -> Bytes {
        self.parcel.bytes()
    }
}

/// What became of an [`Bus::append`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is on the stream.
    New,
    /// The stream had already reached this id: the message changed nothing.
    Duplicate,
}

/// What became of an [`Bus::append_after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// All of it is on the stream, right after the id that its producer named.
    There,
    /// Nothing changed: the stream has reached another id, 0 after a wipe.
    LastIs(u64),
}

/// What a reader gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    /// Messages after the cursor, in order.
    Messages(Vec<Message>),
    /// Messages after the cursor were trimmed away: the reader must refill from
    /// the store and go on after `through`.
    Trimmed {
        /// Up to here everything is gone.
        through: u64,
    },
}

impl Batch {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Messages(messages) if messages.is_empty())
    }
}

/// Why the bus could not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The stream holds as many unread messages as the caller allows.
    #[error("the stream is full")]
    Full,
    /// The bus cannot be reached, or refuses.
    #[error("the bus is unavailable: {0}")]
    Unavailable(String),
    /// The bus went away before it answered: it may have been done.
    #[error("the bus has not answered: {0}")]
    Unanswered(String),
    /// The bus cannot be used as it is configured.
    #[error("--redis-url {url}: {why}")]
    Refused {
        /// As configured, without its password.
        url: String,
        /// What is wrong.
        why: String,
    },
}

/// A bus; clones share it.
#[derive(Clone, Debug)]
pub enum Bus {
    /// Inside this process: bounded rings, the same messages.
    Local(LocalBus),
    /// Redis Streams.
    Redis(RedisBus),
}

impl Bus {
    /// The bus that the configuration names.
    ///
    /// # Errors
    /// [`BusError::Refused`], one line that names the setting.
    pub async fn open(config: &Config) -> Result<Self, BusError> {
        match &config.redis_url {
            Some(url) => Ok(Self::Redis(RedisBus::open(url, config.streams.limits()).await?)),
            None => Ok(Self::Local(LocalBus::new(config.streams.limits()))),
        }
    }

    /// A bus inside this process.
    pub fn local() -> Self {
        Self::Local(LocalBus::default())
    }

    /// Appends with the producer's own sequence number as id. An id that the
    /// stream has reached refuses itself.
    ///
    /// # Errors
    /// [`BusError::Unavailable`], [`BusError::Unanswered`].
    pub async fn append(
        &self,
        stream: &str,
        id: u64,
        message: impl Into<Parcel>,
    ) -> Result<Appended, BusError> {
        match self {
            Self::Local(bus) => Ok(bus.append(stream, id, message.into())),
            Self::Redis(bus) => bus.append(stream, id, &message.into().bytes()).await,
        }
    }

    /// Appends messages, each with the producer's own sequence number as id and
    /// these rising, all of them or none: if `last` is what the stream has
    /// reached. So a producer notices that the stream has lost what it appended
    /// before.
    ///
    /// # Errors
    /// [`BusError::Unavailable`], [`BusError::Unanswered`].
    pub async fn append_after(
        &self,
        stream: &str,
        last: u64,
        messages: &[(u64, Parcel)],
    ) -> Result<Placed, BusError> {
        let ([(first, _), ..], [.., (newest, _)]) = (messages, messages) else { return Ok(Placed::There) };
        match self {
            Self::Local(bus) => Ok(bus.append_after(stream, last, *first, messages)),
            Self::Redis(bus) => bus.append_after(stream, last, *first..=*newest, messages).await,
        }
    }

    /// Appends with the stream's next id, unless the stream holds `limit`
    /// messages that its reader has not trimmed.
    ///
    /// # Errors
    /// [`BusError::Full`], [`BusError::Unavailable`], [`BusError::Unanswered`].
    pub async fn append_auto(
        &self,
        stream: &str,
        message: impl Into<Parcel>,
        limit: usize,
    ) -> Result<u64, BusError> {
        let message = message.into();
        match self {
            Self::Local(bus) => bus.append_all(stream, vec![message], limit),
            Self::Redis(bus) => bus.append_auto(stream, &[message], limit).await,
        }
    }

    /// Appends all of `messages`, in order and with nothing between them, with
    /// the stream's next ids, unless the stream holds `limit` messages already.
    ///
    /// # Errors
    /// [`BusError::Full`], [`BusError::Unavailable`], [`BusError::Unanswered`].
    pub async fn append_all(
        &self,
        stream: &str,
        messages: Vec<Parcel>,
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

    /// At least one message after `after`, in order; waits for one, and for the
    /// bus while that is away. At most `max`, where those that were appended
    /// together may count as one. Safe to drop while it waits.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] when waiting would not help.
    pub async fn read_after(&self, stream: &str, after: u64, max: usize) -> Result<Batch, BusError> {
        match self {
            Self::Local(bus) => Ok(bus.read_after(stream, after, max).await),
            Self::Redis(bus) => bus.read_after(stream, after, max).await,
        }
    }

    /// What is there after `after` now, perhaps nothing.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn read_now(&self, stream: &str, after: u64, max: usize) -> Result<Batch, BusError> {
        match self {
            Self::Local(bus) => Ok(bus.read_now(stream, after, max)),
            Self::Redis(bus) => bus.read_now(stream, after, max).await,
        }
    }

    /// The highest id that the stream has reached; 0 when it is new.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn last_id(&self, stream: &str) -> Result<u64, BusError> {
        match self {
            Self::Local(bus) => Ok(bus.last_id(stream)),
            Self::Redis(bus) => bus.last_id(stream).await,
        }
    }

    /// Makes automatic ids continue above `id`, so that a reader's stored
    /// cursor stays meaningful when the stream is new or its clock went back.
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

    /// Forgets messages up to and including `through`.
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

    /// Counts how often everything on the bus was lost: whoever owns newest
    /// values puts them again, whoever owns an outbox looks into it.
    pub fn wipes(&self) -> watch::Receiver<u64> {
        match self {
            Self::Local(bus) => bus.wipes(),
            Self::Redis(bus) => bus.wipes(),
        }
    }

    /// Whether looking costs nothing, because nobody else has to be asked.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// Whether the bus answered when it was last asked.
    pub fn is_up(&self) -> bool {
        match self {
            Self::Local(_) => true,
            Self::Redis(bus) => bus.is_up(),
        }
    }

    fn decoded(&self) -> &Decoded {
        match self {
            Self::Local(bus) => bus.decoded(),
            Self::Redis(bus) => bus.decoded(),
        }
    }

    /// Shared memory for what expires by itself.
    pub fn cache(&self) -> Cache {
        match self {
            Self::Local(bus) => Cache::Local(bus.cache()),
            Self::Redis(bus) => Cache::Redis(bus.cache()),
        }
    }
}
