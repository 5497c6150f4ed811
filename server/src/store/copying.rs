//! Copy of all rows of a store into another one, of whichever backend.
//!
//! Does not know what the rows mean.

use std::borrow::Cow;
use std::collections::BTreeMap;

use engine::id::VenueId;
use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use uuid::Uuid;

use super::batch_statement::{BatchConnection as _, BatchStatement, ColumnValues, InputRows};
use super::{Store, StoreError, on_backend};

/// Chunks between reader and writer.
const CHANNEL_CAPACITY: usize = 4;

/// Rows per chunk; few, because a journal row may be large.
const CHUNK_ROWS: usize = 500;

/// Part of the store: a SQLite file or a PostgreSQL schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Money, users, sessions.
    Main,
    /// Market history.
    History,
}

/// A table of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Schema of the table.
    pub schema: Schema,
    /// Name in the schema.
    pub name: &'static str,
}

const fn main(name: &'static str) -> Table {
    Table { schema: Schema::Main, name }
}

const fn history(name: &'static str) -> Table {
    Table { schema: Schema::History, name }
}

/// All tables, each after those that it refers to.
pub const TABLES: [Table; 22] = [
    history("market_ticks"),
    history("order_books"),
    history("dealer_quotes"),
    history("candles"),
    history("portfolio_snapshots"),
    history("sim_snapshots"),
    history("consumer_cursors"),
    main("venues"),
    main("epochs"),
    main("journal"),
    main("state_snapshots"),
    main("consumer_cursors"),
    main("instruments"),
    main("users"),
    main("user_accounts"),
    main("password_resets"),
    main("sessions"),
    main("accounts"),
    main("orders"),
    main("trades"),
    main("positions"),
    main("ledger"),
];

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// UUIDs.
    Id,
    /// 64-bit integers.
    Number,
    /// Booleans.
    Flag,
    /// Texts.
    Text,
    /// Byte strings.
    Bytes,
}

impl ColumnType {
    /// Parses a declared type. In SQLite, ids and byte strings are both BLOBs; the
    /// column's name tells them apart.
    fn parse(column: &str, declared: &str) -> Option<Self> {
        let is_id = ["id", "holder"].contains(&column) || column.ends_with("_id");
        match declared.to_ascii_lowercase().as_str() {
            "uuid" => Some(Self::Id),
            "blob" if is_id => Some(Self::Id),
            "blob" | "bytea" => Some(Self::Bytes),
            "bigint" => Some(Self::Number),
            "boolean" => Some(Self::Flag),
            "text" => Some(Self::Text),
            _ => None,
        }
    }
}

/// Names and types of a table's columns from their declarations.
fn column_types(
    table: Table,
    declared: Vec<(String, String)>,
) -> Result<Vec<(String, ColumnType)>, StoreError> {
    let column_type = |(name, declared): (String, String)| match ColumnType::parse(&name, &declared) {
        Some(column_type) => Ok((name, column_type)),
        None => Err(StoreError::Corrupt(format!("{}.{name} is of type {declared}", table.name))),
    };
    declared.into_iter().map(column_type).collect()
}

/// Rows of a table.
#[derive(Debug)]
pub(super) struct RowChunk {
    pub(super) table: Table,
    columns: Vec<(String, OwnedValues)>,
}

/// Values of one column.
#[derive(Debug)]
enum OwnedValues {
    Ids(Vec<Option<Uuid>>),
    Numbers(Vec<Option<i64>>),
    Flags(Vec<Option<bool>>),
    Texts(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl OwnedValues {
    fn new(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::Id => Self::Ids(Vec::new()),
            ColumnType::Number => Self::Numbers(Vec::new()),
            ColumnType::Flag => Self::Flags(Vec::new()),
            ColumnType::Text => Self::Texts(Vec::new()),
            ColumnType::Bytes => Self::Bytes(Vec::new()),
        }
    }
}

impl RowChunk {
    fn new(table: Table, columns: &[(String, ColumnType)]) -> Self {
        let columns = columns.iter().map(|(name, kind)| (name.clone(), OwnedValues::new(*kind))).collect();
        Self { table, columns }
    }

    /// The rows as input of a statement.
    fn input(&self) -> InputRows<'_> {
        self.columns.iter().fold(InputRows::new(), |rows, (name, values)| {
            let (len, values) = match values {
                OwnedValues::Ids(values) => (values.len(), ColumnValues::Ids(values.clone())),
                OwnedValues::Numbers(values) => (values.len(), ColumnValues::Numbers(values.clone())),
                OwnedValues::Flags(values) => (values.len(), ColumnValues::Flags(values.clone())),
                OwnedValues::Texts(values) => {
                    (values.len(), ColumnValues::Texts(values.iter().map(Option::as_deref).collect()))
                }
                OwnedValues::Bytes(values) => {
                    (values.len(), ColumnValues::Bytes(values.iter().map(Option::as_deref).collect()))
                }
            };
            rows.column(Cow::Owned(name.clone()), len, values)
        })
    }

    /// Steps of the rows by venue.
    pub(super) fn steps_by_venue(&self) -> BTreeMap<VenueId, Vec<u64>> {
        let column =
            |name: &str| self.columns.iter().find(|(other, _)| other == name).map(|(_, values)| values);
        let mut steps: BTreeMap<_, Vec<u64>> = BTreeMap::new();
        if let (Some(OwnedValues::Ids(venues)), Some(OwnedValues::Numbers(numbers))) =
            (column("venue_id"), column("step"))
        {
            for (venue, step) in venues.iter().zip(numbers).filter_map(|(venue, step)| venue.zip(*step)) {
                steps.entry(VenueId(venue)).or_default().push(step.max(0).cast_unsigned());
            }
        }
        steps
    }
}

impl Store {
    /// Copies everything into `target`, which must be empty: all of it or nothing. It
    /// should be opened with [`Self::open_for_copy`]. Others may write here meanwhile; the copy is as of its beginning.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`], [`StoreError::Database`].
    pub async fn copy_into(&self, target: &Self) -> Result<(), StoreError> {
        let (sender, receiver) = channel(CHANNEL_CAPACITY);
        // If the reader fails, the writer's transaction is dropped without a commit.
        tokio::try_join!(self.send_rows(sender), target.receive_rows(receiver)).map(|_| ())
    }

    /// Sends every row of every table, each schema as of one instant, and `None` at
    /// the end. The history's instant is the earlier one: none of its rows refers to
    /// money that the copy lacks.
    async fn send_rows(&self, chunks: Sender<Option<RowChunk>>) -> Result<(), StoreError> {
        on_backend!(self, |backend| {
            // The first read fixes the instant.
            let first_read = "SELECT count(*) FROM consumer_cursors";
            let mut history = backend.begin_snapshot(Schema::History).await?;
            sqlx::query(first_read).execute(&mut *history).await?;
            let mut main = backend.begin_snapshot(Schema::Main).await?;
            sqlx::query(first_read).execute(&mut *main).await?;
            for table in TABLES {
                let connection = match table.schema {
                    Schema::Main => &mut *main,
                    Schema::History => &mut *history,
                };
                let declared = sqlx::query_as(backend.columns_sql())
                    .bind(table.name)
                    .fetch_all(&mut *connection)
                    .await?;
                let columns = column_types(table, declared)?;
                let names = columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
                let select = AssertSqlSafe(format!("SELECT {names} FROM {}", table.name));
                let mut rows = sqlx::query(select).fetch(connection);
                let (mut chunk, mut count) = (RowChunk::new(table, &columns), 0);
                while let Some(row) = rows.try_next().await? {
                    for (index, (_, values)) in chunk.columns.iter_mut().enumerate() {
                        match values {
                            OwnedValues::Ids(values) => values.push(row.try_get(index)?),
                            OwnedValues::Numbers(values) => values.push(row.try_get(index)?),
                            OwnedValues::Flags(values) => values.push(row.try_get(index)?),
                            OwnedValues::Texts(values) => values.push(row.try_get(index)?),
                            OwnedValues::Bytes(values) => values.push(row.try_get(index)?),
                        }
                    }
                    count += 1;
                    if count % CHUNK_ROWS == 0 {
                        let full = std::mem::replace(&mut chunk, RowChunk::new(table, &columns));
                        // A closed channel means that the receiver failed and says why.
                        if chunks.send(Some(full)).await.is_err() {
                            return Ok(());
                        }
                    }
                }
                if chunks.send(Some(chunk)).await.is_err() {
                    return Ok(());
                }
            }
        });
        let _ = chunks.send(None).await;
        Ok(())
    }

    /// Writes all chunks up to the final `None`, or nothing; the store must be empty.
    async fn receive_rows(&self, mut chunks: Receiver<Option<RowChunk>>) -> Result<(), StoreError> {
        on_backend!(self, |backend| {
            let mut bulk = backend.begin_bulk().await?;
            for table in TABLES {
                let any = AssertSqlSafe(format!("SELECT EXISTS (SELECT 1 FROM {})", table.name));
                if sqlx::query_scalar(any).fetch_one(bulk.connection(table.schema).await?).await? {
                    bulk.refuse()?;
                    return Err(StoreError::NotEmpty { table: table.name });
                }
            }
            loop {
                let chunk = match chunks.recv().await {
                    Some(Some(chunk)) => chunk,
                    Some(None) => break,
                    None => return Err(StoreError::Corrupt("the copy ended early".to_owned())),
                };
                bulk.prepare_partitions(&chunk).await?;
                let insert = BatchStatement::insert(chunk.table.name, chunk.input());
                bulk.connection(chunk.table.schema).await?.run_batch(&[insert]).await?;
            }
            bulk.commit().await?;
        });
        Ok(())
    }

    /// Checks that there is no history of a venue that does not exist yet.
    ///
    /// # Errors
    /// [`StoreError::OrphanedHistory`], [`StoreError::Database`].
    pub(super) async fn check_no_history(&self, venue: VenueId) -> Result<(), StoreError> {
        for table in TABLES.into_iter().filter(|table| table.schema == Schema::History) {
            let any = format!("SELECT EXISTS (SELECT 1 FROM {} WHERE venue_id = $1)", table.name);
            let found: bool = on_backend!(self, |backend| {
                let query = sqlx::query_scalar(AssertSqlSafe(any)).bind(venue.0);
                query.fetch_one(&backend.history_readers).await?
            });
            if found {
                return Err(StoreError::OrphanedHistory { table: table.name });
            }
        }
        Ok(())
    }

    /// All venues, by name.
    pub async fn venues(&self) -> Result<Vec<VenueId>, StoreError> {
        let ids: Vec<Uuid> = on_backend!(self, |backend| {
            sqlx::query_scalar("SELECT venue_id FROM venues ORDER BY name")
                .fetch_all(&backend.main_readers)
                .await?
        });
        Ok(ids.into_iter().map(VenueId).collect())
    }

    /// Names of the tables of a schema, sorted.
    pub async fn table_names(&self, schema: Schema) -> Result<Vec<String>, StoreError> {
        Ok(on_backend!(self, |backend| {
            sqlx::query_scalar(backend.table_names_sql()).fetch_all(backend.pool(schema)).await?
        }))
    }

    /// Names and types of a table's columns, in order.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`] for a type that no migration
    /// uses.
    pub async fn columns(&self, table: Table) -> Result<Vec<(String, ColumnType)>, StoreError> {
        let declared = on_backend!(self, |backend| {
            let query = sqlx::query_as(backend.columns_sql()).bind(table.name);
            query.fetch_all(backend.pool(table.schema)).await?
        });
        column_types(table, declared)
    }
}
