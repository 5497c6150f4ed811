//! Partitions of the tick tables: made before their rows come, dropped when
//! retention no longer needs any of theirs.
//!
//! The tables themselves are the migration's business. Does not know what a
//! row says.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use engine::id::VenueId;

use super::Backend;
use crate::store::api::error::StoreError;

/// Steps of one partition, as the migration has it.
const STEPS: u64 = 100_000;

/// Partitions that are known to be there.
#[derive(Debug, Default)]
pub(in crate::store) struct Known(Mutex<BTreeSet<(VenueId, u64)>>);

impl Known {
    fn lacks(&self, venue: VenueId, number: u64) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&(venue, number))
    }

    fn add(&self, venue: VenueId, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((venue, number));
    }
}

/// Makes the partitions of `steps`, and the next one ahead of its first row.
pub(crate) async fn make(
    backend: &Backend,
    venue: VenueId,
    steps: impl Iterator<Item = u64>,
) -> Result<(), StoreError> {
    let mut wanted: BTreeSet<u64> = steps.map(|step| step / STEPS).collect();
    wanted.extend(wanted.last().map(|newest| newest + 1));
    for number in wanted.into_iter().filter(|number| backend.partitions.lacks(venue, *number)) {
        sqlx::query("SELECT make_partitions($1, $2)")
            .bind(venue.0)
            .bind(number.cast_signed())
            .execute(&backend.history)
            .await?;
        backend.partitions.add(venue, number);
    }
    Ok(())
}

/// Drops the partitions without which every instrument keeps `rows` rows.
pub(crate) async fn drop(backend: &Backend, venue: VenueId, rows: i64) -> Result<(), StoreError> {
    sqlx::query("SELECT drop_partitions($1, $2)").bind(venue.0).bind(rows).execute(&backend.history).await?;
    Ok(())
}
