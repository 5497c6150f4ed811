//! Partitions of the tick tables: made before their rows come, dropped when
//! retention no longer needs any of theirs.
//!
//! The tables themselves are the migration's business. Does not know what a
//! row says.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use engine::id::VenueId;
use sqlx::PgConnection;

use super::Backend;
use crate::store::api::error::StoreError;

/// Steps of one partition, as the migration has it.
const STEPS: u64 = 100_000;

/// What PostgreSQL says when a lock did not come in time.
const LOCKED: &str = "55P03";

/// Partitions that are known to be there.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<BTreeSet<(VenueId, u64)>>);

impl Known {
    fn lacks(&self, venue: VenueId, number: u64) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&(venue, number))
    }

    fn add(&self, venue: VenueId, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((venue, number));
    }
}

/// Makes the partitions of `steps`, and the next one ahead of its first row.
///
/// A table that a reader keeps us from changing is left as it is: rows without
/// a partition have a place, and the next batch tries again.
pub(crate) async fn make(
    known: &Known,
    connection: &mut PgConnection,
    venue: VenueId,
    steps: impl Iterator<Item = u64>,
) -> Result<(), StoreError> {
    let mut wanted: BTreeSet<u64> = steps.map(|step| step / STEPS).collect();
    wanted.extend(wanted.last().map(|newest| newest + 1));
    for number in wanted.into_iter().filter(|number| known.lacks(venue, *number)) {
        let made = sqlx::query("SELECT make_partitions($1, $2)")
            .bind(venue.0)
            .bind(number.cast_signed())
            .execute(&mut *connection)
            .await;
        match made {
            Ok(_) => known.add(venue, number),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(LOCKED) => {
                tracing::warn!(
                    event = "partition_not_made",
                    number,
                    "a reader is in the way of a new partition"
                );
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Drops the partitions without which every instrument keeps `rows` rows.
pub(crate) async fn drop(backend: &Backend, venue: VenueId, rows: i64) -> Result<(), StoreError> {
    sqlx::query("SELECT drop_partitions($1, $2)").bind(venue.0).bind(rows).execute(&backend.history).await?;
    Ok(())
}
