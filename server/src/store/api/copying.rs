//! A store as a whole: copied into another, whatever either is made of.
//!
//! The SQL is in `store/copying.rs`. Does not know what the rows mean.

use engine::id::VenueId;

use super::error::StoreError;
pub use crate::store::table::{Kind, Part, TABLES, Table};
use crate::store::{Store, on_backend};

/// Pieces on their way at a time.
const WAITING: usize = 4;

impl Store {
    /// Copies everything into `target`, which must be empty: all of it or
    /// nothing. Others may go on writing here; the copy is as of its beginning.
    ///
    /// # Errors
    /// [`StoreError::NotEmpty`], [`StoreError::Database`].
    pub async fn copy_into(&self, target: &Self) -> Result<(), StoreError> {
        let (sender, receiver) = tokio::sync::mpsc::channel(WAITING);
        let reading = async { on_backend!(self, backend => backend.read_all(sender).await) };
        let writing = async { on_backend!(target, backend => backend.write_all(receiver).await) };
        // A reader that fails ends both before anything is committed.
        tokio::try_join!(reading, writing).map(|_| ())
    }

    /// Every venue, by name.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn venues(&self) -> Result<Vec<VenueId>, StoreError> {
        on_backend!(self, backend => backend.venues().await)
    }

    /// The tables that the database has, by name.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn tables(&self, part: Part) -> Result<Vec<String>, StoreError> {
        on_backend!(self, backend => backend.tables(part).await)
    }

    /// A table's columns, in order.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Corrupt`] for a type that no
    /// migration of ours uses.
    pub async fn columns(&self, table: Table) -> Result<Vec<(String, Kind)>, StoreError> {
        on_backend!(self, backend => backend.columns(table).await)
    }
}
