//! The market data agent: publishes and stores ticks, restarts to the bit,
//! and gives way where it must.

use std::time::Duration;

use engine::candle::Interval;
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
use server::config::{ClockMode, HistoryLimits};
use server::store::history::{CandleWindow, MarketBatch, MarketWindow, TickRecord};
use server::store::journal::{EntryKind, RangeBody};

use super::agents_fixture::AgentsFixture;
use crate::support::database::DatabaseKind;

const ALL: MarketWindow = MarketWindow { from: None, to: None, before_step: None, limit: 1_000 };

pub(super) fn buy(fixture: &AgentsFixture, name: &str, lots: i64) -> Command {
    Command::PlaceOrder {
        account: fixture.account(1),
        ticket: Ticket {
            instrument: fixture.instrument("ACME"),
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
pub(super) async fn headers(fixture: &AgentsFixture) -> Vec<(u64, Seq, Option<StepHeader>)> {
    let mut headers = Vec::new();
    for row in fixture.journal().await {
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
    let fixture = AgentsFixture::new("7").await;
    let (trading, agent) = (fixture.trading(), fixture.market_data(fixture.manual()));
    fixture.step(20).await;
    agent.stop().await;
    trading.stop().await;

    let mut steps = fixture.reader(&fixture.streams.market_data);
    for number in 1..=20 {
        let message = steps.next().await;
        let step: MarketStep = decode(fixture.row.id, &message.bytes()).unwrap();
        assert_eq!((message.id, step.header.step), (number, number));
        assert_eq!(step.payload.header(number, step.header.seen_seq), step.header);
        assert_eq!(step.time, fixture.row.config.time_of(number));
    }
    // ACME ticks every second step of 100 ms; books are kept once a second.
    let acme = fixture.instrument("ACME");
    let ticks = fixture.store.ticks(fixture.row.id, acme, ALL).await.unwrap();
    assert_eq!(ticks.iter().map(|tick| tick.step).collect::<Vec<_>>(), [20, 18, 16, 14, 12, 10, 8, 6, 4, 2]);
    assert!(ticks.iter().all(|tick| tick.bid < Some(tick.mark) && tick.ask > Some(tick.mark)));
    let books = fixture.store.books(fixture.row.id, acme, ALL).await.unwrap();
    assert_eq!(books.iter().map(|book| book.step).collect::<Vec<_>>(), [20, 10]);
    let bond = fixture.instrument("GOV-4.5-2036");
    let ticks = fixture.store.ticks(fixture.row.id, bond, ALL).await.unwrap();
    assert_eq!(ticks.iter().map(|tick| tick.step).collect::<Vec<_>>(), [20, 10]);
    assert!(ticks[0].metadata.contains("\"yield_e9\":4"), "{}", ticks[0].metadata);
}

#[tokio::test]
async fn a_start_that_was_killed_before_it_wrote_the_past_is_made_up_for() {
    // The venue has been created, and nothing has been written for it.
    let fixture = AgentsFixture::new("7").await;
    let minutes = CandleWindow {
        instrument: fixture.instrument("ACME"),
        interval: Interval::M1,
        from: None,
        to: Some(fixture.row.config.t0),
        limit: 1_000,
    };
    let past = async || fixture.store.candles(fixture.row.id, minutes).await.unwrap();
    let settings = || {
        let settings = fixture.manual();
        Settings { history: HistoryLimits { past_days: 1, ..settings.history }, ..settings }
    };
    let (trading, agent) = (fixture.trading(), fixture.market_data(settings()));
    fixture.step(2).await;
    agent.stop().await;
    let written = past().await;
    assert_eq!(written.len(), 390);
    // Another start, also one with more days, leaves it.
    let more = HistoryLimits { past_days: 2, ..settings().history };
    let agent = fixture.market_data(Settings { history: more, ..settings() });
    fixture.step(2).await;
    agent.stop().await;
    trading.stop().await;
    assert_eq!(past().await, written);
}

#[tokio::test]
async fn rows_written_again_replace_themselves_and_the_oldest_go() {
    let fixture = AgentsFixture::new("5").await;
    let acme = fixture.instrument("ACME");
    let tick = |step: u64, mark: i64| TickRecord {
        instrument: acme,
        step,
        time: fixture.row.config.time_of(step),
        bid: None,
        ask: None,
        mark: Ticks(mark),
        dealer: None,
        metadata: "{}".to_owned(),
    };
    let write = async |ticks: Vec<TickRecord>| {
        let batch = MarketBatch { ticks, ..MarketBatch::default() };
        fixture.store.write_market(fixture.row.id, &batch).await.unwrap();
    };
    write((1..=10).map(|step| tick(step, 1)).collect()).await;
    // A restart that came from before step 9 wrote steps 9 and 10 anew.
    write((9..=11).map(|step| tick(step, 2)).collect()).await;
    fixture.store.retain_market(fixture.row.id, acme, 4).await.unwrap();
    let kept = fixture.store.ticks(fixture.row.id, acme, ALL).await.unwrap();
    let kept: Vec<_> = kept.iter().map(|tick| (tick.step, tick.mark.0)).collect();
    assert_eq!(kept[..4], [(11, 2), (10, 2), (9, 2), (8, 1)]);
    // PostgreSQL drops partitions, and these rows share one.
    assert_eq!(kept.len(), if DatabaseKind::of_this_run() == DatabaseKind::Sqlite { 4 } else { 11 });
    // Windows: from inclusive, to exclusive, a page ends before a step.
    let at = |step| Some(fixture.row.config.time_of(step));
    for (window, expected) in [
        (MarketWindow { from: at(9), ..ALL }, &[11, 10, 9][..]),
        (MarketWindow { to: at(9), limit: 1, ..ALL }, &[8]),
        (MarketWindow { before_step: Some(10), limit: 1, ..ALL }, &[9]),
    ] {
        let found = fixture.store.ticks(fixture.row.id, acme, window).await.unwrap();
        assert_eq!(found.iter().map(|tick| tick.step).collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn a_restart_continues_to_the_bit() {
    // With snapshots of the simulation, and from the journal alone.
    for snapshot_steps in [10, 1_000_000] {
        let mut fixture = AgentsFixture::new("11").await;
        for run in 0..3 {
            let settings = Settings { snapshot_steps, ..fixture.manual() };
            let (trading, agent) = (fixture.trading(), fixture.market_data(settings));
            fixture.step(8).await;
            let client = fixture.client().await;
            let account = fixture.account(1);
            client.send(Command::OpenAccount { account }, Duration::from_secs(5)).await.unwrap();
            for order in 0..3 {
                let command = buy(&fixture, &format!("{run}-{order}"), 100);
                client.send(command, Duration::from_secs(5)).await.unwrap();
                fixture.step(7).await;
            }
            agent.stop().await;
            trading.stop().await;
            fixture = fixture.restarted().await;
        }
        let snapshots = fixture.store.sim_snapshots(fixture.row.id).await.unwrap();
        assert_eq!(snapshots.is_empty(), snapshot_steps > 100, "{snapshot_steps}");

        assert_eq!(headers(&fixture).await.len(), 3 * 29);
        let seen = same_as_never_stopped(&fixture).await;
        assert!(seen > Seq(80), "users' flows were seen");
    }
}

/// One simulator that never stopped makes the very same steps, none missing;
/// what the last one had seen.
pub(super) async fn same_as_never_stopped(fixture: &AgentsFixture) -> Seq {
    let mut simulator =
        Simulator::new(&fixture.row.config, &Seed::from_bytes(fixture.row.seed().unwrap())).unwrap();
    for row in fixture.journal().await {
        if row.kind != EntryKind::Range {
            simulator.observe(row.seq, &row.outcome().unwrap().flows());
        }
    }
    for (number, (step, seen_seq, header)) in (1..).zip(headers(fixture).await) {
        assert_eq!(step, number);
        let (made, _) = simulator.step(seen_seq);
        assert!(header.is_none_or(|header| header == made), "step {step}");
    }
    simulator.seen_seq()
}

#[tokio::test]
async fn steps_that_nobody_journalled_are_made_again_the_same() {
    let fixture = AgentsFixture::new("13").await;
    // Faster than real time and without a sequencer it stops 100 steps ahead.
    let fast = Settings { clock: ClockMode::Realtime, speed_milli: 1_000_000, ..fixture.manual() };
    let agent = fixture.market_data(fast.clone());
    let mut steps = fixture.reader(&fixture.streams.market_data);
    for _ in 0..100 {
        steps.next().await;
    }
    agent.stop().await;
    assert_eq!(fixture.bus.last_id(&fixture.streams.market_data).await.unwrap(), 100);
    // The second life finds them on the stream and goes on after them.
    let agent = fixture.market_data(fast);
    let trading = fixture.trading();
    fixture.until_step(300).await;
    agent.stop().await;
    trading.stop().await;
    let numbers: Vec<u64> = headers(&fixture).await.iter().map(|(step, ..)| *step).collect();
    assert!(numbers.len() >= 300);
    assert!((1..).zip(&numbers).all(|(expected, number)| expected == *number));
}

#[tokio::test]
async fn the_clock_answers_and_ignores_what_it_cannot_read() {
    let fixture = AgentsFixture::new("17").await;
    let (trading, agent) = (fixture.trading(), fixture.market_data(fixture.manual()));
    for bytes in ["", "{\"v\":1}", "{\"v\":9,\"venue\":\"x\"}"] {
        fixture.bus.append_auto(&fixture.streams.control, bytes, usize::MAX).await.unwrap();
    }
    let status = fixture.control(Control::Step { steps: 3 }).await;
    assert_eq!((status.mode.as_str(), status.target_step), ("manual", 3));
    fixture.until_step(3).await;
    let status = fixture.control(Control::Speed { speed_milli: 5_000 }).await;
    assert_eq!((status.step, status.speed_milli), (3, 5_000));
    let mut letters = fixture.reader(&fixture.streams.dead_letter);
    for _ in 0..3 {
        let letter: serde_json::Value = serde_json::from_slice(&letters.next().await.bytes()).unwrap();
        assert_eq!(letter["stream"], fixture.streams.control.as_str());
    }
    agent.stop().await;
    trading.stop().await;
}

#[tokio::test]
async fn an_unreadable_execution_stops_it() {
    let fixture = AgentsFixture::new("19").await;
    let agent = fixture.market_data(fixture.manual());
    let unreadable = (5, "{\"v\":1,\"entries\":[]}".into());
    fixture.bus.append_after(&fixture.streams.execution, 0, &[unreadable]).await.unwrap();
    let error = agent.ended().await.unwrap_err();
    assert_eq!(error, "message 5 of the execution stream cannot be read");
    fixture.reader(&fixture.streams.dead_letter).next().await;
}
