//! Creation of a venue before any agent starts: its secret seed, and a command
//! stream whose ids continue after the stored cursor.
//!
//! Entry 1 of the journal, with the seed's commitment, is the agent's first
//! commit. Does not know what the seed determines.

use engine::id::Digest;
use engine::venue::VenueConfig;

use super::{NAME, TradingError};
use crate::bus::{Bus, StreamNames};
use crate::clock::WallClock;
use crate::store::Store;
use crate::store::journal::VenueRow;

/// Source of a new venue's seed. An existing venue keeps its own.
#[derive(Clone, Debug)]
pub enum SeedChoice {
    /// Random numbers of the system.
    Drawn,
    /// A configured seed, which gives the same market again.
    Given(engine::sim::Seed),
}

/// Creates the venue if the store lacks it, and resumes the command stream. To be
/// called before any agent starts; idempotent.
///
/// # Errors
/// [`TradingError`]: an invalid configuration, an unreachable store or bus.
pub async fn prepare(
    store: &Store,
    bus: &Bus,
    streams: &StreamNames,
    config: &VenueConfig,
    seed: &SeedChoice,
    claim_token_hash: Option<Digest>,
    clock: &WallClock,
) -> Result<VenueRow, TradingError> {
    let venue = config.venue_id();
    if let Some(row) = store.venue(venue).await? {
        resume_commands(store, bus, streams, &row).await?;
        return Ok(row);
    }
    config.instruments()?;
    let seed = match seed {
        SeedChoice::Drawn => random_bytes()?,
        SeedChoice::Given(seed) => *seed.as_bytes(),
    };
    let salt = random_bytes()?;
    let row = VenueRow {
        id: venue,
        config: config.clone(),
        seed: Some(seed),
        salt,
        seed_commitment: VenueConfig::commit_to_seed(&seed, &salt),
        owner: None,
        claim_token_hash,
        created_at: clock.now(),
    };
    store.create_venue(&row).await?;
    // A concurrent call may have created it: the stored row counts.
    let row = store.venue(venue).await?.ok_or(TradingError::NoVenue(venue))?;
    resume_commands(store, bus, streams, &row).await?;
    Ok(row)
}

async fn resume_commands(
    store: &Store,
    bus: &Bus,
    streams: &StreamNames,
    row: &VenueRow,
) -> Result<(), TradingError> {
    let cursor = store.cursor(row.id, NAME, &streams.command).await?;
    Ok(bus.resume(&streams.command, cursor).await?)
}

fn random_bytes() -> Result<[u8; 32], TradingError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| TradingError::Random(error.to_string()))?;
    Ok(bytes)
}
