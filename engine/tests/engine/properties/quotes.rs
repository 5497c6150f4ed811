//! Dealers' quotes under random trading.

use std::collections::BTreeMap;

use engine::id::{QuoteId, Seq};
use engine::order::{Reject, Side};
use engine::sim::{Seed, Simulator};
use engine::venue::{Command, CommandOutcome, Input, Venue, VenueConfig};
use proptest::prelude::*;

use super::cases;
use crate::support::{TestVenue, taking};

#[derive(Clone, Debug)]
enum Action {
    Steps(u64),
    Take { user: usize, nth: usize, buy: bool, lots: i64, repeat: bool },
    Reload,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => (1_u64..25).prop_map(Action::Steps),
        5 => (0_usize..3, 0_usize..12, any::<bool>(), 1_i64..260, any::<bool>())
            .prop_map(|(user, nth, buy, lots, repeat)| Action::Take { user, nth, buy, lots, repeat }),
        1 => Just(Action::Reload),
    ]
}

/// Trades against the simulated dealers and returns the number of takes compared.
fn run(seed: u64, actions: &[Action]) -> usize {
    let mut test = TestVenue::new();
    let seed: Seed = seed.to_string().parse().unwrap();
    let config: VenueConfig = test.venue.config().clone();
    let mut simulator = Simulator::new(&config, &seed).unwrap();
    let users = [test.open(1), test.open(2), test.open(3)];
    let mut inputs: Vec<Input> =
        users.iter().map(|account| Input::Command(Command::OpenAccount { account: *account })).collect();
    // Sizes at issue of each quote, and traded lots of each side.
    let mut issued = BTreeMap::new();
    let mut newest = Vec::new();
    let mut traded = BTreeMap::<(QuoteId, Side), i64>::new();
    let mut compared = 0;
    for action in std::iter::once(&Action::Steps(60)).chain(actions) {
        match action {
            Action::Steps(steps) => {
                for _ in 0..*steps {
                    let (header, payload) = simulator.step(test.venue.seq());
                    let outcome = test.venue.apply_step(&header, &payload).unwrap();
                    inputs.push(Input::Step(header));
                    simulator.observe(outcome.seq, &outcome.flows());
                    for quote in payload.quotes.iter().filter(|quote| quote.instrument == test.otc) {
                        let id = QuoteId::derive(config.venue_id(), test.otc, quote.dealer, header.step);
                        newest.push(id);
                        issued.insert(id, (quote.bid_lots.0, quote.ask_lots.0, quote.expires_at));
                    }
                }
                test.venue.check_books().unwrap();
            }
            Action::Take { user, nth, buy, lots, repeat } => {
                let (user, side) = (users[*user], if *buy { Side::Buy } else { Side::Sell });
                let Some(quote) = newest.iter().rev().nth(*nth).copied() else { continue };
                let take = test.taking(quote, *lots);
                let expected = test.preview_take(user, side, &take);
                let command = taking(user, side, take);
                match (test.command(&command), expected) {
                    (Ok(CommandOutcome::Applied(outcome)), Ok(preview)) => {
                        let answer = outcome.answer.as_ref().unwrap();
                        assert_eq!(answer.basis, preview.basis);
                        assert_eq!(answer.decided.bytes(), preview.decided.bytes());
                        assert!(issued[&quote].2 > test.venue.time(), "an expired quote was taken");
                        *traded.entry((quote, side)).or_default() += lots;
                        simulator.observe(outcome.seq, &outcome.flows());
                        inputs.push(Input::Command(command.clone()));
                        if *repeat {
                            assert_eq!(test.command(&command), Ok(CommandOutcome::Duplicate(outcome.seq)));
                        }
                        compared += 1;
                    }
                    (Err(Reject::QuoteExpired), Err(Reject::UnknownQuote)) => {}
                    (Err(refused), Err(foreseen)) => assert_eq!(refused, foreseen),
                    (real, foreseen) => panic!("{real:?} was previewed as {foreseen:?}"),
                }
            }
            Action::Reload => {
                let restored = Venue::restore(&test.venue.snapshot()).unwrap();
                assert_eq!(restored.state_hash(), test.venue.state_hash());
                test.venue = restored;
                let state = simulator.state();
                simulator = Simulator::resume(&config, &seed, state).unwrap();
            }
        }
    }
    for ((quote, side), lots) in &traded {
        let (bid, ask, _) = issued[quote];
        assert!(*lots <= if *side == Side::Buy { ask } else { bid }, "more than the quoted size was traded");
    }
    replay(&test, &config, &seed, &inputs);
    compared
}

/// Checks that the journal alone gives the same venue.
fn replay(test: &TestVenue, config: &VenueConfig, seed: &Seed, inputs: &[Input]) {
    let (mut venue, _) = Venue::open(config.clone(), test.venue.seed_commitment()).unwrap();
    let mut simulator = Simulator::new(config, seed).unwrap();
    for input in inputs {
        let payload = match input {
            Input::Step(header) => {
                let (drawn, payload) = simulator.step(header.seen_seq);
                assert_eq!(drawn, *header);
                Some(payload)
            }
            _ => None,
        };
        let outcome = venue.reapply(input, payload.as_ref()).unwrap();
        simulator.observe(outcome.seq, &outcome.flows());
    }
    assert_eq!(venue.state_hash(), test.venue.state_hash());
    assert!(venue.seq() > Seq(60));
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn quotes_are_not_oversold_lots_are_conserved_and_previews_equal_fills(
        seed in 0_u64..1_000,
        actions in prop::collection::vec(action(), 1..60),
    ) {
        run(seed, &actions);
    }
}

#[test]
fn most_takes_are_compared() {
    let actions: Vec<Action> = (0..200)
        .map(|n| match n % 3 {
            0 => Action::Steps(12),
            _ => Action::Take {
                user: n % 3,
                nth: n % 4,
                buy: n % 5 != 0,
                lots: 1 + (n as i64 * 7) % 40,
                repeat: false,
            },
        })
        .collect();
    let compared = run(7, &actions);
    assert!(compared > 50, "{compared} of 133");
}
