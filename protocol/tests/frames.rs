//! The JSON of orders, fills, positions and quotes is the venue's own, in the
//! instrument's units.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

#[path = "../../engine/tests/engine/support.rs"]
mod support;

use engine::decimal::Decimal;
use engine::money::{Lots, Money};
use engine::order::{CancelReason, OrderStatus, OrderType, Side, TimeInForce};
use protocol::frames::{FillFrame, OrderFrame, PositionFrame, QuotesFrame};
use support::{TestVenue, quoted, tick};

/// Of ticks of 0.01.
fn price(ticks: i64) -> Decimal {
    Decimal::new(ticks, 2)
}

fn units(number: i64) -> Decimal {
    Decimal::new(number, 0)
}

#[test]
fn an_order_and_its_fill_are_shown_in_units() {
    let mut test = TestVenue::new();
    let (maker, taker) = (test.open(1), test.open(2));
    test.step(vec![tick(test.share, 10_000, &[], &[])]);
    test.limit(maker, test.share, Side::Buy, 9_990, 30).unwrap();
    let sold = test.market(taker, test.share, Side::Sell, 1);
    assert_eq!(sold.unwrap_err().code(), "insufficient_position");
    let resting = test.limit(taker, test.share, Side::Buy, 9_980, 20).unwrap().order;

    let share = test.venue.instruments()[&test.share].clone();
    let frame = OrderFrame::new(&resting, None, &share);
    assert_eq!((frame.side, frame.order_type), (Side::Buy, OrderType::Limit));
    assert_eq!((frame.status, frame.time_in_force), (OrderStatus::Open, TimeInForce::Gtc));
    // Ticks of 0.01, lots of one share.
    assert_eq!(frame.limit_price, Some(price(9_980)));
    assert_eq!((frame.quantity, frame.leaves_quantity), (units(20), units(20)));
    assert_eq!(frame.filled_quantity, units(0));
    assert_eq!((frame.notional, frame.fee), (Money::ZERO, Money::ZERO));
    assert_eq!((frame.order_id, frame.instrument_id), (resting.id, test.share));
    assert_eq!((&frame.dealer_id, frame.quote_id), (&None, None));
    assert_eq!(serde_json::to_value(&frame).unwrap()["cancel_reason"], serde_json::Value::Null);
    let cancelled = OrderFrame::new(&resting, Some(CancelReason::EndOfDay), &share);
    let written = serde_json::to_value(&cancelled).unwrap();
    assert_eq!(written["cancel_reason"], "END_OF_DAY");
    assert_eq!(serde_json::from_value::<OrderFrame>(written).unwrap(), cancelled);

    // The house sells ten at 100.10.
    test.step(vec![tick(test.share, 10_000, &[], &[(10_010, 10)])]);
    let bought = test.market(taker, test.share, Side::Buy, 10).unwrap().order;
    let outcome = test.outcomes.last().unwrap();
    let fill = outcome.fills().next().unwrap();
    let frame = FillFrame::new(fill, &share);
    assert_eq!((frame.price, frame.quantity, frame.side), (price(10_010), units(10), Side::Buy));
    assert_eq!(frame.notional, Money(1_001_000_000));
    assert_eq!((frame.fee, frame.maker), (fill.fee, false));
    assert_eq!((frame.order_id, frame.trade_id), (bought.id, fill.trade));
    assert_eq!(frame.timestamp, outcome.time);

    let position = test.account(taker).position(test.share);
    let frame = PositionFrame::new(&position, &share);
    assert_eq!((frame.quantity, frame.trade_cash), (units(10), Money(-1_001_000_000)));
}

#[test]
fn quotes_are_shown_in_units() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.quotes = vec![quoted(&test, 0, 9_990, 10_010, 50, 5), quoted(&test, 1, 9_985, 10_015, 20, 9)];
    test.step(vec![tick(test.otc, 10_000, &[], &[])]);
    let taken = test.board(test.otc)[0].id;
    let order = test.take(user, Side::Buy, taken, 30).unwrap().order;

    let bond = test.venue.instruments()[&test.otc].clone();
    let message = test.venue.quotes_snapshot(test.otc).unwrap();
    let frame = QuotesFrame::new(&message, &bond);
    assert_eq!((frame.instrument_id, frame.rev), (test.otc, test.venue.seq()));
    let first = frame.quotes.iter().find(|quote| quote.quote_id == taken).unwrap();
    assert_eq!((first.bid, first.ask), (price(9_990), price(10_010)));
    let of = |lots| bond.quantity(Lots(lots));
    assert_eq!((first.bid_quantity, first.ask_quantity), (of(50), of(20)));
    assert_eq!(Some(first.dealer_id.as_str()), bond.dealer(0));
    assert_eq!(frame.quotes.len(), message.quotes.len());

    let shown = OrderFrame::new(&order, None, &bond);
    assert_eq!((shown.order_type, shown.limit_price), (OrderType::Quote, Some(price(10_010))));
    assert_eq!((shown.quote_id, shown.dealer_id.as_deref()), (Some(taken), bond.dealer(0)));
}
