//! Replicas against the venue that they follow.

use super::*;
use crate::id::{Digest, InstrumentId};
use crate::money::{Lots, Ticks};
use crate::order::{ClientOrderId, Price, SelfTradePrevention, Side, Ticket, TimeInForce};
use crate::sim::{Seed, Simulator};
use crate::venue::{Command, CommandOutcome};

const ACCOUNT: AccountId = AccountId(uuid::Uuid::from_u128(1));

/// A venue that trades, and its outcomes.
struct Traded {
    venue: Venue,
    simulator: Simulator,
    outcomes: Vec<Outcome>,
}

impl Traded {
    /// A venue with one account that has bought, sold, rested and cancelled.
    fn busy() -> Self {
        let config = VenueConfig::default();
        let simulator = Simulator::new(&config, &"7".parse::<Seed>().unwrap()).unwrap();
        let (venue, opened) = Venue::open(config, Digest([0; 32])).unwrap();
        let mut traded = Self { venue, simulator, outcomes: vec![opened] };
        traded.execute(Command::OpenAccount { account: ACCOUNT });
        for round in 0..20 {
            traded.step();
            traded.place(round, Side::Buy, Price::Market, 30);
            traded.place(round, Side::Sell, Price::Market, 7);
            traded.place(round, Side::Buy, Price::Limit(Ticks(9_900)), 5);
            if round % 3 == 0 {
                traded.execute(Command::CancelAll { account: ACCOUNT, instrument: None });
            }
        }
        traded
    }

    fn step(&mut self) {
        let (header, payload) = self.simulator.step(self.venue.seq());
        self.outcomes.push(self.venue.apply_step(&header, &payload).unwrap());
    }

    fn place(&mut self, round: i64, side: Side, price: Price, lots: i64) {
        let rests = matches!(price, Price::Limit(_));
        let name = format!("{round}-{side:?}-{rests}");
        let ticket = Ticket {
            instrument: InstrumentId::derive(self.venue.config().venue_id(), "ACME"),
            side,
            price,
            quantity: Lots(lots),
            time_in_force: if rests { TimeInForce::Gtc } else { TimeInForce::Ioc },
            client_order_id: ClientOrderId::parse(&name).unwrap(),
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::CancelResting,
        };
        self.execute(Command::PlaceOrder { account: ACCOUNT, ticket });
    }

    fn execute(&mut self, command: Command) {
        // A refused command is no entry.
        if let Ok(CommandOutcome::Applied(outcome)) = self.venue.execute(&command) {
            self.simulator.observe(outcome.seq, &outcome.flows());
            self.outcomes.push(*outcome);
        }
    }
}

#[test]
fn outcomes_and_books_make_the_venue_itself() {
    let traded = Traded::busy();
    let mut replica = VenueReplica::before_opening(traded.venue.config()).unwrap();
    for outcome in &traded.outcomes {
        assert_eq!(replica.apply(outcome.seq, outcome), Ok(true));
        assert_eq!(replica.apply(outcome.seq, outcome), Ok(false));
    }
    for id in traded.venue.instruments().keys() {
        match traded.venue.quotes_snapshot(*id) {
            Some(quotes) => assert!(replica.market.set_quotes(quotes)),
            None => assert!(replica.market.set_book(traded.venue.book_snapshot(*id))),
        }
    }
    let mut expected = VenueReplica::of_venue(&traded.venue);
    for (id, listed) in &mut expected.market.instruments {
        assert_eq!(listed.quotes_snapshot(), traded.venue.quotes_snapshot(*id));
        listed.marked_at = replica.market.instruments[id].marked_at;
    }
    assert_eq!(replica, expected);
}

#[test]
fn missing_entries_are_a_gap_and_change_nothing() {
    let traded = Traded::busy();
    let mut replica = VenueReplica::before_opening(traded.venue.config()).unwrap();
    replica.apply(Seq(1), &traded.outcomes[0]).unwrap();
    let before = replica.clone();
    let third = &traded.outcomes[2];
    assert_eq!(replica.apply(third.seq, third), Err(Gap { through: 1, found: 3 }));
    assert_eq!(replica, before);
    // A compacted run from the second on is none.
    assert_eq!(replica.apply(Seq(2), third), Ok(true));
}

#[test]
fn executions_make_the_account_itself() {
    let traded = Traded::busy();
    let mut replica = VenueReplica::before_opening(traded.venue.config()).unwrap();
    let mut account = Account::new(ACCOUNT, Money::ZERO, Seq(2));
    for outcome in &traded.outcomes {
        replica.apply(outcome.seq, outcome).unwrap();
        for event in &outcome.events {
            let execution = Execution::new(outcome, event, &replica.accounts[&ACCOUNT]);
            let early = Execution { account_seq: execution.account_seq + 1, ..execution.clone() };
            let gap = Gap { through: account.account_seq, found: early.account_seq };
            assert_eq!(account.apply(&early), Err(gap));
            assert_eq!(account.apply(&execution), Ok(true));
            assert_eq!(account.apply(&execution), Ok(false));
        }
        if !outcome.events.is_empty() {
            assert_eq!(account, replica.accounts[&ACCOUNT], "entry {}", outcome.seq);
        }
    }
    assert!(account.account_seq > 50 && !account.open.is_empty());
}
