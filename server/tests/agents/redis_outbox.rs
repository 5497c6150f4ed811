//! What market data has made reaches its stream once and in order, whatever
//! became of the stream or of an answer.

use server::agents::market_data::{MarketDataError, StepOutbox};
use server::bus::{Batch, Bus, Payload, StreamLimits};

use crate::support::redis::Server;

const STREAM: &str = "steps";

/// So many steps that several appends are on their way at a time.
const STEPS: u64 = 1_000;

fn step(number: u64) -> Payload {
    format!("{number:>2000}").into()
}

/// An outbox with steps that the stream lacks, as far as it knows.
fn outbox(steps: std::ops::RangeInclusive<u64>, reached: u64) -> StepOutbox {
    let mut outbox = StepOutbox::new(StreamLimits::default(), reached);
    steps.for_each(|number| outbox.push(number, step(number)));
    outbox
}

async fn assert_has(bus: &Bus, through: u64) {
    let Batch::Messages(found) = bus.read_now(STREAM, 0, usize::MAX >> 1).await.unwrap() else {
        panic!("some are gone");
    };
    assert!(found.iter().map(|found| found.id).eq(1..=through));
    assert!(found.iter().all(|found| found.payload == step(found.id)));
}

/// A bus of each kind, where nobody has been.
async fn buses() -> [(Bus, Option<Server>); 2] {
    let server = Server::private();
    let bus = server.bus().await;
    [(Bus::local(), None), (bus, Some(server))]
}

#[tokio::test]
async fn what_waits_goes_out_in_order_and_again_where_it_was_lost() {
    for (bus, server) in &buses().await {
        let mut outbox = outbox(1..=STEPS, 0);
        outbox.send(bus, STREAM).await.unwrap();
        assert_has(bus, STEPS).await;
        // What has been sent is not sent again.
        (STEPS + 1..=STEPS + 9).for_each(|number| outbox.push(number, step(number)));
        outbox.send(bus, STREAM).await.unwrap();
        assert_has(bus, STEPS + 9).await;
        if let Some(server) = server {
            server.wipe();
            outbox.push(STEPS + 10, step(STEPS + 10));
            outbox.send(bus, STREAM).await.unwrap();
            assert_has(bus, STEPS + 10).await;
        }
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_found_on_the_stream() {
    for (bus, _) in &buses().await {
        // Also one after which the next would begin an append of its own.
        for through in (1..2).chain(120..140).chain([STEPS / 2, STEPS]) {
            outbox(1..=through, 0).send(bus, STREAM).await.unwrap();
            assert_has(bus, through).await;
        }
        outbox(1..=STEPS + 1, 0).send(bus, STREAM).await.unwrap();
        assert_has(bus, STEPS + 1).await;
    }
}

#[tokio::test]
async fn what_somebody_else_has_published_is_not_taken_for_ones_own() {
    for (bus, _) in &buses().await {
        outbox(1..=STEPS, 0).send(bus, STREAM).await.unwrap();
        let mut other = outbox(1..=STEPS - 1, 0);
        other.push(STEPS, "another".into());
        let refused = other.send(bus, STREAM).await;
        assert!(matches!(refused, Err(MarketDataError::Published { step: STEPS })), "{refused:?}");
        assert_has(bus, STEPS).await;
    }
}
