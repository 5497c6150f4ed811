//! Venues, the journal and its readers.
//!
//! Compiled for each backend. Does not know how an entry was decided.

use engine::id::{Digest, Seq, VenueId};
use engine::time::WallTime;
use sqlx::Row as _;
use uuid::Uuid;

use super::projections::{Folded, list_instruments};
use super::{Backend, Db, dialect};
use crate::store::Role;
use crate::store::api::error::StoreError;
use crate::store::api::journal::{CommitBatch, Cursor, EntryKind, JournalRow, SnapshotRow, VenueRow};
use crate::store::rows::{Rows, Write};

/// A transaction that holds the write lock.
pub(super) type Writing = sqlx::Transaction<'static, Db>;

impl Backend {
    pub(in crate::store) async fn create_venue(&self, venue: &VenueRow) -> Result<bool, StoreError> {
        let config = serde_json::to_string(&venue.config)
            .map_err(|error| StoreError::Corrupt(format!("the venue's configuration: {error}")))?;
        let mut transaction = self.main.begin_with(dialect::BEGIN_WRITE).await?;
        let done = sqlx::query::<Db>(
            "INSERT INTO venues (venue_id, name, config, seed, salt, seed_commitment, owner_user_id,
                                 claim_token_hash, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (venue_id) DO NOTHING",
        )
        .bind(venue.id.0)
        .bind(&venue.config.name)
        .bind(config)
        .bind(venue.seed()?.to_vec())
        .bind(venue.salt.as_slice())
        .bind(venue.seed_commitment.0.to_vec())
        .bind(venue.owner)
        .bind(venue.claim_token_hash.map(|digest| digest.0.to_vec()))
        .bind(venue.created_at.0)
        .execute(&mut *transaction)
        .await?;
        let made = done.rows_affected() == 1;
        if made && self.role == Role::Owner {
            self.expect_no_past(venue.id).await?;
        }
        transaction.commit().await?;
        Ok(made)
    }

    pub(in crate::store) async fn venue(&self, venue: VenueId) -> Result<Option<VenueRow>, StoreError> {
        let row = sqlx::query::<Db>(
            "SELECT config, salt, seed_commitment, owner_user_id, claim_token_hash, created_at
             FROM venues WHERE venue_id = $1",
        )
        .bind(venue.0)
        .fetch_optional(&self.main_readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let seed: Option<Vec<u8>> = match self.role.knows_seeds() {
            true => {
                sqlx::query_scalar::<Db, _>("SELECT seed FROM venues WHERE venue_id = $1")
                    .bind(venue.0)
                    .fetch_optional(&self.main_readers)
                    .await?
            }
            false => None,
        };
        let corrupt = |what: &str| StoreError::Corrupt(format!("the venue's {what} cannot be read"));
        let config: String = row.try_get(0)?;
        let claim: Option<Vec<u8>> = row.try_get(4)?;
        Ok(Some(VenueRow {
            id: venue,
            config: serde_json::from_str(&config).map_err(|_| corrupt("configuration"))?,
            seed: seed.map(|seed| seed.try_into().map_err(|_| corrupt("seed"))).transpose()?,
            salt: row.try_get::<Vec<u8>, _>(1)?.try_into().map_err(|_| corrupt("salt"))?,
            seed_commitment: digest(row.try_get(2)?, "seed")?,
            owner: row.try_get(3)?,
            claim_token_hash: claim.map(|bytes| digest(bytes, "claim token")).transpose()?,
            created_at: WallTime(row.try_get(5)?),
        }))
    }

    pub(in crate::store) async fn take_epoch(&self, venue: VenueId, holder: Uuid) -> Result<u64, StoreError> {
        let epoch: i64 = sqlx::query_scalar::<Db, _>(
            "INSERT INTO epochs (venue_id, epoch, holder) VALUES ($1, 1, $2)
             ON CONFLICT (venue_id) DO UPDATE SET epoch = epochs.epoch + 1, holder = excluded.holder
             RETURNING epoch",
        )
        .bind(venue.0)
        .bind(holder)
        .fetch_one(&self.main)
        .await?;
        unsigned(epoch)
    }

    /// Begins a transaction that only the holder of `epoch` gets.
    pub(super) async fn begin_fenced(&self, venue: VenueId, epoch: u64) -> Result<Writing, StoreError> {
        let mut transaction = self.main.begin_with(dialect::BEGIN_WRITE).await?;
        hold(&mut transaction, venue, epoch).await?;
        Ok(transaction)
    }

    pub(in crate::store) async fn commit(&self, batch: &CommitBatch) -> Result<(), StoreError> {
        let mut transaction = if dialect::HAS_ONE_WRITER {
            self.main.begin_with(dialect::BEGIN_WRITE).await?
        } else {
            self.begin_fenced(batch.venue, batch.epoch).await?
        };
        if let Err(error) = write(&mut transaction, batch).await {
            if dialect::HAS_ONE_WRITER {
                // What a writer does whose time is over fails for other reasons too.
                hold(&mut transaction, batch.venue, batch.epoch).await?;
            }
            return Err(error);
        }
        transaction.commit().await?;
        Ok(())
    }

    pub(in crate::store) async fn journal_after(
        &self,
        venue: VenueId,
        after: Seq,
        max: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT first_seq, seq, kind, touched, rules_version, input, outcome, payload, hash
             FROM journal WHERE venue_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        )
        .bind(venue.0)
        .bind(signed(after.0)?)
        .bind(i64::from(max))
        .fetch_all(&self.main_readers)
        .await?;
        rows.iter().map(read_row).collect()
    }

    pub(in crate::store) async fn journal_head(
        &self,
        venue: VenueId,
    ) -> Result<Option<JournalRow>, StoreError> {
        let row = sqlx::query::<Db>(
            "SELECT first_seq, seq, kind, touched, rules_version, input, outcome, payload, hash
             FROM journal WHERE venue_id = $1 ORDER BY seq DESC LIMIT 1",
        )
        .bind(venue.0)
        .fetch_optional(&self.main_readers)
        .await?;
        row.as_ref().map(read_row).transpose()
    }

    pub(in crate::store) async fn state_snapshots(
        &self,
        venue: VenueId,
        max: u32,
    ) -> Result<Vec<SnapshotRow>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT seq, step, rules_version, state, state_hash, journal_hash
             FROM state_snapshots WHERE venue_id = $1 ORDER BY seq DESC LIMIT $2",
        )
        .bind(venue.0)
        .bind(i64::from(max))
        .fetch_all(&self.main_readers)
        .await?;
        let read = |row: &<Db as sqlx::Database>::Row| {
            Ok(SnapshotRow {
                seq: Seq(unsigned(row.try_get(0)?)?),
                step: unsigned(row.try_get(1)?)?,
                rules_version: version(row.try_get(2)?)?,
                state: row.try_get(3)?,
                state_hash: digest(row.try_get(4)?, "snapshot")?,
                journal_hash: digest(row.try_get(5)?, "snapshot")?,
            })
        };
        rows.iter().map(read).collect()
    }

    pub(in crate::store) async fn cursor(
        &self,
        venue: VenueId,
        consumer: &str,
        stream: &str,
    ) -> Result<u64, StoreError> {
        let position: Option<i64> = sqlx::query_scalar::<Db, _>(
            "SELECT position FROM consumer_cursors WHERE venue_id = $1 AND consumer = $2 AND stream = $3",
        )
        .bind(venue.0)
        .bind(consumer)
        .bind(stream)
        .fetch_optional(&self.main_readers)
        .await?;
        unsigned(position.unwrap_or(0))
    }
}

/// Holds the row of `epoch` until the commit, which a read would not.
async fn hold(transaction: &mut Writing, venue: VenueId, epoch: u64) -> Result<(), StoreError> {
    let held = held(venue, epoch)?;
    let done = dialect::write(transaction, std::slice::from_ref(&held)).await?;
    held.check(done.iter().sum())
}

/// Finds the epoch as it is to be, or nothing.
fn held<'a>(venue: VenueId, epoch: u64) -> Result<Write<'a>, StoreError> {
    let epoch = signed(epoch)?;
    let rows = Rows::new().ids("venue_id", [venue.0].into_iter()).numbers("epoch", [epoch].into_iter());
    Ok(Write::hold(
        rows,
        "UPDATE epochs SET epoch = given.epoch FROM given
         WHERE epochs.venue_id = given.venue_id AND epochs.epoch = given.epoch",
    ))
}

/// Writes a batch. Where nobody else can take the epoch meanwhile, it is asked
/// for on the way.
async fn write(transaction: &mut Writing, batch: &CommitBatch) -> Result<(), StoreError> {
    let mut writes = Vec::new();
    if dialect::HAS_ONE_WRITER {
        writes.push(held(batch.venue, batch.epoch)?);
    }
    let links = batch.entries.iter().map(|new| Link {
        first_seq: new.entry.seq,
        seq: new.entry.seq,
        kind: new.kind,
        touched: new.outcome.touches_accounts(),
        rules_version: new.entry.rules_version,
        input: &new.entry.input,
        outcome: &new.entry.outcome,
        payload: new.payload.as_deref(),
        hash: &new.entry.hash.0,
    });
    writes.push(journal_rows(batch.venue, &links.collect::<Vec<_>>()));
    list_instruments(transaction, batch).await?;
    let folded = Folded::of(&batch.entries);
    writes.extend(folded.writes(batch));
    writes.extend(batch.cursor.iter().map(|cursor| move_cursor(batch.venue, cursor)));
    let done = dialect::write(transaction, &writes).await?;
    writes.iter().zip(done).try_for_each(|(write, done)| write.check(done))
}

/// A journal row on its way into the store.
pub(super) struct Link<'a> {
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

impl<'a> From<&'a JournalRow> for Link<'a> {
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

/// Adds rows; a place that is taken refuses them all.
pub(super) async fn append(
    transaction: &mut Writing,
    venue: VenueId,
    links: &[Link<'_>],
) -> Result<(), StoreError> {
    dialect::write(transaction, &[journal_rows(venue, links)]).await?;
    Ok(())
}

fn journal_rows<'a>(venue: VenueId, links: &[Link<'a>]) -> Write<'a> {
    let rows = Rows::new()
        .ids("venue_id", links.iter().map(|_| venue.0))
        .numbers("seq", links.iter().map(|link| link.seq.0.cast_signed()))
        .numbers("first_seq", links.iter().map(|link| link.first_seq.0.cast_signed()))
        .texts("kind", links.iter().map(|link| link.kind.as_str()))
        .flags("touched", links.iter().map(|link| link.touched))
        .numbers("rules_version", links.iter().map(|link| i64::from(link.rules_version)))
        .bytes("input", links.iter().map(|link| link.input))
        .bytes("outcome", links.iter().map(|link| link.outcome))
        .bytes("payload", links.iter().map(|link| link.payload))
        .bytes("hash", links.iter().map(|link| link.hash));
    Write::insert("journal", rows)
}

/// Moves a consumer's place, in the transaction of what it has done.
pub(super) fn move_cursor(venue: VenueId, cursor: &Cursor) -> Write<'_> {
    let rows = Rows::new()
        .ids("venue_id", [venue.0].into_iter())
        .texts("consumer", [cursor.consumer.as_str()].into_iter())
        .texts("stream", [cursor.stream.as_str()].into_iter())
        .numbers("position", [cursor.position.cast_signed()].into_iter());
    Write::merge(
        rows,
        "INSERT INTO consumer_cursors (venue_id, consumer, stream, position) SELECT * FROM given WHERE TRUE
         ON CONFLICT (venue_id, consumer, stream) DO UPDATE SET position = excluded.position",
    )
}

pub(super) fn read_row(row: &<Db as sqlx::Database>::Row) -> Result<JournalRow, StoreError> {
    let kind: String = row.try_get(2)?;
    Ok(JournalRow {
        first_seq: Seq(unsigned(row.try_get(0)?)?),
        seq: Seq(unsigned(row.try_get(1)?)?),
        kind: EntryKind::parse(&kind)
            .ok_or_else(|| StoreError::Corrupt(format!("a journal row of kind {kind:?}")))?,
        touched: row.try_get(3)?,
        rules_version: version(row.try_get(4)?)?,
        input: row.try_get(5)?,
        outcome: row.try_get(6)?,
        payload: row.try_get(7)?,
        hash: digest(row.try_get(8)?, "journal row")?,
    })
}

/// A sequence number as the store holds it.
pub(super) fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Corrupt(format!("{number} is beyond the store's range")))
}

/// A sequence number from the store.
pub(super) fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number)
        .map_err(|_| StoreError::Corrupt(format!("{number} where a positive number belongs")))
}

fn version(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::Corrupt(format!("rules version {number}")))
}

fn digest(bytes: Vec<u8>, whose: &str) -> Result<Digest, StoreError> {
    bytes.try_into().map(Digest).map_err(|_| StoreError::Corrupt(format!("the hash of a {whose}")))
}
