//! The demonstration venue: nine shares, two government bonds with order books,
//! two corporate bonds quoted by dealers. All names are invented.
//!
//! Does not know how they are simulated.

use super::{DealerSpec, FeedSpec, ListingSpec, MakerSpec, ProcessSpec, VenueConfig};
use crate::decimal::Decimal;
use crate::instrument::{BondTerms, DayCount, E9, InstrumentSpec, Terms};
use crate::money::{Lots, Money, Ticks};
use crate::time::{Date, MICROS_PER_SECOND, VenueTime};

/// Steps between ticks of liquid instruments: 200 ms.
const LIQUID_TICK_STEPS: u32 = 2;

/// Steps between ticks of other instruments: one second.
const CALM_TICK_STEPS: u32 = 10;

impl Default for VenueConfig {
    fn default() -> Self {
        Self {
            name: "main".to_owned(),
            t0: VenueTime(1_767_605_400 * MICROS_PER_SECOND), // 2026-01-05T09:30:00Z
            step_us: 100_000,
            currency: "USD".to_owned(),
            starting_balance: Money::from_units(1_000_000),
            listings: listings(),
        }
    }
}

fn listings() -> Vec<ListingSpec> {
    let maker = |spread_ticks, level_gap_ticks, touch: i64| MakerSpec {
        spread_ticks,
        levels: 10,
        level_gap_ticks,
        touch_lots: Lots(touch),
        size_noise_e9: 400_000_000,
        impact_ticks_e9: 100_000_000 * level_gap_ticks,
        print_chance_e9: 150_000_000,
        print_lots: Lots(touch * 3 / 4),
    };
    let cent = Decimal::new(1, 2);
    let share = |symbol, name, tick, start, volatility, every, maker| {
        equity(symbol, name, tick, Ticks(start), volatility, every, maker)
    };
    vec![
        share("ACME", "Acme Industries", cent, 10_000, 300_000_000, LIQUID_TICK_STEPS, maker(2, 1, 400)),
        government(),
        // Liquid: 412.50 in steps of 0.05, 64.20, 28.75, 187.40.
        share(
            "GLSW",
            "Glasswater Software",
            Decimal::new(5, 2),
            8_250,
            380_000_000,
            LIQUID_TICK_STEPS,
            maker(2, 1, 250),
        ),
        share(
            "HLLN",
            "Hollin Semiconductors",
            cent,
            18_740,
            520_000_000,
            LIQUID_TICK_STEPS,
            maker(4, 2, 300),
        ),
        share("IRNM", "Ironmere Bank", cent, 6_420, 240_000_000, LIQUID_TICK_STEPS, maker(1, 1, 900)),
        share("BRLS", "Borealis Freight", cent, 2_875, 280_000_000, LIQUID_TICK_STEPS, maker(1, 1, 1_200)),
        // Calmer: 48.10, 133.00, 76.60, and 3.845 in steps of 0.005.
        share("DLPH", "Delphine Foods", cent, 4_810, 180_000_000, CALM_TICK_STEPS, maker(2, 1, 500)),
        share("FNWK", "Fenwick Health", cent, 13_300, 260_000_000, CALM_TICK_STEPS, maker(4, 2, 200)),
        share("EMBR", "Ember Grid", cent, 7_660, 200_000_000, CALM_TICK_STEPS, maker(3, 1, 300)),
        share(
            "CBLT",
            "Cobalt Ridge Mining",
            Decimal::new(5, 3),
            769,
            650_000_000,
            CALM_TICK_STEPS,
            maker(2, 1, 4_000),
        ),
        ListingSpec {
            instrument: bond("GOV-3.75-2029", "Government 3.75 % August 2029", (19_950, 21_776), 37_500_000),
            feed: FeedSpec {
                process: reverting(40_000_000, 41_000_000, 8_000_000),
                every_steps: CALM_TICK_STEPS,
                maker: bond_maker(400),
            },
        },
        ListingSpec {
            instrument: bond(
                "HALV-5.25-2033",
                "Halvorsen Rail 5.25 % May 2033",
                (20_223, 23_145),
                52_500_000,
            ),
            feed: FeedSpec {
                process: dealt(reverting(51_000_000, 52_000_000, 10_000_000), 12),
                every_steps: CALM_TICK_STEPS,
                maker: bond_maker(200),
            },
        },
        ListingSpec {
            instrument: bond(
                "MERI-6-2030",
                "Meridian Cement 6 % November 2030",
                (19_676, 22_233),
                60_000_000,
            ),
            feed: FeedSpec {
                process: dealt(reverting(58_000_000, 60_000_000, 14_000_000), 20),
                every_steps: CALM_TICK_STEPS,
                maker: bond_maker(120),
            },
        },
    ]
}

fn equity(
    symbol: &str,
    name: &str,
    tick_size: Decimal,
    start: Ticks,
    volatility_e9: E9,
    every_steps: u32,
    maker: MakerSpec,
) -> ListingSpec {
    let instrument = InstrumentSpec {
        symbol: symbol.to_owned(),
        name: name.to_owned(),
        terms: Terms::Equity,
        tick_size,
        lot_size: Decimal::new(1, 0),
        fee_rate_e9: 100_000, // 1 bp
        collar_bps: 1_000,
    };
    let process = ProcessSpec::Gbm { start, drift_e9: 50_000_000, volatility_e9 };
    ListingSpec { instrument, feed: FeedSpec { process, every_steps, maker } }
}

/// The first listed bond.
fn government() -> ListingSpec {
    ListingSpec {
        // 2025-02-15 to 2036-02-15
        instrument: bond("GOV-4.5-2036", "Government 4.5 % February 2036", (20_134, 24_151), 45_000_000),
        feed: FeedSpec {
            process: reverting(42_000_000, 43_000_000, 9_000_000),
            every_steps: CALM_TICK_STEPS,
            maker: bond_maker(250),
        },
    }
}

/// A semi-annual bullet in lots of 1,000 of face; issue and maturity in days.
fn bond(symbol: &str, name: &str, (issue, maturity): (i32, i32), coupon_e9: E9) -> InstrumentSpec {
    InstrumentSpec {
        symbol: symbol.to_owned(),
        name: name.to_owned(),
        terms: Terms::Bond(BondTerms {
            issue: Date::from_days(issue),
            maturity: Date::from_days(maturity),
            coupon_e9,
            frequency: 2,
            day_count: DayCount::ActActIcma,
        }),
        tick_size: Decimal::new(1, 2),
        lot_size: Decimal::new(1_000, 0),
        fee_rate_e9: 20_000, // 0.2 bp
        collar_bps: 500,
    }
}

fn reverting(start_e9: E9, mean_e9: E9, volatility_e9: E9) -> ProcessSpec {
    ProcessSpec::MeanRevertingYield { start_e9, mean_e9, speed_e9: 1_500_000_000, volatility_e9 }
}

fn bond_maker(touch: i64) -> MakerSpec {
    MakerSpec {
        spread_ticks: 2,
        levels: 8,
        level_gap_ticks: 1,
        touch_lots: Lots(touch),
        size_noise_e9: 400_000_000,
        impact_ticks_e9: 100_000_000,
        print_chance_e9: 200_000_000,
        print_lots: Lots(touch * 4 / 5),
    }
}

/// Three dealers around `price`: one fast and narrow in small size, one wide and
/// large, one with a strong inventory skew.
fn dealt(price: ProcessSpec, half_spread_ticks: i64) -> ProcessSpec {
    let dealer = |name: &str, seconds: u32, life: u32, half, lots, skew_ticks| DealerSpec {
        name: name.to_owned(),
        every_steps: seconds * CALM_TICK_STEPS,
        life_steps: life * CALM_TICK_STEPS,
        half_spread_ticks: half,
        view_ticks_e9: 2_000_000_000,
        lots: Lots(lots),
        inventory_lots: Lots(lots * 3),
        skew_ticks,
    };
    ProcessSpec::Dealt {
        price: Box::new(price),
        dealers: vec![
            dealer("Quillon Markets", 4, 6, half_spread_ticks, 100, half_spread_ticks / 2),
            dealer("Osterby Securities", 7, 12, half_spread_ticks * 3 / 2, 400, half_spread_ticks / 2),
            dealer("Tarn & Vale", 5, 8, half_spread_ticks + 2, 200, half_spread_ticks),
        ],
    }
}
