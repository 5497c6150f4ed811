//! Fold of the journal: applies its rows again, in order, and compares every
//! outcome byte by byte.
//!
//! Used at start on the tail after a snapshot, and by `verify` on the whole
//! journal. Steps whose payload was pruned, and compacted ranges, are simulated
//! again from the seed. Does not know the projections.

use std::collections::{BTreeMap, BTreeSet};

use engine::id::{Digest, Seq};
use engine::sim::{Seed, Simulator};
use engine::step::{EncodedPayload, StepHeader};
use engine::venue::journal::{GENESIS, JournalEntry};
use engine::venue::{ConfigError, Input, Mark, Outcome, ReplayError, Venue};

use crate::store::journal::{EntryKind, JournalRow, RangeBody};

/// Errors of a fold, one line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// A row is missing.
    #[error("the journal lacks entry {0}")]
    Gap(Seq),
    /// The row differs from the one that was written.
    #[error("journal entry {0} breaks the chain of hashes")]
    Chain(Seq),
    /// The row's bytes cannot be decoded.
    #[error("journal entry {0} does not decode")]
    Undecodable(Seq),
    /// The entry cannot be applied again.
    #[error("journal {0}")]
    Replay(#[from] ReplayError),
    /// The entry has another outcome than when it was written.
    #[error("journal entry {0} has another outcome now than when it was written")]
    Outcome(Seq),
    /// The seed gives another step.
    #[error("journal entry {0} is a step that the seed does not give")]
    Seed(Seq),
    /// A payload was pruned and the fold has no seed.
    #[error("journal entry {0} lacks its step's payload")]
    NoPayload(Seq),
    /// A stored payload is not the one whose hash is in the chain.
    #[error("journal entry {0} has another payload than when it was written")]
    Payload(Seq),
    /// The venue's configuration is invalid now.
    #[error("the venue's configuration is refused: {0}")]
    Config(String),
    /// Entry 1 commits to another seed.
    #[error("the stored seed is not the one that entry 1 commits to")]
    Commitment,
    /// An invariant of the books is broken.
    #[error("the books do not balance after entry {seq}: {what}")]
    Books {
        /// The newest entry.
        seq: Seq,
        /// The broken invariant.
        what: String,
    },
    /// A projection differs from the journal.
    #[error("{table} disagrees with the journal: {what}")]
    Projection {
        /// The table.
        table: &'static str,
        /// The difference.
        what: String,
    },
    /// A state snapshot differs from the folded state.
    #[error("the state snapshot of entry {0} is not the state that the journal folds to")]
    Snapshot(Seq),
    /// Payloads were pruned, which needs two state snapshots after them.
    #[error("payloads are pruned up to entry {pruned}, but {found} of 2 state snapshots are there")]
    MissingSnapshot {
        /// The last entry without its payload.
        pruned: Seq,
        /// State snapshots of later entries.
        found: usize,
    },
}

impl FoldError {
    /// Returns true if a fold from entry 1 with the seed does not need what is missing.
    pub(super) fn is_cured_by_seed(&self) -> bool {
        matches!(self, Self::NoPayload(_) | Self::Payload(_))
    }
}

impl From<ConfigError> for FoldError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error.to_string())
    }
}

/// A venue as of the last applied row.
pub(super) struct Fold {
    venue: Option<Venue>,
    head: Digest,
    /// Present when folding from entry 1 with the seed.
    simulator: Option<Simulator>,
    /// False if stored payloads are not looked at.
    reads_payloads: bool,
}

impl Fold {
    /// Starts at a snapshot; every step needs its payload.
    pub(super) fn from_snapshot(venue: Venue, head: Digest) -> Self {
        Self { venue: Some(venue), head, simulator: None, reads_payloads: true }
    }

    /// Starts before entry 1, with the seed; stored payloads must be the seed's.
    pub(super) fn from_seed(config: &engine::venue::VenueConfig, seed: [u8; 32]) -> Result<Self, FoldError> {
        let simulator = Simulator::new(config, &Seed::from_bytes(seed))?;
        Ok(Self { venue: None, head: GENESIS, simulator: Some(simulator), reads_payloads: true })
    }

    /// The same, whatever has become of the stored payloads.
    pub(super) fn from_seed_alone(
        config: &engine::venue::VenueConfig,
        seed: [u8; 32],
    ) -> Result<Self, FoldError> {
        Ok(Self { reads_payloads: false, ..Self::from_seed(config, seed)? })
    }

    /// Starts before entry 1, without the seed: every step needs its payload.
    pub(super) fn from_payloads() -> Self {
        Self { venue: None, head: GENESIS, simulator: None, reads_payloads: true }
    }

    /// The last entry that was applied.
    pub(super) fn seq(&self) -> Seq {
        self.venue.as_ref().map_or(Seq(0), Venue::seq)
    }

    /// The venue, after entry 1.
    pub(super) fn venue(&self) -> Option<&Venue> {
        self.venue.as_ref()
    }

    /// The chain's hash after the last applied row.
    pub(super) fn head(&self) -> Digest {
        self.head
    }

    /// The venue, after entry 1, and the chain's hash.
    pub(super) fn into_parts(self) -> (Option<Venue>, Digest) {
        (self.venue, self.head)
    }

    /// Applies a row and passes the outcome of every entry in it to `each`.
    pub(super) fn apply(
        &mut self,
        row: &JournalRow,
        mut each: impl FnMut(&Outcome),
    ) -> Result<(), FoldError> {
        if row.first_seq != self.seq().next() {
            return Err(FoldError::Gap(self.seq().next()));
        }
        if row.kind == EntryKind::Range {
            return self.apply_range(row, each);
        }
        let entry = row.entry();
        if !entry.follows(self.head) {
            return Err(FoldError::Chain(row.seq));
        }
        let input = entry.input().map_err(|_| FoldError::Undecodable(row.seq))?;
        let outcome = match &input {
            Input::VenueOpened { config, seed_commitment } => {
                if self.venue.is_some() {
                    return Err(ReplayError::OpenedAgain(row.seq).into());
                }
                let (venue, outcome) =
                    Venue::open_with_rules(row.rules_version, (**config).clone(), *seed_commitment)?;
                self.venue = Some(venue);
                outcome
            }
            Input::Command(_) => self.opened(row.seq)?.reapply(&input, None)?,
            Input::Step(header) => {
                let payload = self.payload(row, header)?;
                self.opened(row.seq)?.reapply(&input, Some(&payload))?
            }
        };
        if outcome.bytes() != row.outcome {
            return Err(FoldError::Outcome(row.seq));
        }
        self.head = row.hash;
        self.observe(&outcome);
        each(&outcome);
        Ok(())
    }

    /// Simulates a range's steps again from the seed.
    fn apply_range(&mut self, row: &JournalRow, mut each: impl FnMut(&Outcome)) -> Result<(), FoldError> {
        let body: RangeBody =
            postcard::from_bytes(&row.input).map_err(|_| FoldError::Undecodable(row.seq))?;
        let mut merged = Merged::default();
        let (mut seq, mut step) = (row.first_seq, body.first_step);
        for run in &body.lags {
            for _ in 0..run.steps {
                if seq > row.seq || run.lag > seq.0 {
                    return Err(FoldError::Undecodable(row.seq));
                }
                let (header, payload) = self.regenerate(step, Seq(seq.0 - run.lag), seq)?;
                let input = Input::Step(header);
                let venue = self.opened(seq)?;
                let outcome = venue.reapply(&input, Some(&payload))?;
                let rules = venue.rules_version();
                self.head = JournalEntry::with_rules(rules, self.head, &input, &outcome).hash;
                self.observe(&outcome);
                merged.add(&outcome);
                each(&outcome);
                (seq, step) = (seq.next(), step + 1);
            }
        }
        if seq != row.seq.next() {
            return Err(FoldError::Undecodable(row.seq));
        }
        if self.head != row.hash {
            return Err(FoldError::Chain(row.seq));
        }
        if merged.outcome().bytes() != row.outcome {
            return Err(FoldError::Outcome(row.seq));
        }
        Ok(())
    }

    fn payload(&mut self, row: &JournalRow, header: &StepHeader) -> Result<EncodedPayload, FoldError> {
        // The header is in the chain, and so the payload is, by its hash.
        let stored = row.payload.as_ref().filter(|_| self.reads_payloads);
        if stored.is_some_and(|stored| Digest::of(&[stored]) != header.payload_hash) {
            return Err(FoldError::Payload(row.seq));
        }
        if self.simulator.is_some() {
            let (made, payload) = self.regenerate(header.step, header.seen_seq, row.seq)?;
            if made != *header {
                return Err(FoldError::Seed(row.seq));
            }
            return Ok(payload);
        }
        let bytes = stored.ok_or(FoldError::NoPayload(row.seq))?;
        EncodedPayload::from_bytes(bytes).map_err(|_| FoldError::Undecodable(row.seq))
    }

    fn regenerate(
        &mut self,
        step: u64,
        seen: Seq,
        at: Seq,
    ) -> Result<(StepHeader, EncodedPayload), FoldError> {
        let simulator = self.simulator.as_mut().ok_or(FoldError::NoPayload(at))?;
        // Steps that never reached the journal were simulated too.
        while simulator.last_step() + 1 < step {
            simulator.step(simulator.seen_seq());
        }
        let made = simulator.step(seen);
        if made.0.step == step { Ok(made) } else { Err(FoldError::Seed(at)) }
    }

    fn observe(&mut self, outcome: &Outcome) {
        if let Some(simulator) = &mut self.simulator {
            simulator.observe(outcome.seq, &outcome.flows());
        }
    }

    fn opened(&mut self, at: Seq) -> Result<&mut Venue, FoldError> {
        self.venue.as_mut().ok_or(FoldError::Gap(at))
    }
}

/// Merged outcome of a run of steps that touched no account.
#[derive(Default)]
pub(super) struct Merged {
    last: Option<Outcome>,
    new_date: Option<engine::time::Date>,
    marks: BTreeMap<engine::id::InstrumentId, Mark>,
    books: BTreeSet<engine::id::InstrumentId>,
}

impl Merged {
    pub(super) fn add(&mut self, outcome: &Outcome) {
        self.new_date = outcome.new_date.or(self.new_date);
        self.marks.extend(outcome.marks.iter().map(|mark| (mark.instrument, *mark)));
        self.books.extend(&outcome.books);
        self.last =
            Some(Outcome { seq: outcome.seq, time: outcome.time, step: outcome.step, ..Outcome::default() });
    }

    pub(super) fn outcome(self) -> Outcome {
        Outcome {
            new_date: self.new_date,
            marks: self.marks.into_values().collect(),
            books: self.books.into_iter().collect(),
            ..self.last.unwrap_or_default()
        }
    }
}
