//! Matching, protection, lost steps, coupons, redemption and snapshots.

use crate::support::{TestVenue, tick, with_print};
use engine::id::Seq;
use engine::money::{Lots, Money, Ticks};
use engine::order::{InstrumentStatus, OrderStatus, Price, Reject, SelfTradePrevention, Side, TimeInForce};
use engine::venue::{AccountChange, Command, CommandOutcome, Venue};

const BIDS: [(i64, i64); 2] = [(9_999, 400), (9_998, 500)];
const ASKS: [(i64, i64); 2] = [(10_001, 400), (10_002, 500)];

#[test]
fn a_limit_buy_fills_when_the_ask_falls() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    let order = test.limit(user, test.share, Side::Buy, 9_995, 100).unwrap().order;
    assert_eq!(order.status, OrderStatus::Open);
    // 100 × 99.95 and 1 bp of it are reserved: 9,995 + 0.9995
    assert_eq!(test.account(user).reserved, Money(9_995_999_500));

    let outcome = test.step(vec![tick(test.share, 9_993, &[(9_991, 400)], &[(9_994, 300)])]);
    let fill = outcome.fills().next().unwrap();
    // The ask falls to 99.94; the resting bid trades at its own price.
    assert_eq!((fill.price, fill.lots, fill.maker), (Ticks(9_995), Lots(100), true));
    let account = test.account(user);
    // 1,000,000 − 9,995 − 0.9995
    assert_eq!(account.cash, Money(990_004_000_500));
    assert_eq!((account.reserved, account.position(test.share).lots), (Money::ZERO, Lots(100)));
    assert!(account.open.is_empty());
    // 100 of 300 trade: 200 rest at 99.94.
    assert_eq!(test.venue.book_snapshot(test.share).asks[0].lots, Lots(200));
}

#[test]
fn users_cross_each_other_at_the_resting_price() {
    let mut test = TestVenue::new();
    let (seller, buyer) = (test.open(1), test.open(2));
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    test.market(seller, test.share, Side::Buy, 100).unwrap();
    test.limit(seller, test.share, Side::Sell, 10_000, 60).unwrap();
    let answer = test.limit(buyer, test.share, Side::Buy, 10_001, 100).unwrap();
    // 60 from the seller at 100.00, then 40 synthetic lots at 100.01
    let fills: Vec<_> = answer.decided.fills.iter().map(|fill| (fill.price.0, fill.lots.0)).collect();
    assert_eq!(fills, [(10_000, 60), (10_001, 40)]);
    assert_eq!(answer.order.status, OrderStatus::Filled);
    assert_eq!(test.account(seller).position(test.share).lots, Lots(40));
    assert_eq!(test.account(buyer).position(test.share).lots, Lots(100));
}

#[test]
fn traded_lots_are_not_refilled_by_a_step_that_did_not_see_the_trade() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    let before = test.venue.seq();
    test.market(user, test.share, Side::Buy, 150).unwrap();
    let touch = |test: &TestVenue| test.venue.book_snapshot(test.share).asks[0];
    assert_eq!(touch(&test).lots, Lots(250));
    test.step_seeing(before, vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    assert_eq!(touch(&test).lots, Lots(250)); // 400 − 150 of a trade that it did not see
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    assert_eq!(touch(&test).lots, Lots(400));
}

#[test]
fn a_print_fills_resting_orders_by_priority() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    test.limit(user, test.share, Side::Buy, 9_999, 100).unwrap();
    // 400 synthetic lots are ahead: 450 sold to the level reach 50 of the user's.
    let sold = with_print(tick(test.share, 10_000, &BIDS, &ASKS), Side::Sell, 450, 9_999);
    let outcome = test.step(vec![sold]);
    assert_eq!(outcome.fills().map(|fill| fill.lots.0).collect::<Vec<_>>(), [50]);
    assert_eq!(test.account(user).open.values().next().unwrap().status, OrderStatus::Partial);
    assert_eq!(outcome.tape.len(), 2);
    // The level is refilled behind the user's remainder.
    assert_eq!(test.venue.book_snapshot(test.share).bids[0].lots, Lots(450));
}

#[test]
fn self_trades_are_prevented_by_cancellation_or_rejection() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    let resting = test.limit(user, test.share, Side::Buy, 10_000, 10).unwrap().order.id;
    test.market(user, test.share, Side::Buy, 10).unwrap();
    let mut sell = test.ticket(test.share, Side::Sell, Price::Limit(Ticks(9_999)), 10);
    sell.self_trade_prevention = SelfTradePrevention::Reject;
    assert_eq!(test.place(user, sell.clone()).unwrap_err(), Reject::SelfTrade);
    sell.self_trade_prevention = SelfTradePrevention::CancelResting;
    let answer = test.place(user, sell).unwrap();
    assert_eq!(answer.decided.cancelled, [resting]);
    assert_eq!((answer.decided.fills[0].price, answer.decided.reserved), (Ticks(9_999), Money::ZERO));
}

#[test]
fn own_orders_behind_the_last_reached_level_stay() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    test.market(user, test.share, Side::Buy, 100).unwrap();
    let best = BIDS[0];
    let near = test.limit(user, test.share, Side::Buy, best.0, 10).unwrap().order.id;
    let far = test.limit(user, test.share, Side::Buy, 9_500, 50).unwrap().order.id;
    // A market sell that the best level fills: the bid at 95.00 is never met.
    let sell = test.ticket(test.share, Side::Sell, Price::Market, 20);
    let foreseen = test.preview(user, &sell).unwrap();
    let answer = test.place(user, sell).unwrap();
    assert_eq!((&answer.decided, answer.decided.cancelled.as_slice()), (&foreseen.decided, &[near][..]));
    assert_eq!(answer.decided.filled, Lots(20));
    assert_eq!(test.account(user).open.keys().copied().collect::<Vec<_>>(), [far]);
    // 50 × 95.00 = 4,750.00 and the fee of 1 bp stay reserved.
    assert_eq!(answer.decided.reserved, Money(4_750_475_000));
    // In mode REJECT an order behind the last reached level does not matter.
    let mut sell = test.ticket(test.share, Side::Sell, Price::Market, 20);
    sell.self_trade_prevention = SelfTradePrevention::Reject;
    assert_eq!(test.place(user, sell).unwrap().decided.filled, Lots(20));
    // A level is reached while quantity is left.
    test.step(vec![tick(test.share, 10_000, &[(9_999, 30), (9_998, 500)], &ASKS)]);
    let second = test.limit(user, test.share, Side::Buy, 9_998, 10).unwrap().order.id;
    let sold = test.market(user, test.share, Side::Sell, 40).unwrap().decided;
    assert_eq!((sold.filled, sold.cancelled), (Lots(40), vec![second]));
    assert!(test.account(user).open.contains_key(&far));
}

#[test]
fn a_market_order_stops_at_the_collar_and_its_rest_is_cancelled() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    // 10 % around 100.00: 110.01 lies outside.
    test.step(vec![tick(test.share, 10_000, &BIDS, &[(11_000, 5), (11_001, 5)])]);
    let answer = test.market(user, test.share, Side::Buy, 8).unwrap();
    assert_eq!((answer.decided.filled, answer.decided.expired), (Lots(5), Lots(3)));
    assert_eq!(answer.order.status, OrderStatus::Cancelled);
}

#[test]
fn a_client_order_id_is_executed_once() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    let ticket = test.ticket(test.share, Side::Buy, Price::Limit(Ticks(9_990)), 10);
    let order = Command::PlaceOrder { account: user, ticket: ticket.clone() };
    let Ok(CommandOutcome::Applied(first)) = test.command(&order) else { panic!("refused") };
    assert_eq!(test.command(&order), Ok(CommandOutcome::Duplicate(first.seq)));
    let mut longer = ticket.clone();
    longer.valid_until = Some(test.venue.time().plus_micros(1));
    let repeat = Command::PlaceOrder { account: user, ticket: longer };
    assert_eq!(test.command(&repeat), Ok(CommandOutcome::Duplicate(first.seq)));
    let mut changed = ticket.clone();
    changed.quantity = Lots(11);
    assert_eq!(test.place(user, changed).unwrap_err(), Reject::IdempotencyMismatch);
    // The id of a refused order may be used again.
    let mut refused = ticket;
    refused.client_order_id = engine::order::ClientOrderId::parse("free").unwrap();
    refused.quantity = Lots(1_000_000);
    assert_eq!(test.place(user, refused.clone()).unwrap_err().code(), "insufficient_cash");
    refused.quantity = Lots(1);
    test.place(user, refused).unwrap();
}

#[test]
fn a_late_order_is_refused() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    let mut ticket = test.ticket(test.share, Side::Buy, Price::Market, 1);
    ticket.valid_until = Some(test.venue.time().plus_micros(-1));
    assert_eq!(test.place(user, ticket).unwrap_err(), Reject::TooLate);
}

#[test]
fn orders_of_other_accounts_cannot_be_cancelled() {
    let mut test = TestVenue::new();
    let (owner, other) = (test.open(1), test.open(2));
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    let order = test.limit(owner, test.share, Side::Buy, 9_990, 10).unwrap().order.id;
    assert_eq!(test.cancel(other, order), Err(Reject::UnknownOrder));
    test.cancel(owner, order).unwrap();
    assert_eq!(test.cancel(owner, order), Err(Reject::UnknownOrder));
    assert_eq!(test.account(owner).reserved, Money::ZERO);
}

#[test]
fn a_lost_step_halts_its_instruments_until_their_next_tick() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    let both = |test: &TestVenue| {
        vec![tick(test.share, 10_000, &BIDS, &ASKS), tick(test.bond, 10_000, &BIDS, &ASKS)]
    };
    let ticks = both(&test);
    test.step_at(1, Seq(1), ticks);
    // Step 2 would have ticked the share (every 2) and not the bond (every 10).
    let outcome = test.step_at(3, test.venue.seq(), vec![]);
    // The halt is published with the mark, so that previews on the old basis are refused.
    let told: Vec<_> = outcome.marks.iter().map(|mark| (mark.instrument, mark.status)).collect();
    assert_eq!(told, [(test.share, InstrumentStatus::Halted)]);
    assert_eq!(test.venue.conditions(test.share).unwrap().mark_rev, outcome.seq);
    assert_eq!(test.market(user, test.share, Side::Buy, 1).unwrap_err(), Reject::Halted);
    test.market(user, test.bond, Side::Buy, 1).unwrap();
    let ticks = vec![tick(test.share, 10_000, &BIDS, &ASKS)];
    test.step_at(4, test.venue.seq(), ticks);
    test.market(user, test.share, Side::Buy, 1).unwrap();
}

#[test]
fn a_bond_settles_dirty_pays_its_coupon_and_its_p_and_l_adds_up() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.step(vec![tick(test.bond, 10_000, &[(9_999, 500)], &[(10_001, 500)])]);
    let answer = test.market(user, test.bond, Side::Buy, 100).unwrap();
    // 2026-01-05 is 143 of 184 days into the period: 1,000 × 2.25 % × 143/184
    // = 17.486413 a lot; 100 × (1,000.10 + 17.486413) = 101,758.6413
    assert_eq!(answer.decided.notional, Money(101_758_641_300));
    // 0.2 bp of it: 2.03517282… → 2.035173
    assert_eq!(answer.decided.fee, Money(2_035_173));

    // 41 trading days later, on 2026-02-15, 22.50 a lot is paid.
    let steps_a_day = 234_000;
    let outcome = test.step_at(41 * steps_a_day, test.venue.seq(), vec![]);
    assert_eq!(outcome.new_date.unwrap().to_string(), "2026-02-15");
    let paid = outcome.events.iter().find_map(|event| match event.change {
        AccountChange::CouponPaid { amount, .. } => Some(amount),
        _ => None,
    });
    assert_eq!(paid, Some(Money::from_units(2_250)));
    let account = test.account(user);
    let position = account.position(test.bond);
    // 1,000,000 − 101,758.6413 − 2.035173 + 2,250 = 900,489.323527
    assert_eq!(account.cash, Money(900_489_323_527));
    // On the coupon date nothing is accrued: 100 lots × 1,000 at par.
    let value = Money::from_units(100_000);
    let pnl = position.realized_pnl() + position.unrealized_pnl(value) - position.fees;
    assert_eq!(pnl, account.cash + value - Money::from_units(1_000_000));
}

#[test]
fn a_matured_bond_is_redeemed_and_no_longer_traded() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.step(vec![tick(test.bond, 10_000, &[(9_999, 500)], &[(10_001, 500)])]);
    test.market(user, test.bond, Side::Buy, 10).unwrap();
    test.limit(user, test.bond, Side::Buy, 9_998, 5).unwrap();
    let days = test.venue.date().days_until("2036-02-15".parse().unwrap()) as u64;
    let outcome = test.step_at(days * 234_000, test.venue.seq(), vec![]);
    let account = test.account(user);
    assert_eq!(account.position(test.bond).lots, Lots::ZERO);
    assert_eq!((account.reserved, account.open.len()), (Money::ZERO, 0));
    // 21 coupons of 22.50 and 1,000 of face for each of 10 lots
    let cash_in = Money::from_units(10 * 1_000) + Money(21 * 22_500_000 * 10);
    let paid = account.cash - Money::from_units(1_000_000) + test.outcomes_cost(user);
    assert_eq!(paid, cash_in);
    assert!(outcome.events.iter().any(|event| matches!(event.change, AccountChange::Redeemed { .. })));
    assert_eq!(test.market(user, test.bond, Side::Buy, 1).unwrap_err(), Reject::Expired);
}

impl TestVenue {
    /// Cost of a user's fills with fees.
    fn outcomes_cost(&self, user: engine::id::AccountId) -> Money {
        let fills = self.outcomes.iter().flat_map(|outcome| &outcome.events);
        fills
            .filter(|event| event.account == user)
            .filter_map(|event| match &event.change {
                AccountChange::OrderFilled { fill, .. } => {
                    Some(Money(fill.side.sign() * fill.notional.0) + fill.fee)
                }
                _ => None,
            })
            .sum()
    }
}

#[test]
fn a_snapshot_restores_to_the_same_venue() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    test.limit(user, test.share, Side::Buy, 9_990, 10).unwrap();
    let mut restored = Venue::restore(&test.venue.snapshot()).unwrap();
    assert_eq!(restored.state_hash(), test.venue.state_hash());
    let ticket = test.ticket(test.share, Side::Buy, Price::Market, 7);
    let order = Command::PlaceOrder { account: user, ticket };
    assert_eq!(restored.execute(&order), test.venue.execute(&order));
    assert!(Venue::restore(b"\x01rubbish").is_err());
    assert!(Venue::restore(b"").is_err());
}

#[test]
fn an_ioc_limit_never_rests() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.step(vec![tick(test.share, 10_000, &BIDS, &ASKS)]);
    let mut ticket = test.ticket(test.share, Side::Buy, Price::Limit(Ticks(10_001)), 500);
    ticket.time_in_force = TimeInForce::Ioc;
    let answer = test.place(user, ticket).unwrap();
    assert_eq!((answer.decided.filled, answer.decided.expired), (Lots(400), Lots(100)));
    assert_eq!((test.account(user).reserved, test.account(user).open.len()), (Money::ZERO, 0));
}
