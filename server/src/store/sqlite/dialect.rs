//! What SQLite does its own way: beginning to write, and writing many rows.
//!
//! Does not know what the rows mean.

use engine::id::{InstrumentId, VenueId};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{Backend, Db};
use crate::store::api::error::StoreError;
use crate::store::rows::{Rows, Values, Write};
use crate::store::table::{Kind, Table, kinds};

/// Begins a transaction that will write: it takes the write lock at once,
/// because one that is taken after a read fails without waiting.
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// Begins a transaction that will write a great deal.
pub(crate) const BEGIN_BULK: &str = BEGIN_WRITE;

/// Begins a transaction that sees one instant.
pub(crate) const BEGIN_SNAPSHOT: &str = "BEGIN";

/// Names of the tables.
pub(crate) const TABLES: &str = "SELECT name FROM sqlite_master
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
) -> Result<sqlx::Transaction<'static, Db>, StoreError> {
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
