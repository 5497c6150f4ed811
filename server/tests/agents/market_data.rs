//! The market data agent: publishes and stores ticks, restarts to the bit,
//! and gives way where it must.

use std::time::Duration;

use engine::id::Seq;
use engine::money::{Lots, Ticks};
use engine::order::{ClientOrderId, Price, SelfTradePrevention, Side, Ticket, TimeInForce};
use engine::sim::{Seed, Simulator};
use engine::step::StepHeader;
use engine::venue::{Command, Input};
use protocol::bus::Control;
use protocol::bus::MarketStep;
use server::agents::market_data::Settings;
use server::bus::decode::decode;
use server::config::ClockMode;
use server::store::history::{MarketBatch, MarketWindow, TickRecord};
use server::store::journal::{EntryKind, RangeBody};

use super::stage::Stage;
use crate::support::database::DatabaseKind;

const ALL: MarketWindow = MarketWindow { from: None, to: None, before_step: None, limit: 1_000 };

pub(super) fn buy(stage: &Stage, name: &str, lots: i64) -> Command {
    Command::PlaceOrder {
        account: stage.account(1),
        ticket: Ticket {
            instrument: stage.instrument("ACME"),
            side: Side::Buy,
            price: Price::Market,
            quantity: Lots(lots),
            time_in_force: TimeInForce::Ioc,
            client_order_id: ClientOrderId::parse(name).unwrap(),
            valid_until: None,
            self_trade_prevention: SelfTradePrevention::CancelResting,
        },
    }
}

/// The headers of every step in the journal, ranges included.
pub(super) async fn headers(stage: &Stage) -> Vec<(u64, Seq, Option<StepHeader>)> {
    let mut headers = Vec::new();
    for row in stage.journal().await {
        match row.kind {
            EntryKind::Step => {
                let Input::Step(header) = row.entry().input().unwrap() else { panic!("a step") };
                headers.push((header.step, header.seen_seq, Some(header)));
            }
            EntryKind::Range => {
                let body: RangeBody = postcard::from_bytes(&row.input).unwrap();
                let lags = body.lags.iter().flat_map(|run| (0..run.steps).map(|_| run.lag));
                for (offset, lag) in (0..).zip(lags) {
                    headers.push((body.first_step + offset, Seq(row.first_seq.0 + offset - lag), None));
                }
            }
            EntryKind::Opened | EntryKind::Command => {}
        }
    }
    headers
}

#[tokio::test]
async fn a_tick_is_published_and_stored() {
    let stage = Stage::new("7").await;
    let (trading, agent) = (stage.trading(), stage.market_data(stage.manual()));
    stage.step(20).await;
    agent.stop().await;
    trading.stop().await;

    let mut steps = stage.reader(&stage.streams.market_data);
    for number in 1..=20 {
        let message = steps.next().await;
        let step: MarketStep = decode(stage.row.id, &message.bytes()).unwrap();
        assert_eq!((message.id, step.header.step), (number, number));
        assert_eq!(step.payload.header(number, step.header.seen_seq), step.header);
        assert_eq!(step.time, stage.row.config.time_of(number));
    }
    // ACME ticks every second step of 100 ms; books are kept once a second.
    let acme = stage.instrument("ACME");
    let ticks = stage.store.ticks(stage.row.id, acme, ALL).await.unwrap();
    assert_eq!(ticks.iter().map(|tick| tick.step).collect::<Vec<_>>(), [20, 18, 16, 14, 12, 10, 8, 6, 4, 2]);
    assert!(ticks.iter().all(|tick| tick.bid < Some(tick.mark) && tick.ask > Some(tick.mark)));
    let books = stage.store.books(stage.row.id, acme, ALL).await.unwrap();
    assert_eq!(books.iter().map(|book| book.step).collect::<Vec<_>>(), [20, 10]);
    let bond = stage.instrument("GOV-4.5-2036");
    let ticks = stage.store.ticks(stage.row.id, bond, ALL).await.unwrap();
    assert_eq!(ticks.iter().map(|tick| tick.step).collect::<Vec<_>>(), [20, 10]);
    assert!(ticks[0].metadata.contains("\"yield_e9\":4"), "{}", ticks[0].metadata);
}

#[tokio::test]
async fn rows_written_again_replace_themselves_and_the_oldest_go() {
    let stage = Stage::new("5").await;
    let acme = stage.instrument("ACME");
    let tick = |step: u64, mark: i64| TickRecord {
        instrument: acme,
        step,
        time: stage.row.config.time_of(step),
        bid: None,
        ask: None,
        mark: Ticks(mark),
        dealer: None,
        metadata: "{}".to_owned(),
    };
    let write = async |ticks: Vec<TickRecord>| {
        let batch = MarketBatch { ticks, ..MarketBatch::default() };
        stage.store.write_market(stage.row.id, &batch).await.unwrap();
    };
    write((1..=10).map(|step| tick(step, 1)).collect()).await;
    // A restart that came from before step 9 wrote steps 9 and 10 anew.
    write((9..=11).map(|step| tick(step, 2)).collect()).await;
    stage.store.retain_market(stage.row.id, acme, 4).await.unwrap();
    let kept = stage.store.ticks(stage.row.id, acme, ALL).await.unwrap();
    let kept: Vec<_> = kept.iter().map(|tick| (tick.step, tick.mark.0)).collect();
    assert_eq!(kept[..4], [(11, 2), (10, 2), (9, 2), (8, 1)]);
    // PostgreSQL drops partitions, and these rows share one.
    assert_eq!(kept.len(), if DatabaseKind::of_this_run() == DatabaseKind::Sqlite { 4 } else { 11 });
    // Windows: from inclusive, to exclusive, a page ends before a step.
    let at = |step| Some(stage.row.config.time_of(step));
    for (window, expected) in [
        (MarketWindow { from: at(9), ..ALL }, &[11, 10, 9][..]),
        (MarketWindow { to: at(9), limit: 1, ..ALL }, &[8]),
        (MarketWindow { before_step: Some(10), limit: 1, ..ALL }, &[9]),
    ] {
        let found = stage.store.ticks(stage.row.id, acme, window).await.unwrap();
        assert_eq!(found.iter().map(|tick| tick.step).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn a_restart_continues_to_the_bit() {
    // With snapshots of the simulation, and from the journal alone.
    for snapshot_steps in [10, 1_000_000] {
        let mut stage = Stage::new("11").await;
        for run in 0..3 {
            let settings = Settings { snapshot_steps, ..stage.manual() };
            let (trading, agent) = (stage.trading(), stage.market_data(settings));
            stage.step(8).await;
            let client = stage.client().await;
            let account = stage.account(1);
            client.send(Command::OpenAccount { account }, Duration::from_secs(5)).await.unwrap();
            for order in 0..3 {
                let command = buy(&stage, &format!("{run}-{order}"), 100);
                client.send(command, Duration::from_secs(5)).await.unwrap();
                stage.step(7).await;
            }
            agent.stop().await;
            trading.stop().await;
            stage = stage.restarted().await;
        }
        let snapshots = stage.store.sim_snapshots(stage.row.id).await.unwrap();
        assert_eq!(snapshots.is_empty(), snapshot_steps > 100, "{snapshot_steps}");

        assert_eq!(headers(&stage).await.len(), 3 * 29);
        let seen = same_as_never_stopped(&stage).await;
        assert!(seen > Seq(80), "users' flows were seen");
    }
}

/// One simulator that never stopped makes the very same steps, none missing;
/// what the last one had seen.
pub(super) async fn same_as_never_stopped(stage: &Stage) -> Seq {
    let mut simulator =
        Simulator::new(&stage.row.config, &Seed::from_bytes(stage.row.seed().unwrap())).unwrap();
    for row in stage.journal().await {
        if row.kind != EntryKind::Range {
            simulator.observe(row.seq, &row.outcome().unwrap().flows());
        }
    }
    for (number, (step, seen_seq, header)) in (1..).zip(headers(stage).await) {
        assert_eq!(step, number);
        let (made, _) = simulator.step(seen_seq);
        assert!(header.is_none_or(|header| header == made), "step {step}");
    }
    simulator.seen_seq()
}

#[tokio::test]
async fn steps_that_nobody_journalled_are_made_again_the_same() {
    let stage = Stage::new("13").await;
    // Faster than real time and without a sequencer it stops 100 steps ahead.
    let fast = Settings { clock: ClockMode::Realtime, speed_milli: 1_000_000, ..stage.manual() };
    let agent = stage.market_data(fast.clone());
    let mut steps = stage.reader(&stage.streams.market_data);
    for _ in 0..100 {
        steps.next().await;
    }
    agent.stop().await;
    assert_eq!(stage.bus.last_id(&stage.streams.market_data).await.unwrap(), 100);
    // The second life finds them on the stream and goes on after them.
    let agent = stage.market_data(fast);
    let trading = stage.trading();
    stage.until_step(300).await;
    agent.stop().await;
    trading.stop().await;
    let numbers: Vec<u64> = headers(&stage).await.iter().map(|(step, ..)| *step).collect();
    assert!(numbers.len() >= 300);
    assert!((1..).zip(&numbers).all(|(expected, number)| expected == *number));
}

#[tokio::test]
async fn the_clock_answers_and_ignores_what_it_cannot_read() {
    let stage = Stage::new("17").await;
    let (trading, agent) = (stage.trading(), stage.market_data(stage.manual()));
    for bytes in ["", "{\"v\":1}", "{\"v\":9,\"venue\":\"x\"}"] {
        stage.bus.append_auto(&stage.streams.control, bytes, usize::MAX).await.unwrap();
    }
    let status = stage.control(Control::Step { steps: 3 }).await;
    assert_eq!((status.mode.as_str(), status.target_step), ("manual", 3));
    stage.until_step(3).await;
    let status = stage.control(Control::Speed { speed_milli: 5_000 }).await;
    assert_eq!((status.step, status.speed_milli), (3, 5_000));
    let mut letters = stage.reader(&stage.streams.dead_letter);
    for _ in 0..3 {
        let letter: serde_json::Value = serde_json::from_slice(&letters.next().await.bytes()).unwrap();
        assert_eq!(letter["stream"], stage.streams.control.as_str());
    }
    agent.stop().await;
    trading.stop().await;
}

#[tokio::test]
async fn an_unreadable_execution_stops_it() {
    let stage = Stage::new("19").await;
    let agent = stage.market_data(stage.manual());
    let unreadable = (5, "{\"v\":1,\"entries\":[]}".into());
    stage.bus.append_after(&stage.streams.execution, 0, &[unreadable]).await.unwrap();
    let error = agent.ended().await.unwrap_err();
    assert_eq!(error, "message 5 of the execution stream cannot be read");
    stage.reader(&stage.streams.dead_letter).next().await;
}
