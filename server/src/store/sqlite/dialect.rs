//! What SQLite does its own way: beginning to write, and writing many rows.
//!
//! Does not know what the rows mean.

use engine::id::{InstrumentId, VenueId};
use futures::TryStreamExt as _;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Either, Executor as _, SqliteConnection, Transaction};

use super::{Backend, Db};
use crate::store::api::error::StoreError;
use crate::store::rows::{Rows, Values, Write};
use crate::store::table::{Kind, Part, TABLES, Table, kinds};

/// Begins a transaction that will write: it takes the write lock at once,
/// because one that is taken after a read fails without waiting.
pub(crate) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// Nobody writes while a transaction does that has begun so.
pub(crate) const HAS_ONE_WRITER: bool = true;

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

/// How many rows one statement takes: few sizes, so that few texts are
/// prepared. What is left of a size is filled with rows of nothing.
const SIZES: [usize; 5] = [1, 4, 16, 32, 64];

/// Runs every statement over its rows, handed over as one; how many rows each
/// wrote.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    writes: &[Write<'_>],
) -> Result<Vec<u64>, sqlx::Error> {
    let parts: Vec<_> = writes.iter().map(|write| (&write.rows, write.statement.as_ref())).collect();
    run_all(connection, &parts).await
}

/// Runs `statement` over `rows`, which it sees as a table called `given`; the
/// number of rows that it wrote.
pub(crate) async fn run(
    connection: &mut SqliteConnection,
    rows: &Rows<'_>,
    statement: &str,
) -> Result<u64, sqlx::Error> {
    Ok(run_all(connection, &[(rows, statement)]).await?.iter().sum())
}

async fn run_all(
    connection: &mut SqliteConnection,
    parts: &[(&Rows<'_>, &str)],
) -> Result<Vec<u64>, sqlx::Error> {
    let (mut texts, mut blocks) = (Vec::new(), Vec::new());
    for (place, (rows, statement)) in parts.iter().enumerate() {
        let mut from = 0;
        while from < rows.len() {
            let left = rows.len() - from;
            let size = SIZES.into_iter().find(|size| *size >= left).unwrap_or(SIZES[SIZES.len() - 1]);
            texts.push(sql(rows, size, statement));
            blocks.push((place, from..from + size));
            from += size;
        }
    }
    let mut written = vec![0; parts.len()];
    if blocks.is_empty() {
        return Ok(written);
    }
    let mut query = sqlx::query::<Db>(AssertSqlSafe(texts.join(";\n")));
    for (place, block) in &blocks {
        for row in block.clone() {
            query = bind(query, parts[*place].0, row);
        }
    }
    let mut ends = blocks.iter();
    let mut results = connection.fetch_many(query);
    while let Some(result) = results.try_next().await? {
        if let (Either::Left(done), Some((place, _))) = (result, ends.next()) {
            written[*place] += done.rows_affected();
        }
    }
    Ok(written)
}

type Query<'q> = sqlx::query::Query<'q, Db, SqliteArguments>;

/// Binds a row; nothing where there is none.
fn bind<'q>(query: Query<'q>, rows: &Rows<'_>, row: usize) -> Query<'q> {
    rows.columns().fold(query, |query, column| match column {
        Values::Ids(values) => query.bind(values.get(row).copied().flatten()),
        Values::Numbers(values) => query.bind(values.get(row).copied().flatten()),
        Values::Flags(values) => query.bind(values.get(row).copied().flatten()),
        Values::Texts(values) => query.bind(values.get(row).copied().flatten()),
        Values::Bytes(values) => query.bind(values.get(row).copied().flatten()),
    })
}

/// The whole statement; every row of a table has a first column. Parameters
/// have no names: each named one would be looked for among all of them.
///
/// One that fails leaves what it has done: its transaction goes no further, and
/// what is not to be taken back alone need not be kept aside for it.
fn sql(rows: &Rows<'_>, size: usize, statement: &str) -> String {
    let places = vec!["?"; rows.width()].join(", ");
    let values = vec![format!("({places})"); size].join(", ");
    let names = rows.names();
    let statement = statement.replacen("INSERT INTO", "INSERT OR FAIL INTO", 1);
    format!("WITH given ({names}) AS (SELECT * FROM (VALUES {values}) WHERE column1 IS NOT NULL) {statement}")
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
