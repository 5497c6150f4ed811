//! The candles before a venue's first step.

use std::collections::BTreeMap;

use engine::candle::Candle;
use engine::id::InstrumentId;
use engine::instrument::Terms;
use engine::math::normal_cdf;
use engine::pricing::bond;
use engine::sim::past;
use engine::time::{MICROS_PER_SECOND, SECONDS_PER_TRADING_DAY};
use engine::venue::{ProcessSpec, VenueConfig};

use super::{BOND, EQUITY, equity_and_bond, id, run, seed, simulator, ticks_of};

const MINUTE: i64 = 60 * MICROS_PER_SECOND;

fn past_of(config: &VenueConfig, number: u64, days: u32) -> BTreeMap<InstrumentId, Vec<Candle>> {
    past(config, &seed(number), days).unwrap().into_iter().collect()
}

#[test]
fn it_ends_at_the_start_of_every_instrument() {
    let config = VenueConfig::default();
    let found = past_of(&config, 7, 1);
    for (at, listing) in config.listings.iter().enumerate() {
        let last = found[&id(&config, at)].last().unwrap();
        let start = match (listing.feed.price(), &listing.instrument.terms) {
            (ProcessSpec::Gbm { start, .. }, _) => start.0,
            (ProcessSpec::MeanRevertingYield { start_e9, .. }, Terms::Bond(terms)) => {
                let yesterday = config.date_at(0).plus_days(-1);
                let value = bond::value(terms, *start_e9 as f64 / 1e9, yesterday).unwrap();
                (value.clean / listing.instrument.tick_size.to_f64()).round_ties_even() as i64
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(last.close.0, start, "{}", listing.instrument.symbol);
        assert_eq!(last.start, config.t0.plus_micros(-MINUTE));
    }
}

#[test]
fn every_minute_of_its_days_has_a_candle_that_continues_the_one_before() {
    let config = VenueConfig::default();
    for (id, candles) in past_of(&config, 7, 3) {
        // Three days of 23,400 seconds.
        assert_eq!(candles.len(), 1_170);
        for candle in &candles {
            assert!(candle.low <= candle.open.min(candle.close), "{candle:?}");
            assert!(candle.high >= candle.open.max(candle.close), "{candle:?}");
            assert!(candle.start < candle.through && candle.through < candle.start.plus_micros(MINUTE));
        }
        for (minute, pair) in candles.windows(2).enumerate() {
            assert_eq!(pair[0].start.plus_micros(MINUTE), pair[1].start);
            // A bond's price moves by less than a tick when its settlement date does.
            let is_new_day = (minute + 1).is_multiple_of(390);
            let jump = (pair[1].open.0 - pair[0].close.0).abs();
            assert!(jump <= i64::from(is_new_day), "{id}: {pair:?}");
        }
    }
}

#[test]
fn it_depends_on_seed_and_symbol_alone_and_more_days_reach_further_back() {
    let config = equity_and_bond();
    let found = past_of(&config, 7, 2);
    assert_eq!(found, past_of(&config, 7, 2));
    let mut larger = config.clone();
    let mut listing = config.listings[EQUITY].clone();
    listing.instrument.symbol = "ZETA".to_owned();
    larger.listings.insert(0, listing);
    let longer = past_of(&larger, 7, 3);
    for listing in [EQUITY, BOND] {
        let instrument = id(&config, listing);
        assert_ne!(found[&instrument], past_of(&config, 8, 2)[&instrument]);
        assert!(longer[&instrument].ends_with(&found[&instrument]));
    }
    assert_ne!(longer[&id(&larger, 0)], longer[&id(&config, EQUITY)]);
    assert!(past_of(&config, 7, 0).values().all(Vec::is_empty));
}

#[test]
fn its_candles_have_the_laws_of_the_market() {
    let config = equity_and_bond();
    let candles = &past_of(&config, 7, 10)[&id(&config, EQUITY)];
    let ProcessSpec::Gbm { volatility_e9, .. } = config.listings[EQUITY].feed.price() else { panic!() };
    let minutes = candles.len() as f64;
    let volatility = *volatility_e9 as f64 / 1e9;
    let deviation = volatility * libm::sqrt(60.0 / (252 * SECONDS_PER_TRADING_DAY) as f64);
    let moves =
        candles.iter().map(|candle| libm::log(candle.close.0 as f64 / candle.open.0 as f64) / deviation);
    let (mut square, mut range, mut lots) = (0.0, 0.0, 0.0);
    let mut below = 0.0;
    for (candle, move_) in candles.iter().zip(moves) {
        square += move_ * move_;
        below += f64::from(move_ < 1.0);
        range += libm::log(candle.high.0 as f64 / candle.low.0 as f64) / deviation;
        lots += candle.volume.0 as f64;
    }
    let root = libm::sqrt(minutes);
    // Four standard errors of Z²; rounding to ticks, of which a move has ten, adds 0.002.
    assert!((square / minutes - 1.0).abs() < 4.0 * libm::sqrt(2.0) / root + 0.01, "{square}");
    assert!((below / minutes - normal_cdf(1.0)).abs() < 4.0 * 0.37 / root + 0.02, "{below}");
    // A Brownian motion's mean range is √(8/π) deviations, its standard deviation 0.48.
    assert!((range / minutes - 1.595_769).abs() < 4.0 * 0.6 / root + 0.01, "{range}");
    // As much as twenty minutes of the simulated public: 900 prints, each within 134 % of its mean.
    let path = run(&mut simulator(&config, 7), 12_000);
    let ticks = ticks_of(&path, id(&config, EQUITY));
    let traded: i64 = ticks.iter().flat_map(|tick| &tick.prints).map(|print| print.lots.0).sum();
    let (past, live) = (lots / minutes, traded as f64 / 20.0);
    assert!((past / live - 1.0).abs() < 4.0 * 1.34 / 30.0, "{past} and {live} lots a minute");
    // Dealers' instruments have no public.
    let config = VenueConfig::default();
    let dealt = past_of(&config, 7, 1);
    for (at, listing) in config.listings.iter().enumerate() {
        let lots: i64 = dealt[&id(&config, at)].iter().map(|candle| candle.volume.0).sum();
        assert_eq!(lots == 0, !listing.feed.dealers().is_empty(), "{}", listing.instrument.symbol);
    }
}
