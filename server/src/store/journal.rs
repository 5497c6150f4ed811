//! Venues, the journal, epochs and the consumers' cursors.
//!
//! A commit writes entries, projections and cursor in one transaction. Does not
//! know how an entry was decided.

use engine::id::{Digest, Seq, VenueId};
use engine::time::WallTime;
use engine::venue::journal::JournalEntry;
use engine::venue::{Outcome, VenueConfig};
use uuid::Uuid;

use super::batch_statement::{BatchConnection as _, BatchStatement, InputRows};
use super::copying::Schema;
use super::{Role, Store, StoreError, on_backend};

mod fold;

use fold::{Fold, ListedInstruments};

/// A venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueRow {
    /// Id, derived from the name.
    pub id: VenueId,
    /// Configuration; everything but the seed.
    pub config: VenueConfig,
    /// Seed, secret until the venue is closed; `None` for roles that may not read it.
    pub seed: Option<[u8; 32]>,
    /// Salt that hides a guessable seed in the commitment.
    pub salt: [u8; 32],
    /// SHA-256(seed ‖ salt).
    pub seed_commitment: Digest,
    /// User who may control the venue.
    pub owner: Option<Uuid>,
    /// SHA-256 of the one-time claim token.
    pub claim_token_hash: Option<Digest>,
    /// Time of creation.
    pub created_at: WallTime,
}

impl VenueRow {
    /// The seed.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the store's role may not read it.
    pub fn seed(&self) -> Result<[u8; 32], StoreError> {
        self.seed.ok_or_else(|| StoreError::Corrupt("this role may not read the venue's seed".to_owned()))
    }
}

/// Kind of a journal row.
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
    /// Text in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Command => "command",
            Self::Step => "step",
            Self::Range => "range",
        }
    }

    /// Parses the text in the store.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Opened, Self::Command, Self::Step, Self::Range].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A row of `journal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// First entry of the row; equal to `seq` except for a range.
    pub first_seq: Seq,
    /// Last entry of the row.
    pub seq: Seq,
    /// Kind of the row.
    pub kind: EntryKind,
    /// True if the entry changed an account.
    pub touched: bool,
    /// Rules that decided the entry.
    pub rules_version: u32,
    /// Postcard of [`engine::venue::Input`]; of [`RangeBody`] for a range.
    pub input: Vec<u8>,
    /// Postcard of [`Outcome`]. A range's is what its entries changed in total: marks,
    /// books, date.
    pub outcome: Vec<u8>,
    /// Payload of a step until it is pruned.
    pub payload: Option<Vec<u8>>,
    /// Hash of the chain after the last entry.
    pub hash: Digest,
}

impl JournalRow {
    /// The row as an entry of the chain; meaningless for a range.
    pub fn entry(&self) -> JournalEntry {
        JournalEntry {
            seq: self.seq,
            rules_version: self.rules_version,
            input: self.input.clone(),
            outcome: self.outcome.clone(),
            hash: self.hash,
        }
    }

    /// The decoded outcome.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the bytes do not decode.
    pub fn outcome(&self) -> Result<Outcome, StoreError> {
        postcard::from_bytes(&self.outcome)
            .map_err(|_| StoreError::Corrupt(format!("journal entry {} does not decode", self.seq)))
    }
}

/// A range's step headers: enough to reproduce each from the seed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RangeBody {
    /// Number of the range's first step; the others follow without gaps.
    pub first_step: u64,
    /// Lags of the steps, run-length encoded.
    pub lags: Vec<LagRun>,
}

/// A run of steps whose `seen_seq` was `seq − lag`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LagRun {
    /// Number of steps.
    pub steps: u64,
    /// Entries between a step's `seen_seq` and its own sequence number.
    pub lag: u64,
}

/// A new entry, with what its projections need.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Kind of the entry.
    pub kind: EntryKind,
    /// The entry of the chain.
    pub entry: JournalEntry,
    /// Decoded outcome of the entry.
    pub outcome: Outcome,
    /// Payload of a step.
    pub payload: Option<Vec<u8>>,
}

/// One transaction of the sequencer.
#[derive(Clone, Debug)]
pub struct CommitBatch {
    /// Venue of the journal.
    pub venue: VenueId,
    /// Epoch of the writer; if it is not the newest, [`StoreError::Fenced`].
    pub epoch: u64,
    /// The venue's currency, for new accounts.
    pub currency: String,
    /// Entries in order, without gaps. If empty, only the cursor moves.
    pub entries: Vec<NewEntry>,
    /// New position in the command stream, if it moved.
    pub cursor: Option<Cursor>,
}

/// Position of a consumer in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Name of the consumer.
    pub consumer: String,
    /// Name of the stream.
    pub stream: String,
    /// Id of the last message that took effect.
    pub position: u64,
}

impl Cursor {
    /// Statement that moves the cursor, for the transaction of the effect.
    pub(super) fn statement(&self, venue: VenueId) -> BatchStatement<'_> {
        let rows = InputRows::new()
            .ids("venue_id", [venue.0].into_iter())
            .texts("consumer", [self.consumer.as_str()].into_iter())
            .texts("stream", [self.stream.as_str()].into_iter())
            .numbers("position", [self.position.cast_signed()].into_iter());
        BatchStatement::upsert("consumer_cursors", rows, &["venue_id", "consumer", "stream"])
    }
}

impl Store {
    /// Creates a venue if it does not exist; true if it did not.
    ///
    /// # Errors
    /// [`StoreError::OrphanedHistory`], [`StoreError::Database`].
    pub async fn create_venue(&self, venue: &VenueRow) -> Result<bool, StoreError> {
        let config = serde_json::to_string(&venue.config)
            .map_err(|error| StoreError::Corrupt(format!("the venue's configuration: {error}")))?;
        let seed = venue.seed()?;
        on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::Main).await?;
            let done = sqlx::query(
                "INSERT INTO venues (venue_id, name, config, seed, salt, seed_commitment, owner_user_id,
                                     claim_token_hash, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (venue_id) DO NOTHING",
            )
            .bind(venue.id.0)
            .bind(&venue.config.name)
            .bind(config)
            .bind(seed.to_vec())
            .bind(venue.salt.as_slice())
            .bind(venue.seed_commitment.0.to_vec())
            .bind(venue.owner)
            .bind(venue.claim_token_hash.map(|digest| digest.0.to_vec()))
            .bind(venue.created_at.0)
            .execute(&mut *transaction)
            .await?;
            let is_new = done.rows_affected() == 1;
            if is_new && backend.role == Role::Owner {
                self.check_no_history(venue.id).await?;
            }
            transaction.commit().await?;
            Ok(is_new)
        })
    }

    /// A venue; `None` if it does not exist.
    pub async fn venue(&self, venue: VenueId) -> Result<Option<VenueRow>, StoreError> {
        type Columns = (String, Vec<u8>, Vec<u8>, Option<Uuid>, Option<Vec<u8>>, i64);
        let (row, seed): (Option<Columns>, Option<Vec<u8>>) = on_backend!(self, |backend| {
            let row = sqlx::query_as(
                "SELECT config, salt, seed_commitment, owner_user_id, claim_token_hash, created_at
                 FROM venues WHERE venue_id = $1",
            )
            .bind(venue.0)
            .fetch_optional(&backend.main_readers)
            .await?;
            let seed = match backend.role.reads_seed() {
                true => {
                    sqlx::query_scalar("SELECT seed FROM venues WHERE venue_id = $1")
                        .bind(venue.0)
                        .fetch_optional(&backend.main_readers)
                        .await?
                }
                false => None,
            };
            (row, seed)
        });
        let Some((config, salt, commitment, owner, claim_token_hash, created_at)) = row else {
            return Ok(None);
        };
        let corrupt = |what: &str| StoreError::Corrupt(format!("the venue's {what} cannot be read"));
        Ok(Some(VenueRow {
            id: venue,
            config: serde_json::from_str(&config).map_err(|_| corrupt("configuration"))?,
            seed: seed.map(|seed| seed.try_into().map_err(|_| corrupt("seed"))).transpose()?,
            salt: salt.try_into().map_err(|_| corrupt("salt"))?,
            seed_commitment: digest(commitment, "seed")?,
            owner,
            claim_token_hash: claim_token_hash.map(|hash| digest(hash, "claim token")).transpose()?,
            created_at: WallTime(created_at),
        }))
    }

    /// Makes `holder` the only writer of the venue's journal; the new epoch. All
    /// other writers are fenced from now on.
    pub async fn take_epoch(&self, venue: VenueId, holder: Uuid) -> Result<u64, StoreError> {
        let epoch: i64 = on_backend!(self, |backend| {
            sqlx::query_scalar(
                "INSERT INTO epochs (venue_id, epoch, holder) VALUES ($1, 1, $2)
                 ON CONFLICT (venue_id) DO UPDATE SET epoch = epochs.epoch + 1, holder = excluded.holder
                 RETURNING epoch",
            )
            .bind(venue.0)
            .bind(holder)
            .fetch_one(&backend.main)
            .await?
        });
        unsigned(epoch)
    }

    /// Writes entries, projections and cursor in one transaction, or nothing.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if the epoch is not the newest; [`StoreError::Database`]
    /// otherwise, and then the result is unknown.
    pub async fn commit(&self, batch: &CommitBatch) -> Result<(), StoreError> {
        let (fold, listed) = (Fold::of(&batch.entries), ListedInstruments::of(&batch.entries)?);
        let mut statements = vec![fence(batch.venue, batch.epoch)?, listed.statement(batch.venue)];
        statements.push(journal_statement(batch.venue, batch.entries.iter().map(JournalColumns::from)));
        statements.extend(fold.statements(batch));
        statements.extend(batch.cursor.iter().map(|cursor| cursor.statement(batch.venue)));
        on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::Main).await?;
            // A single writer checks its epoch in the same round trip; elsewhere the
            // epoch's row must be locked first.
            let together = backend.has_single_writer();
            let (fence, rest) = statements.split_at(1);
            if !together {
                transaction.run_checked(fence).await?;
            }
            let statements = if together { &statements[..] } else { rest };
            if let Err(error) = transaction.run_checked(statements).await {
                // A fenced writer may run into other errors first.
                if together {
                    transaction.run_checked(fence).await?;
                }
                return Err(error);
            }
            transaction.commit().await?;
        });
        Ok(())
    }

    /// At most `max` rows that reach beyond `after`, in order. The first may be a
    /// range that began before it.
    pub async fn journal_after(
        &self,
        venue: VenueId,
        after: Seq,
        max: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let after = signed(after.0)?;
        let rows: Vec<StoredRow> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT first_seq, seq, kind, touched, rules_version, input, outcome, payload, hash
                 FROM journal WHERE venue_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            )
            .bind(venue.0)
            .bind(after)
            .bind(i64::from(max))
            .fetch_all(&backend.main_readers)
            .await?
        });
        rows.into_iter().map(JournalRow::try_from).collect()
    }

    /// The last row of the journal.
    pub async fn journal_head(&self, venue: VenueId) -> Result<Option<JournalRow>, StoreError> {
        let row: Option<StoredRow> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT first_seq, seq, kind, touched, rules_version, input, outcome, payload, hash
                 FROM journal WHERE venue_id = $1 ORDER BY seq DESC LIMIT 1",
            )
            .bind(venue.0)
            .fetch_optional(&backend.main_readers)
            .await?
        });
        row.map(JournalRow::try_from).transpose()
    }

    /// Position of a consumer whose effects are in the main schema; 0 initially.
    pub async fn cursor(&self, venue: VenueId, consumer: &str, stream: &str) -> Result<u64, StoreError> {
        self.cursor_in(Schema::Main, venue, consumer, stream).await
    }

    /// Position of a consumer whose effects are in the history; 0 initially.
    pub async fn history_cursor(
        &self,
        venue: VenueId,
        consumer: &str,
        stream: &str,
    ) -> Result<u64, StoreError> {
        self.cursor_in(Schema::History, venue, consumer, stream).await
    }

    async fn cursor_in(
        &self,
        schema: Schema,
        venue: VenueId,
        consumer: &str,
        stream: &str,
    ) -> Result<u64, StoreError> {
        let position: Option<i64> = on_backend!(self, |backend| {
            sqlx::query_scalar(
                "SELECT position FROM consumer_cursors WHERE venue_id = $1 AND consumer = $2 AND stream = $3",
            )
            .bind(venue.0)
            .bind(consumer)
            .bind(stream)
            .fetch_optional(backend.readers(schema))
            .await?
        });
        unsigned(position.unwrap_or(0))
    }
}

/// Statement that locks the writer's epoch.
pub(super) fn fence(venue: VenueId, epoch: u64) -> Result<BatchStatement<'static>, StoreError> {
    let epoch = signed(epoch)?;
    let rows = InputRows::new().ids("venue_id", [venue.0].into_iter()).numbers("epoch", [epoch].into_iter());
    Ok(BatchStatement::fence(rows))
}

/// Columns of a new journal row.
pub(super) struct JournalColumns<'a> {
    first_seq: Seq,
    seq: Seq,
    kind: EntryKind,
    touched: bool,
    rules_version: u32,
    input: &'a [u8],
    outcome: &'a [u8],
    payload: Option<&'a [u8]>,
    hash: &'a [u8],
}

impl<'a> From<&'a NewEntry> for JournalColumns<'a> {
    fn from(new: &'a NewEntry) -> Self {
        Self {
            first_seq: new.entry.seq,
            seq: new.entry.seq,
            kind: new.kind,
            touched: new.outcome.touches_accounts(),
            rules_version: new.entry.rules_version,
            input: &new.entry.input,
            outcome: &new.entry.outcome,
            payload: new.payload.as_deref(),
            hash: &new.entry.hash.0,
        }
    }
}

impl<'a> From<&'a JournalRow> for JournalColumns<'a> {
    fn from(row: &'a JournalRow) -> Self {
        Self {
            first_seq: row.first_seq,
            seq: row.seq,
            kind: row.kind,
            touched: row.touched,
            rules_version: row.rules_version,
            input: &row.input,
            outcome: &row.outcome,
            payload: row.payload.as_deref(),
            hash: &row.hash.0,
        }
    }
}

/// Statement that adds journal rows; if one exists already, none is added.
pub(super) fn journal_statement<'a>(
    venue: VenueId,
    rows: impl Iterator<Item = JournalColumns<'a>>,
) -> BatchStatement<'a> {
    let rows: Vec<_> = rows.collect();
    let input = InputRows::new()
        .ids("venue_id", rows.iter().map(|_| venue.0))
        .numbers("seq", rows.iter().map(|row| row.seq.0.cast_signed()))
        .numbers("first_seq", rows.iter().map(|row| row.first_seq.0.cast_signed()))
        .texts("kind", rows.iter().map(|row| row.kind.as_str()))
        .flags("touched", rows.iter().map(|row| row.touched))
        .numbers("rules_version", rows.iter().map(|row| i64::from(row.rules_version)))
        .bytes("input", rows.iter().map(|row| row.input))
        .bytes("outcome", rows.iter().map(|row| row.outcome))
        .bytes("payload", rows.iter().map(|row| row.payload))
        .bytes("hash", rows.iter().map(|row| row.hash));
    BatchStatement::insert("journal", input)
}

/// A stored row of `journal`.
#[derive(sqlx::FromRow)]
pub(super) struct StoredRow {
    first_seq: i64,
    seq: i64,
    kind: String,
    touched: bool,
    rules_version: i64,
    input: Vec<u8>,
    outcome: Vec<u8>,
    payload: Option<Vec<u8>>,
    hash: Vec<u8>,
}

impl TryFrom<StoredRow> for JournalRow {
    type Error = StoreError;

    fn try_from(row: StoredRow) -> Result<Self, StoreError> {
        let kind = EntryKind::parse(&row.kind);
        Ok(Self {
            first_seq: Seq(unsigned(row.first_seq)?),
            seq: Seq(unsigned(row.seq)?),
            kind: kind.ok_or_else(|| StoreError::Corrupt(format!("a journal row of kind {:?}", row.kind)))?,
            touched: row.touched,
            rules_version: rules_version(row.rules_version)?,
            input: row.input,
            outcome: row.outcome,
            payload: row.payload,
            hash: digest(row.hash, "journal row")?,
        })
    }
}

/// An unsigned number as the store represents it.
pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Corrupt(format!("{number} exceeds the store's range")))
}

/// An unsigned number from the store.
pub(super) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt(format!("{number} instead of an unsigned number")))
}

/// A rules version from the store.
pub(super) fn rules_version(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::Corrupt(format!("rules version {number}")))
}

/// A hash from the store.
pub(super) fn digest(bytes: Vec<u8>, owner: &str) -> Result<Digest, StoreError> {
    bytes.try_into().map(Digest).map_err(|_| StoreError::Corrupt(format!("the hash of a {owner}")))
}
