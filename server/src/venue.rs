//! The venue that this deployment serves: found in the store, or made with a
//! seed and, unless its owner is named, a token to claim it.
//!
//! Part of the assembly. Does not know what is listed or how it trades.

use engine::id::Digest;
use engine::sim::Seed;
use engine::venue::VenueConfig;

use crate::agents::trading::{SeedChoice, TradingError, prepare};
use crate::bus::{Bus, StreamNames};
use crate::clock::WallClock;
use crate::config::Config;
use crate::store::api::journal::VenueRow;
use crate::store::{Store, StoreError};

/// A venue as it is served.
#[derive(Debug)]
pub struct Opened {
    /// Everything that the store has about it.
    pub row: VenueRow,
    /// Makes its bearer the owner, once; known at first start alone.
    pub claim_token: Option<String>,
}

/// Why a venue cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The venue cannot be made.
    #[error(transparent)]
    Prepare(#[from] TradingError),
    /// The system gave no randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// Another seed than the one that the venue was opened with.
    #[error("--seed: this venue has its seed already; a new one needs another --data folder")]
    OtherSeed,
}

impl Opened {
    /// The venue's secret.
    pub fn seed(&self) -> Option<Seed> {
        self.row.seed.map(Seed::from_bytes)
    }
}

/// The stored venue of `venue`'s name; made now when there is none.
///
/// # Errors
/// [`OpenError`], one line each.
pub async fn open(
    store: &Store,
    bus: &Bus,
    streams: &StreamNames,
    config: &Config,
    venue: &VenueConfig,
    clock: &WallClock,
) -> Result<Opened, OpenError> {
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
    Ok(Opened { row, claim_token })
}

/// 128 bits that nobody can guess, in hexadecimal.
fn draw_token() -> Result<String, OpenError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(OpenError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use engine::time::WallTime;

    use super::*;

    async fn opened(store: &Store, config: &Config) -> Result<Opened, OpenError> {
        let venue = VenueConfig::default();
        let streams = StreamNames::of(venue.venue_id());
        open(store, &Bus::local(), &streams, config, &venue, &WallClock::manual(WallTime(1))).await
    }

    #[tokio::test]
    async fn a_venue_is_made_once_and_only_its_tokens_hash_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(folder.path()).await.unwrap();
        let first = opened(&store, &Config::default()).await.unwrap();
        let token = first.claim_token.clone().unwrap();
        assert_eq!(token.len(), 32);
        assert_eq!(first.row.claim_token_hash, Some(Digest::of(&[token.as_bytes()])));
        let again = opened(&store, &Config::default()).await.unwrap();
        assert_eq!((again.claim_token.clone(), &again.row), (None, &first.row));
        let other = Config { seed: "1".parse().ok(), ..Config::default() };
        assert!(matches!(opened(&store, &other).await, Err(OpenError::OtherSeed)));
    }

    #[tokio::test]
    async fn a_named_owner_needs_no_token_and_a_given_seed_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(folder.path()).await.unwrap();
        let seed: Option<Seed> = "42".parse().ok();
        let config =
            Config { seed: seed.clone(), owner_email: Some("o@example.org".to_owned()), ..Config::default() };
        let first = opened(&store, &config).await.unwrap();
        assert_eq!((first.claim_token.clone(), first.seed()), (None, seed));
        assert!(opened(&store, &config).await.is_ok());
    }
}
