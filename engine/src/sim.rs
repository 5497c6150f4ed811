//! The simulated market: makes steps from a seed and users' net trading.
//!
//! Knows neither accounts nor the order book: its only input from trading is net
//! flow by instrument and sequence number.
//!
//! **Inputs of a step.** Step `k` is a function of the configuration, the seed,
//! and the flows included in each of the steps 1 to `k` (the `seen_seq` of their
//! headers). Draws are addressed by (instrument, purpose, step), so neither
//! another instrument nor a restart moves them. It depends neither on a clock, nor
//! on speed, nor on the order of arrival.

mod dealer;
mod feed;
mod maker;
mod noise;
mod past;
pub mod processes;
pub mod rng;
mod state;

pub use past::past;
pub use rng::{Seed, SeedError};
pub use state::SimState;

use std::collections::BTreeMap;

use crate::id::Seq;
use crate::instrument::Instrument;
use crate::step::{EncodedPayload, StepHeader, StepPayload};
use crate::venue::{ConfigError, FeedSpec, Flow, ListingSpec, VenueConfig};
use feed::Feed;

/// Returns the instruments with their feeds, ascending by id.
fn listed(config: &VenueConfig) -> Result<Vec<(Instrument, &FeedSpec)>, ConfigError> {
    let feed = |instrument: Instrument| {
        let of = |listing: &&ListingSpec| listing.instrument.symbol == instrument.symbol;
        let listing = config.listings.iter().find(of)?;
        Some((instrument, &listing.feed))
    };
    Ok(config.instruments()?.into_values().filter_map(feed).collect())
}

/// Generator of a venue's steps.
pub struct Simulator {
    config: VenueConfig,
    /// Ascending by instrument id.
    feeds: Vec<Feed>,
    last_step: u64,
    seen_seq: Seq,
    /// Flows that no step includes yet.
    unseen: BTreeMap<Seq, Vec<Flow>>,
}

impl Simulator {
    /// Creates a simulator at step 0.
    ///
    /// # Errors
    /// Those of [`VenueConfig::instruments`]; a process that cannot drive its
    /// instrument's kind.
    pub fn new(config: &VenueConfig, seed: &Seed) -> Result<Self, ConfigError> {
        let feed = |(instrument, spec): (Instrument, _)| Feed::new(config, &instrument, spec, seed);
        let feeds = listed(config)?.into_iter().map(feed).collect::<Result<_, _>>()?;
        Ok(Self {
            config: config.clone(),
            feeds,
            last_step: 0,
            seen_seq: Seq::default(),
            unseen: BTreeMap::new(),
        })
    }

    /// Restores a simulator from [`Simulator::state`], bit for bit. Configuration
    /// and seed must be the same.
    ///
    /// # Errors
    /// As [`Simulator::new`]; also a state of another version or of other
    /// instruments.
    pub fn resume(config: &VenueConfig, seed: &Seed, state: SimState) -> Result<Self, ConfigError> {
        let mut simulator = Self::new(config, seed)?;
        state.check(simulator.feeds.iter().map(Feed::id))?;
        for (feed, state) in simulator.feeds.iter_mut().zip(&state.feeds) {
            feed.restore(state);
        }
        simulator.last_step = state.last_step;
        simulator.seen_seq = state.seen_seq;
        simulator.unseen = state.unseen.into_iter().collect();
        Ok(simulator)
    }

    /// Returns everything that the next steps depend on besides configuration and
    /// seed.
    pub fn state(&self) -> SimState {
        SimState {
            version: state::SIM_STATE_VERSION,
            last_step: self.last_step,
            seen_seq: self.seen_seq,
            feeds: self.feeds.iter().map(Feed::state).collect(),
            unseen: self.unseen.clone().into_iter().collect(),
        }
    }

    /// Stores the flows of the journal entry `seq`, complete.
    ///
    /// Entries may arrive in any order; a repeated entry, or one that a step
    /// already includes, changes nothing.
    pub fn observe(&mut self, seq: Seq, flows: &[Flow]) {
        if seq > self.seen_seq && !flows.is_empty() {
            self.unseen.entry(seq).or_insert_with(|| flows.to_vec());
        }
    }

    /// Makes the next step, which includes the flows up to `seen_seq` and no later
    /// one. The caller has observed every entry up to there. A lower `seen_seq`
    /// than before counts as the one before.
    pub fn step(&mut self, seen_seq: Seq) -> (StepHeader, EncodedPayload) {
        self.last_step += 1;
        self.seen_seq = self.seen_seq.max(seen_seq);
        self.apply_flows();
        let step = self.last_step;
        let date = self.config.date_at(step);
        let mut payload = StepPayload::default();
        for feed in &mut self.feeds {
            if let Some(tick) = feed.tick(step, date) {
                let time_after = |steps: u64| self.config.time_of(step.saturating_add(steps));
                payload.quotes.extend(feed.quotes(step, time_after));
                payload.ticks.push(tick);
            }
        }
        let payload = EncodedPayload::new(payload);
        (payload.header(step, self.seen_seq), payload)
    }

    /// Returns the number of the last step; 0 before the first.
    pub fn last_step(&self) -> u64 {
        self.last_step
    }

    /// Returns the last sequence number whose flows the steps so far include.
    pub fn seen_seq(&self) -> Seq {
        self.seen_seq
    }

    /// Applies the flows that the next step includes to their instruments.
    fn apply_flows(&mut self) {
        while let Some(entry) = self.unseen.first_entry() {
            if *entry.key() > self.seen_seq {
                return;
            }
            for flow in entry.remove() {
                // A flow of an instrument that is not simulated has no effect.
                if let Ok(at) = self.feeds.binary_search_by_key(&flow.instrument, Feed::id) {
                    self.feeds[at].apply_flow(&flow);
                }
            }
        }
    }
}
