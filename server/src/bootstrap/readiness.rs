//! Preconditions of a standalone agent: the schema and the venue, both created
//! by trading.

use std::time::Duration;

use engine::id::{Seq, VenueId};

use super::ServeError;
use crate::clock;
use crate::config::Config;
use crate::shutdown::Shutdown;
use crate::store::journal::VenueRow;
use crate::store::{Role, Store, StoreError};

/// Time between two queries.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Waits until the store can be opened with the rights of `role`.
pub(super) async fn wait_for_schema(
    config: &Config,
    role: Role,
    shutdown: &Shutdown,
) -> Result<(), ServeError> {
    let mut is_logged = false;
    loop {
        match Store::open(config, role).await {
            Ok(store) => {
                store.close().await;
                return Ok(());
            }
            Err(error) if !is_missing(&error) => return Err(error.into()),
            Err(error) => log_once(&mut is_logged, &error.to_string()),
        }
        pause(shutdown).await?;
    }
}

/// Returns true if the schema does not exist yet.
fn is_missing(error: &StoreError) -> bool {
    matches!(error, StoreError::OlderSchema { .. })
}

/// Waits until the store has the venue and its first journal entry. Auth has no
/// right to read the journal and does not need it.
pub(super) async fn wait_for_venue(
    store: &Store,
    venue: VenueId,
    role: Role,
    shutdown: &Shutdown,
) -> Result<VenueRow, ServeError> {
    let mut is_logged = false;
    loop {
        if let Some(row) = store.venue(venue).await?
            && (role == Role::Auth || !store.journal_after(venue, Seq(0), 1).await?.is_empty())
        {
            return Ok(row);
        }
        log_once(&mut is_logged, "trading has not opened the venue");
        pause(shutdown).await?;
    }
}

fn log_once(is_logged: &mut bool, why: &str) {
    if !std::mem::replace(is_logged, true) {
        tracing::info!(event = "venue_awaited", %why, "waiting for trading to make the venue");
    }
}

async fn pause(shutdown: &Shutdown) -> Result<(), ServeError> {
    tokio::select! {
        () = shutdown.cancelled() => Err(ServeError::Cancelled),
        () = clock::sleep(POLL_INTERVAL) => Ok(()),
    }
}
