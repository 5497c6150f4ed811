//! Properties of every valid configuration: its steps can be applied, and it can
//! be stopped and resumed after any step.

use super::equity_and_bond;
use engine::decimal::Decimal;
use engine::id::Seq;
use engine::instrument::Terms;
use engine::money::{Lots, Ticks};
use engine::sim::{SimState, Simulator};
use engine::venue::{MakerSpec, ProcessSpec, VenueConfig};
use proptest::prelude::*;

use super::{BOND, EQUITY, flow, seed};
use crate::properties::cases;

fn e9(low: f64, high: f64) -> impl Strategy<Value = i64> {
    let [low, high] = [low, high].map(|end| (end * 1e9) as i64);
    prop_oneof![Just(low), Just(high), low..=high]
}

/// Valid market makers.
fn maker() -> impl Strategy<Value = MakerSpec> {
    let to = |high: i64| prop_oneof![Just(1), Just(high), 1..=10_i64, 1..=high];
    (
        (to(1_000_000), 1..=100_u32, to(1_000_000), to(1_000_000_000)),
        (e9(0.0, 0.9), e9(0.0, 1.0), e9(0.0, 1.0), to(1_000_000_000)),
    )
        .prop_map(|((spread, levels, gap, touch), (noise, impact, chance, print))| {
            let maker = MakerSpec {
                spread_ticks: spread,
                levels,
                level_gap_ticks: gap,
                touch_lots: Lots(touch),
                size_noise_e9: noise,
                impact_ticks_e9: 0,
                print_chance_e9: chance,
                print_lots: Lots(print),
            };
            let most = i128::from(maker.max_impact_ticks_e9());
            let impact_ticks_e9 = (most * i128::from(impact) / 1_000_000_000) as i64;
            MakerSpec { impact_ticks_e9, ..maker }
        })
}

/// Valid venues of one equity and one bond.
fn any_config() -> impl Strategy<Value = VenueConfig> {
    let equity = (1..=1_000_000_000_i64, e9(-10.0, 10.0), e9(0.0, 10.0));
    let bond = (e9(-0.2, 1.0), e9(-0.2, 1.0), e9(0.0, 1_000.0), e9(0.0, 10.0));
    let terms = (1..=18_000_i32, e9(0.0, 1.0), prop::sample::select(vec![1_u8, 2, 4, 12]));
    let step_us = prop_oneof![Just(100_000_i64), 20_000..=3_600_000_000_i64];
    (equity, bond, terms, (maker(), maker()), step_us, 0..=6_u8).prop_map(
        |(equity, bond, terms, makers, step_us, tick_scale)| {
            let mut config = VenueConfig { step_us, ..equity_and_bond() };
            let today = config.date_at(0);
            let (start, drift_e9, volatility_e9) = equity;
            let feed = &mut config.listings[EQUITY].feed;
            (feed.every_steps, feed.maker) = (1, makers.0);
            feed.process = ProcessSpec::Gbm { start: Ticks(start), drift_e9, volatility_e9 };
            let (start_e9, mean_e9, speed_e9, volatility_e9) = bond;
            let listing = &mut config.listings[BOND];
            (listing.feed.every_steps, listing.feed.maker) = (1, makers.1);
            listing.feed.process =
                ProcessSpec::MeanRevertingYield { start_e9, mean_e9, speed_e9, volatility_e9 };
            listing.instrument.tick_size = Decimal::new(1, tick_scale);
            if let Terms::Bond(bond) = &mut listing.instrument.terms {
                (bond.coupon_e9, bond.frequency) = (terms.1, terms.2);
                bond.maturity = today.plus_days(terms.0);
            }
            config
        },
    )
}

/// Users' traded lots, of any size.
fn any_lots() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), -1_000..=1_000_i64, any::<i64>()]
}

proptest! {
    #![proptest_config(cases(192))]

    #[test]
    fn every_step_of_every_market_can_be_applied(
        config in any_config(),
        number in any::<u64>(),
        flows in prop::collection::vec((any_lots(), any_lots()), 60),
    ) {
        let mut simulator = Simulator::new(&config, &seed(number)).unwrap();
        for (seq, (equity, bond)) in (1..).zip(flows) {
            let flows = [flow(&config, EQUITY, equity), flow(&config, BOND, bond)];
            simulator.observe(Seq(seq), &flows);
            let (header, payload) = simulator.step(Seq(seq));
            prop_assert_eq!(payload.check(), Ok(()), "step {} of seed {}", header.step, number);
            for tick in &payload.ticks {
                let (bid, ask) = (tick.bids[0].price, tick.asks[0].price);
                prop_assert!(bid <= tick.mark && tick.mark <= ask, "{:?}", tick);
            }
        }
    }

    #[test]
    fn a_restart_continues_to_the_bit(
        number in any::<u64>(),
        cut in 0..300_u64,
        flows in prop::collection::vec((1..400_u64, 0..2_usize, -2_000..2_000_i64), 0..20),
    ) {
        let config = equity_and_bond();
        let mut simulator = Simulator::new(&config, &seed(number)).unwrap();
        for (seq, listing, lots) in &flows {
            simulator.observe(Seq(*seq), &[flow(&config, *listing, *lots)]);
        }
        for step in 1..=cut {
            simulator.step(Seq(step));
        }
        let state = simulator.state();
        prop_assert_eq!((state.last_step(), state.seen_seq()), (cut, Seq(cut)));
        let json = serde_json::to_string(&state).unwrap();
        let bytes = postcard::to_allocvec(&state).unwrap();
        prop_assert_eq!(&serde_json::from_str::<SimState>(&json).unwrap(), &state);
        prop_assert_eq!(&postcard::from_bytes::<SimState>(&bytes).unwrap(), &state);
        let mut resumed = Simulator::resume(&config, &seed(number), state).unwrap();
        for step in cut + 1..=cut + 150 {
            prop_assert_eq!(resumed.step(Seq(step)), simulator.step(Seq(step)), "seed {}", number);
        }
        prop_assert_eq!(resumed.state(), simulator.state());
    }
}
