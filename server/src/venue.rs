//! The venue that this deployment serves: found in the store, or made with a
//! seed and, unless its owner is named, a token to claim it.
//!
//! Does not know what is listed or how it trades.

use engine::id::{Digest, VenueId};
use engine::sim::Seed;
use engine::venue::VenueConfig;

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
    /// The system gave no randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// Another seed than the one that the venue was opened with.
    #[error("--seed: this venue has its seed already; a new one needs another --data folder")]
    OtherSeed,
}

impl Opened {
    /// The venue's secret.
    pub fn seed(&self) -> Seed {
        Seed::from_bytes(self.row.seed)
    }
}

/// The stored venue of `venue`'s name; made now when there is none.
///
/// # Errors
/// [`OpenError`], one line each.
pub async fn open(
    store: &Store,
    config: &Config,
    venue: VenueConfig,
    clock: &WallClock,
) -> Result<Opened, OpenError> {
    let id: VenueId = venue.venue_id();
    if let Some(row) = store.venue(id).await? {
        return match &config.seed {
            Some(seed) if *seed.as_bytes() != row.seed => Err(OpenError::OtherSeed),
            _ => Ok(Opened { row, claim_token: None }),
        };
    }
    let seed = match &config.seed {
        Some(seed) => *seed.as_bytes(),
        None => random()?,
    };
    let claim_token = match &config.owner_email {
        Some(_) => None,
        None => Some(hexadecimal(&random::<16>()?)),
    };
    let row = VenueRow {
        id,
        config: venue,
        seed,
        salt: random()?,
        owner: None,
        claim_token_hash: claim_token.as_ref().map(|token| Digest::of(&[token.as_bytes()])),
        created_at: clock.now(),
    };
    store.create_venue(&row).await?;
    tracing::info!(
        event = "venue_created",
        venue = %id,
        seed_commitment = %row.seed_commitment(),
        "a new venue"
    );
    Ok(Opened { row, claim_token })
}

fn random<const N: usize>() -> Result<[u8; N], OpenError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(OpenError::Random)?;
    Ok(bytes)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use engine::time::WallTime;

    use super::*;

    async fn opened(store: &Store, config: &Config) -> Result<Opened, OpenError> {
        open(store, config, VenueConfig::default(), &WallClock::manual(WallTime(1))).await
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
        assert_eq!((first.claim_token.clone(), Some(first.seed())), (None, seed));
        assert!(opened(&store, &config).await.is_ok());
    }
}
