//! What a sender hears when the sequencer cannot answer.

use std::time::Duration;

use engine::id::{AccountId, VenueId};
use engine::time::WallTime;
use engine::venue::Command;
use protocol::bus::SequencerStatus;
use server::bus::{Bus, StreamNames};
use server::clock::WallClock;
use server::sequencer_client::{QUEUE_CAPACITY, SendError, SequencerClient};
use server::shutdown::Shutdown;
use uuid::Uuid;

/// A client without a sequencer.
struct Alone {
    bus: Bus,
    streams: StreamNames,
    client: SequencerClient,
    _stop: tokio_util::sync::DropGuard,
}

async fn alone() -> Alone {
    let venue = VenueId::from_name("main");
    let (bus, streams, shutdown) = (Bus::local(), StreamNames::of(venue), Shutdown::new());
    let clock = WallClock::manual(WallTime(1_800_000_000_000_000));
    let client =
        SequencerClient::start(bus.clone(), streams.clone(), venue, clock, shutdown.clone()).await.unwrap();
    Alone { bus, streams, client, _stop: shutdown.drop_guard() }
}

impl Alone {
    async fn send(&self) -> SendError {
        let account = AccountId::derive(VenueId::from_name("main"), Uuid::from_u128(1));
        self.client.send(Command::OpenAccount { account }, Duration::from_secs(3)).await.unwrap_err()
    }

    async fn status(&self, status: SequencerStatus) {
        let bytes = serde_json::to_vec(&status).unwrap();
        self.bus.put_latest(&self.streams.trading_status, bytes).await.unwrap();
    }

    async fn sent(&self) -> u64 {
        self.bus.last_id(&self.streams.command).await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_in_time_it_is_pending() {
    let alone = alone().await;
    let began = tokio::time::Instant::now();
    assert_eq!(alone.send().await, SendError::Pending);
    // Its validity, and a moment for the commit of what was decided in time.
    assert_eq!(began.elapsed().as_millis(), 3_500);
    assert_eq!(alone.sent().await, 1);
}

#[tokio::test]
async fn a_full_queue_is_busy_and_takes_nothing() {
    let alone = alone().await;
    for _ in 0..QUEUE_CAPACITY {
        alone.bus.append_auto(&alone.streams.command, "waiting", QUEUE_CAPACITY).await.unwrap();
    }
    assert_eq!(alone.send().await, SendError::Busy);
    assert_eq!(alone.sent().await, QUEUE_CAPACITY as u64);
}

#[tokio::test]
async fn an_outage_or_a_halt_is_told_before_anything_is_sent() {
    let alone = alone().await;
    alone.status(SequencerStatus::Unavailable).await;
    assert_eq!(alone.send().await, SendError::Unavailable);
    alone.status(SequencerStatus::Halted { reason: "books".to_owned() }).await;
    assert_eq!(alone.send().await, SendError::TradingHalted);
    assert_eq!(alone.sent().await, 0);
}
