//! Rows on their way into a table, column by column, and the statement that is
//! given them, whichever backend runs it.
//!
//! Does not know what the rows mean.

use std::borrow::Cow;

use uuid::Uuid;

use super::StoreError;

/// One column's values.
#[derive(Debug)]
pub(crate) enum Values<'a> {
    Ids(Vec<Option<Uuid>>),
    Numbers(Vec<Option<i64>>),
    Flags(Vec<Option<bool>>),
    Texts(Vec<Option<&'a str>>),
    Bytes(Vec<Option<&'a [u8]>>),
}

/// Named columns of equal length.
#[derive(Debug, Default)]
pub(crate) struct Rows<'a> {
    columns: Vec<(Cow<'static, str>, Values<'a>)>,
    len: usize,
}

impl<'a> Rows<'a> {
    /// No columns yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a column of ids.
    pub(crate) fn ids<T: Into<Option<Uuid>>>(self, name: &'static str, ids: impl Iterator<Item = T>) -> Self {
        let values: Vec<_> = ids.map(Into::into).collect();
        self.with(name, values.len(), Values::Ids(values))
    }

    /// Adds a column of numbers.
    pub(crate) fn numbers<T: Into<Option<i64>>>(
        self,
        name: &'static str,
        numbers: impl Iterator<Item = T>,
    ) -> Self {
        let values: Vec<_> = numbers.map(Into::into).collect();
        self.with(name, values.len(), Values::Numbers(values))
    }

    /// Adds a column of truth values.
    pub(crate) fn flags(self, name: &'static str, flags: impl Iterator<Item = bool>) -> Self {
        let values: Vec<_> = flags.map(Some).collect();
        self.with(name, values.len(), Values::Flags(values))
    }

    /// Adds a column of texts.
    pub(crate) fn texts<T: Into<Option<&'a str>>>(
        self,
        name: &'static str,
        texts: impl Iterator<Item = T>,
    ) -> Self {
        let values: Vec<_> = texts.map(Into::into).collect();
        self.with(name, values.len(), Values::Texts(values))
    }

    /// Adds a column of byte strings.
    pub(crate) fn bytes<T: Into<Option<&'a [u8]>>>(
        self,
        name: &'static str,
        bytes: impl Iterator<Item = T>,
    ) -> Self {
        let values: Vec<_> = bytes.map(Into::into).collect();
        self.with(name, values.len(), Values::Bytes(values))
    }

    /// Adds a column of `len` values.
    pub(crate) fn with(mut self, name: impl Into<Cow<'static, str>>, len: usize, values: Values<'a>) -> Self {
        let name = name.into();
        debug_assert!(
            self.columns.is_empty() || self.len == len,
            "column {name} is not as long as the others"
        );
        self.len = len;
        self.columns.push((name, values));
        self
    }

    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The columns, in the order in which they were added.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Values<'a>> {
        self.columns.iter().map(|(_, values)| values)
    }

    /// The columns' names, as SQL lists them.
    pub(crate) fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| name.as_ref()).collect::<Vec<_>>().join(", ")
    }

    /// How many columns.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }
}

/// A statement and the rows that it sees as a table called `given`.
#[derive(Debug)]
pub(crate) struct Write<'a> {
    /// What it is given; without rows it is not run.
    pub(crate) rows: Rows<'a>,
    /// What is done with them.
    pub(crate) statement: Cow<'static, str>,
    /// What each row given must find.
    pub(crate) finds: Finds,
}

/// What must be there for a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finds {
    /// Nothing.
    Anything,
    /// Rows of these, which follow from the journal.
    Every(&'static str),
    /// The writer's epoch.
    Epoch,
}

impl<'a> Write<'a> {
    /// Adds `rows` to `table` as they are.
    pub(crate) fn insert(table: &str, rows: Rows<'a>) -> Self {
        Self { statement: insert(table, &rows).into(), rows, finds: Finds::Anything }
    }

    /// Runs `statement`, which need not write every row.
    pub(crate) fn merge(rows: Rows<'a>, statement: &'static str) -> Self {
        Self { rows, statement: statement.into(), finds: Finds::Anything }
    }

    /// Runs `statement`, which must find every row among the `changes`.
    pub(crate) fn change(rows: Rows<'a>, statement: &'static str, changes: &'static str) -> Self {
        Self { rows, statement: statement.into(), finds: Finds::Every(changes) }
    }

    /// Runs `statement`, which must find the epoch that it is given.
    pub(crate) fn hold(rows: Rows<'a>, statement: &'static str) -> Self {
        Self { rows, statement: statement.into(), finds: Finds::Epoch }
    }

    /// Holds what was done against what was to be done.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] without the epoch. Projections that lack rows to
    /// change do not follow from the journal.
    pub(crate) fn check(&self, done: u64) -> Result<(), StoreError> {
        let given = self.rows.len();
        match self.finds {
            _ if done == given as u64 => Ok(()),
            Finds::Anything => Ok(()),
            Finds::Epoch => Err(StoreError::Fenced),
            Finds::Every(changes) => {
                Err(StoreError::Corrupt(format!("the projections have {done} of {given} {changes}")))
            }
        }
    }
}

/// The statement that adds `rows` to `table` as they are.
pub(crate) fn insert(table: &str, rows: &Rows<'_>) -> String {
    format!("INSERT INTO {table} ({}) SELECT * FROM given", rows.names())
}
