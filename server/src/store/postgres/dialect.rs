//! What PostgreSQL does its own way: writing many rows, and partitions.
//!
//! Does not know what the rows mean.

use engine::id::{InstrumentId, VenueId};
use sqlx::postgres::PgArguments;
use sqlx::{AssertSqlSafe, PgConnection, Row as _, Transaction};

pub(crate) use super::partitions::Known;
use super::{Backend, Db, copy, partitions};
use crate::store::api::error::StoreError;
use crate::store::rows::{Rows, Values, Write};
use crate::store::table::{Kind, Part, Table, kinds};

/// Begins a transaction that will write.
pub(crate) const BEGIN_WRITE: &str = "BEGIN";

/// Others may write while a transaction does.
pub(crate) const HAS_ONE_WRITER: bool = false;

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

/// Runs every statement over its rows, all in one round trip; how many rows
/// each wrote. None sees what the others write.
pub(crate) async fn write(
    connection: &mut PgConnection,
    writes: &[Write<'_>],
) -> Result<Vec<u64>, sqlx::Error> {
    let there: Vec<_> = writes.iter().filter(|write| !write.rows.is_empty()).collect();
    if there.is_empty() {
        return Ok(vec![0; writes.len()]);
    }
    let (mut parts, mut counts, mut taken) = (Vec::new(), Vec::new(), 0);
    for (at, Write { rows, statement, .. }) in there.iter().enumerate() {
        parts.push(format!("w{at} AS ({} {statement} RETURNING 1)", given(rows, taken)));
        counts.push(format!("(SELECT count(*) FROM w{at})"));
        taken += rows.width();
    }
    let sql = format!("WITH {} SELECT {}", parts.join(", "), counts.join(", "));
    let query = sqlx::query::<Db>(AssertSqlSafe(sql));
    let query = there.iter().fold(query, |query, write| bind(query, &write.rows));
    let row = query.fetch_one(connection).await?;
    let mut places = 0..there.len();
    let mut written = |write: &Write<'_>| match write.rows.is_empty() {
        true => Ok(0),
        false => row.try_get(places.next().unwrap_or_default()).map(i64::cast_unsigned),
    };
    writes.iter().map(&mut written).collect()
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
    let query = sqlx::query::<Db>(AssertSqlSafe(format!("{} {statement}", given(rows, 0))));
    Ok(bind(query, rows).execute(connection).await?.rows_affected())
}

/// `rows` as the parameters after the first `taken`.
fn given(rows: &Rows<'_>, taken: usize) -> String {
    let arrays: Vec<_> =
        rows.columns().zip(taken + 1..).map(|(column, n)| format!("${n}::{}[]", kind(column))).collect();
    format!("WITH given ({}) AS (SELECT * FROM UNNEST({}))", rows.names(), arrays.join(", "))
}

type Query<'q> = sqlx::query::Query<'q, Db, PgArguments>;

fn bind<'q>(query: Query<'q>, rows: &'q Rows<'_>) -> Query<'q> {
    rows.columns().fold(query, |query, column| match column {
        Values::Ids(values) => query.bind(values),
        Values::Numbers(values) => query.bind(values),
        Values::Flags(values) => query.bind(values),
        Values::Texts(values) => query.bind(values),
        Values::Bytes(values) => query.bind(values),
    })
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
