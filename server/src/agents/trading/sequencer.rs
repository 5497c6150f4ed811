//! The venue in memory with the journal's head: turns commands and steps into
//! entries that are not yet written.
//!
//! Pure. Does not know store or bus.

use engine::id::{Digest, Seq};
use engine::order::Reject;
use engine::step::StepError;
use engine::venue::journal::JournalEntry;
use engine::venue::{Command, CommandOutcome, Input, Outcome, Venue};
use protocol::bus::MarketStep;

use crate::store::journal::{EntryKind, NewEntry};

/// A venue and where its chain of hashes stands.
#[derive(Debug)]
pub(super) struct Sequencer {
    pub(super) venue: Venue,
    /// The chain's hash after the newest entry.
    pub(super) head: Digest,
}

/// What a command comes to.
#[derive(Debug)]
pub(super) enum Decision {
    /// A new entry.
    Applied(Box<NewEntry>),
    /// The entry at this place answers it.
    Repeat(Seq),
    /// Nothing changed.
    Refused(Reject),
}

impl Sequencer {
    pub(super) fn command(&mut self, command: &Command) -> Decision {
        match self.venue.execute(command) {
            Ok(CommandOutcome::Applied(outcome)) => {
                let input = Input::Command(command.clone());
                Decision::Applied(Box::new(self.link(EntryKind::Command, &input, *outcome, None)))
            }
            Ok(CommandOutcome::Duplicate(seq)) => Decision::Repeat(seq),
            Err(reject) => Decision::Refused(reject),
        }
    }

    pub(super) fn step(&mut self, step: &MarketStep) -> Result<NewEntry, StepError> {
        let outcome = self.venue.apply_step(&step.header, &step.payload)?;
        Ok(self.link(
            EntryKind::Step,
            &Input::Step(step.header),
            outcome,
            Some(step.payload.bytes().to_vec()),
        ))
    }

    fn link(
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
