//! Closed accounts: what they held is the house's, and they are unknown. Accounts that are
//! reset: the same, and they begin again.

use crate::support::{TestVenue, tick};
use engine::id::AccountId;
use engine::money::{Lots, Money};
use engine::order::{CancelReason, Reject, Side};
use engine::position::Position;
use engine::replica::{Execution, VenueReplica};
use engine::venue::{
    AccountChange, Asset, Command, CommandOutcome, Input, Outcome, Party, Posting, ReplayError, Venue,
};

/// Applies a command and returns the entry's outcome.
fn applied(test: &mut TestVenue, command: &Command) -> Outcome {
    match test.command(command) {
        Ok(CommandOutcome::Applied(outcome)) => *outcome,
        other => panic!("{other:?}"),
    }
}

fn close(test: &mut TestVenue, account: AccountId) -> Outcome {
    applied(test, &Command::CloseAccount { account })
}

fn reset(test: &mut TestVenue, account: AccountId) -> Outcome {
    applied(test, &Command::ResetAccount { account })
}

/// Amounts of an account's postings of an asset, in order.
fn amounts(outcome: &Outcome, account: AccountId, asset: Asset) -> Vec<i64> {
    let own = outcome.postings.iter().filter(|posting| posting.party == Party::Account(account));
    own.filter(|posting| posting.asset == asset).map(|posting| posting.amount).collect()
}

/// A venue in which the first user holds both instruments and two resting orders.
fn trading() -> (TestVenue, AccountId) {
    let mut test = TestVenue::new();
    let user = test.open(1);
    test.step(vec![
        tick(test.share, 10_000, &[(9_999, 400)], &[(10_001, 400)]),
        tick(test.bond, 10_000, &[(9_999, 500)], &[(10_001, 500)]),
    ]);
    test.market(user, test.share, Side::Buy, 100).unwrap();
    test.market(user, test.bond, Side::Buy, 10).unwrap();
    test.limit(user, test.share, Side::Buy, 9_990, 50).unwrap();
    test.limit(user, test.share, Side::Sell, 10_010, 30).unwrap();
    (test, user)
}

#[test]
fn a_closed_account_leaves_all_it_held_to_the_house_at_the_marks() {
    let (mut test, user) = trading();
    let cash = test.account(user).cash;
    let outcome = close(&mut test, user);
    let asset = |asset: Asset| amounts(&outcome, user, asset);
    // 100 shares at the mark of 100.00, and 10 bonds at 1,000.00 + 17.486413 accrued
    // (143 of 184 days); then everything.
    let (shares, bonds) = (10_000_000_000, 10 * 1_017_486_413);
    let mut received = asset(Asset::Cash);
    assert_eq!(received.pop(), Some(-(cash.0 + shares + bonds)));
    received.sort_unstable();
    assert_eq!(received, [shares, bonds]);
    assert_eq!(asset(Asset::Instrument(test.share)), [-100]);
    assert_eq!(asset(Asset::Instrument(test.bond)), [-10]);
    assert_eq!((outcome.balances[0].cash, outcome.balances[0].reserved), (Money::ZERO, Money::ZERO));
    assert!(outcome.positions.iter().all(|state| state.position.lots == Lots::ZERO));
    let cancelled = outcome.events.iter().filter(|event| {
        matches!(event.change, AccountChange::OrderCancelled { reason: CancelReason::Requested, .. })
    });
    assert_eq!(cancelled.count(), 2);
    assert_eq!(outcome.events.last().unwrap().change, AccountChange::Closed);
    // It is not trading: neither the tape nor the simulation hears of it.
    assert!(outcome.tape.is_empty() && outcome.flows().is_empty());
    // The synthetic levels alone are left in the book.
    let book = test.venue.book_snapshot(test.share);
    assert_eq!((book.bids.len(), book.asks.len()), (1, 1));
    assert_eq!(test.venue.account(user), None);
}

#[test]
fn a_reset_account_begins_again_with_the_starting_balance() {
    let (mut test, user) = trading();
    let before = test.account(user).clone();
    let outcome = reset(&mut test, user);
    // As at a closing: 100 shares at 100.00, 10 bonds at 1,017.486413, then everything.
    let (shares, bonds) = (10_000_000_000, 10 * 1_017_486_413);
    let starting = Money::from_units(1_000_000);
    let mut cash = amounts(&outcome, user, Asset::Cash);
    assert_eq!(cash.split_off(2), [-(before.cash.0 + shares + bonds), starting.0]);
    cash.sort_unstable();
    assert_eq!(cash, [shares, bonds]);
    assert_eq!(amounts(&outcome, user, Asset::Instrument(test.share)), [-100]);
    assert_eq!(amounts(&outcome, user, Asset::Instrument(test.bond)), [-10]);
    assert_eq!((outcome.balances[0].cash, outcome.balances[0].reserved), (starting, Money::ZERO));
    // P&L and fees begin at zero, also in the stored rows.
    let positions: Vec<_> = outcome.positions.iter().map(|state| state.position).collect();
    assert_eq!(positions, [Position::default(); 2]);
    let cancelled = outcome.events.iter().filter(|event| {
        matches!(event.change, AccountChange::OrderCancelled { reason: CancelReason::AccountReset, .. })
    });
    assert_eq!(cancelled.count(), 2);
    assert_eq!(outcome.events.last().unwrap().change, AccountChange::Reset);
    assert!(outcome.tape.is_empty() && outcome.flows().is_empty());
    let account = test.account(user).clone();
    assert_eq!((account.cash, account.reserved, account.opened), (starting, Money::ZERO, outcome.seq));
    assert!(account.open.is_empty() && account.positions.is_empty());
    // Its owner's copy follows by the events alone.
    let mut copy = before;
    for event in &outcome.events {
        assert_eq!(copy.apply(&Execution::new(&outcome, event, &account)), Ok(true));
    }
    assert_eq!(copy, account);
}

#[test]
fn an_account_is_reset_again_and_trades_on() {
    let (mut test, user) = trading();
    let used = test.ticket(test.share, Side::Buy, engine::order::Price::Market, 5);
    test.place(user, used.clone()).unwrap();
    reset(&mut test, user);
    let starting = Money::from_units(1_000_000).0;
    for _ in 0..2 {
        let outcome = reset(&mut test, user);
        assert_eq!(amounts(&outcome, user, Asset::Cash), [-starting, starting]);
        assert_eq!(outcome.events.len(), 1);
    }
    // A name that it has used stays bound to its first answer.
    let repeated = test.command(&Command::PlaceOrder { account: user, ticket: used });
    assert!(matches!(repeated, Ok(CommandOutcome::Duplicate(_))), "{repeated:?}");
    test.market(user, test.share, Side::Buy, 100).unwrap();
    assert_eq!(test.account(user).position(test.share).lots, Lots(100));
    // 100 × 100.01 and 1 bp of it: the order before the reset costs nothing any more.
    assert_eq!(test.account(user).cash, Money(starting - 10_001_000_000 - 1_000_100));
    let unknown = Command::ResetAccount { account: AccountId(uuid::Uuid::from_u128(9)) };
    assert_eq!(test.command(&unknown), Err(Reject::UnknownAccount));
}

#[test]
fn a_closed_account_is_unknown_to_every_command() {
    let (mut test, user) = trading();
    let ticket = test.ticket(test.share, Side::Buy, engine::order::Price::Market, 1);
    let (before, other) = (test.venue.seq(), test.open(2));
    close(&mut test, user);
    let order = engine::id::OrderId::derive(test.venue.config().venue_id(), before);
    for command in [
        Command::CloseAccount { account: user },
        Command::ResetAccount { account: user },
        Command::PlaceOrder { account: user, ticket: ticket.clone() },
        Command::CancelOrder { account: user, order },
        Command::CancelAll { account: user, instrument: None },
    ] {
        assert_eq!(test.command(&command), Err(Reject::UnknownAccount), "{command:?}");
    }
    // Others trade on.
    test.place(other, ticket).unwrap();
}

#[test]
fn an_empty_account_closes_with_its_starting_cash() {
    let mut test = TestVenue::new();
    let user = test.open(1);
    let outcome = close(&mut test, user);
    let posting = |party, amount| Posting { party, asset: Asset::Cash, amount };
    let starting = Money::from_units(1_000_000).0;
    assert_eq!(outcome.postings, [posting(Party::House, starting), posting(Party::Account(user), -starting)]);
}

#[test]
fn a_closing_is_replayed_restored_and_followed() {
    let (mut test, user) = trading();
    let mut copy = Venue::restore(&test.venue.snapshot()).unwrap();
    let outcome = reset(&mut test, user);
    let input = Input::Command(Command::ResetAccount { account: user });
    let stored: Input = postcard::from_bytes(&postcard::to_allocvec(&input).unwrap()).unwrap();
    assert_eq!(copy.reapply(&stored, None).unwrap(), outcome);
    assert_eq!(copy.state_hash(), test.venue.state_hash());
    let outcome = close(&mut test, user);
    let input = Input::Command(Command::CloseAccount { account: user });
    let stored: Input = postcard::from_bytes(&postcard::to_allocvec(&input).unwrap()).unwrap();
    assert_eq!(copy.reapply(&stored, None).unwrap(), outcome);
    assert_eq!(copy.state_hash(), test.venue.state_hash());
    let seq = copy.seq().next();
    let again = copy.reapply(&stored, None).unwrap_err();
    assert_eq!(again, ReplayError::Refused { seq, reject: Reject::UnknownAccount });
    assert_eq!(Venue::restore(&test.venue.snapshot()).unwrap().state_hash(), test.venue.state_hash());
    let mut replica = VenueReplica::before_opening(test.venue.config()).unwrap();
    for outcome in &test.outcomes {
        replica.apply(outcome.seq, outcome).unwrap();
    }
    assert_eq!(&replica.accounts, test.venue.accounts());
}
