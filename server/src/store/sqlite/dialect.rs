//! What SQLite does its own way: beginning to write, and writing many rows.
//!
//! Does not know what the rows mean.

use engine::id::{InstrumentId, VenueId};
use sqlx::{AssertSqlSafe, SqliteConnection, Transaction};

use super::{Backend, Db};
use crate::store::api::error::StoreError;
use crate::store::rows::{Rows, Values, Write};
use crate::store::table::{Kind, Part, TABLES, Table, kinds};

/// Begins a transaction that will write: it takes the write lock at once,
/// because one that is taken after a read fails without waiting.
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// Stands in the history's header from its commit until the other file's, which
/// has the venue: so whoever copies again knows what a killed copy left.
const UNSETTLED: i64 = 1;

/// A transaction that writes a great deal to both files.
pub(crate) struct Bulk {
    main: Transaction<'static, Db>,
    history: Transaction<'static, Db>,
    history_pool: sqlx::Pool<Db>,
}

impl Bulk {
    pub(crate) async fn begin(backend: &Backend) -> Result<Self, sqlx::Error> {
        let mut history = backend.history.begin_with(BEGIN_WRITE).await?;
        let mut main = backend.main.begin_with(BEGIN_WRITE).await?;
        let venues: i64 = sqlx::query_scalar("SELECT count(*) FROM venues").fetch_one(&mut *main).await?;
        let mark: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *history).await?;
        if mark == UNSETTLED && venues == 0 {
            for table in TABLES.into_iter().filter(|table| table.part == Part::History) {
                let all = AssertSqlSafe(format!("DELETE FROM {}", table.name));
                sqlx::query(all).execute(&mut *history).await?;
            }
        }
        sqlx::query("PRAGMA user_version = 1").execute(&mut *history).await?;
        Ok(Self { main, history, history_pool: backend.history.clone() })
    }

    /// Where a part is written.
    pub(crate) async fn on(&mut self, part: Part) -> Result<&mut SqliteConnection, sqlx::Error> {
        Ok(match part {
            Part::Main => &mut self.main,
            Part::History => &mut self.history,
        })
    }

    /// The venue's file is the last: a folder with a venue in it has
    /// everything, and none is made beside a past that is left over.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        self.history.commit().await?;
        self.main.commit().await?;
        sqlx::query("PRAGMA user_version = 0").execute(&self.history_pool).await?;
        Ok(())
    }
}

/// Begins a transaction that sees one instant.
pub(crate) const BEGIN_SNAPSHOT: &str = "BEGIN";

/// Names of the tables.
pub(crate) const TABLE_NAMES: &str = "SELECT name FROM sqlite_master
    WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%sqlx%' ORDER BY name";

/// A table's columns, in order.
pub(crate) async fn columns(
    connection: &mut SqliteConnection,
    table: Table,
) -> Result<Vec<(String, Kind)>, StoreError> {
    let columns: Vec<(String, String)> =
        sqlx::query_as("SELECT name, type FROM pragma_table_info($1) ORDER BY cid")
            .bind(table.name)
            .fetch_all(connection)
            .await?;
    kinds(table, columns)
}

/// How many rows one statement takes: few sizes, so that each is prepared once.
const CHUNKS: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

/// Runs every statement over its rows; how many rows each wrote.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    writes: &[Write<'_>],
) -> Result<Vec<u64>, sqlx::Error> {
    let mut written = Vec::with_capacity(writes.len());
    for Write { rows, statement, .. } in writes {
        written.push(run(connection, rows, statement).await?);
    }
    Ok(written)
}

/// Runs `statement` over `rows`, which it sees as a table called `given`; the
/// number of rows that it wrote.
pub(crate) async fn run(
    connection: &mut SqliteConnection,
    rows: &Rows<'_>,
    statement: &str,
) -> Result<u64, sqlx::Error> {
    let (mut at, mut written) = (0, 0);
    while at < rows.len() {
        let left = rows.len() - at;
        let size = CHUNKS.into_iter().find(|size| *size <= left).unwrap_or(1);
        let mut query = sqlx::query::<Db>(AssertSqlSafe(sql(rows, size, statement)));
        for row in at..at + size {
            for column in rows.columns() {
                query = match column {
                    Values::Ids(values) => query.bind(values[row]),
                    Values::Numbers(values) => query.bind(values[row]),
                    Values::Flags(values) => query.bind(values[row]),
                    Values::Texts(values) => query.bind(values[row]),
                    Values::Bytes(values) => query.bind(values[row]),
                };
            }
        }
        written += query.execute(&mut *connection).await?.rows_affected();
        at += size;
    }
    Ok(written)
}

/// The whole statement. Its parameters have no names: each named one would be
/// looked for among all of them.
fn sql(rows: &Rows<'_>, size: usize, statement: &str) -> String {
    let places = vec!["?"; rows.width()].join(", ");
    let given = vec![format!("({places})"); size].join(", ");
    format!("WITH given ({}) AS (VALUES {given}) {statement}", rows.names())
}

/// A table, new rows for it, and the statement that adds them or replaces what
/// stands in their place.
pub(crate) type Addition<'a> = (&'static str, Rows<'a>, &'static str);

/// Begins a transaction on the history and adds rows to its tables.
pub(crate) async fn add_history(
    backend: &Backend,
    additions: &[Addition<'_>],
) -> Result<Transaction<'static, Db>, StoreError> {
    let mut transaction = backend.history.begin_with(BEGIN_WRITE).await?;
    for (_, rows, statement) in additions {
        run(&mut transaction, rows, statement).await?;
    }
    Ok(transaction)
}

/// What is known of partitions, which there are not.
#[derive(Debug, Default)]
pub(crate) struct Known(());

/// Readies the tick tables for rows of `steps`.
pub(crate) async fn expect_steps(
    _known: &Known,
    _connection: &mut SqliteConnection,
    _venue: VenueId,
    _steps: impl Iterator<Item = u64>,
) -> Result<(), StoreError> {
    Ok(())
}

/// Removes what is older than an instrument's newest `rows`.
pub(crate) async fn retain(
    backend: &Backend,
    venue: VenueId,
    instrument: InstrumentId,
    rows: i64,
) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM market_ticks WHERE venue_id = $1 AND instrument_id = $2 AND step <= (
             SELECT step FROM market_ticks WHERE venue_id = $1 AND instrument_id = $2
             ORDER BY step DESC LIMIT 1 OFFSET $3
         )",
        "DELETE FROM order_books WHERE venue_id = $1 AND instrument_id = $2 AND step <= (
             SELECT step FROM order_books WHERE venue_id = $1 AND instrument_id = $2
             ORDER BY step DESC LIMIT 1 OFFSET $3
         )",
    ] {
        sqlx::query::<Db>(statement)
            .bind(venue.0)
            .bind(instrument.0)
            .bind(rows)
            .execute(&backend.history)
            .await?;
    }
    Ok(())
}
