//! Tables as such: which there are, what their columns hold, and rows of them
//! on the way from one store to another.
//!
//! Does not know what the rows mean.

use std::borrow::Cow;

use uuid::Uuid;

use super::api::error::StoreError;
use super::rows::{Rows, Values};

/// Where a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Money, users, sessions.
    Main,
    /// The market's past.
    History,
}

/// A table of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Where it is.
    pub part: Part,
    /// Its name there.
    pub name: &'static str,
}

const fn main(name: &'static str) -> Table {
    Table { part: Part::Main, name }
}

const fn history(name: &'static str) -> Table {
    Table { part: Part::History, name }
}

/// Every table, each after those that its rows refer to.
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

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UUIDs.
    Id,
    /// Whole numbers.
    Number,
    /// True or false.
    Flag,
    /// Texts.
    Text,
    /// Byte strings.
    Bytes,
}

impl Kind {
    /// Reads a declared type. SQLite has one for ids and byte strings alike;
    /// there the name tells them apart.
    pub(crate) fn of(column: &str, declared: &str) -> Option<Self> {
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

/// The kinds of columns by their declared types.
pub(crate) fn kinds(table: Table, columns: Vec<(String, String)>) -> Result<Vec<(String, Kind)>, StoreError> {
    let known = |(name, declared): (String, String)| {
        let unknown = || StoreError::Corrupt(format!("{}.{name} is of type {declared}", table.name));
        Kind::of(&name, &declared).ok_or_else(unknown).map(|kind| (name.clone(), kind))
    };
    columns.into_iter().map(known).collect()
}

/// Rows of a table that nobody else holds.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) table: Table,
    pub(crate) columns: Vec<(String, Owned)>,
}

/// A column's values.
#[derive(Debug)]
pub(crate) enum Owned {
    Ids(Vec<Option<Uuid>>),
    Numbers(Vec<Option<i64>>),
    Flags(Vec<Option<bool>>),
    Texts(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Owned {
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Id => Self::Ids(Vec::new()),
            Kind::Number => Self::Numbers(Vec::new()),
            Kind::Flag => Self::Flags(Vec::new()),
            Kind::Text => Self::Texts(Vec::new()),
            Kind::Bytes => Self::Bytes(Vec::new()),
        }
    }
}

impl Piece {
    /// The rows as a statement takes them.
    pub(crate) fn rows(&self) -> Rows<'_> {
        let mut rows = Rows::new();
        for (name, values) in &self.columns {
            let (len, values) = match values {
                Owned::Ids(values) => (values.len(), Values::Ids(values.clone())),
                Owned::Numbers(values) => (values.len(), Values::Numbers(values.clone())),
                Owned::Flags(values) => (values.len(), Values::Flags(values.clone())),
                Owned::Texts(values) => {
                    (values.len(), Values::Texts(values.iter().map(Option::as_deref).collect()))
                }
                Owned::Bytes(values) => {
                    (values.len(), Values::Bytes(values.iter().map(Option::as_deref).collect()))
                }
            };
            rows = rows.with(Cow::Owned(name.clone()), len, values);
        }
        rows
    }

    /// Venue and step of every row that has both.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (Uuid, i64)> {
        let column =
            |wanted: &str| self.columns.iter().find(|(name, _)| name == wanted).map(|(_, values)| values);
        let (venues, steps) = match (column("venue_id"), column("step")) {
            (Some(Owned::Ids(venues)), Some(Owned::Numbers(steps))) => (venues.as_slice(), steps.as_slice()),
            _ => (&[][..], &[][..]),
        };
        venues.iter().zip(steps).filter_map(|(venue, step)| venue.zip(*step))
    }
}
