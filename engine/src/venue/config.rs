//! Configuration of a venue: everything its market depends on besides the seed,
//! fixed in journal entry 1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{Digest, InstrumentId, VenueId};
use crate::instrument::{E9, Instrument, InstrumentSpec, ListingError};
use crate::money::{Lots, Money, Ticks};
use crate::time::{Date, MICROS_PER_SECOND, SECONDS_PER_TRADING_DAY, VenueTime};

/// Version of the venue's rules, journalled with every entry. A change of any
/// decision or state is a new version.
pub const RULES_VERSION: u32 = 2;

/// Level number `k` of a synthetic book has `(DEPTH_UNITS + k) / DEPTH_UNITS` touch
/// sizes.
pub(crate) const DEPTH_UNITS: i128 = 4;

/// One, in units of 1e-9.
const ONE_E9: i128 = 1_000_000_000;

/// Fastest cadence of a feed, in ticks per second.
const MAX_TICKS_PER_SECOND: i64 = 50;

/// Configuration of a venue, without its secret seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VenueConfig {
    /// Name, unique in the deployment; `main` is created at first start.
    pub name: String,
    /// Venue time of step 0.
    pub t0: VenueTime,
    /// Venue time between two steps, in microseconds.
    pub step_us: i64,
    /// Code of its only currency.
    pub currency: String,
    /// Cash of a new account.
    pub starting_balance: Money,
    /// Listed instruments with their feeds.
    pub listings: Vec<ListingSpec>,
}

/// An instrument and its feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListingSpec {
    /// The instrument.
    pub instrument: InstrumentSpec,
    /// Its simulation.
    pub feed: FeedSpec,
}

/// Simulation of an instrument's market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedSpec {
    /// Process of the price.
    pub process: ProcessSpec,
    /// The instrument ticks in every step that is a multiple of this.
    pub every_steps: u32,
    /// Synthetic order book around the price.
    pub maker: MakerSpec,
}

/// Process of a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessSpec {
    /// Geometric Brownian motion of the price, exact steps.
    Gbm {
        /// Price at step 0.
        start: Ticks,
        /// Annual drift, in 1e-9.
        drift_e9: E9,
        /// Annual volatility, in 1e-9.
        volatility_e9: E9,
    },
    /// A bond's yield reverting to its mean (Ornstein-Uhlenbeck, exact steps).
    MeanRevertingYield {
        /// Yield at step 0, in 1e-9.
        start_e9: E9,
        /// Long-run yield, in 1e-9.
        mean_e9: E9,
        /// Annual speed of reversion, in 1e-9.
        speed_e9: E9,
        /// Annual absolute volatility, in 1e-9.
        volatility_e9: E9,
    },
    /// Dealers' quotes around a price instead of an order book: only the impact of
    /// the maker's specification is used.
    Dealt {
        /// Process of the price that they quote around.
        price: Box<ProcessSpec>,
        /// The dealers; an index identifies a dealer of the instrument.
        dealers: Vec<DealerSpec>,
    },
}

/// Quoting behaviour of a dealer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DealerSpec {
    /// Public name.
    pub name: String,
    /// Steps between quotes, a multiple of the instrument's; the dealer also quotes
    /// after every trade.
    pub every_steps: u32,
    /// Validity of a quote, in steps.
    pub life_steps: u32,
    /// Ticks from the dealer's own mark to either price.
    pub half_spread_ticks: i64,
    /// Standard deviation of the dealer's own mark around the model price, in 1e-9
    /// ticks.
    pub view_ticks_e9: E9,
    /// Average quoted lots.
    pub lots: Lots,
    /// Inventory limit, in lots.
    pub inventory_lots: Lots,
    /// Ticks by which a dealer at its inventory limit moves both prices.
    pub skew_ticks: i64,
}

/// Book of a synthetic market maker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakerSpec {
    /// Ticks between best bid and best ask.
    pub spread_ticks: i64,
    /// Levels per side.
    pub levels: u32,
    /// Ticks between levels.
    pub level_gap_ticks: i64,
    /// Lots at the touch; deeper levels are larger.
    pub touch_lots: Lots,
    /// Variation of sizes, as a fraction in 1e-9.
    pub size_noise_e9: E9,
    /// Permanent price move by net buying of one touch size, in 1e-9 ticks: at most
    /// [`MakerSpec::max_impact_ticks_e9`].
    pub impact_ticks_e9: E9,
    /// Probability of a print per tick, in 1e-9.
    pub print_chance_e9: E9,
    /// Largest print, in lots.
    pub print_lots: Lots,
}

impl VenueConfig {
    /// Returns the venue's id, derived from its name.
    pub fn venue_id(&self) -> VenueId {
        VenueId::from_name(&self.name)
    }

    /// Returns the venue time of `step`.
    pub fn time_of(&self, step: u64) -> VenueTime {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        self.t0.plus_micros(step.saturating_mul(self.step_us))
    }

    /// Returns the settlement date at `step`: the date of `t0` plus one day per
    /// trading day of venue time.
    pub fn date_at(&self, step: u64) -> Date {
        let elapsed = self.time_of(step).0 - self.t0.0;
        let days = elapsed / (SECONDS_PER_TRADING_DAY * MICROS_PER_SECOND);
        Date::of(self.t0).plus_days(i32::try_from(days).unwrap_or(i32::MAX))
    }

    /// Returns the checked instruments with their fixed units, by id.
    ///
    /// # Errors
    /// The first fault; of an instrument, with its symbol.
    pub fn instruments(&self) -> Result<BTreeMap<InstrumentId, Instrument>, ConfigError> {
        if !(1_000..=3_600 * MICROS_PER_SECOND).contains(&self.step_us) {
            return Err(ConfigError::Venue("step_us: 1000 to 3600000000"));
        }
        // From 1970 to the end of 9998: dates and steps stay in the calendar.
        if !(0..253_370_764_800 * MICROS_PER_SECOND).contains(&self.t0.0) {
            return Err(ConfigError::Venue("t0: 1970 to 9998"));
        }
        if self.name.is_empty() || self.name.len() > 64 {
            return Err(ConfigError::Venue("name: 1 to 64 characters"));
        }
        if self.starting_balance < Money::ZERO {
            return Err(ConfigError::Venue("starting_balance: not negative"));
        }
        let mut listed = BTreeMap::new();
        for listing in &self.listings {
            let symbol = listing.instrument.symbol.clone();
            let error = |error| ConfigError::Listing { symbol: symbol.clone(), error };
            let mut instrument =
                Instrument::list(self.venue_id(), listing.instrument.clone(), self.date_at(0))
                    .map_err(error)?;
            listing.feed.check(self.step_us).map_err(error)?;
            instrument.dealers = listing.feed.dealers().iter().map(|dealer| dealer.name.clone()).collect();
            if listed.insert(instrument.id, instrument).is_some() {
                return Err(error(ListingError::DuplicateSymbol(symbol.clone())));
            }
        }
        for instrument in listed.values() {
            let error = |error| ConfigError::Listing { symbol: instrument.symbol.clone(), error };
            let mut underlier = instrument.terms.underlier();
            for _ in 0..=listed.len() {
                let Some(id) = underlier else { break };
                let next = listed.get(&id).ok_or_else(|| error(ListingError::UnknownUnderlier(id)))?;
                underlier = next.terms.underlier();
            }
            if let Some(id) = underlier {
                return Err(error(ListingError::CyclicUnderlier(id)));
            }
        }
        Ok(listed)
    }

    /// Returns the commitment to a seed, published before trading: SHA-256(seed ‖ salt).
    pub fn commit_to_seed(seed: &[u8; 32], salt: &[u8; 32]) -> Digest {
        Digest::of(&[seed, salt])
    }
}

/// Reason why a venue's configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A field of the venue, with its limits.
    #[error("out_of_range: {0}")]
    Venue(&'static str),
    /// Rules that this build does not implement.
    #[error(
        "rules version {0} is not supported: keep this venue with the program that made it, and open a new one"
    )]
    Rules(u32),
    /// A field of a listing.
    #[error("{symbol}: {error}")]
    Listing {
        /// Symbol of the instrument.
        symbol: String,
        /// The fault.
        error: ListingError,
    },
}

impl FeedSpec {
    /// Returns the process of the price.
    pub fn price(&self) -> &ProcessSpec {
        match &self.process {
            ProcessSpec::Dealt { price, .. } => price,
            process => process,
        }
    }

    /// Returns the dealers; empty for an instrument with an order book.
    pub fn dealers(&self) -> &[DealerSpec] {
        match &self.process {
            ProcessSpec::Dealt { dealers, .. } => dealers,
            ProcessSpec::Gbm { .. } | ProcessSpec::MeanRevertingYield { .. } => &[],
        }
    }

    fn check(&self, step_us: i64) -> Result<(), ListingError> {
        if let ProcessSpec::Dealt { dealers, .. } = &self.process {
            check_dealers(dealers, self.every_steps)?;
        }
        let fastest = MICROS_PER_SECOND / MAX_TICKS_PER_SECOND;
        if self.every_steps == 0 || i64::from(self.every_steps).saturating_mul(step_us) < fastest {
            return Err(ListingError::InvalidCadence(format!("every_steps = {}", self.every_steps)));
        }
        let cap = 10_000_000_000; // ten a year: far beyond any market
        match self.price() {
            ProcessSpec::Gbm { start, drift_e9, volatility_e9 } => {
                range((1..=1_000_000_000).contains(&start.0), "start: 1 to 1000000000 ticks")?;
                range((-cap..=cap).contains(drift_e9), "drift_e9: −10 to 10")?;
                range((0..=cap).contains(volatility_e9), "volatility_e9: 0 to 10")?;
            }
            ProcessSpec::MeanRevertingYield { start_e9, mean_e9, speed_e9, volatility_e9 } => {
                let yields = -200_000_000..=1_000_000_000; // −20 % to 100 %
                range(yields.contains(start_e9), "start_e9: −0.2 to 1")?;
                range(yields.contains(mean_e9), "mean_e9: −0.2 to 1")?;
                range((0..=100 * cap).contains(speed_e9), "speed_e9: 0 to 1000")?;
                range((0..=cap).contains(volatility_e9), "volatility_e9: 0 to 10")?;
            }
            ProcessSpec::Dealt { .. } => range(false, "dealt: once")?,
        }
        let maker = &self.maker;
        range((1..=1_000_000).contains(&maker.spread_ticks), "spread_ticks: 1 to 1000000")?;
        range((1..=100).contains(&maker.levels), "levels: 1 to 100")?;
        range((1..=1_000_000).contains(&maker.level_gap_ticks), "level_gap_ticks: 1 to 1000000")?;
        range((1..=1_000_000_000).contains(&maker.touch_lots.0), "touch_lots: 1 to 1000000000")?;
        range((0..=900_000_000).contains(&maker.size_noise_e9), "size_noise_e9: 0 to 0.9")?;
        let moves = 0..=maker.max_impact_ticks_e9();
        range(moves.contains(&maker.impact_ticks_e9), "impact_ticks_e9: 0 to what moving the price costs")?;
        range((0..=1_000_000_000).contains(&maker.print_chance_e9), "print_chance_e9: 0 to 1")?;
        range((1..=1_000_000_000).contains(&maker.print_lots.0), "print_lots: 1 to 1000000000")
    }
}

impl MakerSpec {
    /// Returns the largest permanent impact without free money, in 1e-9 ticks per
    /// touch size.
    ///
    /// With linear impact `λ` and an average distance `c(q)` from the mark that an
    /// order of `q` pays, trades that sum to zero earn `Σ λ q²/2 − Σ |q| c(q)`
    /// (Huberman and Stanzl, Price Manipulation and Quasi-Arbitrage, 2004). This
    /// bound is `λ q ≤ c(q)` for every number of levels at their largest sizes,
    /// twice as strict.
    pub fn max_impact_ticks_e9(&self) -> E9 {
        // In units of 1 / DEPTH_UNITS touch sizes and half ticks.
        let (mut lots, mut paid, mut most) = (0_i128, 0_i128, i128::MAX);
        for level in 0..i128::from(self.levels) {
            let size = DEPTH_UNITS + level;
            lots += size;
            paid += size * (i128::from(self.spread_ticks) + 2 * level * i128::from(self.level_gap_ticks));
            let largest = lots * (ONE_E9 + i128::from(self.size_noise_e9));
            most = most.min(paid * DEPTH_UNITS * ONE_E9 * ONE_E9 / (2 * lots * largest));
        }
        E9::try_from(most).unwrap_or(E9::MAX)
    }
}

fn range(ok: bool, limits: &'static str) -> Result<(), ListingError> {
    if ok { Ok(()) } else { Err(ListingError::OutOfRange(limits)) }
}

fn check_dealers(dealers: &[DealerSpec], every_steps: u32) -> Result<(), ListingError> {
    range((1..=16).contains(&dealers.len()), "dealers: 1 to 16")?;
    for (index, dealer) in dealers.iter().enumerate() {
        let unique = dealers.iter().position(|other| other.name == dealer.name) == Some(index);
        range(unique && (1..=64).contains(&dealer.name.len()), "name: 1 to 64 characters, once")?;
        let multiple = every_steps > 0 && dealer.every_steps > 0 && dealer.every_steps % every_steps == 0;
        range(multiple, "every_steps: a multiple of the instrument's")?;
        range((1..=1_000_000).contains(&dealer.life_steps), "life_steps: 1 to 1000000")?;
        range((1..=1_000_000).contains(&dealer.half_spread_ticks), "half_spread_ticks: 1 to 1000000")?;
        range((0..=1_000_000_000_000).contains(&dealer.view_ticks_e9), "view_ticks_e9: 0 to 1000")?;
        range((1..=1_000_000_000).contains(&dealer.lots.0), "lots: 1 to 1000000000")?;
        range((1..=1_000_000_000).contains(&dealer.inventory_lots.0), "inventory_lots: 1 to 1000000000")?;
        range((0..=1_000_000).contains(&dealer.skew_ticks), "skew_ticks: 0 to 1000000")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_venue_can_be_listed() {
        let listed = VenueConfig::default().instruments().unwrap();
        let maturities: Vec<_> =
            listed.values().filter_map(|i| i.terms.maturity()).map(|date| date.to_string()).collect();
        let dealt: Vec<_> = listed.values().filter(|i| i.is_dealt()).map(|i| i.dealers.len()).collect();
        assert_eq!((listed.len(), maturities.len(), dealt), (13, 4, vec![3, 3]));
        let first: Vec<_> = VenueConfig::default().listings.into_iter().take(2).collect();
        let symbols: Vec<_> = first.iter().map(|listing| listing.instrument.symbol.as_str()).collect();
        assert_eq!(symbols, ["ACME", "GOV-4.5-2036"]);
    }

    #[test]
    fn a_day_passes_every_23_400_venue_seconds() {
        let config = VenueConfig::default();
        assert_eq!(config.date_at(0).to_string(), "2026-01-05");
        assert_eq!(config.date_at(233_999).to_string(), "2026-01-05");
        assert_eq!(config.date_at(234_000).to_string(), "2026-01-06");
    }

    #[test]
    fn cadences_and_duplicates_are_refused_by_name() {
        let mut config = VenueConfig::default();
        config.listings[0].feed.every_steps = 0;
        assert!(config.instruments().unwrap_err().to_string().contains("invalid_cadence"));
        let mut config = VenueConfig { step_us: 1_000, ..VenueConfig::default() };
        config.listings[0].feed.every_steps = 19; // 52.6 Hz
        assert!(config.instruments().unwrap_err().to_string().contains("invalid_cadence"));
        let mut config = VenueConfig::default();
        config.listings.push(config.listings[0].clone());
        assert!(config.instruments().unwrap_err().to_string().contains("duplicate_symbol"));
    }
}
