//! The bus: streams of bytes on which agents wake each other, and a cache of
//! newest values.
//!
//! Nothing that is only on the bus counts: every consumer keeps its cursor in
//! the store and refills gaps from there. Does not know what the bytes mean
//! beyond the helpers in [`decode`].

pub mod control;
pub mod decode;
mod local;
pub mod messages;

use bytes::Bytes;

use crate::config::Config;
use engine::id::VenueId;
use local::LocalBus;

/// One message of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its place: rising within the stream, not dense.
    pub id: u64,
    /// JSON of one of the event types.
    pub bytes: Bytes,
}

/// What became of an [`Bus::append`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is on the stream.
    New,
    /// The stream had already reached this id: the message changed nothing.
    Duplicate,
}

/// What a reader gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    /// Messages after the cursor, in order.
    Messages(Vec<Message>),
    /// Messages after the cursor were trimmed away: the reader must refill from
    /// the store and go on after `through`.
    Trimmed {
        /// The last id that is gone.
        through: u64,
    },
}

/// Why the bus could not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The stream holds as many unread messages as the caller allows.
    #[error("the stream is full")]
    Full,
    /// The bus cannot be reached.
    #[error("the bus is unavailable: {0}")]
    Unavailable(String),
}

/// A bus; clones share it.
#[derive(Clone, Debug)]
pub enum Bus {
    /// Inside this process: bounded rings, the same bytes.
    Local(LocalBus),
}

impl Bus {
    /// The bus that the configuration names.
    ///
    /// # Errors
    /// [`BusError::Unavailable`], one line that names the setting.
    pub async fn open(_config: &Config) -> Result<Self, BusError> {
        Ok(Self::local())
    }

    /// A bus inside this process.
    pub fn local() -> Self {
        Self::Local(LocalBus::default())
    }

    /// Appends with the producer's own sequence number as id. An id that the
    /// stream has reached refuses itself.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn append(&self, stream: &str, id: u64, bytes: impl Into<Bytes>) -> Result<Appended, BusError> {
        match self {
            Self::Local(bus) => Ok(bus.append(stream, id, bytes.into())),
        }
    }

    /// Appends with the stream's next id, unless the stream holds `limit`
    /// messages that its reader has not trimmed.
    ///
    /// # Errors
    /// [`BusError::Full`], [`BusError::Unavailable`].
    pub async fn append_auto(
        &self,
        stream: &str,
        bytes: impl Into<Bytes>,
        limit: usize,
    ) -> Result<u64, BusError> {
        match self {
            Self::Local(bus) => bus.append_auto(stream, bytes.into(), limit),
        }
    }

    /// At least one message after `after`, at most `max`, in order; waits for
    /// one. Safe to drop while it waits.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn read_after(&self, stream: &str, after: u64, max: usize) -> Result<Batch, BusError> {
        match self {
            Self::Local(bus) => Ok(bus.read_after(stream, after, max).await),
        }
    }

    /// What is there after `after` now, perhaps nothing.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn read_now(&self, stream: &str, after: u64, max: usize) -> Result<Batch, BusError> {
        match self {
            Self::Local(bus) => Ok(bus.read_now(stream, after, max)),
        }
    }

    /// The highest id that the stream has reached; 0 when it is new.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn last_id(&self, stream: &str) -> Result<u64, BusError> {
        match self {
            Self::Local(bus) => Ok(bus.last_id(stream)),
        }
    }

    /// Makes automatic ids of a wiped stream continue above `id`, so that its
    /// reader's stored cursor stays meaningful.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn resume(&self, stream: &str, id: u64) -> Result<(), BusError> {
        match self {
            Self::Local(bus) => {
                bus.resume(stream, id);
                Ok(())
            }
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
        }
    }

    /// Replaces the newest value of `key`.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn put_latest(&self, key: &str, bytes: impl Into<Bytes>) -> Result<(), BusError> {
        match self {
            Self::Local(bus) => {
                bus.put_latest(key, bytes.into());
                Ok(())
            }
        }
    }

    /// The newest value of `key`.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    pub async fn get_latest(&self, key: &str) -> Result<Option<Bytes>, BusError> {
        match self {
            Self::Local(bus) => Ok(bus.get_latest(key)),
        }
    }
}

/// Names of a venue's streams. The braces are a hash tag: a Redis Cluster keeps
/// a venue's streams together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamNames {
    /// Steps, from market data.
    pub marketdata: String,
    /// Committed batches, from trading.
    pub execution: String,
    /// Valuations, from portfolio.
    pub risk: String,
    /// Commands to the sequencer.
    pub command: String,
    /// The sequencer's answers.
    pub reply: String,
    /// Clock control, to market data.
    pub control: String,
    /// What the clock does, from market data; also the key of its newest
    /// [`control::ClockStatus`].
    pub clock: String,
    /// What could not be read.
    pub dead_letter: String,
    /// Key under which trading keeps its newest [`messages::TradingStatus`].
    pub trading_status: String,
    /// Start of the keys of newest merged books; see [`StreamNames::book`].
    pub book_prefix: String,
    /// Start of the keys of newest valuations; see [`StreamNames::portfolio`].
    pub portfolio_prefix: String,
}

impl StreamNames {
    /// The default names in `venue`.
    pub fn of(venue: VenueId) -> Self {
        let name = |suffix: &str| format!("{{{venue}}}:{suffix}");
        Self {
            marketdata: name("marketdata_stream"),
            execution: name("execution_stream"),
            risk: name("risk_stream"),
            command: name("command_stream"),
            reply: name("reply_stream"),
            control: name("control_stream"),
            clock: name("clock_stream"),
            dead_letter: name("dead_letter"),
            trading_status: name("trading_status"),
            book_prefix: name("book"),
            portfolio_prefix: name("portfolio"),
        }
    }

    /// Key of an instrument's newest merged book
    /// ([`engine::event::BookMessage`]).
    pub fn book(&self, instrument: engine::id::InstrumentId) -> String {
        format!("{}:{instrument}", self.book_prefix)
    }

    /// Key of an account's newest valuation
    /// ([`engine::event::PortfolioMessage`]).
    pub fn portfolio(&self, account: engine::id::AccountId) -> String {
        format!("{}:{account}", self.portfolio_prefix)
    }
}
