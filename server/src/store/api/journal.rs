//! Venues, their journal, state snapshots, epochs and cursors.
//!
//! Rows and the store's methods; the SQL is in `store/journal.rs` and
//! `store/upkeep.rs`. Does not know how an entry was decided.

use engine::id::{Digest, Seq, VenueId};
use engine::time::WallTime;
use engine::venue::journal::JournalEntry;
use engine::venue::{Outcome, VenueConfig};
use uuid::Uuid;

use super::error::StoreError;
use crate::store::{Store, on_backend};

/// A venue as it was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueRow {
    /// Derived from the name.
    pub id: VenueId,
    /// Everything but the seed.
    pub config: VenueConfig,
    /// Secret until the venue is closed; there for roles that draw from it.
    pub seed: Option<[u8; 32]>,
    /// Hides a guessable seed in the commitment.
    pub salt: [u8; 32],
    /// SHA-256(seed ‖ salt).
    pub seed_commitment: Digest,
    /// The user who may control it.
    pub owner: Option<Uuid>,
    /// SHA-256 of the one-time claim token.
    pub claim_token_hash: Option<Digest>,
    /// When it was created.
    pub created_at: WallTime,
}

impl VenueRow {
    /// The seed.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the store was opened by a role that may not
    /// read it.
    pub fn seed(&self) -> Result<[u8; 32], StoreError> {
        self.seed.ok_or_else(|| StoreError::Corrupt("this role may not read the venue's seed".to_owned()))
    }
}

/// What a journal row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Entry 1.
    Opened,
    /// An accepted command.
    Command,
    /// An applied market step.
    Step,
    /// A compacted run of steps that touched no account.
    Range,
}

impl EntryKind {
    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Command => "command",
            Self::Step => "step",
            Self::Range => "range",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Opened, Self::Command, Self::Step, Self::Range].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A journal row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// The first entry it covers; equal to `seq` but for a range.
    pub first_seq: Seq,
    /// The (last) entry.
    pub seq: Seq,
    /// What it is about.
    pub kind: EntryKind,
    /// Whether it changed an account.
    pub touched: bool,
    /// The rules by which it was decided.
    pub rules_version: u32,
    /// Postcard of [`engine::venue::Input`]; of [`RangeBody`] for a range.
    pub input: Vec<u8>,
    /// Postcard of [`Outcome`]. A range's says what its entries together
    /// changed: marks, books, date.
    pub outcome: Vec<u8>,
    /// A step's payload while it is kept.
    pub payload: Option<Vec<u8>>,
    /// The chain's hash after (the last of) it.
    pub hash: Digest,
}

impl JournalRow {
    /// The row as the chain's link; meaningless for a range.
    pub fn entry(&self) -> JournalEntry {
        JournalEntry {
            seq: self.seq,
            rules_version: self.rules_version,
            input: self.input.clone(),
            outcome: self.outcome.clone(),
            hash: self.hash,
        }
    }

    /// What it changed.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the bytes do not decode.
    pub fn outcome(&self) -> Result<Outcome, StoreError> {
        postcard::from_bytes(&self.outcome)
            .map_err(|_| StoreError::Corrupt(format!("journal entry {} does not decode", self.seq)))
    }
}

/// What a range keeps of its headers: enough to make each of them again from
/// the seed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RangeBody {
    /// Number of the range's first step; the others follow densely.
    pub first_step: u64,
    /// How many steps in a row knew everything up to how many entries before
    /// their own.
    pub lags: Vec<LagRun>,
}

/// So many steps in a row whose `seen_seq` was `seq − lag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LagRun {
    /// How many steps.
    pub steps: u64,
    /// How far behind its own sequence number each was.
    pub lag: u64,
}

/// An entry on its way into the journal, with what its projections need.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// What it is about.
    pub kind: EntryKind,
    /// The chain's link.
    pub entry: JournalEntry,
    /// The entry's outcome, decoded.
    pub outcome: Outcome,
    /// A step's payload.
    pub payload: Option<Vec<u8>>,
}

/// One transaction of the sequencer.
#[derive(Clone, Debug)]
pub struct CommitBatch {
    /// Whose journal.
    pub venue: VenueId,
    /// The writer's epoch; another's means [`StoreError::Fenced`].
    pub epoch: u64,
    /// The venue's currency, for new accounts.
    pub currency: String,
    /// In order, without gaps. May be empty: then only the cursor moves.
    pub entries: Vec<NewEntry>,
    /// Where the command stream has been read to, if it moved.
    pub cursor: Option<Cursor>,
}

/// A consumer's place in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Who reads.
    pub consumer: String,
    /// What.
    pub stream: String,
    /// The last id that took effect.
    pub position: u64,
}

/// The sequencer's state as of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRow {
    /// As of this entry.
    pub seq: Seq,
    /// Number of the last applied step.
    pub step: u64,
    /// The rules by which the venue decides.
    pub rules_version: u32,
    /// The state's bytes.
    pub state: Vec<u8>,
    /// SHA-256 of `state`.
    pub state_hash: Digest,
    /// The chain's hash at `seq`.
    pub journal_hash: Digest,
}

impl Store {
    /// Creates a venue if it is not there; says whether it was new.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn create_venue(&self, venue: &VenueRow) -> Result<bool, StoreError> {
        on_backend!(self, backend => backend.create_venue(venue).await)
    }

    /// A venue.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn venue(&self, venue: VenueId) -> Result<Option<VenueRow>, StoreError> {
        on_backend!(self, backend => backend.venue(venue).await)
    }

    /// Takes the venue's writing over: every other holder is fenced from now
    /// on. The new epoch.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn take_epoch(&self, venue: VenueId, holder: Uuid) -> Result<u64, StoreError> {
        on_backend!(self, backend => backend.take_epoch(venue, holder).await)
    }

    /// Writes entries, projections and cursor in one transaction, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the epoch is not the newest;
    /// [`StoreError::Database`] otherwise, and then the outcome is unknown.
    pub async fn commit(&self, batch: &CommitBatch) -> Result<(), StoreError> {
        on_backend!(self, backend => backend.commit(batch).await)
    }

    /// At most `max` rows that reach beyond `after`, in order. The first may be
    /// a range that began before it.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn journal_after(
        &self,
        venue: VenueId,
        after: Seq,
        max: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        on_backend!(self, backend => backend.journal_after(venue, after, max).await)
    }

    /// The last row of the journal.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn journal_head(&self, venue: VenueId) -> Result<Option<JournalRow>, StoreError> {
        on_backend!(self, backend => backend.journal_head(venue).await)
    }

    /// The newest `max` state snapshots, newest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn state_snapshots(&self, venue: VenueId, max: u32) -> Result<Vec<SnapshotRow>, StoreError> {
        on_backend!(self, backend => backend.state_snapshots(venue, max).await)
    }

    /// Adds a snapshot, keeps the newest two, and prunes the payloads up to the
    /// older of them. What that older one is, if there are two.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], [`StoreError::Database`].
    pub async fn save_snapshot(
        &self,
        venue: VenueId,
        epoch: u64,
        snapshot: &SnapshotRow,
    ) -> Result<Option<Seq>, StoreError> {
        on_backend!(self, backend => backend.save_snapshot(venue, epoch, snapshot).await)
    }

    /// Steps and ranges after `after` and up to `through` that touched no
    /// account, in order; those that are neighbours may be compacted.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub async fn untouched_rows(
        &self,
        venue: VenueId,
        after: Seq,
        through: Seq,
        max: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        on_backend!(self, backend => backend.untouched_rows(venue, after, through, max).await)
    }

    /// Puts one range in the place of the rows that it covers.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], [`StoreError::Database`],
    /// [`StoreError::Corrupt`] when the rows are not exactly the range.
    pub async fn compact(&self, venue: VenueId, epoch: u64, range: &JournalRow) -> Result<(), StoreError> {
        on_backend!(self, backend => backend.compact(venue, epoch, range).await)
    }

    /// A consumer's stored place; 0 before its first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn cursor(&self, venue: VenueId, consumer: &str, stream: &str) -> Result<u64, StoreError> {
        on_backend!(self, backend => backend.cursor(venue, consumer, stream).await)
    }
}
