//! Messages between agents: JSON on the bus's streams and keys.
//!
//! Every message carries its version and venue. Does not know how the bus
//! carries them or who listens.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use engine::book::BookSnapshot;
use engine::id::{AccountId, Seq, VenueId};
use engine::order::Reject;
use engine::portfolio::Valuation;
use engine::quote::QuotesSnapshot;
use engine::step::{EncodedPayload, StepHeader};
use engine::time::{VenueTime, WallTime};
use engine::venue::{Command, Outcome};

/// Version of every message here.
pub const VERSION: u8 = 1;

/// On `marketdata_stream`: one step, with its number as the message id.
/// Indicative until the sequencer has journalled it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketStep {
    /// Version of this shape: [`VERSION`].
    pub v: u8,
    /// The step's market.
    pub venue: VenueId,
    /// Venue time of the step.
    pub time: VenueTime,
    /// Step number, last journal entry the simulation has seen, payload hash.
    pub header: StepHeader,
    /// Changed marks, levels and quotes.
    pub payload: EncodedPayload,
}

/// On `execution_stream`: one committed batch of the journal, with its last
/// sequence number as the message id. A reader whose cursor is before
/// `first_seq − 1` refills from the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionBatch {
    /// Version of this shape: [`VERSION`].
    pub v: u8,
    /// The journal's venue.
    pub venue: VenueId,
    /// The first entry in the batch.
    pub first_seq: Seq,
    /// The last; everything in the message is as of here.
    pub through: Seq,
    /// The entries, in order and without gaps.
    pub entries: Vec<PublishedEntry>,
    /// The merged book of every instrument that the batch changed, whole, as
    /// of `through`.
    pub books: Vec<BookSnapshot>,
    /// Dealers' quotes of every changed instrument that trades on them, whole,
    /// as of `through`.
    pub quotes: Vec<QuotesSnapshot>,
}

/// One entry of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedEntry {
    /// The outcome without the answer and the postings, which are in the
    /// journal.
    pub outcome: Outcome,
}

/// On `risk_stream`: one account's valuation after an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortfolioMessage {
    /// Version of this shape: [`VERSION`].
    pub v: u8,
    /// The account's venue.
    pub venue: VenueId,
    /// The valued account.
    pub account: AccountId,
    /// Marks and positions are as of this entry.
    pub through: Seq,
    /// Venue time of that entry.
    pub time: VenueTime,
    /// The figures.
    pub valuation: Valuation,
}

/// On `command_stream`: a command for the sequencer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandMessage {
    /// Version of this shape: [`VERSION`].
    pub v: u8,
    /// The venue that the command is for.
    pub venue: VenueId,
    /// Comes back in the reply.
    pub correlation: Uuid,
    /// The sequencer ignores the command after this time, so that a sender that
    /// stopped waiting is not surprised.
    pub valid_until: WallTime,
    /// The command.
    pub command: Command,
}

/// On `reply_stream`: the reply to one command. It is sent after the commit that
/// moved the command cursor past the command, refusals included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyMessage {
    /// Version of this shape: [`VERSION`].
    pub v: u8,
    /// The command's venue.
    pub venue: VenueId,
    /// The command's correlation id.
    pub correlation: Uuid,
    /// The result.
    pub reply: CommandReply,
}

/// Result of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandReply {
    /// Decided and durable.
    Applied(Box<AppliedCommand>),
    /// The venue refused it; nothing changed.
    Refused(Reject),
    /// The venue takes no commands: its books did not add up.
    TradingHalted,
}

/// A command's journal entry, reduced to what its sender needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedCommand {
    /// The journal entry.
    pub seq: Seq,
    /// `outcome.answer`, or the events where there is no answer. The rest is on
    /// the execution stream.
    pub outcome: Outcome,
    /// True if an earlier copy of this command made the entry.
    pub repeated: bool,
}

impl AppliedCommand {
    /// The reply to the command that made `outcome`, or to a copy of it.
    pub fn new(outcome: &Outcome, repeated: bool) -> Self {
        let Outcome { seq, time, step, .. } = *outcome;
        let answer = outcome.answer.clone();
        let events = if answer.is_some() { Vec::new() } else { outcome.events.clone() };
        Self { seq, outcome: Outcome { seq, time, step, answer, events, ..Outcome::default() }, repeated }
    }
}

/// State of the sequencer; the newest value of the bus key `trading_status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SequencerStatus {
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

/// On `control_stream`: a command to the venue's clock, or a gateway's report of
/// its viewers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlMessage {
    /// Version of this shape: [`VERSION`].
    pub v: u8,
    /// The clock's venue.
    pub venue: VenueId,
    /// The command.
    pub control: Control,
}

/// Commands to the venue's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// Makes this many steps; ignored unless the clock is manual or paused.
    Step {
        /// 1 to 100,000.
        steps: u32,
    },
    /// Stops the clock.
    Pause,
    /// Starts the clock again.
    Resume,
    /// Changes the speed.
    Speed {
        /// Venue seconds a wall second, in thousandths: 1 to 1,000,000.
        speed_milli: u64,
    },
    /// A gateway's sockets and recently active users. Sent when the number
    /// leaves or reaches zero and at least every 10 s while it is not zero; it
    /// counts for 30 s.
    Watchers {
        /// The gateway's own random id.
        gateway: Uuid,
        /// Their number.
        count: u32,
    },
}

/// On `clock_stream`, and the newest value of the bus key `clock_status`: state of
/// the venue's clock after every handled [`ControlMessage`] but `Watchers`, and
/// when the mode changes. A sender waits for its own message's id in
/// `control_id`, then, for steps, until `execution_stream` has reached
/// `target_step`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockStatus {
    /// Version of this shape: [`VERSION`].
    pub v: u8,
    /// The clock's venue.
    pub venue: VenueId,
    /// Id of the newest handled control message.
    pub control_id: u64,
    /// `running`, `idle` (running, but nobody watches), `paused` or `manual`.
    pub mode: String,
    /// Requested venue seconds a wall second, in thousandths.
    pub speed_milli: u64,
    /// Speed reached in the last second, in thousandths.
    pub speed_reached_milli: u64,
    /// The last step made.
    pub step: u64,
    /// The last step requested.
    pub target_step: u64,
}
