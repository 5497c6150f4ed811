//! Partitions of the tick tables, created before their rows are written.
//!
//! The migration's functions create and drop them. Does not know what a row says.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use engine::id::VenueId;
use sqlx::PgConnection;

use crate::store::StoreError;

/// Steps per partition, as in the migration.
const PARTITION_STEPS: u64 = 100_000;

/// SQLSTATE of a lock timeout.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Partitions that are known to exist, by venue and number.
#[derive(Debug, Default)]
pub(super) struct PartitionCache(Mutex<BTreeSet<(VenueId, u64)>>);

impl PartitionCache {
    fn contains(&self, venue: VenueId, number: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&(venue, number))
    }

    fn insert(&self, venue: VenueId, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((venue, number));
    }
}

/// Creates the partitions of `steps`, and the next one ahead of its first row.
///
/// If a reader holds the table's lock, the partition is not created: its rows go to
/// the default partition, and the next batch tries again.
pub(super) async fn create(
    cache: &PartitionCache,
    connection: &mut PgConnection,
    venue: VenueId,
    steps: impl Iterator<Item = u64>,
) -> Result<(), StoreError> {
    let mut numbers: BTreeSet<u64> = steps.map(|step| step / PARTITION_STEPS).collect();
    numbers.extend(numbers.last().map(|newest| newest + 1));
    for number in numbers.into_iter().filter(|number| !cache.contains(venue, *number)) {
        let query = sqlx::query("SELECT make_partitions($1, $2)").bind(venue.0).bind(number.cast_signed());
        match query.execute(&mut *connection).await {
            Ok(_) => cache.insert(venue, number),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(LOCK_NOT_AVAILABLE) => {
                tracing::warn!(event = "partition_not_made", number, "a reader blocks a new partition");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
