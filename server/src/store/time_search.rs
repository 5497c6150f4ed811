//! Search for the row at which a numbered table passes a time.
//!
//! Times never fall as the numbers rise, so a binary search over the index on the
//! numbers finds the row, and writers pay for no index on the times. Does not know
//! what the rows mean.

use engine::time::VenueTime;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::copying::Schema;
use super::journal::signed;
use super::{Store, StoreError, on_backend};

/// Highest bit of a number that is found: no journal is as long.
const HIGHEST_BIT: i64 = 1 << 46;

/// A table whose rows have rising numbers, and times that never fall.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberedTable {
    pub(super) schema: Schema,
    pub(super) name: &'static str,
    /// Column of the number; the end of an index that begins with `key`.
    pub(super) number: &'static str,
    /// Column of the time.
    pub(super) time: &'static str,
    /// Columns of ids, each with one value in all rows that are searched.
    pub(super) key: &'static [&'static str],
}

impl NumberedTable {
    /// SQL of the number of the last row before a time, 0 without one. Its parameters
    /// are the key's values, then the time.
    ///
    /// Determines the number bit by bit: a bit belongs to it if the first row from
    /// there on is still before the time.
    pub(super) fn last_before_sql(&self) -> String {
        let time = self.time_from_sql("search.found + search.next_bit");
        let end = self.key.len() + 1;
        format!(
            "WITH RECURSIVE search (found, next_bit) AS (
                 SELECT CAST(0 AS BIGINT), CAST({HIGHEST_BIT} AS BIGINT)
                 UNION ALL
                 SELECT CASE WHEN ({time}) < ${end}
                             THEN search.found + search.next_bit ELSE search.found END,
                        search.next_bit / 2
                 FROM search WHERE search.next_bit > 0
             )
             SELECT found FROM search WHERE next_bit = 0"
        )
    }

    /// SQL of the time of the first row whose number is at least `first`. The key's
    /// values are its first parameters.
    pub(super) fn time_from_sql(&self, first: &str) -> String {
        let Self { name, number, time, key, .. } = self;
        let conditions: String = (1..)
            .zip(*key)
            .map(|(parameter, column)| format!("{name}.{column} = ${parameter} AND "))
            .collect();
        format!(
            "SELECT {name}.{time} FROM {name} WHERE {conditions}{name}.{number} >= {first}
             ORDER BY {name}.{number} LIMIT 1"
        )
    }
}

impl Store {
    /// Bounds, both exclusive, of the numbers of the rows with `key` that lie in a
    /// half-open window of time and before number `before`.
    pub(super) async fn number_bounds(
        &self,
        table: NumberedTable,
        key: &[Uuid],
        from: Option<VenueTime>,
        to: Option<VenueTime>,
        before: Option<u64>,
    ) -> Result<(i64, i64), StoreError> {
        let before = before.map_or(Ok(i64::MAX), signed)?;
        let after = match from {
            Some(from) => self.last_before(table, key, from).await?,
            None => 0,
        };
        Ok(match to {
            Some(to) => (after, before.min(self.last_before(table, key, to).await? + 1)),
            None => (after, before),
        })
    }

    async fn last_before(
        &self,
        table: NumberedTable,
        key: &[Uuid],
        time: VenueTime,
    ) -> Result<i64, StoreError> {
        Ok(on_backend!(self, |backend| {
            let mut query = sqlx::query_scalar(AssertSqlSafe(table.last_before_sql()));
            for id in key {
                query = query.bind(*id);
            }
            query.bind(time.0).fetch_one(backend.readers(table.schema)).await?
        }))
    }
}
