//! The venue in memory: turns commands and steps into journal entries that are
//! not yet committed.
//!
//! Does not know store or bus.

use engine::id::{Digest, Seq};
use engine::step::StepError;
use engine::venue::journal::JournalEntry;
use engine::venue::{Command, CommandOutcome, Input, Outcome, Venue};
use protocol::bus::{AppliedCommand, CommandReply, MarketStep};
use uuid::Uuid;

use crate::store::journal::{EntryKind, NewEntry};

/// Commands, and entries, of one batch.
pub(super) const BATCH_MAX_ENTRIES: usize = 256;

/// Decided entries that are not committed, with the replies to their commands.
#[derive(Debug, Default)]
pub(super) struct PendingBatch {
    pub(super) entries: Vec<NewEntry>,
    pub(super) replies: Vec<PendingReply>,
    /// Commands read, including unreadable and expired ones.
    pub(super) commands: usize,
}

/// A reply that is sent after the commit.
#[derive(Debug)]
pub(super) enum PendingReply {
    Ready {
        correlation: Uuid,
        reply: CommandReply,
    },
    /// The command is a copy of the one that made an entry of an earlier batch.
    Stored {
        correlation: Uuid,
        seq: Seq,
    },
}

impl PendingBatch {
    /// Returns true if no command was read and nothing was decided.
    pub(super) fn is_empty(&self) -> bool {
        self.commands == 0 && self.entries.is_empty()
    }

    /// Returns true if nothing may be added before the batch is committed.
    pub(super) fn is_full(&self) -> bool {
        self.commands >= BATCH_MAX_ENTRIES || self.entries.len() >= BATCH_MAX_ENTRIES
    }

    /// The reply to a copy of the command that made entry `seq`.
    fn repeated(&self, correlation: Uuid, seq: Seq) -> PendingReply {
        match self.entries.iter().find(|new| new.outcome.seq == seq) {
            Some(new) => PendingReply::applied(correlation, &new.outcome, true),
            None => PendingReply::Stored { correlation, seq },
        }
    }
}

impl PendingReply {
    fn applied(correlation: Uuid, outcome: &Outcome, repeated: bool) -> Self {
        let reply = CommandReply::Applied(Box::new(AppliedCommand::new(outcome, repeated)));
        Self::Ready { correlation, reply }
    }
}

/// A venue and the end of its journal's hash chain.
#[derive(Debug)]
pub(super) struct Sequencer {
    pub(super) venue: Venue,
    /// The chain's hash after the newest entry.
    pub(super) head: Digest,
}

impl Sequencer {
    /// Decides a command; a refused one makes no entry.
    pub(super) fn decide_command(&mut self, correlation: Uuid, command: &Command, batch: &mut PendingBatch) {
        let reply = match self.venue.execute(command) {
            Ok(CommandOutcome::Applied(outcome)) => {
                let input = Input::Command(command.clone());
                let entry = self.append(EntryKind::Command, &input, *outcome, None);
                let reply = PendingReply::applied(correlation, &entry.outcome, false);
                batch.entries.push(entry);
                reply
            }
            Ok(CommandOutcome::Duplicate(seq)) => batch.repeated(correlation, seq),
            Err(reject) => {
                metrics::counter!("tickhall_refusals_total", "code" => reject.code()).increment(1);
                PendingReply::Ready { correlation, reply: CommandReply::Refused(reject) }
            }
        };
        batch.replies.push(reply);
    }

    /// Applies a market step.
    ///
    /// # Errors
    /// [`StepError`]; nothing changed.
    pub(super) fn apply_step(
        &mut self,
        step: &MarketStep,
        batch: &mut PendingBatch,
    ) -> Result<(), StepError> {
        let outcome = self.venue.apply_step(&step.header, &step.payload)?;
        let payload = Some(step.payload.bytes().to_vec());
        batch.entries.push(self.append(EntryKind::Step, &Input::Step(step.header), outcome, payload));
        Ok(())
    }

    /// The next entry of the chain.
    fn append(
        &mut self,
        kind: EntryKind,
        input: &Input,
        outcome: Outcome,
        payload: Option<Vec<u8>>,
    ) -> NewEntry {
        let entry = JournalEntry::with_rules(self.venue.rules_version(), self.head, input, &outcome);
        self.head = entry.hash;
        NewEntry { kind, entry, outcome, payload }
    }
}
