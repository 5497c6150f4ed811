//! What a venue is opened with: everything its market depends on besides the
//! seed, fixed in journal entry 1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{Digest, VenueId};
use crate::instrument::{E9, Instrument, InstrumentSpec, ListingError};
use crate::money::{Lots, Money, Ticks};
use crate::time::{Date, MICROS_PER_SECOND, SECONDS_PER_TRADING_DAY, VenueTime};

/// The rules by which a venue decides that is opened now. It keeps them for
/// life, journalled with every entry:
///
/// 1. ids of orders and trades are hashes;
/// 2. they begin with the sequence number.
pub const RULES_VERSION: u32 = 2;

/// The first rules by which ids sort.
pub(super) const IDS_SORT: u32 = 2;

/// Fastest cadence of a feed, in ticks a second.
const MAX_TICKS_PER_SECOND: i64 = 50;

/// Everything a venue is opened with, except its secret seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VenueConfig {
    /// Unique name in the deployment; `main` is made at first start.
    pub name: String,
    /// Venue time of step 0.
    pub t0: VenueTime,
    /// Venue time between two steps, in microseconds.
    pub step_us: i64,
    /// The one currency's code.
    pub currency: String,
    /// Cash of a new account.
    pub starting_balance: Money,
    /// What is listed and how it is simulated.
    pub listings: Vec<ListingSpec>,
}

/// An instrument and its feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListingSpec {
    /// What is traded.
    pub instrument: InstrumentSpec,
    /// How it is simulated.
    pub feed: FeedSpec,
}

/// How an instrument's market is simulated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedSpec {
    /// What drives the price.
    pub process: ProcessSpec,
    /// It ticks in every step that is a multiple of this.
    pub every_steps: u32,
    /// The synthetic book around the price.
    pub maker: MakerSpec,
}

/// What drives a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessSpec {
    /// Geometric Brownian motion of the price, exact steps.
    Gbm {
        /// Price at step 0.
        start: Ticks,
        /// Drift a year, in 1e-9.
        drift_e9: E9,
        /// Volatility a year, in 1e-9.
        volatility_e9: E9,
    },
    /// A bond's yield reverting to its mean (Ornstein-Uhlenbeck, exact steps).
    MeanRevertingYield {
        /// Yield at step 0, in 1e-9.
        start_e9: E9,
        /// The yield it reverts to, in 1e-9.
        mean_e9: E9,
        /// Speed of reversion a year, in 1e-9.
        speed_e9: E9,
        /// Absolute volatility a year, in 1e-9.
        volatility_e9: E9,
    },
    /// Dealers quote around a price instead of a book: of the maker's
    /// specification only what impact needs is used. (A process of its own,
    /// because the shape of journalled configurations is fixed.)
    Dealt {
        /// What drives the price that they quote around.
        price: Box<ProcessSpec>,
        /// Who quotes, by place.
        dealers: Vec<DealerSpec>,
    },
}

/// How a dealer quotes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DealerSpec {
    /// Shown to everybody.
    pub name: String,
    /// A new quote comes every so many steps, a multiple of the instrument's
    /// ticks, and one more whenever the dealer has traded.
    pub every_steps: u32,
    /// How long a quote is good.
    pub life_steps: u32,
    /// Ticks from the dealer's own middle to either price.
    pub half_spread_ticks: i64,
    /// Ticks, in 1e-9, by which the dealer's view of the middle strays.
    pub view_ticks_e9: E9,
    /// Lots that are quoted on average.
    pub lots: Lots,
    /// Lots at which the dealer is as long or short as it wants to be.
    pub inventory_lots: Lots,
    /// Ticks by which a dealer at its limit shades both prices.
    pub skew_ticks: i64,
}

/// A synthetic market maker's book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakerSpec {
    /// Ticks between best bid and best ask.
    pub spread_ticks: i64,
    /// Levels a side.
    pub levels: u32,
    /// Ticks between levels.
    pub level_gap_ticks: i64,
    /// Lots at the touch; deeper levels show more.
    pub touch_lots: Lots,
    /// How much sizes vary, as a fraction in 1e-9.
    pub size_noise_e9: E9,
    /// Price move in ticks that one touch size of net buying makes, in 1e-9.
    pub impact_ticks_e9: E9,
    /// Chance of a print in a tick, in 1e-9.
    pub print_chance_e9: E9,
    /// Largest print, in lots.
    pub print_lots: Lots,
}

impl VenueConfig {
    /// The venue's id, from its name.
    pub fn venue_id(&self) -> VenueId {
        VenueId::from_name(&self.name)
    }

    /// Venue time of `step`.
    pub fn time_of(&self, step: u64) -> VenueTime {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        self.t0.plus_micros(step.saturating_mul(self.step_us))
    }

    /// The settlement date at `step`: the date of `t0`, one day later with
    /// every trading day of venue time.
    pub fn date_at(&self, step: u64) -> Date {
        let elapsed = self.time_of(step).0 - self.t0.0;
        let days = elapsed / (SECONDS_PER_TRADING_DAY * MICROS_PER_SECOND);
        Date::of(self.t0).plus_days(i32::try_from(days).unwrap_or(i32::MAX))
    }

    /// The instruments, checked and with their units fixed, by id.
    ///
    /// # Errors
    /// The first instrument that cannot be listed, with its symbol.
    pub fn instruments(&self) -> Result<BTreeMap<crate::id::InstrumentId, Instrument>, ConfigError> {
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

    /// What is published about the seed before anyone trades:
    /// SHA-256(seed ‖ salt).
    pub fn commit_to_seed(seed: &[u8; 32], salt: &[u8; 32]) -> Digest {
        Digest::of(&[seed, salt])
    }
}

/// Why a venue's configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A field of the venue itself, with its limits.
    #[error("out_of_range: {0}")]
    Venue(&'static str),
    /// It was opened by rules that this build does not know.
    #[error("rules of version {0} are not known here")]
    Rules(u32),
    /// A field of a listing.
    #[error("{symbol}: {error}")]
    Listing {
        /// Whose configuration.
        symbol: String,
        /// What is wrong with it.
        error: ListingError,
    },
}

impl FeedSpec {
    /// What drives the price.
    pub fn price(&self) -> &ProcessSpec {
        match &self.process {
            ProcessSpec::Dealt { price, .. } => price,
            process => process,
        }
    }

    /// Who quotes it; nobody where there is an order book.
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
        range((0..=100 * cap).contains(&maker.impact_ticks_e9), "impact_ticks_e9: 0 to 1000")?;
        range((0..=1_000_000_000).contains(&maker.print_chance_e9), "print_chance_e9: 0 to 1")?;
        range((1..=1_000_000_000).contains(&maker.print_lots.0), "print_lots: 1 to 1000000000")
    }
}

fn range(ok: bool, what: &'static str) -> Result<(), ListingError> {
    if ok { Ok(()) } else { Err(ListingError::OutOfRange(what)) }
}

fn check_dealers(dealers: &[DealerSpec], every_steps: u32) -> Result<(), ListingError> {
    range((1..=16).contains(&dealers.len()), "dealers: 1 to 16")?;
    for (place, dealer) in dealers.iter().enumerate() {
        let own = dealers.iter().position(|other| other.name == dealer.name) == Some(place);
        range(own && (1..=64).contains(&dealer.name.len()), "name: 1 to 64 characters, once")?;
        let whole = every_steps > 0 && dealer.every_steps > 0 && dealer.every_steps % every_steps == 0;
        range(whole, "every_steps: a multiple of the instrument's")?;
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
