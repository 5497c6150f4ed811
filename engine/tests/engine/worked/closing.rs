//! Closed accounts: what they held is the house's, and they are unknown.

use crate::support::{TestVenue, tick};
use engine::id::AccountId;
use engine::money::{Lots, Money};
use engine::order::{CancelReason, Reject, Side};
use engine::replica::VenueReplica;
use engine::venue::{
    AccountChange, Asset, Command, CommandOutcome, Input, Outcome, Party, Posting, ReplayError, Venue,
};

/// Closes an account and returns the entry's outcome.
fn close(test: &mut TestVenue, account: AccountId) -> Outcome {
    match test.command(&Command::CloseAccount { account }) {
        Ok(CommandOutcome::Applied(outcome)) => *outcome,
        other => panic!("{other:?}"),
    }
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
    let asset = |asset: Asset| {
        let own = outcome.postings.iter().filter(move |posting| posting.party == Party::Account(user));
        own.filter(move |posting| posting.asset == asset).map(|posting| posting.amount).collect::<Vec<_>>()
    };
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
fn a_closed_account_is_unknown_to_every_command() {
    let (mut test, user) = trading();
    let ticket = test.ticket(test.share, Side::Buy, engine::order::Price::Market, 1);
    let (before, other) = (test.venue.seq(), test.open(2));
    close(&mut test, user);
    let order = engine::id::OrderId::derive(test.venue.config().venue_id(), before);
    for command in [
        Command::CloseAccount { account: user },
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
