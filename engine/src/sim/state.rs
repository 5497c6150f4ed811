//! Serializable state of a simulator between steps.
//!
//! Holds neither the seed nor a generator's state: draws are addressed. Floats
//! are stored as bits, so that a restart continues bit for bit.

use serde::{Deserialize, Serialize};

use crate::id::{InstrumentId, Seq};
use crate::money::Lots;
use crate::venue::{ConfigError, Flow};

/// Version written and accepted; a state of another version is rebuilt.
pub(super) const SIM_STATE_VERSION: u32 = 1;

/// Everything that the next steps depend on besides configuration and seed. It
/// reveals the model price, so it never reaches a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimState {
    pub(super) version: u32,
    pub(super) last_step: u64,
    pub(super) seen_seq: Seq,
    /// Ascending by instrument id.
    pub(super) feeds: Vec<FeedState>,
    /// Flows that no step includes yet, by rising sequence number.
    pub(super) unseen: Vec<(Seq, Vec<Flow>)>,
}

/// One instrument's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FeedState {
    pub(super) instrument: InstrumentId,
    /// Bits of the process variable: an equity's log price, a bond's yield.
    pub(super) model: u64,
    /// Bits of each side's thinning.
    pub(super) thin_bids: u64,
    pub(super) thin_asks: u64,
    /// Lots that users bought and sold since the last tick.
    pub(super) bought: Lots,
    pub(super) sold: Lots,
    /// By dealer index.
    pub(super) dealers: Vec<DealerState>,
}

/// One dealer's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DealerState {
    /// Bits of its inventory in lots.
    pub(super) inventory: u64,
    /// True if it has traded since its last quote.
    pub(super) traded: bool,
}

impl SimState {
    /// Returns the number of the last step.
    pub fn last_step(&self) -> u64 {
        self.last_step
    }

    /// Returns the last sequence number whose flows the steps so far include.
    pub fn seen_seq(&self) -> Seq {
        self.seen_seq
    }

    /// Refuses a state that this build cannot continue with `instruments`.
    pub(super) fn check(&self, instruments: impl Iterator<Item = InstrumentId>) -> Result<(), ConfigError> {
        if self.version != SIM_STATE_VERSION {
            return Err(ConfigError::Venue("simulation state: of another version"));
        }
        if !self.feeds.iter().map(|feed| feed.instrument).eq(instruments) {
            return Err(ConfigError::Venue("simulation state: of other instruments"));
        }
        let in_range = |feed: &FeedState| {
            f64::from_bits(feed.model).is_finite()
                && feed.dealers.iter().all(|dealer| f64::from_bits(dealer.inventory).is_finite())
                && (0.0..=1.0).contains(&f64::from_bits(feed.thin_bids))
                && (0.0..=1.0).contains(&f64::from_bits(feed.thin_asks))
        };
        if !self.feeds.iter().all(in_range) {
            return Err(ConfigError::Venue("simulation state: out of range"));
        }
        Ok(())
    }
}
