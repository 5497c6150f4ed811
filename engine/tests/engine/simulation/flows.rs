//! Effects of users' trading on the market.

use super::equity_and_bond;
use engine::id::Seq;
use engine::step::Tick;
use engine::venue::Flow;

use super::{BOND, EQUITY, flow, id, run, simulator, ticks_of};

#[test]
fn flows_after_the_seen_sequence_number_have_no_effect() {
    let config = equity_and_bond();
    let (mut knowing, mut plain) = (simulator(&config, 7), simulator(&config, 7));
    knowing.observe(Seq(10), &[flow(&config, EQUITY, 5_000), flow(&config, BOND, 5_000)]);
    for _ in 0..100 {
        assert_eq!(knowing.step(Seq(9)), plain.step(Seq(9)));
    }
    assert_ne!(
        (0..10).map(|_| knowing.step(Seq(10)).1).collect::<Vec<_>>(),
        (0..10).map(|_| plain.step(Seq(10)).1).collect::<Vec<_>>()
    );
}

#[test]
fn the_order_and_repetition_of_entries_have_no_effect() {
    let config = equity_and_bond();
    let entries: Vec<(Seq, [Flow; 1])> =
        (1..=20).map(|seq| (Seq(seq), [flow(&config, (seq % 2) as usize, 100 - 9 * seq as i64)])).collect();
    let (mut forward, mut backward) = (simulator(&config, 7), simulator(&config, 7));
    for (seq, flows) in &entries {
        forward.observe(*seq, flows);
    }
    for (seq, flows) in entries.iter().rev() {
        backward.observe(*seq, flows);
        backward.observe(*seq, flows);
    }
    for step in 0..100 {
        let seen = Seq(step / 4);
        assert_eq!(forward.step(seen), backward.step(seen));
        // An earlier entry is repeated, as after a restart.
        let (seq, flows) = &entries[0];
        if seen >= *seq {
            backward.observe(*seq, flows);
        }
    }
}

#[test]
fn a_flow_takes_effect_at_its_instruments_next_tick() {
    let config = equity_and_bond();
    let (mut early, mut late) = (simulator(&config, 7), simulator(&config, 7));
    // The bond ticks at step 10; the step of the flow before it has no effect.
    early.observe(Seq(1), &[flow(&config, BOND, 5_000)]);
    late.observe(Seq(1), &[flow(&config, BOND, 5_000)]);
    let bond = id(&config, BOND);
    let early: Vec<_> = (1..=20).map(|_| early.step(Seq(1))).collect();
    let late: Vec<_> = (1..=20).map(|step| late.step(Seq(u64::from(step > 9)))).collect();
    assert_eq!(ticks_of(&early, bond), ticks_of(&late, bond));
}

#[test]
fn buying_raises_an_equity_permanently_and_thins_its_asks_temporarily() {
    let config = equity_and_bond();
    let (mut traded, mut plain) = (simulator(&config, 7), simulator(&config, 7));
    // A hundred touches of 400 at a tenth of a tick each.
    traded.observe(Seq(1), &[flow(&config, EQUITY, 40_000)]);
    let equity = id(&config, EQUITY);
    let traded = ticks_of(&run(&mut traded, 400), equity);
    let plain = ticks_of(&run(&mut plain, 400), equity);
    for (with, without) in traded.iter().zip(&plain) {
        assert!((with.mark.0 - without.mark.0 - 10).abs() <= 1, "ten ticks, for good");
    }
    let shown = |tick: &Tick| tick.asks.iter().map(|depth| depth.lots.0).sum::<i64>();
    let bids = |tick: &Tick| tick.bids.iter().map(|depth| depth.lots.0).sum::<i64>();
    // 100 / 101 of 0.9 is gone, and the best ask is further away; half as much of
    // the bids, which follow the price.
    assert!(shown(&traded[0]) * 4 < shown(&plain[0]));
    assert!(traded[0].asks[0].price.0 - traded[0].bids[0].price.0 > 2);
    assert!(bids(&traded[0]) * 3 > bids(&plain[0]) && bids(&traded[0]) * 3 < bids(&plain[0]) * 2);
    assert!(shown(&traded[199]) * 2 > shown(&plain[199]));
    assert_eq!(traded[199].asks[0].price.0 - traded[199].bids[0].price.0, 2);
}

#[test]
fn selling_a_bond_raises_its_yield_by_the_price_impact() {
    let config = equity_and_bond();
    let (mut traded, mut plain) = (simulator(&config, 7), simulator(&config, 7));
    // Two hundred touches of 250 at a tenth of a tick each: twenty ticks.
    traded.observe(Seq(1), &[flow(&config, BOND, -50_000)]);
    let bond = id(&config, BOND);
    let traded = ticks_of(&run(&mut traded, 50), bond);
    let plain = ticks_of(&run(&mut plain, 50), bond);
    for (with, without) in traded.iter().zip(&plain) {
        assert!((without.mark.0 - with.mark.0 - 20).abs() <= 1);
        assert!(with.yield_e9 > without.yield_e9);
    }
    let shown = |tick: &Tick| tick.bids.iter().map(|depth| depth.lots.0).sum::<i64>();
    assert!(shown(&traded[0]) * 4 < shown(&plain[0]));
}
