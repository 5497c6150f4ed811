//! What is said on the live socket: client messages in, frames out.
//!
//! A flush is one [`Update`]: everything in it is as of one sequence number, so a
//! client never shows a book of one instant beside an account of another.
//!
//! **Nothing is missed unnoticed.** An update says only what changed since the update
//! before it, and updates are numbered: a client that sees a number skipped, or
//! hears of a higher one in a `pong`, subscribes again and gets the newest of
//! everything. Of prices and books the newest is all there is to know. The
//! account's events have numbers of their own, `account_seq`, for the account's
//! life and the same at every gateway: a client that subscribes with the last
//! one it has gets those after it, each once and in order, or is told
//! `resync_required` and gets the account whole. A client takes an update whose
//! number it has seen, and an event that it has, for what they are: repeats.
//!
//! Does not know what is in an update; that is `frame`'s business.

use serde::{Deserialize, Serialize};

use crate::frames::Item;
use engine::id::{AccountId, Digest, Seq, VenueId};
use engine::time::{Date, VenueTime};

/// Version of all frames.
pub const FRAMES_VERSION: u8 = 1;

/// How a socket's frames are encoded; the client chooses at the upgrade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Text frames, for everybody.
    #[default]
    Json,
    /// Binary frames, for the browser app.
    Postcard,
}

/// What a client may say. Text frames of at most 16 KiB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Adds channels: `book:{instrument_id}`, `tick:{instrument_id}`,
    /// `tape:{instrument_id}`, `quotes:{instrument_id}`, `account`, `portfolio`.
    /// The newest state of each follows in the next update, also of those that
    /// were there before.
    Subscribe {
        /// At most 128 at a time.
        channels: Vec<String>,
        /// With `account` among the channels: the newest of the account's
        /// events that the client has. Those after it follow instead of the
        /// account. A number that the gateway cannot go on from, because it is
        /// of the future, negative, or older than what is kept, is answered by
        /// `resync_required`, and the account follows whole.
        #[serde(default)]
        account_seq: Option<i128>,
    },
    /// Takes channels away.
    Unsubscribe {
        /// Which.
        channels: Vec<String>,
    },
    /// Asks for a `pong`, to measure the round trip.
    Ping {
        /// Comes back as it is.
        nonce: u32,
    },
}

/// What the gateway sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// First of all, once.
    Hello(Hello),
    /// One consistent flush.
    #[serde(rename = "cut")]
    Update(Update),
    /// A client message was refused, or answered otherwise than it asked; the
    /// socket stays open.
    Error(FrameError),
    /// The answer to a `ping`.
    Pong {
        /// The ping's own.
        nonce: u32,
        /// The number of the newest update that was sent: whoever has not got it
        /// has lost it.
        #[serde(rename = "cuts")]
        updates: u64,
    },
}

/// Who is talking to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Version of all frames: [`FRAMES_VERSION`].
    pub v: u8,
    /// The market.
    pub venue: VenueId,
    /// The account that the socket's user owns.
    pub account: AccountId,
    /// SHA-256(seed ‖ salt): the venue committed to its seed before it opened.
    pub seed_commitment: Digest,
}

/// One consistent flush: the newest of each key, and every execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Position among the socket's updates, from 1 and without gaps.
    pub number: u64,
    /// True for a part that the next number continues: a large update
    /// is not kept in one piece for a client that may be slow to take it. Only
    /// with its last part is everything as of `through`.
    pub more: bool,
    /// Everything up to this entry is in, nothing after it.
    pub through: Seq,
    /// Venue time of that entry.
    pub time: VenueTime,
    /// Settlement date.
    pub date: Date,
    /// The entry that last changed the settlement date.
    pub date_rev: Seq,
    /// Changes since the update before.
    pub items: Vec<Item>,
}

/// Why a client message was refused, or how it was answered instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameError {
    /// Stable: `unknown_channel`, `forbidden`, `too_many_channels`,
    /// `resync_required`, `invalid_json`, `unknown_field`, …
    pub code: String,
    /// For people.
    pub message: String,
}
