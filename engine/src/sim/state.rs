//! What a simulator remembers between steps, to be stored and taken up again.
//!
//! Holds neither the seed nor a generator's state: draws are addressed. Floats
//! are kept by their bits, so that a restart continues to the bit.

use serde::{Deserialize, Serialize};

use crate::id::{InstrumentId, Seq};
use crate::money::Lots;
use crate::venue::{ConfigError, Flow};

/// The version that is written and read; a state of another is made again.
pub(super) const SIM_STATE_VERSION: u32 = 2;

/// Everything that the next steps depend on besides configuration and seed. It
/// tells where the market really is, so it never reaches a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimState {
    pub(super) version: u32,
    pub(super) last_step: u64,
    pub(super) seen_seq: Seq,
    /// Ascending by instrument id.
    pub(super) feeds: Vec<FeedState>,
    /// Flows that no step has seen so far, by rising sequence number.
    pub(super) unseen: Vec<(Seq, Vec<Flow>)>,
}

/// One instrument's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FeedState {
    pub(super) instrument: InstrumentId,
    /// Bits of the number that the process moves: an equity's log price, a
    /// bond's yield.
    pub(super) model: u64,
    /// Bits of how thin each side is.
    pub(super) thin_bids: u64,
    pub(super) thin_asks: u64,
    /// What users traded since the last tick, as far as it is seen.
    pub(super) bought: Lots,
    pub(super) sold: Lots,
    /// By place.
    pub(super) dealers: Vec<DealerState>,
}

/// One dealer's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DealerState {
    /// Bits of the lots that it holds.
    pub(super) inventory: u64,
    /// Whether it has traded since its last quote.
    pub(super) traded: bool,
}

impl SimState {
    /// Number of the step made last.
    pub fn last_step(&self) -> u64 {
        self.last_step
    }

    /// The last sequence number whose flows the steps made so far know.
    pub fn seen_seq(&self) -> Seq {
        self.seen_seq
    }

    /// Refuses what this build, simulating `instruments`, cannot go on from.
    pub(super) fn check(&self, instruments: impl Iterator<Item = InstrumentId>) -> Result<(), ConfigError> {
        if self.version != SIM_STATE_VERSION {
            return Err(ConfigError::Venue("simulation state: of another version"));
        }
        if !self.feeds.iter().map(|feed| feed.instrument).eq(instruments) {
            return Err(ConfigError::Venue("simulation state: of other instruments"));
        }
        let whole = |feed: &FeedState| {
            f64::from_bits(feed.model).is_finite()
                && feed.dealers.iter().all(|dealer| f64::from_bits(dealer.inventory).is_finite())
                && (0.0..=1.0).contains(&f64::from_bits(feed.thin_bids))
                && (0.0..=1.0).contains(&f64::from_bits(feed.thin_asks))
        };
        if !self.feeds.iter().all(whole) {
            return Err(ConfigError::Venue("simulation state: out of range"));
        }
        Ok(())
    }
}
