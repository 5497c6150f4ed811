//! Fill-or-kill, day orders, amendments and mass cancellation.

use crate::support::{TestVenue, tick};
use engine::id::AccountId;
use engine::money::{Lots, Money, Ticks};
use engine::order::{
    Amend, CancelReason, OrderStatus, Price, Reject, SelfTradePrevention, Side, TimeInForce,
};
use engine::venue::{AccountChange, Command, CommandOutcome, Outcome};

const BIDS: [(i64, i64); 2] = [(9_999, 400), (9_998, 500)];
const ASKS: [(i64, i64); 2] = [(10_001, 400), (10_002, 500)];

/// Opens a venue whose share trades around 100.00, with one user.
fn open() -> (TestVenue, AccountId) {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    (test, user)
}

fn cancels(outcome: &Outcome) -> Vec<(Lots, CancelReason)> {
    let cancelled = outcome.events.iter().filter_map(|event| match &event.change {
        AccountChange::OrderCancelled { order, reason } => Some((order.quantity - order.filled, *reason)),
        _ => None,
    });
    cancelled.collect()
}

#[test]
fn a_fill_or_kill_order_fills_whole_or_is_cancelled() {
    let (mut test, user) = open();
    let mut ticket = test.ticket(test.share, Side::Buy, Price::Limit(Ticks(10_001)), 401);
    ticket.time_in_force = TimeInForce::Fok;
    let before = test.account(user).cash;
    let answer = test.place(user, ticket.clone()).unwrap();
    // 400 rest at 100.01: one too few.
    assert_eq!((answer.order.status, answer.decided.expired), (OrderStatus::Cancelled, Lots(401)));
    assert_eq!(cancels(test.outcomes.last().unwrap()), [(Lots(401), CancelReason::FillOrKill)]);
    assert_eq!((test.account(user).cash, test.account(user).reserved), (before, Money::ZERO));
    assert_eq!(test.venue.book_snapshot(test.share).asks[0].lots, Lots(400));

    let mut market = test.ticket(test.share, Side::Buy, Price::Market, 500);
    market.time_in_force = TimeInForce::Fok;
    let answer = test.place(user, market).unwrap();
    // 400 × 100.01 + 100 × 100.02 = 40,004 + 10,002 = 50,006; 1 bp is 5.0006
    assert_eq!((answer.decided.notional, answer.decided.fee), (Money::from_units(50_006), Money(5_000_600)));
    assert_eq!(answer.order.status, OrderStatus::Filled);
}

#[test]
fn a_killed_order_does_not_cancel_own_orders() {
    let (mut test, user) = open();
    test.market(user, test.share, Side::Buy, 50).unwrap();
    let resting = test.limit(user, test.share, Side::Sell, 10_001, 50).unwrap().order.id;
    let mut ticket = test.ticket(test.share, Side::Buy, Price::Limit(Ticks(10_001)), 380);
    ticket.time_in_force = TimeInForce::Fok;
    // 350 synthetic lots are left beside the own 50.
    let answer = test.place(user, ticket.clone()).unwrap();
    assert_eq!((answer.decided.filled, answer.decided.cancelled.len()), (Lots(0), 0));
    assert!(test.account(user).open.contains_key(&resting));
    ticket = test.ticket(test.share, Side::Buy, Price::Limit(Ticks(10_001)), 350);
    ticket.time_in_force = TimeInForce::Fok;
    let answer = test.place(user, ticket).unwrap();
    assert_eq!((answer.decided.filled, answer.decided.cancelled), (Lots(350), vec![resting]));
}

#[test]
fn a_day_order_ends_in_the_step_that_ends_the_day() {
    let (mut test, user) = open();
    let mut ticket = test.ticket(test.share, Side::Buy, Price::Limit(Ticks(9_990)), 100);
    ticket.time_in_force = TimeInForce::Day;
    test.place(user, ticket).unwrap();
    let good = test.limit(user, test.share, Side::Buy, 9_980, 10).unwrap().order.id;
    // 99.90 × 100 + 99.80 × 10 = 10,988 and 1 bp of it
    assert_eq!(test.account(user).reserved, Money(10_989_098_800));
    let outcome = test.step_at(233_999, test.venue.seq(), vec![]);
    assert_eq!((outcome.new_date, cancels(&outcome)), (None, vec![]));
    let outcome = test.step_at(234_000, test.venue.seq(), vec![]);
    assert_eq!(outcome.new_date.unwrap().to_string(), "2026-01-06");
    assert_eq!(cancels(&outcome), [(Lots(100), CancelReason::EndOfDay)]);
    // The good-till-cancelled order stays and reserves 998 + 0.0998.
    assert_eq!(test.account(user).open.keys().collect::<Vec<_>>(), [&good]);
    assert_eq!(test.account(user).reserved, Money(998_099_800));
    assert!(test.venue.book_snapshot(test.share).bids.iter().all(|row| row.price != Ticks(9_990)));
}

#[test]
fn a_smaller_quantity_keeps_priority_and_frees_cash() {
    let (mut test, first) = open();
    let second = test.open(2);
    let ahead = test.limit(first, test.share, Side::Buy, 10_000, 100).unwrap().order.id;
    test.limit(second, test.share, Side::Buy, 10_000, 100).unwrap();
    let amend = test.amendment(ahead, Some(Lots(40)), None);
    let answer = test.amend(first, amend).unwrap();
    assert_eq!((answer.order.id, answer.order.quantity, answer.decided.resting), (ahead, Lots(40), Lots(40)));
    // 40 × 100.00 and 1 bp of it
    assert_eq!(test.account(first).reserved, Money(4_000_400_000));
    assert_eq!(test.venue.book_snapshot(test.share).bids[0].lots, Lots(140));
    let third = test.open(3);
    test.market(third, test.share, Side::Buy, 60).unwrap();
    test.market(third, test.share, Side::Sell, 60).unwrap();
    // The first user's 40 are still ahead of the second's.
    assert_eq!(test.account(first).position(test.share).lots, Lots(40));
    assert_eq!(test.account(second).position(test.share).lots, Lots(20));
}

#[test]
fn a_larger_quantity_loses_priority() {
    let (mut test, first) = open();
    let second = test.open(2);
    let ahead = test.limit(first, test.share, Side::Buy, 10_000, 100).unwrap().order.id;
    test.limit(second, test.share, Side::Buy, 10_000, 100).unwrap();
    let amend = test.amendment(ahead, Some(Lots(110)), None);
    test.amend(first, amend).unwrap();
    let third = test.open(3);
    test.market(third, test.share, Side::Buy, 60).unwrap();
    test.market(third, test.share, Side::Sell, 60).unwrap();
    assert_eq!(test.account(first).position(test.share).lots, Lots(0));
    assert_eq!(test.account(second).position(test.share).lots, Lots(60));
}

#[test]
fn an_amended_order_may_trade_at_once_and_pays_one_fee_for_all() {
    let (mut test, user) = open();
    test.step(vec![tick(test.share, 10_000, &BIDS, &[(10_001, 30), (10_003, 500)])]);
    let order = test.limit(user, test.share, Side::Buy, 10_001, 100).unwrap().order;
    assert_eq!((order.filled, order.status), (Lots(30), OrderStatus::Partial));
    let amend = test.amendment(order.id, Some(Lots(120)), Some(Ticks(10_003)));
    let answer = test.amend(user, amend).unwrap();
    // 120 − 30 = 90 at 100.03 = 9,002.70
    assert_eq!(
        answer.decided.fills.iter().map(|f| (f.price.0, f.lots.0)).collect::<Vec<_>>(),
        [(10_003, 90)]
    );
    assert_eq!((answer.decided.filled, answer.decided.notional), (Lots(90), Money(9_002_700_000)));
    assert_eq!((answer.order.filled, answer.order.status), (Lots(120), OrderStatus::Filled));
    // 30 × 100.01 + 9,002.70 = 12,003.00; 1 bp of the sum is 1.2003, of which
    // 0.30003 was charged before.
    assert_eq!((answer.order.fee, answer.decided.fee), (Money(1_200_300), Money(900_270)));
    let account = test.account(user);
    // 1,000,000 − 12,003 − 1.2003
    assert_eq!((account.cash, account.reserved), (Money(987_995_799_700), Money::ZERO));
    // Marked at 100.00: 12,000 − 12,003 − 1.2003 = −4.2003 in all
    let position = account.position(test.share);
    let value = Money::from_units(12_000);
    let pnl = position.realized_pnl() + position.unrealized_pnl(value) - position.fees;
    assert_eq!(pnl, Money(-4_200_300));
}

#[test]
fn invalid_amendments_are_refused_with_their_reason() {
    let (mut test, user) = open();
    let other = test.open(2);
    test.market(user, test.share, Side::Buy, 20).unwrap();
    test.step(vec![tick(test.share, 10_000, &[(9_999, 30)], &ASKS)]);
    let order = test.limit(user, test.share, Side::Buy, 10_001, 450).unwrap().order.id;
    assert_eq!(test.account(user).open[&order].filled, Lots(400));
    let refused = |test: &mut TestVenue, lots: Option<i64>, limit: Option<i64>| {
        let amend = test.amendment(order, lots.map(Lots), limit.map(Ticks));
        test.amend(user, amend).unwrap_err()
    };
    assert_eq!(refused(&mut test, None, None), Reject::NothingToAmend);
    assert_eq!(refused(&mut test, Some(450), Some(10_001)), Reject::NothingToAmend);
    for lots in [400, 399, 1] {
        assert_eq!(refused(&mut test, Some(lots), None).code(), "below_filled");
    }
    assert_eq!(refused(&mut test, None, Some(11_001)).code(), "price_collar");
    assert_eq!(refused(&mut test, Some(100_000), None).code(), "insufficient_cash");
    let amend = test.amendment(order, Some(Lots(500)), None);
    assert_eq!(test.amend(other, amend), Err(Reject::UnknownOrder));
    test.cancel(user, order).unwrap();
    assert_eq!(refused(&mut test, Some(500), None), Reject::UnknownOrder);
    // The position may be sold, and no more.
    let sell = test.limit(user, test.share, Side::Sell, 10_010, 420).unwrap().order.id;
    let amend = test.amendment(sell, Some(Lots(421)), None);
    assert_eq!(test.amend(user, amend).unwrap_err().code(), "insufficient_position");
}

#[test]
fn an_amendment_does_not_trade_with_its_own_account() {
    let (mut test, user) = open();
    test.market(user, test.share, Side::Buy, 50).unwrap();
    test.limit(user, test.share, Side::Sell, 10_005, 50).unwrap();
    let bid = test.limit(user, test.share, Side::Buy, 9_990, 10).unwrap().order.id;
    test.step(vec![tick(test.share, 10_000, &BIDS, &[(10_006, 400)])]);
    let mut amend = test.amendment(bid, None, Some(Ticks(10_006)));
    amend.self_trade_prevention = SelfTradePrevention::Reject;
    assert_eq!(test.amend(user, amend.clone()), Err(Reject::SelfTrade));
    amend.self_trade_prevention = SelfTradePrevention::CancelResting;
    let answer = test.amend(user, amend).unwrap();
    assert_eq!((answer.decided.cancelled.len(), answer.decided.fills[0].price), (1, Ticks(10_006)));
}

#[test]
fn a_repeated_amendment_is_answered_once() {
    let (mut test, user) = open();
    let order = test.limit(user, test.share, Side::Buy, 9_990, 100).unwrap().order;
    let amend = test.amendment(order.id, Some(Lots(150)), None);
    let command = Command::AmendOrder { account: user, amend: amend.clone() };
    let Ok(CommandOutcome::Applied(first)) = test.command(&command) else { panic!("refused") };
    assert_eq!(test.command(&command), Ok(CommandOutcome::Duplicate(first.seq)));
    let late = Amend { valid_until: Some(test.venue.time().plus_micros(-1)), ..amend.clone() };
    let command = Command::AmendOrder { account: user, amend: late };
    assert_eq!(test.command(&command), Ok(CommandOutcome::Duplicate(first.seq)));
    let changed = Amend { quantity: Some(Lots(160)), ..amend.clone() };
    assert_eq!(test.amend(user, changed).unwrap_err(), Reject::IdempotencyMismatch);
    // Orders and amendments share one set of client order ids.
    let mut ticket = test.ticket(test.share, Side::Buy, Price::Limit(Ticks(9_990)), 1);
    ticket.client_order_id = amend.client_order_id;
    assert_eq!(test.place(user, ticket).unwrap_err(), Reject::IdempotencyMismatch);
    let named =
        Amend { client_order_id: order.client_order_id, ..test.amendment(order.id, Some(Lots(1)), None) };
    assert_eq!(test.amend(user, named).unwrap_err(), Reject::IdempotencyMismatch);
    let late = Amend {
        valid_until: Some(test.venue.time().plus_micros(-1)),
        ..test.amendment(order.id, Some(Lots(1)), None)
    };
    assert_eq!(test.amend(user, late).unwrap_err(), Reject::TooLate);
}

#[test]
fn cancelling_everything_is_one_entry() {
    let (mut test, user) = open();
    let other = test.open(2);
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS), tick(test.bond, 10_000, &BIDS, &ASKS)]);
    for price in [9_990, 9_991, 9_992] {
        test.limit(user, test.share, Side::Buy, price, 10).unwrap();
    }
    test.limit(user, test.bond, Side::Buy, 9_990, 10).unwrap();
    test.limit(other, test.share, Side::Buy, 9_990, 10).unwrap();
    let seq = test.venue.seq();
    let shares = Command::CancelAll { account: user, instrument: Some(test.share) };
    test.command(&shares).unwrap();
    assert_eq!(test.venue.seq(), seq.next());
    assert_eq!(cancels(test.outcomes.last().unwrap()), [(Lots(10), CancelReason::Requested); 3]);
    assert_eq!(test.account(user).open.len(), 1);
    assert_eq!(test.command(&shares), Err(Reject::NoOpenOrders));
    test.command(&Command::CancelAll { account: user, instrument: None }).unwrap();
    assert_eq!((test.account(user).open.len(), test.account(user).reserved), (0, Money::ZERO));
    assert_eq!(test.account(other).open.len(), 1);
    let unlisted = engine::id::InstrumentId::derive(test.venue.config().venue_id(), "NONE");
    let nowhere = Command::CancelAll { account: user, instrument: Some(unlisted) };
    assert_eq!(test.command(&nowhere), Err(Reject::UnknownInstrument));
}
