//! Messages between the gateway, auth and the sequencer that are not events of
//! the venue: commands with their answers, and the sequencer's status.
//!
//! Shared here so that no agent imports another. Does not know how a command
//! is decided.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use engine::id::{Seq, VenueId};
use engine::order::Reject;
use engine::time::WallTime;
use engine::venue::{Command, Outcome};

/// Version of every message in this module.
pub const VERSION: u8 = 1;

/// On `command_stream`: a command on its way to the sequencer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandMessage {
    /// Version of this shape: 1.
    pub v: u8,
    /// Whose market.
    pub venue: VenueId,
    /// Comes back in the reply.
    pub correlation: Uuid,
    /// A sequencer that sees it later than this refuses it, so that a sender
    /// that stopped waiting is not surprised.
    pub valid_until: WallTime,
    /// What is asked.
    pub command: Command,
}

/// On `reply_stream`: the answer to one command. It leaves after the commit
/// that moved the command's cursor past it, refusals included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyMessage {
    /// Version of this shape: 1.
    pub v: u8,
    /// Whose market.
    pub venue: VenueId,
    /// The command's.
    pub correlation: Uuid,
    /// What became of it.
    pub reply: CommandReply,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandReply {
    /// Decided and durable.
    Applied(Box<Reply>),
    /// The venue refused it; nothing changed.
    Refused(Reject),
    /// The venue takes no commands: its books did not add up.
    TradingHalted,
}

/// A durable answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The entry that holds it.
    pub seq: Seq,
    /// What its sender asks for of everything that the entry changed:
    /// `outcome.answer`, or the events where there is no answer. The rest is on
    /// the execution stream.
    pub outcome: Outcome,
    /// Whether the entry was made by an earlier copy of this command.
    pub repeated: bool,
}

impl Reply {
    /// The answer that an entry gives.
    pub fn of(outcome: &Outcome, repeated: bool) -> Self {
        let Outcome { seq, time, step, .. } = *outcome;
        let answer = outcome.answer.clone();
        let events = if answer.is_some() { Vec::new() } else { outcome.events.clone() };
        Self { seq, outcome: Outcome { seq, time, step, answer, events, ..Outcome::default() }, repeated }
    }
}

/// What the sequencer can do now; the newest value of
/// [`super::StreamNames::trading_status`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradingStatus {
    /// It takes commands.
    Running,
    /// The store does not answer; it tries again.
    Unavailable,
    /// It stopped for good: books, journal and rules disagree.
    Halted {
        /// One line for the log and the operator.
        reason: String,
    },
}
