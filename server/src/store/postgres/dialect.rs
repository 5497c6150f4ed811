//! What PostgreSQL does its own way: writing many rows, and partitions.
//!
//! Does not know what the rows mean.

use engine::id::{InstrumentId, VenueId};
use sqlx::{AssertSqlSafe, PgConnection, Transaction};

pub(crate) use super::partitions::Known;
use super::{Backend, Db, copy, partitions};
use crate::store::api::error::StoreError;
use crate::store::rows::{Rows, Values};
use crate::store::table::{Kind, Part, Table, kinds};

/// Begins a transaction that will write.
pub(crate) const BEGIN_WRITE: &str = "BEGIN";

/// A transaction that writes a great deal to both schemas, however long it
/// takes.
pub(crate) struct Bulk {
    transaction: Transaction<'static, Db>,
    /// The schema that names are looked up in.
    part: Part,
}

impl Bulk {
    pub(crate) async fn begin(backend: &Backend) -> Result<Self, sqlx::Error> {
        let begin =
            "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
        Ok(Self { transaction: backend.main.begin_with(begin).await?, part: Part::Main })
    }

    /// Where a part is written.
    pub(crate) async fn on(&mut self, part: Part) -> Result<&mut PgConnection, sqlx::Error> {
        if part != self.part {
            let path = match part {
                Part::Main => "SET LOCAL search_path = public",
                Part::History => "SET LOCAL search_path = history",
            };
            sqlx::raw_sql(path).execute(&mut *self.transaction).await?;
            self.part = part;
        }
        Ok(&mut self.transaction)
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        self.transaction.commit().await
    }
}

/// Begins a transaction that sees one instant, however long it takes.
pub(crate) const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

/// Names of the tables, a partitioned one as one.
pub(crate) const TABLE_NAMES: &str = "SELECT relname::text FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
      AND relname NOT LIKE '%sqlx%' ORDER BY relname";

/// A table's columns, in order.
pub(crate) async fn columns(
    connection: &mut PgConnection,
    table: Table,
) -> Result<Vec<(String, Kind)>, StoreError> {
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
    )
    .bind(table.name)
    .fetch_all(connection)
    .await?;
    kinds(table, columns)
}

/// Runs `statement` over `rows`, which it sees as a table called `given`; the
/// number of rows that it wrote.
pub(crate) async fn run(
    connection: &mut PgConnection,
    rows: &Rows<'_>,
    statement: &str,
) -> Result<u64, sqlx::Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    let arrays: Vec<_> =
        rows.columns().zip(1..).map(|(column, n)| format!("${n}::{}[]", kind(column))).collect();
    let sql =
        format!("WITH given ({}) AS (SELECT * FROM UNNEST({})) {statement}", rows.names(), arrays.join(", "));
    let mut query = sqlx::query::<Db>(AssertSqlSafe(sql));
    for column in rows.columns() {
        query = match column {
            Values::Ids(values) => query.bind(values),
            Values::Numbers(values) => query.bind(values),
            Values::Flags(values) => query.bind(values),
            Values::Texts(values) => query.bind(values),
            Values::Bytes(values) => query.bind(values),
        };
    }
    Ok(query.execute(connection).await?.rows_affected())
}

fn kind(column: &Values<'_>) -> &'static str {
    match column {
        Values::Ids(_) => "uuid",
        Values::Numbers(_) => "bigint",
        Values::Flags(_) => "boolean",
        Values::Texts(_) => "text",
        Values::Bytes(_) => "bytea",
    }
}

/// A table, new rows for it, and the statement that adds them or replaces what
/// stands in their place.
pub(crate) type Addition<'a> = (&'static str, Rows<'a>, &'static str);

/// Begins a transaction on the history and adds rows to its tables: copied, or
/// one by one with what stands in their place when some were there before.
pub(crate) async fn add_history(
    backend: &Backend,
    additions: &[Addition<'_>],
) -> Result<Transaction<'static, Db>, StoreError> {
    let mut transaction = backend.history.begin().await?;
    match copy::add(&mut transaction, additions).await {
        Ok(()) => return Ok(transaction),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {}
        Err(error) => return Err(error.into()),
    }
    transaction.rollback().await?;
    let mut transaction = backend.history.begin().await?;
    for (_, rows, statement) in additions {
        run(&mut transaction, rows, statement).await?;
    }
    Ok(transaction)
}

/// Readies the tick tables for rows of `steps`.
pub(crate) async fn expect_steps(
    known: &Known,
    connection: &mut PgConnection,
    venue: VenueId,
    steps: impl Iterator<Item = u64>,
) -> Result<(), StoreError> {
    partitions::make(known, connection, venue, steps).await
}

/// Lets go of what is older than the newest `rows` of every instrument, as far
/// as whole partitions go.
pub(crate) async fn retain(
    backend: &Backend,
    venue: VenueId,
    _instrument: InstrumentId,
    rows: i64,
) -> Result<(), StoreError> {
    partitions::drop(backend, venue, rows).await
}
