//! What the sequencer does when commits fail, processes die and others write.

use std::sync::Arc;

use engine::order::Side;
use engine::venue::{AccountChange, Command};
use server::agents::context::AgentContext;
use server::agents::trading::{Fault, no_faults};
use server::bus::Bus;
use server::sequencer_client::SendError;

use crate::support::database::{DatabaseKind, TestDatabase};
use crate::support::trading_fixture::{TradingFixture, fault_at};

/// Entry 1, two accounts, two steps: the commits before the order's.
const BEFORE: u64 = 4;

async fn order_through(fault: Fault) {
    let mut fixture = TradingFixture::with(10_000, fault_at(BEFORE + 1, fault)).await;
    let (account, _other) = (fixture.account().await, fixture.account().await);
    fixture.quote(9_990, 10_010).await;
    let ticket = fixture.limit(Side::Buy, 10, 10_010);
    // The commit goes wrong; nobody notices but the log.
    let reply = fixture.send(Command::PlaceOrder { account, ticket }).await.unwrap();
    assert_eq!(reply.outcome.answer.unwrap().order.filled.0, 10);
    fixture.until(|outcome| outcome.seq >= reply.seq).await;
    let events = fixture.outcomes.iter().flat_map(|outcome| &outcome.events);
    let orders = events.filter(|event| matches!(event.change, AccountChange::OrderAccepted(_))).count();
    assert_eq!(orders, 1, "published once");
    assert_eq!(fixture.number("SELECT count(*) FROM orders").await, 1);
    assert_eq!(fixture.number("SELECT sum(qty_filled) FROM trades").await, 10);
    fixture.quote(9_990, 10_010).await;
    fixture.close().await;
}

#[tokio::test]
async fn a_failed_commit_is_decided_again() {
    order_through(Fault::Fails).await;
}

#[tokio::test]
async fn a_commit_with_unknown_outcome_is_answered_from_the_journal() {
    order_through(Fault::Unknown).await;
}

#[tokio::test]
async fn what_was_decided_while_a_commit_failed_is_decided_again() {
    for fault in [Fault::Fails, Fault::Unknown] {
        // The first order's commit fails while the others are being decided.
        let mut fixture = TradingFixture::with(10_000, fault_at(BEFORE + 1, fault)).await;
        let (account, other) = (fixture.account().await, fixture.account().await);
        fixture.quote(9_990, 10_010).await;
        let tickets: Vec<_> = (0..40).map(|_| fixture.limit(Side::Buy, 1, 10_010)).collect();
        // Half of them twice over, the copies in other batches than the originals.
        let copies = tickets.iter().chain(&tickets[..20]).zip(0..);
        let sends = copies.map(|(ticket, place)| {
            let account = if place % 2 == 0 { account } else { other };
            fixture.send(Command::PlaceOrder { account, ticket: ticket.clone() })
        });
        let replies = futures::future::join_all(sends).await;
        let mut entries: Vec<_> = replies.into_iter().map(|reply| reply.unwrap().seq).collect();
        assert_eq!(entries[..20], entries[40..], "a copy has its original's answer");
        entries.sort_unstable();
        entries.dedup();
        assert_eq!(entries.len(), 40, "{fault:?}");
        assert_eq!(fixture.number("SELECT count(*) FROM orders").await, 40);
        assert_eq!(fixture.number("SELECT sum(qty_filled) FROM trades").await, 40);
        // Published in order, each once: the fixture looks.
        let last = entries[39];
        fixture.until(|outcome| outcome.seq >= last).await;
        fixture.close().await;
    }
}

#[tokio::test]
async fn every_commit_may_fail_once_and_nothing_is_lost_or_doubled() {
    // Odd commits fail, or fail after they were written; even ones succeed.
    let faults = Arc::new(|commit: u64| match commit % 4 {
        1 => Fault::Fails,
        3 => Fault::Unknown,
        _ => Fault::None,
    });
    let mut fixture = TradingFixture::with(10, faults).await;
    let account = fixture.account().await;
    fixture.quote(9_990, 10_010).await;
    for round in 0..20 {
        fixture.place(account, Side::Buy, 1 + round % 3, 10_010).await;
        fixture.quote(9_990, 10_010).await;
    }
    assert_eq!(fixture.number("SELECT count(*) FROM orders").await, 20);
    assert_eq!(
        fixture.number("SELECT sum(qty_filled) FROM trades").await,
        (0..20).map(|round| 1 + round % 3).sum::<i64>()
    );
    // Snapshots have let payloads go that this made-up market cannot give again.
    fixture.stop().await;
    fixture.abandon().await;
}

#[tokio::test]
async fn a_restart_finds_everything_as_it_was() {
    let mut fixture = TradingFixture::open().await;
    let account = fixture.account().await;
    fixture.quote(9_990, 10_010).await;
    fixture.place(account, Side::Buy, 10, 10_010).await;
    let resting = fixture.place(account, Side::Buy, 20, 9_995).await;
    fixture.drain().await;
    let before = fixture.verify().await.unwrap();

    fixture.crash().await;
    fixture.start().await;
    // What the wiped stream lacks is published from the journal, with books.
    assert_eq!(fixture.outcomes.first().unwrap().seq.0, 1);
    assert_eq!(fixture.seen(), before.seq);
    let acme = fixture.instrument("ACME").id;
    let book = fixture.batches[0].books.iter().find(|book| book.instrument == acme).unwrap();
    assert_eq!((book.bids[0].price.0, book.bids[0].lots.0), (9_995, 20));
    assert_eq!(fixture.verify().await.unwrap(), before);

    // The resting order still lives: the ask comes down and fills it.
    let step = fixture.quote(9_980, 9_990).await;
    assert!(step.fills().any(|fill| fill.order == resting && fill.lots.0 == 20));
    fixture.close().await;
}

#[tokio::test]
async fn a_crash_in_the_middle_of_orders_loses_none_that_was_answered() {
    let mut fixture = TradingFixture::open().await;
    let account = fixture.account().await;
    fixture.quote(9_990, 10_010).await;
    for round in 0..5 {
        let mut answered = Vec::new();
        let tickets: Vec<_> = (0..40).map(|_| fixture.limit(Side::Buy, 1, 10_010)).collect();
        let sends = tickets.iter().map(|ticket| {
            let (client, ticket) = (fixture.client.clone(), ticket.clone());
            tokio::spawn(async move {
                let name = ticket.client_order_id.to_string();
                let command = Command::PlaceOrder { account, ticket };
                client.send(command, std::time::Duration::from_secs(5)).await.map(|_| name)
            })
        });
        let sends: Vec<_> = sends.collect();
        // The process dies when the first answers are out.
        for (index, send) in sends.into_iter().enumerate() {
            if index == 3 + round {
                fixture.crash().await;
            }
            if let Ok(Ok(Ok(name))) = tokio::time::timeout(std::time::Duration::from_millis(200), send).await
            {
                answered.push(name);
            }
        }
        fixture.start().await;
        let orders = fixture.store.order_rows(fixture.venue(), engine::id::Seq(0), 1_000).await.unwrap();
        for name in &answered {
            assert_eq!(orders.iter().filter(|order| order.client_order_id == *name).count(), 1, "{name}");
        }
        assert!(answered.len() > 3, "round {round}: only {} were answered", answered.len());
    }
    fixture.close().await;
}

#[tokio::test]
async fn a_second_sequencer_fences_the_first() {
    // Where no lease keeps the second waiting.
    let mut fixture =
        TradingFixture::at(TestDatabase::new(DatabaseKind::Sqlite).await, 10_000, no_faults()).await;
    let account = fixture.account().await;
    fixture.quote(9_990, 10_010).await;

    // Another takes over; it listens on a bus of its own, so that only the
    // store can keep the two apart.
    let context = AgentContext { bus: Bus::local(), ..fixture.context() };
    let (second, stop) = fixture.launch(context.clone());
    context.bus.read_after(&fixture.streams.execution, 0, 1).await.unwrap();

    // What the first decides from now on it cannot write, so it never answers.
    let head = fixture.store.journal_head(fixture.venue()).await.unwrap().unwrap();
    let ticket = fixture.limit(Side::Buy, 10, 10_010);
    let command = Command::PlaceOrder { account, ticket };
    let sent = fixture.client.send(command, std::time::Duration::from_millis(100)).await;
    assert_eq!(sent.unwrap_err(), SendError::Pending);
    assert_eq!(fixture.store.journal_head(fixture.venue()).await.unwrap().unwrap(), head);

    stop.cancel();
    second.await.unwrap().unwrap();
    fixture.close().await;
}

#[tokio::test]
async fn a_venue_that_does_not_add_up_halts_and_says_so() {
    let mut fixture = TradingFixture::open().await;
    let account = fixture.account().await;
    fixture.quote(9_990, 10_010).await;
    fixture.stop().await;
    fixture.crash().await;
    assert_eq!(fixture.damage("UPDATE accounts SET cash_balance = cash_balance + 1").await, 1);
    fixture.prepare().await;
    let (task, shutdown) = fixture.launch(fixture.context());
    let ticket = fixture.limit(Side::Buy, 10, 10_010);
    let sent = fixture.send(Command::PlaceOrder { account, ticket }).await;
    assert_eq!(sent.unwrap_err(), SendError::TradingHalted);
    shutdown.cancel();
    task.await.unwrap().unwrap();
    fixture.abandon().await;
}
