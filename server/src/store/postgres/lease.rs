//! Lease as an advisory lock, which lives as long as its connection.
//!
//! The server releases it when the holder's process dies, and soon after it
//! stalls. Does not know what the holder does.

use engine::id::VenueId;
use sqlx::{Connection as _, PgConnection};

use super::Backend;
use crate::store::StoreError;
use crate::store::lease::Lease;

/// Silence after which the server closes a holder's connection. Waiting for the
/// lock is not silence.
const SILENCE_TIMEOUT: &str = "5s";

impl Backend {
    pub(in crate::store) async fn try_acquire_lease(
        &self,
        venue: VenueId,
    ) -> Result<Option<Lease>, StoreError> {
        let mut connection = self.lease_connection().await?;
        let acquired: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(lock_key(venue))
            .fetch_one(&mut connection)
            .await?;
        Ok(acquired.then(|| Lease::until_closed(connection)))
    }

    pub(in crate::store) async fn acquire_lease(&self, venue: VenueId) -> Result<Lease, StoreError> {
        let mut connection = self.lease_connection().await?;
        sqlx::query("SELECT pg_advisory_lock($1)").bind(lock_key(venue)).execute(&mut connection).await?;
        Ok(Lease::until_closed(connection))
    }

    /// Connection without timeouts for the wait.
    async fn lease_connection(&self) -> Result<PgConnection, StoreError> {
        let options = (*self.main.connect_options()).clone().options([
            ("statement_timeout", "0"),
            ("lock_timeout", "0"),
            ("idle_session_timeout", SILENCE_TIMEOUT),
        ]);
        Ok(PgConnection::connect_with(&options).await?)
    }
}

/// Key of the venue's lock: eight bytes of the id, which is a hash.
fn lock_key(venue: VenueId) -> i64 {
    let (high, _) = venue.0.as_u64_pair();
    high.cast_signed()
}
