//! Dealers' quotes.

use engine::id::{AccountId, QuoteId};
use engine::money::{Lots, Money, Ticks};
use engine::order::{OrderStatus, OrderType, Price, Reject, Side, Take, TimeInForce};
use engine::step::{DealerQuote, EncodedPayload, StepError, StepPayload};
use engine::time::VenueTime;
use engine::venue::{CommandOutcome, Venue};

use crate::support::{TestVenue, quoted, taking, tick};

/// Opens a venue with one user and one live quote of 50 lots, 99.90 to 100.10,
/// valid for five steps.
fn open() -> (TestVenue, AccountId, QuoteId) {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.quotes = vec![quoted(&test, 0, 9_990, 10_010, 50, 5)];
    test.step(vec![tick(test.otc, 10_000, &[], &[])]);
    let quote = test.board(test.otc)[0].id;
    (test, user, quote)
}

#[test]
fn lifts_and_hits_change_cash_fees_and_position() {
    let (mut test, user, quote) = open();
    let accrued = test.venue.instruments()[&test.otc].accrued_per_lot(test.venue.date());
    let answer = test.take(user, Side::Buy, quote, 30).unwrap();
    // 5.25 % of 1,000, 51 of 181 days into the half year: 26.25 × 51 / 181
    assert_eq!(accrued, Money(7_396_409));
    // 30 × (1,001.00 + 7.396409) = 30,251.89227; 0.2 bp is 0.605038
    assert_eq!((answer.decided.notional, answer.decided.fee), (Money(30_251_892_270), Money(605_038)));
    let order = &answer.order;
    assert_eq!((order.status, order.time_in_force), (OrderStatus::Filled, TimeInForce::Fok));
    assert_eq!(order.price.order_type(), OrderType::Quote);
    assert_eq!(order.price.taken().map(|taken| (taken.quote, taken.dealer)), Some((quote, 0)));
    // 1,000,000 − 30,251.89227 − 0.605038
    assert_eq!(test.account(user).cash, Money(969_747_502_692));

    let answer = test.take(user, Side::Sell, quote, 30).unwrap();
    // 30 × (999.00 + 7.396409) = 30,191.89227; 0.2 bp is 0.603838
    assert_eq!(answer.decided.notional, Money(30_191_892_270));
    let account = test.account(user);
    let position = account.position(test.otc);
    assert_eq!((position.lots, account.reserved), (Lots::ZERO, Money::ZERO));
    // The round trip costs the spread, 30 × 2.00, and both fees.
    assert_eq!(position.realized_pnl(), Money::from_units(-60));
    assert_eq!(account.cash, Money::from_units(1_000_000 - 60) - Money(605_038 + 603_838));
    let left = test.board(test.otc)[0];
    assert_eq!((left.ask_lots, left.bid_lots), (Lots(20), Lots(20)));
    // The dealer has no account: one print and one fill of each.
    let flows = test.outcomes.last().unwrap().flows();
    assert_eq!((flows[0].lots, flows[0].dealer), (Lots(-30), Some(0)));
    assert_eq!(test.outcomes.last().unwrap().tape.len(), 1);
}

#[test]
fn a_quote_is_valid_for_its_size_until_it_expires() {
    let (mut test, user, quote) = open();
    assert_eq!(test.take(user, Side::Buy, quote, 51).unwrap_err().code(), "quote_size");
    test.take(user, Side::Buy, quote, 50).unwrap();
    assert_eq!(test.take(user, Side::Buy, quote, 1), Err(Reject::QuoteUsed));
    test.take(user, Side::Sell, quote, 10).unwrap();
    for _ in 0..4 {
        test.step(vec![]);
    }
    test.take(user, Side::Sell, quote, 10).unwrap();
    // The fifth step happens at the expiry: the quote is valid before it.
    let outcome = test.step(vec![]);
    assert_eq!(outcome.books, [test.otc]);
    assert_eq!(test.venue.quotes_snapshot(test.otc).unwrap().rev, outcome.seq);
    assert_eq!(test.take(user, Side::Sell, quote, 10), Err(Reject::QuoteExpired));
    assert_eq!(test.take(user, Side::Sell, QuoteId(uuid::Uuid::nil()), 10), Err(Reject::UnknownQuote));
    assert!(test.board(test.otc).is_empty());
}

#[test]
fn an_older_quote_of_a_dealer_stays_firm_beside_a_newer_one() {
    let (mut test, user, old) = open();
    test.quotes = vec![quoted(&test, 0, 9_980, 10_000, 20, 9), quoted(&test, 2, 9_970, 9_995, 20, 9)];
    test.step(vec![]);
    assert_eq!(test.board(test.otc).len(), 3);
    test.take(user, Side::Buy, old, 10).unwrap();
    let third = test.board(test.otc)[2].id;
    let answer = test.take(user, Side::Buy, third, 10).unwrap();
    assert_eq!(answer.decided.fills[0].price, Ticks(9_995));
}

#[test]
fn an_instrument_has_either_a_book_or_quotes() {
    let (mut test, user, quote) = open();
    assert_eq!(test.limit(user, test.otc, Side::Buy, 10_010, 1), Err(Reject::NoOrderBook));
    assert_eq!(test.market(user, test.otc, Side::Buy, 1), Err(Reject::NoOrderBook));
    assert!(test.venue.board(test.share).is_none());
    test.step(vec![tick(test.share, 10_000, &[(9_999, 5)], &[(10_001, 5)])]);
    let taken = test.take(user, Side::Buy, quote, 1).unwrap().order.price;
    let ticket = test.ticket(test.share, Side::Buy, taken, 1);
    assert_eq!(test.place(user, ticket).unwrap_err(), Reject::InvalidType);
}

#[test]
fn a_take_beyond_cash_or_position_is_refused_with_the_amounts() {
    let (mut test, user, quote) = open();
    assert_eq!(test.take(user, Side::Sell, quote, 10).unwrap_err().code(), "insufficient_position");
    test.quotes = vec![quoted(&test, 1, 9_990, 10_010, 5_000, 9)];
    test.step(vec![]);
    let large = test.board(test.otc)[1].id;
    let refused = test.take(user, Side::Buy, large, 1_000).unwrap_err();
    // 1,000 × (1,001.00 + 7.396409) = 1,008,396.409; 0.2 bp is 20.167928
    let required = Money(1_008_396_409_000 + 20_167_928);
    assert_eq!(refused, Reject::InsufficientCash { required, available: Money::from_units(1_000_000) });
}

#[test]
fn a_quote_does_not_trade_while_its_instrument_is_halted() {
    let (mut test, user, _) = open();
    test.quotes = vec![quoted(&test, 1, 9_990, 10_010, 50, 500)];
    test.step(vec![]);
    let firm = test.board(test.otc)[1].id;
    // Steps 3 to 20 are lost, and with them the tick of step 10.
    test.step_at(21, test.venue.seq(), vec![]);
    assert_eq!(test.take(user, Side::Buy, firm, 1), Err(Reject::Halted));
    test.step(vec![tick(test.otc, 10_000, &[], &[])]);
    test.take(user, Side::Buy, firm, 1).unwrap();
}

#[test]
fn a_repeated_take_is_executed_once() {
    let (mut test, user, quote) = open();
    let take = test.taking(quote, 10);
    let lift = taking(user, Side::Buy, take.clone());
    let Ok(CommandOutcome::Applied(first)) = test.command(&lift) else { panic!("refused") };
    // Also after the quote has expired.
    for _ in 0..6 {
        test.step(vec![]);
    }
    assert_eq!(test.command(&lift), Ok(CommandOutcome::Duplicate(first.seq)));
    for changed in [
        taking(user, Side::Sell, take.clone()),
        taking(user, Side::Buy, Take { quantity: Lots(11), ..take.clone() }),
    ] {
        assert_eq!(test.command(&changed), Err(Reject::IdempotencyMismatch));
    }
    let late = Take { valid_until: Some(VenueTime(0)), ..test.taking(quote, 1) };
    assert_eq!(test.command(&taking(user, Side::Buy, late)), Err(Reject::TooLate));
    let mut ticket = test.ticket(test.share, Side::Buy, Price::Limit(Ticks(1)), 1);
    ticket.client_order_id = take.client_order_id;
    assert_eq!(test.place(user, ticket).unwrap_err(), Reject::IdempotencyMismatch);
    assert_eq!(test.account(user).position(test.otc).lots, Lots(10));
}

#[test]
fn a_snapshot_contains_the_quotes() {
    let (mut test, user, quote) = open();
    test.take(user, Side::Buy, quote, 20).unwrap();
    let mut restored = Venue::restore(&test.venue.snapshot()).unwrap();
    assert_eq!(restored.state_hash(), test.venue.state_hash());
    assert_eq!(restored.quotes_snapshot(test.otc), test.venue.quotes_snapshot(test.otc));
    let more = taking(user, Side::Buy, test.taking(quote, 31));
    assert_eq!(restored.execute(&more).unwrap_err().code(), "quote_size");
    let rest = taking(user, Side::Buy, test.taking(quote, 30));
    assert_eq!(restored.execute(&rest), test.venue.execute(&rest));
}

#[test]
fn a_matured_bond_has_no_quotes() {
    let (mut test, user, quote) = open();
    test.take(user, Side::Buy, quote, 5).unwrap();
    test.quotes = vec![quoted(&test, 1, 9_990, 10_010, 50, 1_000_000_000_000)];
    test.step(vec![]);
    let firm = test.board(test.otc)[1].id;
    let days = test.venue.date().days_until("2033-05-15".parse().unwrap()) as u64;
    test.step_at(days * 234_000, test.venue.seq(), vec![]);
    assert!(test.board(test.otc).is_empty());
    assert_eq!(test.take(user, Side::Sell, firm, 5), Err(Reject::QuoteExpired));
    assert_eq!(test.account(user).position(test.otc).lots, Lots::ZERO);
}

#[test]
fn steps_with_invalid_quotes_are_refused() {
    let (mut test, _, _) = open();
    let good = quoted(&test, 0, 9_990, 10_010, 50, 5);
    let second = DealerQuote { dealer: 1, ..good };
    let bad: Vec<(Vec<DealerQuote>, &str)> = vec![
        (vec![second, good], "ascend"),
        (vec![good, good], "ascend"),
        (vec![DealerQuote { ask: Ticks(9_990), ..good }], "below its ask"),
        (vec![DealerQuote { bid: Ticks(0), ..good }], "positive bid"),
        (vec![DealerQuote { ask_lots: Lots(0), ..good }], "positive sizes"),
        (vec![DealerQuote { dealer: 3, ..good }], "no such dealer"),
        (vec![DealerQuote { instrument: test.share, ..good }], "no such dealer"),
        (vec![DealerQuote { expires_at: test.venue.time().plus_micros(1), ..good }], "outlive"),
    ];
    let before = test.venue.state_hash();
    for (quotes, what) in bad {
        let payload = EncodedPayload::new(StepPayload { ticks: vec![], quotes });
        let header = payload.header(test.venue.step() + 1, test.venue.seq());
        let Err(StepError::Malformed { what: found, .. }) = test.venue.apply_step(&header, &payload) else {
            panic!("{what}")
        };
        assert!(found.contains(what), "{found} is not {what}");
    }
    let ticks = vec![tick(test.otc, 10_000, &[(1, 1)], &[])];
    let payload = EncodedPayload::new(StepPayload { ticks, quotes: vec![] });
    assert!(test.venue.apply_step(&payload.header(2, test.venue.seq()), &payload).is_err());
    assert_eq!(test.venue.state_hash(), before);
    let quotes = StepPayload { ticks: vec![], quotes: vec![good, second] };
    let no_quotes = StepPayload { ticks: vec![tick(test.share, 1, &[], &[])], quotes: vec![] };
    for payload in [quotes, no_quotes].map(EncodedPayload::new) {
        assert_eq!(EncodedPayload::from_bytes(payload.bytes()), Ok(payload));
    }
    test.quotes = vec![];
}
