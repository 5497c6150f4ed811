//! Messages of the live socket: client messages in, frames out.
//!
//! A flush is one [`Update`]: everything in it is as of one sequence number, so
//! a client never shows a book of one instant beside an account of another.
//!
//! **No loss goes unnoticed.** An update contains only what changed since the
//! one before it, and updates are numbered: a client that sees a number skipped,
//! or a higher one in a `pong`, subscribes again and gets the newest of
//! everything. Of prices and books only the newest matters. The account's events
//! have numbers of their own, `account_seq`, dense for the life of the account
//! and the same at every gateway: a client that subscribes with the last one it
//! has gets those after it, each once and in order, or `resync_required` and the
//! whole account. A client ignores an update or event whose number it has seen.
//!
//! There are two encodings. The browser app gets postcard of [`Item`]s: the
//! engine's own types, in ticks and lots. Everybody else gets JSON of
//! [`crate::frames::ItemFrame`]s: decimals in units. Both carry the same.

use engine::account::Account;
use engine::book::BookSnapshot;
use engine::candle::{Candle, Interval};
use engine::id::{AccountId, Digest, InstrumentId, Seq, VenueId};
use engine::money::{Money, Ticks};
use engine::order::Side;
use engine::quote::QuotesSnapshot;
use engine::replica::{Execution, MarketReplica};
use engine::time::{Date, VenueTime};
use engine::venue::{Mark, TapePrint};
use serde::{Deserialize, Serialize};

use crate::frames::PortfolioSnapshot;

/// Version of all frames.
pub const FRAMES_VERSION: u8 = 1;

/// Encoding of a socket's frames; the client chooses at the upgrade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Text frames, for everybody.
    #[default]
    Json,
    /// Binary frames, for the browser app.
    Postcard,
}

/// A message from a client: a text frame of at most 16 KiB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Adds channels: `book:{instrument_id}`, `tick:{instrument_id}`,
    /// `tape:{instrument_id}`, `quotes:{instrument_id}`,
    /// `candle:{instrument_id}:{interval}`, `account`, `portfolio`, `clock`.
    /// The newest state of each follows in the next update, also of those that
    /// were there before.
    Subscribe {
        /// At most 128 at a time.
        channels: Vec<String>,
        /// With `account` among the channels: the newest of the account's
        /// events that the client has. Those after it follow instead of the
        /// account. A number from which the gateway cannot continue (future,
        /// negative, or older than the events still held) is answered by
        /// `resync_required`, and the whole account follows.
        #[serde(default)]
        account_seq: Option<i128>,
    },
    /// Removes channels.
    Unsubscribe {
        /// Their names.
        channels: Vec<String>,
    },
    /// Asks for a `pong`, to measure the round trip.
    Ping {
        /// Returned unchanged.
        nonce: u32,
    },
}

/// A message from the gateway; `I` is [`Item`] or [`crate::frames::ItemFrame`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame<I = Item> {
    /// The first frame, once.
    Hello(Hello),
    /// One consistent flush.
    #[serde(rename = "cut")]
    Update(Update<I>),
    /// Refuses a client message, or answers it in another way than requested; the
    /// socket stays open.
    Error(FrameError),
    /// Answers a `ping`.
    Pong {
        /// The ping's.
        nonce: u32,
        /// The number of the newest update sent: a client that has not received
        /// it has lost it.
        #[serde(rename = "cuts")]
        updates: u64,
    },
}

/// Market and account of a socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Version of all frames: [`FRAMES_VERSION`].
    pub v: u8,
    /// The market.
    pub venue: VenueId,
    /// The account of the socket's user.
    pub account: AccountId,
    /// SHA-256(seed ‖ salt): the venue committed to its seed before it opened.
    pub seed_commitment: Digest,
}

/// One consistent flush: the newest of each key, and every execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update<I = Item> {
    /// Position among the socket's updates, from 1 and without gaps.
    pub number: u64,
    /// True if the next number continues this update: a large one is sent in
    /// parts, so that a slow client never holds all of it in memory. Everything
    /// is as of `through` only with the last part.
    pub more: bool,
    /// The newest entry included.
    pub through: Seq,
    /// Venue time of that entry.
    pub time: VenueTime,
    /// Settlement date.
    pub date: Date,
    /// The entry that last changed the settlement date.
    pub date_rev: Seq,
    /// Changes since the update before.
    pub items: Vec<I>,
}

/// One change, in the engine's types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// A whole merged book.
    Book(BookSnapshot),
    /// A mark, and the touch at that moment.
    Tick(TickUpdate),
    /// A match on the public tape.
    Tape(TapeUpdate),
    /// The whole account: first after a subscription, and after a gap.
    Account(Box<Account>),
    /// An event of the account; in order, never dropped.
    Execution(Box<Execution>),
    /// The newest valuation.
    Portfolio(Box<PortfolioSnapshot>),
    /// All live dealers' quotes of an instrument.
    Quotes(QuotesSnapshot),
    /// A candle that changed.
    Candle(CandleUpdate),
    /// The venue's clock.
    Clock(ClockUpdate),
}

/// The state of a candle after an entry that changed it. The newest of those
/// with the same start counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandleUpdate {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Length of the candle.
    pub interval: Interval,
    /// Start of the candle before it, if the gateway knows one: a client that
    /// lacks that candle reads the stored ones again.
    pub previous: Option<VenueTime>,
    /// The candle.
    pub candle: Candle,
}

/// State of the venue's clock, and whether the venue trades at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockUpdate {
    /// What time does.
    pub phase: ClockPhase,
    /// Requested venue seconds a wall second, in thousandths.
    pub speed_milli: u64,
}

impl Default for ClockUpdate {
    fn default() -> Self {
        Self { phase: ClockPhase::Running, speed_milli: 1_000 }
    }
}

/// What venue time does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockPhase {
    /// It passes at the requested speed.
    Running,
    /// It passes once somebody watches.
    Idle,
    /// The owner has stopped it; orders are taken.
    Paused,
    /// It passes step by step, on request.
    Manual,
    /// Trading has stopped for good: no orders are taken.
    Halted,
}

impl ClockPhase {
    /// Parses the mode of a [`crate::bus::ClockStatus`].
    pub fn from_mode(mode: &str) -> Option<Self> {
        match mode {
            "running" => Some(Self::Running),
            "idle" => Some(Self::Idle),
            "paused" => Some(Self::Paused),
            "manual" => Some(Self::Manual),
            _ => None,
        }
    }
}

/// An instrument's mark and the touch of its market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickUpdate {
    /// The mark and the trading status.
    pub mark: Mark,
    /// Venue time of the mark.
    pub time: VenueTime,
    /// Best bid, if there is one.
    pub bid: Option<Ticks>,
    /// Best ask, if there is one.
    pub ask: Option<Ticks>,
    /// Bonds: accrued interest of one lot.
    pub accrued_per_lot: Money,
}

impl TickUpdate {
    /// The tick of an instrument in `market`; `None` before its first mark.
    pub fn new(market: &MarketReplica, id: InstrumentId) -> Option<Self> {
        let listed = market.instruments.get(&id)?;
        Some(Self {
            mark: listed.mark?,
            time: listed.marked_at,
            bid: listed.touch(Side::Buy),
            ask: listed.touch(Side::Sell),
            accrued_per_lot: market.accrued_per_lot(id),
        })
    }
}

/// A match on the public tape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeUpdate {
    /// The match.
    pub print: TapePrint,
    /// Its venue time.
    pub time: VenueTime,
}

/// The refusal of a client message, or an answer in another way than requested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameError {
    /// Stable: `unknown_channel`, `forbidden`, `too_many_channels`,
    /// `resync_required`, `invalid_json`, `unknown_field`, …
    pub code: String,
    /// For people.
    pub message: String,
}
