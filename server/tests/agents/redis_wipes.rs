//! Redis is a wake-up and a cache: whatever it loses, whenever, nothing is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::book::BookSnapshot;
use engine::id::Seq;
use engine::quote::QuotesSnapshot;
use engine::venue::Command;
use protocol::bus::SequencerStatus;
use protocol::bus::{ClockStatus, Control};
use server::agents::market_data::Settings;
use server::agents::trading::verify::{Steps, verify};
use server::bus::Batch;
use server::bus::decode::decode;
use server::config::{ClockMode, IdlePolicy};
use server::sequencer_client::{SendError, SequencerClient};

use super::agents_fixture::{AgentsFixture, patiently};
use super::market_data::{buy, headers, same_as_never_stopped};
use crate::support::redis::Server;

/// Orders in one round, wiped in their middle.
const ORDERS: usize = 8;

async fn over(server: &Server, seed: &str) -> AgentsFixture {
    AgentsFixture::over(server.bus().await, seed).await
}

/// Sends until there is an answer, as a client does that was told `pending`;
/// the entry that answers.
async fn until_answered(client: SequencerClient, command: Command) -> Seq {
    loop {
        match client.send(command.clone(), Duration::from_millis(200)).await {
            Ok(reply) => return reply.seq,
            Err(SendError::Pending | SendError::Unavailable) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

/// Follows the journal, whose stream is complete again, through `through`.
async fn follow(fixture: &AgentsFixture, through: Seq) {
    while fixture.bus.last_id(&fixture.streams.execution).await.unwrap_or(0) < through.0 {
        tokio::task::yield_now().await;
    }
    fixture.follow(Seq(0), through).await;
}

/// Every newest value is there again.
async fn newest_values(fixture: &AgentsFixture) {
    let (bus, streams) = (&fixture.bus, &fixture.streams);
    let newest = async |key: &str| loop {
        if let Ok(Some(bytes)) = bus.get_latest(key).await {
            break bytes;
        }
    };
    for (id, instrument) in fixture.row.config.instruments().unwrap() {
        let bytes = newest(&streams.book(id)).await;
        let of = match instrument.is_dealt() {
            true => serde_json::from_slice::<QuotesSnapshot>(&bytes).unwrap().instrument,
            false => serde_json::from_slice::<BookSnapshot>(&bytes).unwrap().instrument,
        };
        assert_eq!(of, id);
    }
    let status: SequencerStatus = serde_json::from_slice(&newest(&streams.trading_status).await).unwrap();
    assert_eq!(status, SequencerStatus::Running);
    let _: ClockStatus = decode(fixture.row.id, &newest(&streams.clock_status).await).unwrap();
    newest(&streams.portfolio(fixture.account(1))).await;
}

/// Everything runs and orders come in while `disaster` happens to the server,
/// again and again.
async fn nothing_is_lost_through(seed: &str, rounds: usize, mut disaster: impl FnMut(&mut Server)) {
    let mut server = Server::private();
    let fixture = over(&server, seed).await;
    let settings = Settings {
        clock: ClockMode::Realtime,
        speed_milli: 10_000, // a step every 10 ms
        idle: IdlePolicy::Run,
        ..fixture.manual()
    };
    let agents = [fixture.trading(), fixture.market_data(settings), fixture.portfolio()];
    let client = fixture.client().await;
    let account = fixture.account(1);
    patiently(until_answered(client.clone(), Command::OpenAccount { account })).await;
    // Every instrument has ticked: none may halt from here on.
    patiently(fixture.until_step(20)).await;
    let mut answered = BTreeSet::new();
    for round in 0..rounds {
        let orders: Vec<_> = (0..ORDERS).map(|order| format!("{round}-{order}")).collect();
        let mut sent = Vec::new();
        for (index, name) in orders.iter().enumerate() {
            sent.push(tokio::spawn(until_answered(client.clone(), buy(&fixture, name, 1))));
            if index == round % ORDERS {
                disaster(&mut server);
            }
        }
        for (name, answer) in orders.into_iter().zip(sent) {
            let seq = patiently(answer).await.unwrap();
            assert!(answered.insert((name, seq)));
        }
    }
    // The last disaster is repaired though nothing more is asked for.
    disaster(&mut server);
    let last = fixture.store.journal_head(fixture.row.id).await.unwrap().unwrap();
    patiently(follow(&fixture, last.seq)).await;
    patiently(newest_values(&fixture)).await;
    let made = headers(&fixture).await.len() as u64;
    patiently(fixture.until_step(made + 10)).await;
    for agent in agents {
        agent.stop().await;
    }

    let orders = fixture.store.order_rows(fixture.row.id, Seq(0), 10_000).await.unwrap();
    assert_eq!(orders.len(), rounds * ORDERS, "each once");
    for (name, seq) in &answered {
        assert!(
            orders.iter().any(|order| order.client_order_id == *name && order.seq == *seq),
            "{name} {seq}"
        );
    }
    same_as_never_stopped(&fixture).await;
    let report = verify(&fixture.store, fixture.row.id, Steps::FromSeed).await.unwrap();
    assert!(report.seq >= last.seq);
    assert_eq!(fixture.bus.last_id(&fixture.streams.dead_letter).await.unwrap(), 0, "nothing was unreadable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wiping_costs_nothing() {
    nothing_is_lost_through("23", 12, |server| server.wipe()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_and_an_empty_restart_cost_nothing() {
    nothing_is_lost_through("29", 6, |server| {
        server.kill();
        server.restart();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_that_wait_for_the_sequencer_survive_a_wipe() {
    let mut server = Server::private();
    let fixture = over(&server, "31").await;
    let fast = Settings { clock: ClockMode::Realtime, speed_milli: 1_000_000, ..fixture.manual() };
    let market_data = fixture.market_data(fast.clone());
    let hundred = async |fixture: &AgentsFixture| {
        while fixture.bus.last_id(&fixture.streams.market_data).await.unwrap_or(0) < 100 {
            tokio::task::yield_now().await;
        }
    };
    // Without a sequencer it stops a hundred steps ahead.
    patiently(hundred(&fixture)).await;
    server.wipe();
    patiently(hundred(&fixture)).await;
    // What another life found on the stream is its own to keep.
    market_data.stop().await;
    let market_data = fixture.market_data(fast);
    patiently(fixture.reader(&fixture.streams.clock).next()).await;
    server.kill();
    server.restart();
    patiently(hundred(&fixture)).await;
    let first = fixture.reader(&fixture.streams.market_data).next().await;
    assert_eq!(first.id, 1);
    let trading = fixture.trading();
    patiently(fixture.until_step(150)).await;
    trading.stop().await;
    market_data.stop().await;
    assert!(headers(&fixture).await.len() >= 150);
    same_as_never_stopped(&fixture).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_last_batch_is_published_again_in_a_venue_that_stands_still() {
    let server = Server::private();
    let fixture = over(&server, "37").await;
    let agents = [fixture.trading(), fixture.market_data(fixture.manual())];
    fixture.step(3).await;
    let head = fixture.store.journal_head(fixture.row.id).await.unwrap().unwrap();
    server.wipe();
    let read =
        patiently(fixture.bus.read_after(&fixture.streams.execution, head.seq.0 - 1, 10)).await.unwrap();
    assert!(matches!(&read, Batch::Messages(found) if found[0].id == head.seq.0), "{read:?}");
    // And it can be stepped on.
    let status = patiently(fixture.control(Control::Step { steps: 2 })).await;
    assert_eq!(status.target_step, 5);
    patiently(fixture.until_step(5)).await;
    for agent in agents {
        agent.stop().await;
    }
    assert_eq!(headers(&fixture).await.len(), 5);
}
