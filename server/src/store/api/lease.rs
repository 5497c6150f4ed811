//! Who tries to write a venue's journal.
//!
//! Only to keep a standby quiet: what keeps two sequencers apart is the epoch.
//! Does not know what the holder does.

use std::time::Duration;

use engine::id::VenueId;
use sqlx::{Connection as _, PgConnection};
use tokio_util::task::AbortOnDropHandle;

use super::error::StoreError;
use crate::store::{Store, on_backend};

/// How often a holder shows the database that it is not stalled.
const BEAT: Duration = Duration::from_secs(1);

/// The turn to write a venue's journal, until it is dropped or its holder dies
/// or stalls.
#[derive(Debug)]
pub struct Lease {
    /// Ends when the database has given the turn away; none where nobody else
    /// can have opened the store.
    kept: Option<AbortOnDropHandle<()>>,
}

impl Lease {
    /// The turn where there is nobody to share with.
    pub(in crate::store) const fn alone() -> Self {
        Self { kept: None }
    }

    /// The turn that ends with `connection`, which the database ends when it
    /// hears nothing on it for a while.
    pub(in crate::store) fn until_lost(connection: PgConnection) -> Self {
        Self { kept: Some(AbortOnDropHandle::new(tokio::spawn(keep(connection)))) }
    }

    /// Whether others wait for the turn to end.
    pub fn is_shared(&self) -> bool {
        self.kept.is_some()
    }

    /// Whether the turn is still this one's, as far as is known.
    pub fn is_held(&self) -> bool {
        self.kept.as_ref().is_none_or(|kept| !kept.is_finished())
    }
}

/// Beats until the connection is lost.
async fn keep(mut connection: PgConnection) {
    let mut beats = tokio::time::interval(BEAT);
    beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while connection.ping().await.is_ok() {
        beats.tick().await;
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
