//! State snapshots, and the compaction of the journal below them.
//!
//! Does not know when a snapshot or a compaction is due.

use engine::id::{Digest, Seq, VenueId};
use engine::venue::Venue;

use super::batch_statement::BatchConnection as _;
use super::copying::Schema;
use super::journal::{
    JournalColumns, JournalRow, StoredRow, digest, fence, journal_statement, rules_version, signed, unsigned,
};
use super::{Store, StoreError, on_backend};

/// Snapshots that are retained: if one is damaged, the other is restored.
pub(crate) const RETAINED_SNAPSHOTS: usize = 2;

/// The sequencer's state as of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRow {
    /// Last entry that the state contains.
    pub seq: Seq,
    /// Number of the last applied step.
    pub step: u64,
    /// Rules by which the venue decides.
    pub rules_version: u32,
    /// Bytes of the state.
    pub state: Vec<u8>,
    /// SHA-256 of `state`.
    pub state_hash: Digest,
    /// Hash of the chain at `seq`.
    pub journal_hash: Digest,
}

impl SnapshotRow {
    /// The venue of an intact snapshot; `None` if any byte of it is damaged.
    pub fn restore(&self) -> Option<Venue> {
        let is_intact = Digest::of(&[&self.state]) == self.state_hash;
        let venue = is_intact.then(|| Venue::restore(&self.state).ok()).flatten()?;
        (venue.seq() == self.seq).then_some(venue)
    }
}

impl Store {
    /// The newest `max` state snapshots, newest first.
    pub async fn state_snapshots(&self, venue: VenueId, max: u32) -> Result<Vec<SnapshotRow>, StoreError> {
        type Columns = (i64, i64, i64, Vec<u8>, Vec<u8>, Vec<u8>);
        let rows: Vec<Columns> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT seq, step, rules_version, state, state_hash, journal_hash
                 FROM state_snapshots WHERE venue_id = $1 ORDER BY seq DESC LIMIT $2",
            )
            .bind(venue.0)
            .bind(i64::from(max))
            .fetch_all(&backend.main_readers)
            .await?
        });
        rows.into_iter()
            .map(|(seq, step, rules, state, state_hash, journal_hash)| {
                Ok(SnapshotRow {
                    seq: Seq(unsigned(seq)?),
                    step: unsigned(step)?,
                    rules_version: rules_version(rules)?,
                    state,
                    state_hash: digest(state_hash, "snapshot")?,
                    journal_hash: digest(journal_hash, "snapshot")?,
                })
            })
            .collect()
    }

    /// Adds a snapshot, retains the newest two, and prunes the payloads up to the
    /// older of them; the entry of that older one.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], [`StoreError::Database`].
    pub async fn save_snapshot(
        &self,
        venue: VenueId,
        epoch: u64,
        snapshot: &SnapshotRow,
    ) -> Result<Option<Seq>, StoreError> {
        let (seq, step) = (signed(snapshot.seq.0)?, signed(snapshot.step)?);
        let oldest: Option<i64> = on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::Main).await?;
            transaction.run_checked(&[fence(venue, epoch)?]).await?;
            sqlx::query(
                "INSERT INTO state_snapshots (venue_id, seq, step, rules_version, state, state_hash, journal_hash)
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (venue_id, seq) DO NOTHING",
            )
            .bind(venue.0)
            .bind(seq)
            .bind(step)
            .bind(i64::from(snapshot.rules_version))
            .bind(snapshot.state.as_slice())
            .bind(snapshot.state_hash.0.to_vec())
            .bind(snapshot.journal_hash.0.to_vec())
            .execute(&mut *transaction)
            .await?;
            let oldest: Option<i64> = sqlx::query_scalar(
                "SELECT seq FROM state_snapshots WHERE venue_id = $1 ORDER BY seq DESC LIMIT 1 OFFSET $2",
            )
            .bind(venue.0)
            .bind(RETAINED_SNAPSHOTS as i64 - 1)
            .fetch_optional(&mut *transaction)
            .await?;
            if let Some(oldest) = oldest {
                // Payloads below the snapshot that is deleted now were pruned with its
                // predecessor.
                sqlx::query(
                    "UPDATE journal SET payload = NULL
                     WHERE venue_id = $1 AND seq <= $2 AND payload IS NOT NULL
                       AND seq > coalesce((SELECT max(seq) FROM state_snapshots WHERE venue_id = $1 AND seq < $2), 0)",
                )
                .bind(venue.0)
                .bind(oldest)
                .execute(&mut *transaction)
                .await?;
                sqlx::query("DELETE FROM state_snapshots WHERE venue_id = $1 AND seq < $2")
                    .bind(venue.0)
                    .bind(oldest)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
            oldest
        });
        oldest.map(|seq| unsigned(seq).map(Seq)).transpose()
    }

    /// Steps and ranges after `after` up to `through` that touched no account, in
    /// order; adjacent ones may be compacted.
    pub async fn untouched_rows(
        &self,
        venue: VenueId,
        after: Seq,
        through: Seq,
        max: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let (after, through) = (signed(after.0)?, signed(through.0)?);
        let rows: Vec<StoredRow> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT first_seq, seq, kind, touched, rules_version, input, outcome, payload, hash
                 FROM journal
                 WHERE venue_id = $1 AND seq > $2 AND seq <= $3 AND kind IN ('step', 'range') AND NOT touched
                 ORDER BY seq LIMIT $4",
            )
            .bind(venue.0)
            .bind(after)
            .bind(through)
            .bind(i64::from(max))
            .fetch_all(&backend.main_readers)
            .await?
        });
        rows.into_iter().map(JournalRow::try_from).collect()
    }

    /// Replaces the rows that `range` covers with it.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], [`StoreError::Database`], [`StoreError::Corrupt`] if
    /// the rows are not exactly the range.
    pub async fn compact(&self, venue: VenueId, epoch: u64, range: &JournalRow) -> Result<(), StoreError> {
        let (first, last) = (signed(range.first_seq.0)?, signed(range.seq.0)?);
        on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::Main).await?;
            transaction.run_checked(&[fence(venue, epoch)?]).await?;
            let covered: i64 = sqlx::query_scalar(
                "SELECT CAST(coalesce(sum(seq - first_seq + 1), 0) AS BIGINT) FROM journal
                 WHERE venue_id = $1 AND first_seq >= $2 AND seq <= $3
                   AND kind IN ('step', 'range') AND NOT touched",
            )
            .bind(venue.0)
            .bind(first)
            .bind(last)
            .fetch_one(&mut *transaction)
            .await?;
            if covered != last - first + 1 {
                return Err(StoreError::Corrupt(format!("entries {first} to {last} are not a range")));
            }
            sqlx::query("DELETE FROM journal WHERE venue_id = $1 AND seq >= $2 AND seq <= $3")
                .bind(venue.0)
                .bind(first)
                .bind(last)
                .execute(&mut *transaction)
                .await?;
            let rows = [JournalColumns::from(range)].into_iter();
            transaction.run_checked(&[journal_statement(venue, rows)]).await?;
            transaction.commit().await?;
        });
        Ok(())
    }
}
