//! Who tries to write a venue's journal.
//!
//! Only to keep a standby quiet: what keeps two sequencers apart is the epoch.
//! Does not know what the holder does.

use engine::id::VenueId;
use sqlx::{Connection as _, PgConnection};

use super::error::StoreError;
use crate::store::{Store, on_backend};

/// The turn to write a venue's journal, until it is dropped or its holder dies.
#[derive(Debug)]
pub struct Lease {
    /// Holds the database's lock for as long as it is connected; none where
    /// nobody else can have opened the store.
    connection: Option<PgConnection>,
}

impl Lease {
    /// The turn where there is nobody to share with.
    pub(in crate::store) const fn alone() -> Self {
        Self { connection: None }
    }

    /// The turn that ends with `connection`.
    pub(in crate::store) const fn until_lost(connection: PgConnection) -> Self {
        Self { connection: Some(connection) }
    }

    /// Whether others wait for the turn to end.
    pub fn is_shared(&self) -> bool {
        self.connection.is_some()
    }

    /// Whether the turn is still this one's.
    pub async fn is_held(&mut self) -> bool {
        match &mut self.connection {
            Some(connection) => connection.ping().await.is_ok(),
            None => true,
        }
    }
}

impl Store {
    /// The turn to write the venue's journal, if nobody has it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn try_lead(&self, venue: VenueId) -> Result<Option<Lease>, StoreError> {
        on_backend!(self, backend => backend.try_lead(venue).await)
    }

    /// The turn to write the venue's journal, as soon as whoever has it is
    /// gone. Dropping the future gives up.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub async fn lead(&self, venue: VenueId) -> Result<Lease, StoreError> {
        on_backend!(self, backend => backend.lead(venue).await)
    }
}
