//! Contents of steps, and invalid configurations and states.

use super::equity_and_bond;
use engine::id::{InstrumentId, Seq};
use engine::instrument::{FutureTerms, Terms};
use engine::sim::{SimState, Simulator};
use engine::time::MICROS_PER_SECOND;
use engine::venue::VenueConfig;

use super::{BOND, EQUITY, id, run, seed, simulator, ticks_of};

#[test]
fn steps_are_numbered_and_hashed_and_ticks_follow_their_schedule() {
    let config = equity_and_bond();
    let mut simulator = simulator(&config, 7);
    for step in 1..=40 {
        let (header, payload) = simulator.step(Seq(5));
        assert_eq!(header, payload.header(step, Seq(5)));
        assert_eq!((simulator.last_step(), simulator.seen_seq()), (step, Seq(5)));
        let mut expected: Vec<InstrumentId> = [EQUITY, BOND]
            .into_iter()
            .filter(|listing| step % u64::from(config.listings[*listing].feed.every_steps) == 0)
            .map(|listing| id(&config, listing))
            .collect();
        expected.sort();
        let found: Vec<InstrumentId> = payload.ticks.iter().map(|tick| tick.instrument).collect();
        assert_eq!(found, expected, "step {step}");
    }
    // The seen sequence number never decreases.
    assert_eq!(simulator.step(Seq(2)).0.seen_seq, Seq(5));
}

#[test]
fn another_instrument_does_not_change_the_prices() {
    let config = equity_and_bond();
    let mut larger = config.clone();
    let mut listing = config.listings[EQUITY].clone();
    listing.instrument.symbol = "ZETA".to_owned();
    larger.listings.insert(0, listing);
    let small = run(&mut simulator(&config, 7), 500);
    let large = run(&mut simulator(&larger, 7), 500);
    for listing in [EQUITY, BOND] {
        let instrument = id(&config, listing);
        assert_eq!(ticks_of(&small, instrument), ticks_of(&large, instrument));
    }
    assert_ne!(ticks_of(&large, id(&config, EQUITY)), ticks_of(&large, id(&larger, 0)));
}

#[test]
fn a_bond_stops_on_its_maturity_date() {
    let mut config = equity_and_bond();
    let maturity = config.date_at(0).plus_days(2);
    if let Terms::Bond(terms) = &mut config.listings[BOND].instrument.terms {
        terms.maturity = maturity;
    }
    // One step an hour: two days of 23,400 seconds end within step 13.
    config.step_us = 3_600 * MICROS_PER_SECOND;
    config.listings[BOND].feed.every_steps = 1;
    let mut simulator = simulator(&config, 7);
    let path = run(&mut simulator, 20);
    assert_eq!(ticks_of(&path, id(&config, BOND)).len(), 12);
    assert_eq!(ticks_of(&path, id(&config, EQUITY)).len(), 10);
}

#[test]
fn an_invalid_process_is_refused() {
    let config = equity_and_bond();
    let refused = |change: &dyn Fn(&mut VenueConfig)| {
        let mut config = config.clone();
        change(&mut config);
        let error = Simulator::new(&config, &seed(7)).err().unwrap().to_string();
        assert!(error.contains("out_of_range: process"), "{error}");
    };
    let [gbm, reverting] = [EQUITY, BOND].map(|at| config.listings[at].feed.process.clone());
    refused(&|config| config.listings[BOND].feed.process = gbm.clone());
    refused(&|config| config.listings[EQUITY].feed.process = reverting.clone());
    refused(&|config| {
        let mut listing = config.listings[EQUITY].clone();
        listing.instrument.symbol = "FUT".to_owned();
        listing.instrument.terms = Terms::Future(FutureTerms {
            underlier: id(config, EQUITY),
            expiry: config.date_at(0).plus_days(90),
            multiplier: 50,
        });
        config.listings.push(listing);
    });
}

#[test]
fn a_state_of_another_venue_or_version_is_refused() {
    let config = equity_and_bond();
    let state = simulator(&config, 7).state();
    let mut smaller = config.clone();
    smaller.listings.pop();
    assert!(Simulator::resume(&smaller, &seed(7), state.clone()).is_err());
    let json = serde_json::to_string(&state).unwrap();
    let newer = json.replacen("\"version\":1", "\"version\":2", 1);
    assert_ne!(json, newer);
    let newer: SimState = serde_json::from_str(&newer).unwrap();
    assert!(Simulator::resume(&config, &seed(7), newer).is_err());
}
