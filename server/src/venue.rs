//! The venue that this deployment serves: read from the store, or created with a
//! seed and, unless the owner is configured, a claim token.
//!
//! Does not know what is listed or how it trades.

use engine::id::Digest;
use engine::sim::Seed;
use engine::venue::VenueConfig;

use crate::agents::trading::{SeedChoice, TradingError, prepare};
use crate::bus::{Bus, StreamNames};
use crate::clock::WallClock;
use crate::config::Config;
use crate::store::journal::VenueRow;
use crate::store::{Store, StoreError};

/// The served venue.
#[derive(Debug)]
pub struct ServedVenue {
    /// The stored venue.
    pub row: VenueRow,
    /// Token whose bearer becomes the owner; `None` after the first start.
    pub claim_token: Option<String>,
}

/// Error of [`open`]; its message is one line.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The venue cannot be created.
    #[error(transparent)]
    Prepare(#[from] TradingError),
    /// The system has no randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// The configured seed is not the venue's.
    #[error("--seed: this venue has its seed already; a new one needs another --data folder")]
    OtherSeed,
}

impl ServedVenue {
    /// The venue's seed.
    pub fn seed(&self) -> Option<Seed> {
        self.row.seed.map(Seed::from_bytes)
    }
}

/// The stored venue of `venue`'s name; created if it does not exist.
///
/// # Errors
/// [`OpenError`].
pub async fn open(
    store: &Store,
    bus: &Bus,
    streams: &StreamNames,
    config: &Config,
    venue: &VenueConfig,
    clock: &WallClock,
) -> Result<ServedVenue, OpenError> {
    let is_new = store.venue(venue.venue_id()).await?.is_none();
    let claim_token = match (is_new, &config.owner_email) {
        (true, None) => Some(draw_token()?),
        _ => None,
    };
    let hash = claim_token.as_ref().map(|token| Digest::of(&[token.as_bytes()]));
    let choice = config.seed.clone().map_or(SeedChoice::Drawn, SeedChoice::Given);
    let row = prepare(store, bus, streams, venue, &choice, hash, clock).await?;
    if config.seed.as_ref().is_some_and(|seed| Some(*seed.as_bytes()) != row.seed) {
        return Err(OpenError::OtherSeed);
    }
    Ok(ServedVenue { row, claim_token })
}

/// 128 random bits in hexadecimal.
fn draw_token() -> Result<String, OpenError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(OpenError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use engine::time::WallTime;

    use super::*;

    async fn opened(store: &Store, config: &Config) -> Result<ServedVenue, OpenError> {
        let venue = VenueConfig::default();
        let streams = StreamNames::of(venue.venue_id());
        open(store, &Bus::local(), &streams, config, &venue, &WallClock::manual(WallTime(1))).await
    }

    #[tokio::test]
    async fn a_venue_is_created_once_and_only_its_tokens_hash_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(folder.path()).await.unwrap();
        let first = opened(&store, &Config::defaults().unwrap()).await.unwrap();
        let token = first.claim_token.clone().unwrap();
        assert_eq!(token.len(), 32);
        assert_eq!(first.row.claim_token_hash, Some(Digest::of(&[token.as_bytes()])));
        let again = opened(&store, &Config::defaults().unwrap()).await.unwrap();
        assert_eq!((again.claim_token.clone(), &again.row), (None, &first.row));
        let other = Config { seed: "1".parse().ok(), ..Config::defaults().unwrap() };
        assert!(matches!(opened(&store, &other).await, Err(OpenError::OtherSeed)));
    }

    #[tokio::test]
    async fn a_configured_owner_needs_no_token_and_a_configured_seed_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(folder.path()).await.unwrap();
        let seed: Option<Seed> = "42".parse().ok();
        let config = Config {
            seed: seed.clone(),
            owner_email: Some("o@example.org".to_owned()),
            ..Config::defaults().unwrap()
        };
        let first = opened(&store, &config).await.unwrap();
        assert_eq!((first.claim_token.clone(), first.seed()), (None, seed));
        assert!(opened(&store, &config).await.is_ok());
    }
}
