//! What an agent alone waits for before it starts: the schema and the opened
//! venue, both made by trading.
//!
//! Does not know who makes them or when.

use std::time::Duration;

use engine::id::{Seq, VenueId};

use super::ServeError;
use crate::config::Config;
use crate::shutdown::Shutdown;
use crate::store::journal::VenueRow;
use crate::store::{Role, Store, StoreError};

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Waits until the store can be opened with the rights of `role`.
pub(super) async fn for_schema(config: &Config, role: Role, shutdown: &Shutdown) -> Result<(), ServeError> {
    let mut told = false;
    loop {
        match Store::open(config, role).await {
            Ok(store) => {
                store.close().await;
                return Ok(());
            }
            Err(error) if !is_missing(&error) => return Err(error.into()),
            Err(error) => tell_once(&mut told, &error.to_string()),
        }
        again(shutdown).await?;
    }
}

/// Whether the schema is only not there yet.
fn is_missing(error: &StoreError) -> bool {
    matches!(error, StoreError::OlderSchema { .. })
}

/// Waits until the venue is in the store and its journal has begun; the latter
/// auth may not see and does not need.
pub(super) async fn for_venue(
    store: &Store,
    venue: VenueId,
    role: Role,
    shutdown: &Shutdown,
) -> Result<VenueRow, ServeError> {
    let mut told = false;
    loop {
        if let Some(row) = store.venue(venue).await?
            && (role == Role::Auth || !store.journal_after(venue, Seq(0), 1).await?.is_empty())
        {
            return Ok(row);
        }
        tell_once(&mut told, "trading has not opened the venue");
        again(shutdown).await?;
    }
}

fn tell_once(told: &mut bool, why: &str) {
    if !std::mem::replace(told, true) {
        tracing::info!(event = "venue_awaited", %why, "waiting for trading to make the venue");
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing announces the first start of another process")]
async fn again(shutdown: &Shutdown) -> Result<(), ServeError> {
    tokio::select! {
        () = shutdown.cancelled() => Err(ServeError::Ended),
        () = tokio::time::sleep(LOOK_AGAIN) => Ok(()),
    }
}
