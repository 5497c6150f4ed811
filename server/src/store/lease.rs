//! Lease on a venue's journal.
//!
//! It only keeps a standby quiet: the epoch is what keeps two sequencers from
//! writing. Does not know what the holder does.

use std::time::Duration;

use engine::id::VenueId;
use sqlx::{Connection as _, PgConnection};
use tokio_util::task::AbortOnDropHandle;

use super::{Store, StoreError, on_backend};

/// Time between two pings of a holder to the database.
const PING_INTERVAL: Duration = Duration::from_secs(1);

/// Right to write a venue's journal, until it is dropped or its holder dies or
/// stalls.
#[derive(Debug)]
pub struct Lease {
    /// Task that ends when the database has dropped the lease's connection; `None`
    /// if no other process can open the store.
    pings: Option<AbortOnDropHandle<()>>,
}

impl Lease {
    /// Lease on a store that no other process can open.
    pub(super) const fn exclusive() -> Self {
        Self { pings: None }
    }

    /// Lease that lives as long as `connection`, which the database closes when it
    /// stays silent.
    pub(super) fn until_closed(connection: PgConnection) -> Self {
        Self { pings: Some(AbortOnDropHandle::new(tokio::spawn(ping(connection)))) }
    }

    /// Returns true if another process may wait for the lease.
    pub fn is_shared(&self) -> bool {
        self.pings.is_some()
    }

    /// Returns true if the lease is not known to be lost.
    pub fn is_held(&self) -> bool {
        self.pings.as_ref().is_none_or(|pings| !pings.is_finished())
    }
}

/// Pings until the connection is lost.
async fn ping(mut connection: PgConnection) {
    let mut interval = tokio::time::interval(PING_INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while connection.ping().await.is_ok() {
        interval.tick().await;
    }
}

impl Store {
    /// Lease on the venue's journal if it is free.
    pub async fn try_acquire_lease(&self, venue: VenueId) -> Result<Option<Lease>, StoreError> {
        on_backend!(self, |backend| backend.try_acquire_lease(venue).await)
    }

    /// Lease on the venue's journal; waits until it is free. Cancel-safe.
    pub async fn acquire_lease(&self, venue: VenueId) -> Result<Lease, StoreError> {
        on_backend!(self, |backend| backend.acquire_lease(venue).await)
    }
}
