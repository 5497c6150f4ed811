//! Two sequencers for one venue, where both can reach the store: the second
//! waits for the first to die, and a first that was only late writes nothing.

use std::time::Duration;

use engine::order::Side;
use engine::venue::Command;
use server::agents::context::AgentContext;
use server::agents::trading::no_faults;
use server::bus::{Batch, Bus};
use server::sequencer_client::SendError;

use crate::support::database::{Database, TestDatabase};
use crate::support::trading_fixture::{TEST_TIMEOUT, TradingFixture};

/// Waits until so many connections have, or wait for, the venue's lease.
async fn until_leases(database: &TestDatabase, waiting: bool, wanted: i64) {
    let sql = format!(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted <> {waiting}
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    );
    let there = async { while database.number(&sql).await != wanted {} };
    tokio::time::timeout(TEST_TIMEOUT, there).await.expect("so many leases");
}

#[tokio::test]
async fn a_standby_takes_over_when_the_first_dies_and_a_late_first_never_writes() {
    let database = TestDatabase::Database(Database::create().await);
    let mut fixture = TradingFixture::at(database, 10_000, no_faults()).await;
    let account = fixture.account().await;
    fixture.quote(9_990, 10_010).await;

    // Another process: a store and a bus of its own.
    let store = fixture.database.open().await;
    let context = AgentContext { store, bus: Bus::local(), ..fixture.context() };
    let (second, stop) = fixture.launch(context.clone());
    until_leases(&fixture.database, true, 1).await;
    // It leaves the first alone.
    fixture.place(account, Side::Buy, 10, 10_010).await;
    let written = context.bus.read_now(&fixture.streams.execution, 0, 1).await.unwrap();
    assert!(matches!(written, Batch::Messages(messages) if messages.is_empty()));

    // The first loses its lease and nothing else: it is late, not dead.
    let holder =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted
                      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(fixture.database.number(holder).await, 1);
    context.bus.read_after(&fixture.streams.execution, 0, 1).await.unwrap();
    let head = fixture.store.journal_head(fixture.venue()).await.unwrap().unwrap();
    let ticket = fixture.limit(Side::Buy, 10, 10_010);
    let command = Command::PlaceOrder { account, ticket };
    let sent = fixture.client.send(command, Duration::from_millis(100)).await;
    assert_eq!(sent.unwrap_err(), SendError::Pending);
    assert_eq!(fixture.store.journal_head(fixture.venue()).await.unwrap().unwrap(), head);

    // Meanwhile its client has given up, and nobody decides that order any more.
    fixture.clock.advance_micros(10_000_000);
    // It stands by in its turn, and is back when the second is gone.
    until_leases(&fixture.database, true, 1).await;
    stop.cancel();
    second.await.unwrap().unwrap();
    context.store.close().await;
    until_leases(&fixture.database, true, 0).await;
    fixture.place(account, Side::Buy, 10, 10_010).await;
    assert_eq!(fixture.number("SELECT count(*) FROM orders").await, 2);
    fixture.close().await;
}

#[tokio::test]
async fn who_stops_waiting_leaves_no_one_in_the_queue() {
    let database = TestDatabase::Database(Database::create().await);
    let store = database.open().await;
    let venue = engine::venue::VenueConfig::default().venue_id();
    let lease = store.acquire_lease(venue).await.unwrap();
    assert!(lease.is_held() && lease.is_shared());
    assert!(store.try_acquire_lease(venue).await.unwrap().is_none());
    let waiter = {
        let store = store.clone();
        tokio::spawn(async move { store.acquire_lease(venue).await })
    };
    until_leases(&database, true, 1).await;
    waiter.abort();
    // The database notices that nobody listens any more.
    until_leases(&database, true, 0).await;
    drop(lease);
    until_leases(&database, false, 0).await;
    assert!(store.try_acquire_lease(venue).await.unwrap().is_some());
    store.close().await;
}
