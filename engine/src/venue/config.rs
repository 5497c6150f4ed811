//! What a venue is opened with: everything its market depends on besides the
//! seed, fixed in journal entry 1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{Digest, VenueId};
use crate::instrument::{E9, Instrument, InstrumentSpec, ListingError};
use crate::money::{Lots, Money, Ticks};
use crate::time::{Date, MICROS_PER_SECOND, SECONDS_PER_TRADING_DAY, VenueTime};

/// The rules by which this build decides; journalled with every entry.
pub const RULES_VERSION: u32 = 1;

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
            let instrument = Instrument::list(self.venue_id(), listing.instrument.clone(), self.date_at(0))
                .map_err(error)?;
            listing.feed.check(self.step_us).map_err(error)?;
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
    fn check(&self, step_us: i64) -> Result<(), ListingError> {
        let range = |ok: bool, what| if ok { Ok(()) } else { Err(ListingError::OutOfRange(what)) };
        let fastest = MICROS_PER_SECOND / MAX_TICKS_PER_SECOND;
        if self.every_steps == 0 || i64::from(self.every_steps).saturating_mul(step_us) < fastest {
            return Err(ListingError::InvalidCadence(format!("every_steps = {}", self.every_steps)));
        }
        let cap = 10_000_000_000; // ten a year: far beyond any market
        match &self.process {
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

/// The demonstration venue: one share and one government bond.
impl Default for VenueConfig {
    fn default() -> Self {
        use crate::decimal::Decimal;
        use crate::instrument::{BondTerms, DayCount, Terms};
        const fn date(days: i32) -> Date {
            Date::from_days(days)
        }
        Self {
            name: "main".to_owned(),
            t0: VenueTime(1_767_605_400 * MICROS_PER_SECOND), // 2026-01-05T09:30:00Z
            step_us: 100_000,
            currency: "USD".to_owned(),
            starting_balance: Money::from_units(1_000_000),
            listings: vec![
                ListingSpec {
                    instrument: InstrumentSpec {
                        symbol: "ACME".to_owned(),
                        name: "Acme Industries".to_owned(),
                        terms: Terms::Equity,
                        tick_size: Decimal::new(1, 2),
                        lot_size: Decimal::new(1, 0),
                        fee_rate_e9: 100_000, // 1 bp
                        collar_bps: 1_000,
                    },
                    feed: FeedSpec {
                        process: ProcessSpec::Gbm {
                            start: Ticks(10_000),
                            drift_e9: 50_000_000,
                            volatility_e9: 300_000_000,
                        },
                        every_steps: 2, // 5 Hz
                        maker: MakerSpec {
                            spread_ticks: 2,
                            levels: 10,
                            level_gap_ticks: 1,
                            touch_lots: Lots(400),
                            size_noise_e9: 400_000_000,
                            impact_ticks_e9: 1_000_000_000,
                            print_chance_e9: 150_000_000,
                            print_lots: Lots(300),
                        },
                    },
                },
                ListingSpec {
                    instrument: InstrumentSpec {
                        symbol: "GOV-4.5-2036".to_owned(),
                        name: "Government 4.5 % February 2036".to_owned(),
                        terms: Terms::Bond(BondTerms {
                            issue: date(20_134),    // 2025-02-15
                            maturity: date(24_151), // 2036-02-15
                            coupon_e9: 45_000_000,
                            frequency: 2,
                            day_count: DayCount::ActActIcma,
                        }),
                        tick_size: Decimal::new(1, 2),
                        lot_size: Decimal::new(1_000, 0),
                        fee_rate_e9: 20_000, // 0.2 bp
                        collar_bps: 500,
                    },
                    feed: FeedSpec {
                        process: ProcessSpec::MeanRevertingYield {
                            start_e9: 42_000_000,
                            mean_e9: 43_000_000,
                            speed_e9: 1_500_000_000,
                            volatility_e9: 9_000_000,
                        },
                        every_steps: 10, // 1 Hz
                        maker: MakerSpec {
                            spread_ticks: 2,
                            levels: 8,
                            level_gap_ticks: 1,
                            touch_lots: Lots(250),
                            size_noise_e9: 400_000_000,
                            impact_ticks_e9: 500_000_000,
                            print_chance_e9: 200_000_000,
                            print_lots: Lots(200),
                        },
                    },
                },
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_venue_can_be_listed() {
        let listed = VenueConfig::default().instruments().unwrap();
        let maturities: Vec<_> =
            listed.values().filter_map(|i| i.terms.maturity()).map(|date| date.to_string()).collect();
        assert_eq!((listed.len(), maturities), (2, vec!["2036-02-15".to_owned()]));
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
