//! Batch statements: rows as columns, and the SQL that reads them as a table
//! called `input`.
//!
//! A backend runs many statements in one round trip. Does not know what the rows
//! mean.

use std::borrow::Cow;

use uuid::Uuid;

use super::StoreError;

/// Values of one column.
#[derive(Debug)]
pub(crate) enum ColumnValues<'a> {
    Ids(Vec<Option<Uuid>>),
    Numbers(Vec<Option<i64>>),
    Flags(Vec<Option<bool>>),
    Texts(Vec<Option<&'a str>>),
    Bytes(Vec<Option<&'a [u8]>>),
}

/// Named columns of equal length.
#[derive(Debug, Default)]
pub(crate) struct InputRows<'a> {
    columns: Vec<(Cow<'static, str>, ColumnValues<'a>)>,
    len: usize,
}

impl<'a> InputRows<'a> {
    /// No columns.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a column of ids.
    pub(crate) fn ids<T: Into<Option<Uuid>>>(self, name: &'static str, ids: impl Iterator<Item = T>) -> Self {
        let values: Vec<_> = ids.map(Into::into).collect();
        self.column(name, values.len(), ColumnValues::Ids(values))
    }

    /// Adds a column of integers.
    pub(crate) fn numbers<T: Into<Option<i64>>>(
        self,
        name: &'static str,
        numbers: impl Iterator<Item = T>,
    ) -> Self {
        let values: Vec<_> = numbers.map(Into::into).collect();
        self.column(name, values.len(), ColumnValues::Numbers(values))
    }

    /// Adds a column of booleans.
    pub(crate) fn flags(self, name: &'static str, flags: impl Iterator<Item = bool>) -> Self {
        let values: Vec<_> = flags.map(Some).collect();
        self.column(name, values.len(), ColumnValues::Flags(values))
    }

    /// Adds a column of texts.
    pub(crate) fn texts<T: Into<Option<&'a str>>>(
        self,
        name: &'static str,
        texts: impl Iterator<Item = T>,
    ) -> Self {
        let values: Vec<_> = texts.map(Into::into).collect();
        self.column(name, values.len(), ColumnValues::Texts(values))
    }

    /// Adds a column of byte strings.
    pub(crate) fn bytes<T: Into<Option<&'a [u8]>>>(
        self,
        name: &'static str,
        bytes: impl Iterator<Item = T>,
    ) -> Self {
        let values: Vec<_> = bytes.map(Into::into).collect();
        self.column(name, values.len(), ColumnValues::Bytes(values))
    }

    /// Adds a column of `len` values.
    pub(crate) fn column(
        mut self,
        name: impl Into<Cow<'static, str>>,
        len: usize,
        values: ColumnValues<'a>,
    ) -> Self {
        let name = name.into();
        debug_assert!(self.columns.is_empty() || self.len == len, "column {name} differs in length");
        self.len = len;
        self.columns.push((name, values));
        self
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns true if there are no rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of columns.
    pub(crate) fn column_count(&self) -> usize {
        self.columns.len()
    }

    /// Columns in the order in which they were added.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &ColumnValues<'a>> {
        self.columns.iter().map(|(_, values)| values)
    }

    /// Names of the columns as an SQL list.
    pub(crate) fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| name.as_ref()).collect::<Vec<_>>().join(", ")
    }

    /// `SET` list that takes each column outside `key` from the row `source`.
    fn assignments(&self, key: &[&str], source: &str) -> String {
        let names = self.columns.iter().map(|(name, _)| name.as_ref()).filter(|name| !key.contains(name));
        names.map(|name| format!("{name} = {source}.{name}")).collect::<Vec<_>>().join(", ")
    }
}

/// A statement on one table and its input rows.
#[derive(Debug)]
pub(crate) struct BatchStatement<'a> {
    /// Table that is written.
    pub(crate) table: &'static str,
    /// Rows of the table `input`; without any, the statement is skipped.
    pub(crate) rows: InputRows<'a>,
    /// SQL that reads `input`.
    pub(crate) sql: String,
    /// Rows that the statement must write.
    pub(crate) expected: ExpectedRows,
}

/// Number of rows that a statement must write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExpectedRows {
    /// Any number.
    Any,
    /// One per input row, because the journal says that the rows exist.
    OnePerInput,
    /// The row of the writer's epoch.
    Epoch,
}

impl<'a> BatchStatement<'a> {
    /// Runs `sql`, which may write any number of rows.
    pub(crate) fn new(table: &'static str, rows: InputRows<'a>, sql: String) -> Self {
        Self { table, rows, sql, expected: ExpectedRows::Any }
    }

    /// Inserts the rows.
    pub(crate) fn insert(table: &'static str, rows: InputRows<'a>) -> Self {
        let sql = format!("INSERT INTO {table} ({}) SELECT * FROM input", rows.names());
        Self::new(table, rows, sql)
    }

    /// Inserts the rows whose key is absent.
    pub(crate) fn insert_absent(table: &'static str, rows: InputRows<'a>, key: &[&str]) -> Self {
        let (names, key) = (rows.names(), key.join(", "));
        let sql = format!(
            "INSERT INTO {table} ({names}) SELECT * FROM input WHERE TRUE ON CONFLICT ({key}) DO NOTHING"
        );
        Self::new(table, rows, sql)
    }

    /// Inserts the rows; one whose key exists replaces the stored row.
    pub(crate) fn upsert(table: &'static str, rows: InputRows<'a>, key: &[&str]) -> Self {
        let (names, assignments) = (rows.names(), rows.assignments(key, "excluded"));
        let sql = format!(
            "INSERT INTO {table} ({names}) SELECT * FROM input WHERE TRUE
             ON CONFLICT ({}) DO UPDATE SET {assignments}",
            key.join(", ")
        );
        Self::new(table, rows, sql)
    }

    /// Updates the row of each key; all must exist.
    pub(crate) fn update(table: &'static str, rows: InputRows<'a>, key: &[&str]) -> Self {
        let matches: Vec<_> = key.iter().map(|name| format!("{table}.{name} = input.{name}")).collect();
        let sql = format!(
            "UPDATE {table} SET {} FROM input WHERE {}",
            rows.assignments(key, "input"),
            matches.join(" AND ")
        );
        Self { expected: ExpectedRows::OnePerInput, ..Self::new(table, rows, sql) }
    }

    /// Deletes the rows whose key is in the rows, which have no other columns.
    pub(crate) fn delete(table: &'static str, rows: InputRows<'a>) -> Self {
        let key = rows.names();
        let sql = format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM input)");
        Self::new(table, rows, sql)
    }

    /// Locks the writer's epoch until the commit, which a read would not do.
    pub(crate) fn fence(rows: InputRows<'a>) -> Self {
        let sql = "UPDATE epochs SET epoch = input.epoch FROM input
                   WHERE epochs.venue_id = input.venue_id AND epochs.epoch = input.epoch";
        Self { expected: ExpectedRows::Epoch, ..Self::new("epochs", rows, sql.to_owned()) }
    }

    /// Compares the written rows with the expected count.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if the epoch is gone, [`StoreError::Corrupt`] if the
    /// projections lack a row that the journal implies.
    pub(crate) fn check(&self, written: u64) -> Result<(), StoreError> {
        let (table, expected) = (self.table, self.rows.len());
        match self.expected {
            _ if written == expected as u64 => Ok(()),
            ExpectedRows::Any => Ok(()),
            ExpectedRows::Epoch => Err(StoreError::Fenced),
            ExpectedRows::OnePerInput => {
                Err(StoreError::Corrupt(format!("the projections have {written} of {expected} {table}")))
            }
        }
    }
}

/// Connection of a backend.
pub(crate) trait BatchConnection {
    /// Runs all statements; the number of rows that each wrote.
    async fn run_batch(&mut self, statements: &[BatchStatement<'_>]) -> Result<Vec<u64>, sqlx::Error>;

    /// Runs all statements and compares the written rows with the expected counts.
    async fn run_checked(&mut self, statements: &[BatchStatement<'_>]) -> Result<(), StoreError> {
        let written = self.run_batch(statements).await?;
        statements.iter().zip(written).try_for_each(|(statement, written)| statement.check(written))
    }
}
