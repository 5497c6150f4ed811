//! Dealers' quotes as a trader would tell them, and what must hold whatever is
//! hit and lifted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

#[path = "support/cases.rs"]
mod cases;
mod support;

use cases::cases;
use engine::id::{AccountId, QuoteId, Seq};
use engine::money::{Lots, Money, Ticks};
use engine::order::{OrderStatus, OrderType, Price, Reject, Side, Take, TimeInForce, preview_take};
use engine::portfolio::Marked;
use engine::sim::{Seed, Simulator};
use engine::step::{StepError, StepPayload};
use engine::time::VenueTime;
use engine::venue::{Command, Input, Venue, VenueConfig, Verdict};
use proptest::prelude::*;
use support::{Desk, quoted, taking, tick};

/// A desk with one user and one live quote of 50 lots, 99.90 to 100.10, good
/// for five steps.
fn open() -> (Desk, AccountId, QuoteId) {
    let mut desk = Desk::new();
    let user = desk.open(1);
    desk.quotes = vec![quoted(&desk, 0, 9_990, 10_010, 50, 5)];
    desk.step(vec![tick(desk.otc, 10_000, &[], &[])]);
    let quote = desk.board(desk.otc)[0].id;
    (desk, user, quote)
}

#[test]
fn lifting_and_hitting_move_cash_units_and_the_position() {
    let (mut desk, user, quote) = open();
    let accrued = desk.venue.instruments()[&desk.otc].accrued_per_lot(desk.venue.date());
    let answer = desk.take(user, Side::Buy, quote, 30).unwrap();
    // 5.25 % of 1,000, 51 of 181 days into the half year: 26.25 × 51 / 181
    assert_eq!(accrued, Money(7_396_409));
    // 30 × (1,001.00 + 7.396409) = 30,251.89227; 0.2 bp is 0.605038
    assert_eq!((answer.decided.notional, answer.decided.fee), (Money(30_251_892_270), Money(605_038)));
    let order = &answer.order;
    assert_eq!((order.status, order.time_in_force), (OrderStatus::Filled, TimeInForce::Fok));
    assert_eq!(order.price.order_type(), OrderType::Quote);
    assert_eq!(order.price.taken().map(|taken| (taken.quote, taken.dealer)), Some((quote, 0)));
    // 1,000,000 − 30,251.89227 − 0.605038
    assert_eq!(desk.account(user).cash, Money(969_747_502_692));

    let answer = desk.take(user, Side::Sell, quote, 30).unwrap();
    // 30 × (999.00 + 7.396409) = 30,191.89227; 0.2 bp is 0.603838
    assert_eq!(answer.decided.notional, Money(30_191_892_270));
    let account = desk.account(user);
    let position = account.position(desk.otc);
    assert_eq!((position.lots, account.reserved), (Lots::ZERO, Money::ZERO));
    // The round trip costs the spread, 30 × 2.00, and both fees.
    assert_eq!(position.realized_pnl(), Money::from_units(-60));
    assert_eq!(account.cash, Money::from_units(1_000_000 - 60) - Money(605_038 + 603_838));
    let left = desk.board(desk.otc)[0];
    assert_eq!((left.ask_lots, left.bid_lots), (Lots(20), Lots(20)));
    // The dealer is the house: one print and one fill of each.
    let flows = desk.outcomes.last().unwrap().flows();
    assert_eq!((flows[0].lots, flows[0].dealer), (Lots(-30), Some(0)));
    assert_eq!(desk.outcomes.last().unwrap().tape.len(), 1);
}

#[test]
fn a_quote_is_good_for_its_size_and_until_it_expires() {
    let (mut desk, user, quote) = open();
    assert_eq!(desk.take(user, Side::Buy, quote, 51).unwrap_err().code(), "quote_size");
    desk.take(user, Side::Buy, quote, 50).unwrap();
    assert_eq!(desk.take(user, Side::Buy, quote, 1), Err(Reject::QuoteUsed));
    desk.take(user, Side::Sell, quote, 10).unwrap();
    for _ in 0..4 {
        desk.step(vec![]);
    }
    desk.take(user, Side::Sell, quote, 10).unwrap();
    // The fifth step happens at the expiry: the quote is good before it.
    let outcome = desk.step(vec![]);
    assert_eq!(outcome.books, [desk.otc]);
    assert_eq!(desk.venue.quotes_snapshot(desk.otc).unwrap().rev, outcome.seq);
    assert_eq!(desk.take(user, Side::Sell, quote, 10), Err(Reject::QuoteExpired));
    assert_eq!(desk.take(user, Side::Sell, QuoteId(uuid::Uuid::nil()), 10), Err(Reject::UnknownQuote));
    assert!(desk.board(desk.otc).is_empty());
}

#[test]
fn an_older_quote_of_a_dealer_stays_firm_beside_a_newer_one() {
    let (mut desk, user, old) = open();
    desk.quotes = vec![quoted(&desk, 0, 9_980, 10_000, 20, 9), quoted(&desk, 2, 9_970, 9_995, 20, 9)];
    desk.step(vec![]);
    assert_eq!(desk.board(desk.otc).len(), 3);
    desk.take(user, Side::Buy, old, 10).unwrap();
    let third = desk.board(desk.otc)[2].id;
    let answer = desk.take(user, Side::Buy, third, 10).unwrap();
    assert_eq!(answer.decided.fills[0].price, Ticks(9_995));
}

#[test]
fn what_dealers_quote_has_no_book_and_what_has_a_book_no_quotes() {
    let (mut desk, user, quote) = open();
    assert_eq!(desk.limit(user, desk.otc, Side::Buy, 10_010, 1), Err(Reject::NoOrderBook));
    assert_eq!(desk.market(user, desk.otc, Side::Buy, 1), Err(Reject::NoOrderBook));
    assert!(desk.venue.board(desk.share).is_none());
    desk.step(vec![tick(desk.share, 10_000, &[(9_999, 5)], &[(10_001, 5)])]);
    let taken = desk.take(user, Side::Buy, quote, 1).unwrap().order.price;
    let ticket = desk.ticket(desk.share, Side::Buy, taken, 1);
    assert_eq!(desk.place(user, ticket).unwrap_err(), Reject::InvalidType);
}

#[test]
fn what_the_account_cannot_cover_is_refused_with_the_amounts() {
    let (mut desk, user, quote) = open();
    assert_eq!(desk.take(user, Side::Sell, quote, 10).unwrap_err().code(), "insufficient_position");
    desk.quotes = vec![quoted(&desk, 1, 9_990, 10_010, 5_000, 9)];
    desk.step(vec![]);
    let large = desk.board(desk.otc)[1].id;
    let refused = desk.take(user, Side::Buy, large, 1_000).unwrap_err();
    // 1,000 × (1,001.00 + 7.396409) = 1,008,396.409; 0.2 bp is 20.167928
    let required = Money(1_008_396_409_000 + 20_167_928);
    assert_eq!(refused, Reject::InsufficientCash { required, available: Money::from_units(1_000_000) });
}

#[test]
fn a_quote_does_not_trade_while_its_instrument_is_halted() {
    let (mut desk, user, _) = open();
    desk.quotes = vec![quoted(&desk, 1, 9_990, 10_010, 50, 500)];
    desk.step(vec![]);
    let firm = desk.board(desk.otc)[1].id;
    // Steps 3 to 20 are lost, and with them the tick of step 10.
    desk.step_at(21, desk.venue.seq(), vec![]);
    assert_eq!(desk.take(user, Side::Buy, firm, 1), Err(Reject::Halted));
    desk.step(vec![tick(desk.otc, 10_000, &[], &[])]);
    desk.take(user, Side::Buy, firm, 1).unwrap();
}

#[test]
fn a_client_order_id_takes_a_quote_once() {
    let (mut desk, user, quote) = open();
    let take = desk.taking(quote, 10);
    let lift = taking(user, Side::Buy, take.clone());
    let Ok(Verdict::Applied(first)) = desk.command(&lift) else { panic!("refused") };
    // Even after the quote is over.
    for _ in 0..6 {
        desk.step(vec![]);
    }
    assert_eq!(desk.command(&lift), Ok(Verdict::Repeat(first.seq)));
    for changed in [
        taking(user, Side::Sell, take.clone()),
        taking(user, Side::Buy, Take { quantity: Lots(11), ..take.clone() }),
    ] {
        assert_eq!(desk.command(&changed), Err(Reject::IdempotencyMismatch));
    }
    let late = Take { valid_until: Some(VenueTime(0)), ..desk.taking(quote, 1) };
    assert_eq!(desk.command(&taking(user, Side::Buy, late)), Err(Reject::TooLate));
    let mut ticket = desk.ticket(desk.share, Side::Buy, Price::Limit(Ticks(1)), 1);
    ticket.client_order_id = take.client_order_id;
    assert_eq!(desk.place(user, ticket).unwrap_err(), Reject::IdempotencyMismatch);
    assert_eq!(desk.account(user).position(desk.otc).lots, Lots(10));
}

#[test]
fn a_snapshot_keeps_the_quotes() {
    let (mut desk, user, quote) = open();
    desk.take(user, Side::Buy, quote, 20).unwrap();
    let mut restored = Venue::restore(&desk.venue.snapshot()).unwrap();
    assert_eq!(restored.state_hash(), desk.venue.state_hash());
    assert_eq!(restored.quotes_snapshot(desk.otc), desk.venue.quotes_snapshot(desk.otc));
    let more = taking(user, Side::Buy, desk.taking(quote, 31));
    assert_eq!(restored.execute(&more).unwrap_err().code(), "quote_size");
    let rest = taking(user, Side::Buy, desk.taking(quote, 30));
    assert_eq!(restored.execute(&rest), desk.venue.execute(&rest));
}

#[test]
fn a_matured_bond_has_no_quotes() {
    let (mut desk, user, quote) = open();
    desk.take(user, Side::Buy, quote, 5).unwrap();
    desk.quotes = vec![quoted(&desk, 1, 9_990, 10_010, 50, 1_000_000_000_000)];
    desk.step(vec![]);
    let firm = desk.board(desk.otc)[1].id;
    let days = desk.venue.date().days_until("2033-05-15".parse().unwrap()) as u64;
    desk.step_at(days * 234_000, desk.venue.seq(), vec![]);
    assert!(desk.board(desk.otc).is_empty());
    assert_eq!(desk.take(user, Side::Sell, firm, 5), Err(Reject::QuoteExpired));
    assert_eq!(desk.account(user).position(desk.otc).lots, Lots::ZERO);
}

#[test]
fn steps_that_no_dealer_can_have_made_are_refused() {
    let (mut desk, _, _) = open();
    let good = quoted(&desk, 0, 9_990, 10_010, 50, 5);
    let second = engine::step::DealerQuote { dealer: 1, ..good };
    let bad: Vec<(Vec<engine::step::DealerQuote>, &str)> = vec![
        (vec![second, good], "ascend"),
        (vec![good, good], "ascend"),
        (vec![engine::step::DealerQuote { ask: Ticks(9_990), ..good }], "below its ask"),
        (vec![engine::step::DealerQuote { bid: Ticks(0), ..good }], "positive bid"),
        (vec![engine::step::DealerQuote { ask_lots: Lots(0), ..good }], "positive sizes"),
        (vec![engine::step::DealerQuote { dealer: 3, ..good }], "no such dealer"),
        (vec![engine::step::DealerQuote { instrument: desk.share, ..good }], "no such dealer"),
        (vec![engine::step::DealerQuote { expires_at: desk.venue.time().plus_micros(1), ..good }], "outlive"),
    ];
    let before = desk.venue.state_hash();
    for (quotes, what) in bad {
        let payload = StepPayload { ticks: vec![], quotes };
        let header = payload.header(desk.venue.step() + 1, desk.venue.seq());
        let Err(StepError::Malformed { what: found, .. }) = desk.venue.apply_step(&header, &payload) else {
            panic!("{what}")
        };
        assert!(found.contains(what), "{found} is not {what}");
    }
    let payload = StepPayload { ticks: vec![tick(desk.otc, 10_000, &[(1, 1)], &[])], quotes: vec![] };
    assert!(desk.venue.apply_step(&payload.header(2, desk.venue.seq()), &payload).is_err());
    assert_eq!(desk.venue.state_hash(), before);
    let payload = StepPayload { ticks: vec![], quotes: vec![good, second] };
    assert_eq!(StepPayload::from_bytes(&payload.bytes()), Ok(payload));
    let quiet = StepPayload { ticks: vec![tick(desk.share, 1, &[], &[])], quotes: vec![] };
    assert_eq!(StepPayload::from_bytes(&quiet.bytes()), Ok(quiet));
    desk.quotes = vec![];
}

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

/// What the preview says, from what is published.
fn previewed(
    desk: &Desk,
    user: AccountId,
    side: Side,
    take: &Take,
) -> Result<engine::order::Preview, Reject> {
    let conditions = desk.venue.conditions(desk.otc)?;
    let message = desk.venue.quotes_snapshot(desk.otc).unwrap();
    let quote = message.quotes.iter().find(|quote| quote.id == take.quote).ok_or(Reject::UnknownQuote)?;
    let marked = |id| {
        Some(Marked { instrument: desk.venue.instruments().get(&id)?, mark: desk.venue.mark(id)?.price })
    };
    preview_take(&conditions, desk.account(user), quote, side, take, marked)
}

/// Trades against the simulated dealers; how many takes were compared.
fn run(seed: u64, actions: &[Action]) -> usize {
    let mut desk = Desk::new();
    let seed: Seed = seed.to_string().parse().unwrap();
    let config: VenueConfig = desk.venue.config().clone();
    let mut simulator = Simulator::new(&config, &seed).unwrap();
    let users = [desk.open(1), desk.open(2), desk.open(3)];
    let mut inputs: Vec<Input> =
        users.iter().map(|account| Input::Command(Command::OpenAccount { account: *account })).collect();
    // What each quote was issued with, and what was traded of each side.
    let mut issued = std::collections::BTreeMap::new();
    let mut newest = Vec::new();
    let mut traded = std::collections::BTreeMap::<(QuoteId, Side), i64>::new();
    let mut compared = 0;
    for action in std::iter::once(&Action::Steps(60)).chain(actions) {
        match action {
            Action::Steps(steps) => {
                for _ in 0..*steps {
                    let (header, payload) = simulator.step(desk.venue.seq());
                    let outcome = desk.venue.apply_step(&header, &payload).unwrap();
                    inputs.push(Input::Step(header));
                    simulator.observe(outcome.seq, &outcome.flows());
                    for quote in payload.quotes.iter().filter(|quote| quote.instrument == desk.otc) {
                        let id = QuoteId::derive(config.venue_id(), desk.otc, quote.dealer, header.step);
                        newest.push(id);
                        issued.insert(id, (quote.bid_lots.0, quote.ask_lots.0, quote.expires_at));
                    }
                }
                desk.venue.check_books().unwrap();
            }
            Action::Take { user, nth, buy, lots, repeat } => {
                let (user, side) = (users[*user], if *buy { Side::Buy } else { Side::Sell });
                let Some(quote) = newest.iter().rev().nth(*nth).copied() else { continue };
                let take = desk.taking(quote, *lots);
                let expected = previewed(&desk, user, side, &take);
                let command = taking(user, side, take);
                match (desk.command(&command), expected) {
                    (Ok(Verdict::Applied(outcome)), Ok(preview)) => {
                        let answer = outcome.answer.as_ref().unwrap();
                        assert_eq!(answer.basis, preview.basis);
                        assert_eq!(answer.decided.bytes(), preview.decided.bytes());
                        assert!(issued[&quote].2 > desk.venue.time(), "an expired quote was taken");
                        *traded.entry((quote, side)).or_default() += lots;
                        simulator.observe(outcome.seq, &outcome.flows());
                        inputs.push(Input::Command(command.clone()));
                        if *repeat {
                            assert_eq!(desk.command(&command), Ok(Verdict::Repeat(outcome.seq)));
                        }
                        compared += 1;
                    }
                    (Err(Reject::QuoteExpired), Err(Reject::UnknownQuote)) => {}
                    (Err(refused), Err(foreseen)) => assert_eq!(refused, foreseen),
                    (real, foreseen) => panic!("{real:?} was previewed as {foreseen:?}"),
                }
            }
            Action::Reload => {
                let restored = Venue::restore(&desk.venue.snapshot()).unwrap();
                assert_eq!(restored.state_hash(), desk.venue.state_hash());
                desk.venue = restored;
                let state = simulator.state();
                simulator = Simulator::resume(&config, &seed, state).unwrap();
            }
        }
    }
    for ((quote, side), lots) in &traded {
        let (bid, ask, _) = issued[quote];
        assert!(*lots <= if *side == Side::Buy { ask } else { bid }, "more than the quoted size was traded");
    }
    replay(&desk, &config, &seed, &inputs);
    compared
}

/// The journal alone gives the same venue.
fn replay(desk: &Desk, config: &VenueConfig, seed: &Seed, inputs: &[Input]) {
    let (mut venue, _) = Venue::open(config.clone(), desk.venue.seed_commitment()).unwrap();
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
    assert_eq!(venue.state_hash(), desk.venue.state_hash());
    assert!(venue.seq() > Seq(60));
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn no_quote_is_oversold_nothing_is_lost_and_previews_are_fills(
        seed in 0_u64..1_000,
        actions in prop::collection::vec(action(), 1..60),
    ) {
        run(seed, &actions);
    }
}

#[test]
fn takes_are_really_compared() {
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
