//! Fill-or-kill, day orders, amendments and cancelling everything, as a trader
//! would tell them, with the working shown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod support;

use engine::id::AccountId;
use engine::money::{Lots, Money, Ticks};
use engine::order::{
    Amend, CancelReason, OrderStatus, Price, Reject, SelfTradePrevention, Side, TimeInForce,
};
use engine::venue::{AccountChange, Command, Outcome, Verdict};
use support::{Desk, tick};

const BIDS: [(i64, i64); 2] = [(9_999, 400), (9_998, 500)];
const ASKS: [(i64, i64); 2] = [(10_001, 400), (10_002, 500)];

/// A desk whose share trades around 100.00, and its first user.
fn open() -> (Desk, AccountId) {
    let mut desk = Desk::new();
    let user = desk.open(1);
    desk.step(vec![tick(desk.share, 10_000, &BIDS, &ASKS)]);
    (desk, user)
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
    let (mut desk, user) = open();
    let mut ticket = desk.ticket(desk.share, Side::Buy, Price::Limit(Ticks(10_001)), 401);
    ticket.time_in_force = TimeInForce::Fok;
    let before = desk.account(user).cash;
    let answer = desk.place(user, ticket.clone()).unwrap();
    // 400 lie at 100.01: one too few.
    assert_eq!((answer.order.status, answer.decided.expired), (OrderStatus::Cancelled, Lots(401)));
    assert_eq!(cancels(desk.outcomes.last().unwrap()), [(Lots(401), CancelReason::FillOrKill)]);
    assert_eq!((desk.account(user).cash, desk.account(user).reserved), (before, Money::ZERO));
    assert_eq!(desk.venue.book_snapshot(desk.share).asks[0].lots, Lots(400));

    let mut market = desk.ticket(desk.share, Side::Buy, Price::Market, 500);
    market.time_in_force = TimeInForce::Fok;
    let answer = desk.place(user, market).unwrap();
    // 400 × 100.01 + 100 × 100.02 = 40,004 + 10,002 = 50,006; 1 bp is 5.0006
    assert_eq!((answer.decided.notional, answer.decided.fee), (Money::from_units(50_006), Money(5_000_600)));
    assert_eq!(answer.order.status, OrderStatus::Filled);
}

#[test]
fn a_killed_order_leaves_the_own_orders_that_it_would_have_met() {
    let (mut desk, user) = open();
    desk.market(user, desk.share, Side::Buy, 50).unwrap();
    let resting = desk.limit(user, desk.share, Side::Sell, 10_001, 50).unwrap().order.id;
    let mut ticket = desk.ticket(desk.share, Side::Buy, Price::Limit(Ticks(10_001)), 380);
    ticket.time_in_force = TimeInForce::Fok;
    // 350 of the house are left beside the own 50.
    let answer = desk.place(user, ticket.clone()).unwrap();
    assert_eq!((answer.decided.filled, answer.decided.cancelled.len()), (Lots(0), 0));
    assert!(desk.account(user).open.contains_key(&resting));
    ticket = desk.ticket(desk.share, Side::Buy, Price::Limit(Ticks(10_001)), 350);
    ticket.time_in_force = TimeInForce::Fok;
    let answer = desk.place(user, ticket).unwrap();
    assert_eq!((answer.decided.filled, answer.decided.cancelled), (Lots(350), vec![resting]));
}

#[test]
fn a_day_order_ends_in_the_step_that_ends_the_day() {
    let (mut desk, user) = open();
    let mut ticket = desk.ticket(desk.share, Side::Buy, Price::Limit(Ticks(9_990)), 100);
    ticket.time_in_force = TimeInForce::Day;
    desk.place(user, ticket).unwrap();
    let good = desk.limit(user, desk.share, Side::Buy, 9_980, 10).unwrap().order.id;
    // 99.90 × 100 + 99.80 × 10 = 10,988 and 1 bp of it
    assert_eq!(desk.account(user).reserved, Money(10_989_098_800));
    let outcome = desk.step_at(233_999, desk.venue.seq(), vec![]);
    assert_eq!((outcome.new_date, cancels(&outcome)), (None, vec![]));
    let outcome = desk.step_at(234_000, desk.venue.seq(), vec![]);
    assert_eq!(outcome.new_date.unwrap().to_string(), "2026-01-06");
    assert_eq!(cancels(&outcome), [(Lots(100), CancelReason::EndOfDay)]);
    // What is good till cancelled stays, and holds 998 + 0.0998.
    assert_eq!(desk.account(user).open.keys().collect::<Vec<_>>(), [&good]);
    assert_eq!(desk.account(user).reserved, Money(998_099_800));
    assert!(desk.venue.book_snapshot(desk.share).bids.iter().all(|row| row.price != Ticks(9_990)));
}

#[test]
fn asking_for_less_keeps_the_place_and_frees_the_cash() {
    let (mut desk, first) = open();
    let second = desk.open(2);
    let ahead = desk.limit(first, desk.share, Side::Buy, 10_000, 100).unwrap().order.id;
    desk.limit(second, desk.share, Side::Buy, 10_000, 100).unwrap();
    let amend = desk.amendment(ahead, Some(Lots(40)), None);
    let answer = desk.amend(first, amend).unwrap();
    assert_eq!((answer.order.id, answer.order.quantity, answer.decided.resting), (ahead, Lots(40), Lots(40)));
    // 40 × 100.00 and 1 bp of it
    assert_eq!(desk.account(first).reserved, Money(4_000_400_000));
    assert_eq!(desk.venue.book_snapshot(desk.share).bids[0].lots, Lots(140));
    let third = desk.open(3);
    desk.market(third, desk.share, Side::Buy, 60).unwrap();
    desk.market(third, desk.share, Side::Sell, 60).unwrap();
    // The first user's 40 are still ahead of the second's.
    assert_eq!(desk.account(first).position(desk.share).lots, Lots(40));
    assert_eq!(desk.account(second).position(desk.share).lots, Lots(20));
}

#[test]
fn more_or_another_price_goes_to_the_back() {
    let (mut desk, first) = open();
    let second = desk.open(2);
    let ahead = desk.limit(first, desk.share, Side::Buy, 10_000, 100).unwrap().order.id;
    desk.limit(second, desk.share, Side::Buy, 10_000, 100).unwrap();
    let amend = desk.amendment(ahead, Some(Lots(110)), None);
    desk.amend(first, amend).unwrap();
    let third = desk.open(3);
    desk.market(third, desk.share, Side::Buy, 60).unwrap();
    desk.market(third, desk.share, Side::Sell, 60).unwrap();
    assert_eq!(desk.account(first).position(desk.share).lots, Lots(0));
    assert_eq!(desk.account(second).position(desk.share).lots, Lots(60));
}

#[test]
fn an_amended_order_may_trade_at_once_and_pays_one_fee_for_all() {
    let (mut desk, user) = open();
    desk.step(vec![tick(desk.share, 10_000, &BIDS, &[(10_001, 30), (10_003, 500)])]);
    let order = desk.limit(user, desk.share, Side::Buy, 10_001, 100).unwrap().order;
    assert_eq!((order.filled, order.status), (Lots(30), OrderStatus::Partial));
    let amend = desk.amendment(order.id, Some(Lots(120)), Some(Ticks(10_003)));
    let answer = desk.amend(user, amend).unwrap();
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
    let account = desk.account(user);
    // 1,000,000 − 12,003 − 1.2003
    assert_eq!((account.cash, account.reserved), (Money(987_995_799_700), Money::ZERO));
    // Marked at 100.00: 12,000 − 12,003 − 1.2003 = −4.2003 in all
    let position = account.position(desk.share);
    let value = Money::from_units(12_000);
    let pnl = position.realized_pnl() + position.unrealized_pnl(value) - position.fees;
    assert_eq!(pnl, Money(-4_200_300));
}

#[test]
fn amendments_that_cannot_be_are_refused_by_name() {
    let (mut desk, user) = open();
    let other = desk.open(2);
    desk.market(user, desk.share, Side::Buy, 20).unwrap();
    desk.step(vec![tick(desk.share, 10_000, &[(9_999, 30)], &ASKS)]);
    let order = desk.limit(user, desk.share, Side::Buy, 10_001, 450).unwrap().order.id;
    assert_eq!(desk.account(user).open[&order].filled, Lots(400));
    let refused = |desk: &mut Desk, lots: Option<i64>, limit: Option<i64>| {
        let amend = desk.amendment(order, lots.map(Lots), limit.map(Ticks));
        desk.amend(user, amend).unwrap_err()
    };
    assert_eq!(refused(&mut desk, None, None), Reject::NothingToAmend);
    assert_eq!(refused(&mut desk, Some(450), Some(10_001)), Reject::NothingToAmend);
    for lots in [400, 399, 1] {
        assert_eq!(refused(&mut desk, Some(lots), None).code(), "below_filled");
    }
    assert_eq!(refused(&mut desk, None, Some(11_001)).code(), "price_collar");
    assert_eq!(refused(&mut desk, Some(100_000), None).code(), "insufficient_cash");
    let amend = desk.amendment(order, Some(Lots(500)), None);
    assert_eq!(desk.amend(other, amend), Err(Reject::UnknownOrder));
    desk.cancel(user, order).unwrap();
    assert_eq!(refused(&mut desk, Some(500), None), Reject::UnknownOrder);
    // What it has bought may be sold, and no more.
    let sell = desk.limit(user, desk.share, Side::Sell, 10_010, 420).unwrap().order.id;
    let amend = desk.amendment(sell, Some(Lots(421)), None);
    assert_eq!(desk.amend(user, amend).unwrap_err().code(), "insufficient_position");
}

#[test]
fn an_amendment_would_not_trade_with_its_own_account() {
    let (mut desk, user) = open();
    desk.market(user, desk.share, Side::Buy, 50).unwrap();
    desk.limit(user, desk.share, Side::Sell, 10_005, 50).unwrap();
    let bid = desk.limit(user, desk.share, Side::Buy, 9_990, 10).unwrap().order.id;
    desk.step(vec![tick(desk.share, 10_000, &BIDS, &[(10_006, 400)])]);
    let mut amend = desk.amendment(bid, None, Some(Ticks(10_006)));
    amend.self_trade_prevention = SelfTradePrevention::Reject;
    assert_eq!(desk.amend(user, amend.clone()), Err(Reject::SelfTrade));
    amend.self_trade_prevention = SelfTradePrevention::CancelResting;
    let answer = desk.amend(user, amend).unwrap();
    assert_eq!((answer.decided.cancelled.len(), answer.decided.fills[0].price), (1, Ticks(10_006)));
}

#[test]
fn a_repeated_amendment_is_answered_once() {
    let (mut desk, user) = open();
    let order = desk.limit(user, desk.share, Side::Buy, 9_990, 100).unwrap().order;
    let amend = desk.amendment(order.id, Some(Lots(150)), None);
    let command = Command::AmendOrder { account: user, amend: amend.clone() };
    let Ok(Verdict::Applied(first)) = desk.command(&command) else { panic!("refused") };
    assert_eq!(desk.command(&command), Ok(Verdict::Repeat(first.seq)));
    let late = Amend { valid_until: Some(desk.venue.time().plus_micros(-1)), ..amend.clone() };
    let command = Command::AmendOrder { account: user, amend: late };
    assert_eq!(desk.command(&command), Ok(Verdict::Repeat(first.seq)));
    let changed = Amend { quantity: Some(Lots(160)), ..amend.clone() };
    assert_eq!(desk.amend(user, changed).unwrap_err(), Reject::IdempotencyMismatch);
    // Orders and amendments share one space of names.
    let mut ticket = desk.ticket(desk.share, Side::Buy, Price::Limit(Ticks(9_990)), 1);
    ticket.client_order_id = amend.client_order_id;
    assert_eq!(desk.place(user, ticket).unwrap_err(), Reject::IdempotencyMismatch);
    let named =
        Amend { client_order_id: order.client_order_id, ..desk.amendment(order.id, Some(Lots(1)), None) };
    assert_eq!(desk.amend(user, named).unwrap_err(), Reject::IdempotencyMismatch);
    let late = Amend {
        valid_until: Some(desk.venue.time().plus_micros(-1)),
        ..desk.amendment(order.id, Some(Lots(1)), None)
    };
    assert_eq!(desk.amend(user, late).unwrap_err(), Reject::TooLate);
}

#[test]
fn cancelling_everything_is_one_entry() {
    let (mut desk, user) = open();
    let other = desk.open(2);
    desk.step(vec![tick(desk.share, 10_000, &BIDS, &ASKS), tick(desk.bond, 10_000, &BIDS, &ASKS)]);
    for price in [9_990, 9_991, 9_992] {
        desk.limit(user, desk.share, Side::Buy, price, 10).unwrap();
    }
    desk.limit(user, desk.bond, Side::Buy, 9_990, 10).unwrap();
    desk.limit(other, desk.share, Side::Buy, 9_990, 10).unwrap();
    let seq = desk.venue.seq();
    let shares = Command::CancelAll { account: user, instrument: Some(desk.share) };
    desk.command(&shares).unwrap();
    assert_eq!(desk.venue.seq(), seq.next());
    assert_eq!(cancels(desk.outcomes.last().unwrap()), [(Lots(10), CancelReason::Requested); 3]);
    assert_eq!(desk.account(user).open.len(), 1);
    assert_eq!(desk.command(&shares), Err(Reject::NoOpenOrders));
    desk.command(&Command::CancelAll { account: user, instrument: None }).unwrap();
    assert_eq!((desk.account(user).open.len(), desk.account(user).reserved), (0, Money::ZERO));
    assert_eq!(desk.account(other).open.len(), 1);
    let unlisted = engine::id::InstrumentId::derive(desk.venue.config().venue_id(), "NONE");
    let nowhere = Command::CancelAll { account: user, instrument: Some(unlisted) };
    assert_eq!(desk.command(&nowhere), Err(Reject::UnknownInstrument));
}
