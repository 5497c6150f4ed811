//! The journal's upkeep: snapshots, pruned payloads, compacted ranges.
//!
//! Compiled for each backend. Does not know when upkeep is due.

use engine::id::{Seq, VenueId};

use super::journal::{append, read_row, signed, unsigned};
use super::{Backend, Db};
use crate::store::api::error::StoreError;
use crate::store::api::journal::{JournalRow, SnapshotRow};

/// Snapshots that are kept: a damaged one leaves another to start from.
const KEPT: i64 = 2;

impl Backend {
    pub(in crate::store) async fn save_snapshot(
        &self,
        venue: VenueId,
        epoch: u64,
        snapshot: &SnapshotRow,
    ) -> Result<Option<Seq>, StoreError> {
        let mut transaction = self.begin_fenced(venue, epoch).await?;
        sqlx::query::<Db>(
            "INSERT INTO state_snapshots (venue_id, seq, step, rules_version, state, state_hash, journal_hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (venue_id, seq) DO NOTHING",
        )
        .bind(venue.0)
        .bind(signed(snapshot.seq.0)?)
        .bind(signed(snapshot.step)?)
        .bind(i64::from(snapshot.rules_version))
        .bind(snapshot.state.as_slice())
        .bind(snapshot.state_hash.0.to_vec())
        .bind(snapshot.journal_hash.0.to_vec())
        .execute(&mut *transaction)
        .await?;
        let second: Option<i64> = sqlx::query_scalar::<Db, _>(
            "SELECT seq FROM state_snapshots WHERE venue_id = $1 ORDER BY seq DESC LIMIT 1 OFFSET $2",
        )
        .bind(venue.0)
        .bind(KEPT - 1)
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(second) = second {
            // Below the snapshot that now goes, payloads went with its predecessor.
            sqlx::query::<Db>(
                "UPDATE journal SET payload = NULL
                 WHERE venue_id = $1 AND seq <= $2 AND payload IS NOT NULL
                   AND seq > coalesce((SELECT max(seq) FROM state_snapshots WHERE venue_id = $1 AND seq < $2), 0)",
            )
            .bind(venue.0)
            .bind(second)
            .execute(&mut *transaction)
            .await?;
            sqlx::query::<Db>("DELETE FROM state_snapshots WHERE venue_id = $1 AND seq < $2")
                .bind(venue.0)
                .bind(second)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        second.map(|seq| unsigned(seq).map(Seq)).transpose()
    }

    pub(in crate::store) async fn untouched_rows(
        &self,
        venue: VenueId,
        after: Seq,
        through: Seq,
        max: u32,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT first_seq, seq, kind, touched, rules_version, input, outcome, payload, hash
             FROM journal
             WHERE venue_id = $1 AND seq > $2 AND seq <= $3 AND kind IN ('step', 'range') AND NOT touched
             ORDER BY seq LIMIT $4",
        )
        .bind(venue.0)
        .bind(signed(after.0)?)
        .bind(signed(through.0)?)
        .bind(i64::from(max))
        .fetch_all(&self.main_readers)
        .await?;
        rows.iter().map(read_row).collect()
    }

    pub(in crate::store) async fn compact(
        &self,
        venue: VenueId,
        epoch: u64,
        range: &JournalRow,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin_fenced(venue, epoch).await?;
        // What goes must be exactly what the range stands for.
        let covered: i64 = sqlx::query_scalar::<Db, _>(
            "SELECT CAST(coalesce(sum(seq - first_seq + 1), 0) AS BIGINT) FROM journal
             WHERE venue_id = $1 AND first_seq >= $2 AND seq <= $3
               AND kind IN ('step', 'range') AND NOT touched",
        )
        .bind(venue.0)
        .bind(signed(range.first_seq.0)?)
        .bind(signed(range.seq.0)?)
        .fetch_one(&mut *transaction)
        .await?;
        if unsigned(covered)? != range.seq.0 - range.first_seq.0 + 1 {
            return Err(StoreError::Corrupt(format!(
                "entries {} to {} are not a range",
                range.first_seq, range.seq
            )));
        }
        sqlx::query::<Db>("DELETE FROM journal WHERE venue_id = $1 AND seq >= $2 AND seq <= $3")
            .bind(venue.0)
            .bind(signed(range.first_seq.0)?)
            .bind(signed(range.seq.0)?)
            .execute(&mut *transaction)
            .await?;
        append(&mut transaction, venue, &[range.into()]).await?;
        transaction.commit().await?;
        Ok(())
    }
}
