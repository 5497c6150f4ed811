//! All rows of a store out of it and into another one.
//!
//! Compiled for each backend. Does not know what the rows mean.

use std::collections::BTreeMap;

use engine::id::VenueId;
use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::sync::mpsc::{Receiver, Sender};

use super::{Backend, Db, dialect};
use crate::store::api::error::StoreError;
use crate::store::rows::insert;
use crate::store::table::{Kind, Owned, Part, Piece, TABLES, Table};

/// Rows that travel together: a journal row may be large.
const ROWS: usize = 500;

impl Backend {
    fn pool(&self, part: Part) -> &sqlx::Pool<Db> {
        match part {
            Part::Main => &self.main,
            Part::History => &self.history,
        }
    }

    /// Sends every row of every table, each part as of one instant. The
    /// history's is the earlier: nothing in it refers to money that is not
    /// there yet.
    pub(in crate::store) async fn read_all(&self, pieces: Sender<Option<Piece>>) -> Result<(), StoreError> {
        let mut history = self.history_readers.begin_with(dialect::BEGIN_SNAPSHOT).await?;
        sqlx::query::<Db>("SELECT count(*) FROM consumer_cursors").execute(&mut *history).await?;
        let mut main = self.main_readers.begin_with(dialect::BEGIN_SNAPSHOT).await?;
        sqlx::query::<Db>("SELECT count(*) FROM consumer_cursors").execute(&mut *main).await?;
        for table in TABLES {
            let connection = match table.part {
                Part::Main => &mut *main,
                Part::History => &mut *history,
            };
            let columns = dialect::columns(connection, table).await?;
            let names = columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
            let all = AssertSqlSafe(format!("SELECT {names} FROM {}", table.name));
            let mut rows = sqlx::query::<Db>(all).fetch(connection);
            let (mut piece, mut count) = (empty(table, &columns), 0);
            while let Some(row) = rows.try_next().await? {
                take(&row, &mut piece)?;
                count += 1;
                if count % ROWS == 0 {
                    let full = std::mem::replace(&mut piece, empty(table, &columns));
                    // Whoever takes them has failed and says why.
                    if pieces.send(Some(full)).await.is_err() {
                        return Ok(());
                    }
                }
            }
            if pieces.send(Some(piece)).await.is_err() {
                return Ok(());
            }
        }
        let _ = pieces.send(None).await;
        Ok(())
    }

    /// Writes all that comes, or nothing of it; an empty store takes it.
    pub(in crate::store) async fn write_all(
        &self,
        mut pieces: Receiver<Option<Piece>>,
    ) -> Result<(), StoreError> {
        let mut bulk = dialect::Bulk::begin(self).await?;
        for table in TABLES {
            if has_rows(bulk.on(table.part).await?, table).await? {
                return Err(StoreError::NotEmpty { table: table.name });
            }
        }
        // Not the backend's own: these are made only if the copy is.
        let partitions = dialect::Known::default();
        loop {
            let piece = match pieces.recv().await {
                Some(Some(piece)) => piece,
                Some(None) => break,
                None => return Err(StoreError::Corrupt("the copy ended in the middle".to_owned())),
            };
            let mut steps: BTreeMap<_, Vec<u64>> = BTreeMap::new();
            if ["market_ticks", "order_books"].contains(&piece.table.name) {
                for (venue, step) in piece.steps() {
                    steps.entry(venue).or_default().push(step.max(0).cast_unsigned());
                }
            }
            let connection = bulk.on(piece.table.part).await?;
            for (venue, steps) in steps {
                dialect::expect_steps(&partitions, connection, VenueId(venue), steps.into_iter()).await?;
            }
            let rows = piece.rows();
            dialect::run(connection, &rows, &insert(piece.table.name, &rows)).await?;
        }
        bulk.commit().await?;
        Ok(())
    }

    /// Refuses a past of a venue that there is not.
    pub(super) async fn expect_no_past(&self, venue: VenueId) -> Result<(), StoreError> {
        for table in TABLES.into_iter().filter(|table| table.part == Part::History) {
            let any = AssertSqlSafe(format!(
                "SELECT count(*) FROM (SELECT 1 FROM {} WHERE venue_id = $1 LIMIT 1) AS found",
                table.name
            ));
            let found: i64 =
                sqlx::query_scalar::<Db, i64>(any).bind(venue.0).fetch_one(&self.history_readers).await?;
            if found > 0 {
                return Err(StoreError::LeftOver { table: table.name });
            }
        }
        Ok(())
    }

    pub(in crate::store) async fn columns(&self, table: Table) -> Result<Vec<(String, Kind)>, StoreError> {
        let mut connection = self.pool(table.part).acquire().await?;
        dialect::columns(&mut connection, table).await
    }

    pub(in crate::store) async fn tables(&self, part: Part) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar::<Db, String>(dialect::TABLE_NAMES).fetch_all(self.pool(part)).await?)
    }

    pub(in crate::store) async fn venues(&self) -> Result<Vec<VenueId>, StoreError> {
        let ids = sqlx::query_scalar::<Db, uuid::Uuid>("SELECT venue_id FROM venues ORDER BY name")
            .fetch_all(&self.main_readers)
            .await?;
        Ok(ids.into_iter().map(VenueId).collect())
    }
}

async fn has_rows(
    connection: &mut <Db as sqlx::Database>::Connection,
    table: Table,
) -> Result<bool, StoreError> {
    let any = AssertSqlSafe(format!("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT 1) AS found", table.name));
    Ok(sqlx::query_scalar::<Db, i64>(any).fetch_one(connection).await? > 0)
}

fn empty(table: Table, columns: &[(String, Kind)]) -> Piece {
    let columns = columns.iter().map(|(name, kind)| (name.clone(), Owned::new(*kind))).collect();
    Piece { table, columns }
}

fn take(row: &<Db as sqlx::Database>::Row, piece: &mut Piece) -> Result<(), StoreError> {
    for (index, (_, values)) in piece.columns.iter_mut().enumerate() {
        match values {
            Owned::Ids(values) => values.push(row.try_get(index)?),
            Owned::Numbers(values) => values.push(row.try_get(index)?),
            Owned::Flags(values) => values.push(row.try_get(index)?),
            Owned::Texts(values) => values.push(row.try_get(index)?),
            Owned::Bytes(values) => values.push(row.try_get(index)?),
        }
    }
    Ok(())
}
