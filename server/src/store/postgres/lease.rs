//! The lease: an advisory lock that lives as long as its connection.
//!
//! The server lets go of it the moment the holder's process dies, and soon
//! after it stalls. Does not know what the holder does.

use engine::id::VenueId;
use sqlx::{Connection as _, PgConnection};

use super::Backend;
use crate::store::api::error::StoreError;
use crate::store::api::lease::Lease;

/// How long a holder may be silent. Who waits for the lock is not idle.
const SILENCE: &str = "5s";

impl Backend {
    pub(in crate::store) async fn try_lead(&self, venue: VenueId) -> Result<Option<Lease>, StoreError> {
        let mut connection = self.dedicated().await?;
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(key(venue))
            .fetch_one(&mut connection)
            .await?;
        Ok(taken.then(|| Lease::until_lost(connection)))
    }

    pub(in crate::store) async fn lead(&self, venue: VenueId) -> Result<Lease, StoreError> {
        let mut connection = self.dedicated().await?;
        sqlx::query("SELECT pg_advisory_lock($1)").bind(key(venue)).execute(&mut connection).await?;
        Ok(Lease::until_lost(connection))
    }

    /// A connection that may wait as long as it likes.
    async fn dedicated(&self) -> Result<PgConnection, StoreError> {
        let options = (*self.main.connect_options()).clone();
        let patient = options.options([
            ("statement_timeout", "0"),
            ("lock_timeout", "0"),
            ("idle_session_timeout", SILENCE),
        ]);
        Ok(PgConnection::connect_with(&patient).await?)
    }
}

/// The lock of a venue's journal: eight bytes of an id that is a hash.
fn key(venue: VenueId) -> i64 {
    let (high, _) = venue.0.as_u64_pair();
    high.cast_signed()
}
