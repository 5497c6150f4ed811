//! Following the journal over streams that lack entries.

use engine::id::Seq;
use server::bus::{Bus, StreamLimits};
use server::journal::{Follower, JournalError};

use super::agents_fixture::AgentsFixture;

#[tokio::test]
async fn a_follower_gets_every_entry_once_and_in_order() {
    // A stream of a few messages, trimmed long before it is read.
    let limits = StreamLimits { messages: 4, ..StreamLimits::default() };
    let fixture = AgentsFixture::over(Bus::open(None, limits).await.unwrap(), "41").await;
    let (trading, market_data) = (fixture.trading(), fixture.market_data(fixture.manual()));
    fixture.step(20).await;
    let head = fixture.store.journal_head(fixture.row.id).await.unwrap().unwrap().seq;
    for after in [0, 7, head.0 - 2] {
        fixture.follow(Seq(after), head).await;
    }
    // One follower that starts before the entries are published.
    tokio::join!(fixture.follow(head, Seq(head.0 + 30)), fixture.step(30));
    market_data.stop().await;
    trading.stop().await;
}

#[tokio::test]
async fn entries_of_an_unreadable_batch_are_read_from_the_journal() {
    let fixture = AgentsFixture::new("43").await;
    let (trading, market_data) = (fixture.trading(), fixture.market_data(fixture.manual()));
    fixture.step(5).await;
    market_data.stop().await;
    trading.stop().await;
    let head = fixture.store.journal_head(fixture.row.id).await.unwrap().unwrap().seq;
    let bus = Bus::local();
    let damaged = [(head.0 - 2, "not json".into())];
    bus.append_after(&fixture.streams.execution, 0, &damaged).await.unwrap();
    let mut journal =
        Follower::new(fixture.row.id, fixture.store.clone(), bus.clone(), &fixture.streams, Seq(head.0 - 3));
    let error = journal.next().await.unwrap_err();
    assert!(matches!(error, JournalError::UnreadableExecution { id } if id == head.0 - 2), "{error}");
    assert_eq!(bus.last_id(&fixture.streams.dead_letter).await.unwrap(), 1);
    let batch = journal.next().await.unwrap();
    let entries: Vec<_> = batch.outcomes().map(|(_, outcome)| outcome.seq).collect();
    assert_eq!(entries, [Seq(head.0 - 2), Seq(head.0 - 1), head]);
}

#[tokio::test]
async fn a_gap_that_the_journal_cannot_fill_is_an_error() {
    let fixture = AgentsFixture::new("47").await;
    let gap = engine::venue::Outcome { seq: Seq(2), ..Default::default() };
    fixture.publish(vec![gap]).await;
    let (store, bus) = (fixture.store.clone(), fixture.bus.clone());
    let mut journal = Follower::new(fixture.row.id, store, bus, &fixture.streams, Seq(0));
    let error = journal.next().await.unwrap_err();
    assert!(error.to_string().contains("the journal lacks entry 1"), "{error}");
}
