//! The state against a real venue: what the browser believes is what the
//! venue decides.

mod bench;

use super::state::{Changes, State};
use super::stream::SequenceTracker;
use bench::Bench;
use engine::decimal::Decimal;
use engine::money::{Lots, Ticks};
use engine::order::{Price, Side};
use protocol::frames::{Item, TapeFrame};
use protocol::socket::Update;

#[test]
fn every_preview_is_what_the_venue_decides() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let (mut compared, mut filled, mut rested, mut cancelled) = (0, 0, 0, 0);
    for round in 0..400_i64 {
        page.apply(bench.step());
        let symbol = (round % 2) as usize;
        let id = bench.instrument(symbol).id;
        let touch = bench.venue.book_snapshot(id);
        let side = if round % 5 < 3 { Side::Buy } else { Side::Sell };
        let near = match side {
            Side::Buy => touch.asks.first().map(|row| row.price),
            Side::Sell => touch.bids.first().map(|row| row.price),
        };
        let price = match (round % 3, near) {
            (0, Some(near)) => Price::Limit(Ticks(near.0 - side.sign() * (round % 7 - 3))),
            _ => Price::Market,
        };
        let ticket = bench.ticket(symbol, side, price, 1 + round * 37 % 90);
        let command = bench.place(&ticket);
        match page.preview(&ticket) {
            Err(reject) => assert_eq!(bench.venue.execute(&command).unwrap_err(), reject, "{round}"),
            Ok(preview) => {
                let outcome = bench.execute(&command);
                let answer = outcome.answer.clone().unwrap();
                assert_eq!(preview.basis, answer.basis, "{round}");
                assert_eq!(preview.decided.bytes(), answer.decided.bytes(), "{round}");
                page.apply(bench.update(&outcome));
                compared += 1;
                filled += i32::from(!answer.decided.fills.is_empty());
                rested += i32::from(answer.decided.resting > Lots::ZERO);
                cancelled += i32::from(!answer.decided.cancelled.is_empty());
            }
        }
        assert_eq!(page.account.cash, bench.venue.account(bench.account).unwrap().cash, "{round}");
    }
    assert!(compared > 200 && filled > 100 && rested > 20, "{compared} {filled} {rested}");
    assert!(cancelled > 0, "no own order was ever taken out first");
    let fresh = bench.page();
    assert_eq!(page.valuation(), fresh.valuation());
    assert_eq!(page.account.open, fresh.account.open);
}

#[test]
fn a_trail_goes_on_from_what_came_with_the_page() {
    let bench = Bench::open();
    let page = bench.page();
    let id = *bench.venue.instruments().keys().next().unwrap();
    let market = page.markets.get(&id).unwrap();
    let trail = market.trail.marks();
    assert_eq!(trail[..2], [Ticks(1), Ticks(2)]);
    assert_eq!((trail.len(), trail.last().copied()), (3, market.mark));
}

#[test]
fn every_quote_that_is_taken_was_previewed() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let dealt = bench.venue.instruments().values().find(|instrument| instrument.is_dealt()).unwrap().id;
    let (mut compared, mut refused) = (0, 0);
    for round in 0..600_i64 {
        page.apply(bench.step());
        let Some(quote) = page.markets.get(&dealt).unwrap().quotes.first().copied() else { continue };
        if round % 3 != 0 {
            continue;
        }
        let side = if round % 5 < 3 { Side::Buy } else { Side::Sell };
        let (take, command) = bench.take(quote.id, side, 1 + round * 37 % 60);
        match page.preview_take(dealt, side, &take) {
            Err(reject) => {
                assert_eq!(bench.venue.execute(&command).unwrap_err(), reject, "{round}");
                refused += 1;
            }
            Ok(preview) => {
                let outcome = bench.execute(&command);
                let answer = outcome.answer.clone().unwrap();
                assert_eq!((preview.basis, preview.decided.bytes()), (answer.basis, answer.decided.bytes()));
                page.apply(bench.update(&outcome));
                compared += 1;
            }
        }
        assert_eq!(page.account.cash, bench.venue.account(bench.account).unwrap().cash, "{round}");
    }
    assert!(compared > 50 && refused > 5, "{compared} {refused}");
    let fresh = bench.page();
    let (shown, known) = (page.markets.get(&dealt).unwrap(), fresh.markets.get(&dealt).unwrap());
    assert_eq!((shown.book_rev, &shown.quotes), (known.book_rev, &known.quotes));
    assert_eq!(page.valuation(), fresh.valuation());
}

#[test]
fn a_missing_event_is_waited_for_or_made_up_for_by_the_whole_account() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let mut buy = || {
        let ticket = bench.ticket(0, Side::Buy, Price::Market, 10);
        let command = bench.place(&ticket);
        let outcome = bench.execute(&command);
        (bench.update(&outcome), bench.account_frame())
    };
    let (first, _) = buy();
    let (second, whole) = buy();
    let before = page.account.clone();
    let changes = page.apply(second.clone());
    assert!(changes.gap && !changes.account);
    assert_eq!(page.account, before);
    // What is missing, and then what was too early: all is there.
    let mut patient = page.clone();
    let changes = patient.apply(first);
    assert!(changes.account && changes.fills && !changes.gap && !changes.reread);
    assert_eq!(patient.through, second.through, "nothing gets older by what was missing");
    patient.apply(second.clone());
    assert_eq!((patient.account.cash, patient.account.account_seq), (whole.cash, whole.account_seq));
    // Or the account whole.
    let update = Update { items: vec![Item::Account(Box::new(whole.clone()))], ..second };
    let changes = page.apply(update);
    assert!(changes.account && changes.reread && !changes.gap);
    assert_eq!((page.account.cash, page.account.account_seq), (whole.cash, whole.account_seq));
}

#[test]
fn a_socket_goes_on_where_the_last_one_ended() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let mut tracker = SequenceTracker::default();
    let known = |page: &State| format!("\"account_seq\":{}}}}}", page.account.account_seq);
    let first = tracker.start(&page);
    assert!(first.contains("\"tape:") && first.ends_with(&known(&page)), "{first}");
    let ticket = bench.ticket(0, Side::Buy, Price::Market, 10);
    let outcome = bench.execute(&bench.place(&ticket));
    let (changes, again) = tracker.apply(&mut page, Update { number: 1, ..bench.update(&outcome) });
    assert!(changes.account && again.is_none());
    let next = tracker.start(&page);
    assert!(next.ends_with(&known(&page)) && next != first, "{next}");
    // The new socket counts anew.
    assert_eq!(tracker.apply(&mut page, Update { number: 1, ..bench.step() }).1, None);
}

#[test]
fn whatever_is_skipped_is_asked_for_once_and_repeats_are_nothing() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let mut tracker = SequenceTracker::default();
    tracker.start(&page);
    let updates: Vec<Update> = (1..=6).map(|number| Update { number, ..bench.step() }).collect();
    let mut take = |at: usize| tracker.apply(&mut page, updates[at].clone()).1;
    assert_eq!((take(0), take(1)), (None, None));
    let asked = take(3).expect("the third is missing");
    assert!(asked.contains("\"book:") && asked.contains("\"tick:") && !asked.contains("\"tape:"), "{asked}");
    // The third comes late, the fourth twice, the fifth in its turn.
    assert_eq!((take(2), take(3), take(4)), (None, None, None));
    assert_eq!(page.through, updates[4].through);
    // A pong knows of a sixth, which then comes too late to be believed.
    assert_eq!(tracker.on_pong(&page, 5), None);
    assert!(tracker.on_pong(&page, 6).is_some());
    assert_eq!(tracker.on_pong(&page, 6), None);
    assert_eq!(tracker.apply(&mut page, updates[5].clone()), (Changes::default(), None));
}

#[test]
fn what_is_known_already_changes_nothing() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let ticket = bench.ticket(0, Side::Buy, Price::Market, 10);
    let command = bench.place(&ticket);
    let outcome = bench.execute(&command);
    let update = bench.update(&outcome);
    let changes = page.apply(update.clone());
    assert!(changes.fills && changes.notifications[0].0.starts_with("Bought 10 ACME at "));
    let (cash, fills) = (page.account.cash, page.history.fills().len());
    let again = page.apply(update);
    assert!(!again.account && again.notifications.is_empty());
    assert_eq!((page.account.cash, page.history.fills().len()), (cash, fills));
    let order = page.history.order(page.history.newest_orders()[0]).unwrap();
    assert!(!order.status.is_live());
}

#[test]
fn a_new_date_starts_a_new_day() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let mut update = bench.step();
    update.date = update.date.plus_days(1);
    page.apply(update);
    assert_eq!(page.day_open.nav, Some(page.valuation().nav));
    assert_eq!(page.day_open.marks.len(), bench.venue.instruments().len());
}

#[test]
fn what_trades_often_pushes_out_nothing_of_what_trades_seldom() {
    let mut bench = Bench::open();
    let mut page = bench.page();
    let (seldom, often) = (bench.instrument(0).id, bench.instrument(1).id);
    let update = bench.step();
    let print = |instrument_id, quantity| {
        Item::Tape(TapeFrame {
            instrument_id,
            price: Decimal::new(10_000, 2),
            quantity: Decimal::new(quantity, 0),
            aggressor: Side::Buy,
            timestamp: update.time,
        })
    };
    let mut items = vec![print(seldom, 1)];
    items.extend((0..1_000).map(|quantity| print(often, quantity)));
    let changes = page.apply(Update { items, ..update.clone() });
    let tape = |id| &page.markets.get(id).unwrap().tape;
    assert!(changes.tape.contains(&seldom) && changes.tape.contains(&often));
    assert_eq!((tape(&seldom).len(), tape(&often).len()), (1, 256));
    assert_eq!(tape(&often)[0].quantity, Decimal::new(999, 0), "newest first");
}
