//! Candles and the portfolio's history over REST.

use std::collections::BTreeMap;

use protocol::frames::ItemFrame;
use serde_json::{Value, json};

use crate::support::site::{Site, Visitor, figure, money, ticket};
use crate::support::socket::Socket;
use crate::support::trading_fixture::TEST_TIMEOUT;

/// Asks until there are `wanted` rows: they are written a moment later.
async fn rows(user: &Visitor, path: &str, wanted: usize) -> Vec<Value> {
    let there = async {
        loop {
            let page = user.get(path).await.json();
            let items = page["items"].as_array().unwrap().clone();
            if items.len() >= wanted {
                return items;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, there).await.expect("the rows do not come")
}

#[tokio::test]
async fn candles_survive_a_restart_and_add_up() {
    let mut site = Site::open().await;
    site.steps(35).await;
    let mut user = site.user("ada").await;
    let acme = site.id("ACME");
    user.order(&ticket(acme, "BUY", "700", None, "c-1")).await;
    let path = |interval: &str| format!("/api/v1/history/candles?instrument_id={acme}&interval={interval}");
    rows(&user, &path("1s"), 4).await;
    site.stop().await;
    site.start().await;
    user.base = site.base.clone();
    site.steps(25).await;
    // Steps 2 to 60: the seconds 0 to 6, the last with one mark alone.
    let seconds = rows(&user, &path("1s"), 7).await;
    assert_eq!(seconds[0]["timestamp"], "2026-01-05T09:30:06.000000Z");
    let minute = rows(&user, &path("1m"), 1).await[0].clone();
    assert_eq!(minute["timestamp"], "2026-01-05T09:30:00.000000Z");
    let of = |name: &str| -> Vec<i64> { seconds.iter().map(|candle| money(&candle[name])).collect() };
    assert_eq!(of("volume").iter().sum::<i64>(), money(&minute["volume"]));
    assert!(money(&minute["volume"]) >= 700_000_000);
    assert_eq!(of("high").into_iter().max(), Some(money(&minute["high"])));
    assert_eq!(of("low").into_iter().min(), Some(money(&minute["low"])));
    assert_eq!((&seconds[6]["open"], &seconds[0]["close"]), (&minute["open"], &minute["close"]));

    let first = user.get(&format!("{}&limit=3", path("1s"))).await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = user.get(&format!("{}&limit=3&cursor={cursor}", path("1s"))).await.json();
    assert_eq!(
        (first["items"].as_array().unwrap(), second["items"].as_array().unwrap()),
        (&seconds[..3].to_vec(), &seconds[3..6].to_vec())
    );
    let window = format!("{}&from=2026-01-05T09:30:01Z&to=2026-01-05T09:30:03Z", path("1s"));
    assert_eq!(user.get(&window).await.json()["items"].as_array().unwrap().len(), 2);
    for (path, status, code) in [
        (path("2s"), 422, "invalid_interval"),
        (format!("/api/v1/history/candles?instrument_id={acme}"), 422, "invalid_interval"),
        ("/api/v1/history/candles?interval=1s".to_owned(), 422, "instrument_required"),
        ("/api/v1/history/candles?interval=1s&instrument_id=42".to_owned(), 404, "unknown_instrument"),
        (format!("{}&limit=0", path("1s")), 422, "invalid_limit"),
        (format!("{}&cursor={cursor}", path("1m")), 422, "invalid_cursor"),
        (format!("{}&from=2030-01-01T00:00:00Z", path("1s")), 422, "invalid_window"),
        (format!("{}&color=red", path("1s")), 422, "unknown_field"),
    ] {
        let refused = user.get(&path).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code), "{path}");
    }
    site.close().await;
}

#[tokio::test]
async fn a_new_venue_has_the_candles_of_its_past_once() {
    let mut site = Site::with(|config| config.history.past_days = 2).await;
    let mut user = site.user("ada").await;
    let acme = site.id("ACME");
    let path = |interval: &str| {
        format!("/api/v1/history/candles?instrument_id={acme}&interval={interval}&limit=1000")
    };
    // Before the first step: two days of 390 minutes up to 09:30, and what they add up to.
    let minutes = rows(&user, &path("1m"), 0).await;
    assert_eq!(minutes.len(), 780);
    assert_eq!(
        (&minutes[0]["timestamp"], &minutes[0]["close"]),
        (&json!("2026-01-05T09:29:00.000000Z"), &json!("100.00"))
    );
    for (interval, wanted) in [("1s", 0), ("5m", 156), ("15m", 52), ("1h", 14), ("1d", 2)] {
        let longer = rows(&user, &path(interval), 0).await;
        assert_eq!(longer.len(), wanted, "{interval}");
        let volume = |rows: &[Value]| rows.iter().map(|row| money(&row["volume"])).sum::<i64>();
        assert!(interval == "1s" || volume(&longer) == volume(&minutes), "{interval}");
    }
    // The venue's own candles follow it, and a restart writes nothing again.
    site.steps(35).await;
    rows(&user, &path("1m"), 781).await;
    site.stop().await;
    site.config.history.past_days = 3;
    site.start().await;
    user.base = site.base.clone();
    let after = rows(&user, &path("1m"), 0).await;
    assert_eq!(after[1..], minutes[..]);
    // Another venue of the same seed has the same.
    let other = Site::with(|config| config.history.past_days = 2).await;
    let bob = other.user("bob").await;
    assert_eq!(rows(&bob, &path("1m"), 0).await, minutes);
    other.close().await;
    site.close().await;
}

/// Receives until an update is as of entry `seq`; candles by their timestamp.
async fn receive(socket: &mut Socket, seq: u64, seen: &mut BTreeMap<String, Value>) {
    loop {
        let update = socket.next_update().await;
        for item in update.items {
            let ItemFrame::Candle(frame) = item else { panic!("{item:?} instead of a candle") };
            seen.insert(frame.candle.timestamp.to_string(), serde_json::to_value(&frame.candle).unwrap());
        }
        if update.through.0 >= seq {
            return;
        }
    }
}

#[tokio::test]
async fn the_socket_brings_the_candles_that_are_stored() {
    let mut site = Site::open().await;
    let mut user = site.user("ada").await;
    let acme = site.id("ACME");
    let channel = [format!("candle:{acme}:1s")];
    let path = format!("/api/v1/history/candles?instrument_id={acme}&interval=1s&limit=1000");
    // The stored rows, once they are as new as what was received.
    async fn stored(user: &Visitor, path: &str, seen: &BTreeMap<String, Value>) -> usize {
        let same = async {
            loop {
                let rows = user.get(path).await.json()["items"].as_array().unwrap().clone();
                let rows: BTreeMap<String, Value> = rows
                    .into_iter()
                    .map(|row| (row["timestamp"].as_str().unwrap().to_owned(), row))
                    .collect();
                let newest = seen.keys().next_back();
                if newest.is_none() || newest.and_then(|newest| rows.get(newest)) == seen.values().next_back()
                {
                    for (timestamp, candle) in seen {
                        assert_eq!(rows.get(timestamp), Some(candle));
                    }
                    return rows.len();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(TEST_TIMEOUT, same).await.expect("the store and the socket disagree")
    }
    site.steps(35).await;
    let mut socket = user.follow("", &channel).await;
    let mut seen = BTreeMap::new();
    for (round, lots) in ["700", "30", "5"].into_iter().enumerate() {
        site.steps(12).await;
        let placed = user.order(&ticket(acme, "BUY", lots, None, &format!("c-{round}"))).await;
        receive(&mut socket, placed["seq"].as_u64().unwrap(), &mut seen).await;
    }
    // Steps 2 to 71: the seconds 0 to 7.
    assert_eq!(stored(&user, &path, &seen).await, 8);
    assert_eq!(seen.len(), 8);
    // A restart in the middle of a second goes on with that second.
    site.stop().await;
    site.start().await;
    user.base = site.base.clone();
    let mut socket = user.follow("", &channel).await;
    let mut after = BTreeMap::new();
    let placed = user.order(&ticket(acme, "SELL", "100", None, "c-9")).await;
    receive(&mut socket, placed["seq"].as_u64().unwrap(), &mut after).await;
    let newest = |seen: &BTreeMap<String, Value>| {
        seen.iter().next_back().map(|(at, row)| (at.clone(), money(&row["volume"])))
    };
    let (before, now) = (newest(&seen).unwrap(), newest(&after).unwrap());
    assert_eq!((now.0, now.1), (before.0, before.1 + 100_000_000));
    stored(&user, &path, &after).await;
    site.close().await;
}

#[tokio::test]
async fn a_portfolios_history_is_its_owners_stored_valuations() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut ada = site.user("ada").await;
    let bob = site.user("bob").await;
    ada.order(&ticket(site.id("ACME"), "BUY", "100", None, "c-1")).await;
    // One row a minute: somewhere from 0:60 to 1:11, then by 2:11 at the latest.
    site.steps(700).await;
    rows(&ada, "/api/v1/portfolio/history", 1).await;
    site.steps(700).await;
    let points = rows(&ada, "/api/v1/portfolio/history", 2).await;
    let (newest, before) = (&points[0], &points[1]);
    assert!(newest["timestamp"].as_str() > before["timestamp"].as_str());
    for point in &points {
        // What is open is what NAV and cash differ by.
        let held = money(&point["nav"]) - money(&point["cash"]);
        assert!(held == 0 || held > 9_000_000_000, "{point}");
    }
    assert!(points.iter().any(|point| point["nav"] != point["cash"]));
    let page = ada.get("/api/v1/portfolio/history?limit=1").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = ada.get(&format!("/api/v1/portfolio/history?limit=1&cursor={cursor}")).await.json();
    assert_eq!(next["items"][0]["seq"], before["seq"]);
    // Another's cursor continues nothing of one's own.
    let foreign = bob.get(&format!("/api/v1/portfolio/history?limit=1&cursor={cursor}")).await;
    assert_eq!((foreign.status.as_u16(), foreign.code()), (422, "invalid_cursor".to_owned()));
    let odd = ada.get(&format!("/api/v1/portfolio/history?instrument_id={}", site.id("ACME"))).await;
    assert_eq!((odd.status.as_u16(), odd.json()["error"]["field"].clone()), (422, json!("instrument_id")));
    site.close().await;
}

/// Millionths of money as the screen shows cents: no separators, a plain minus.
fn shown(micros: i64) -> String {
    assert_eq!(micros % 10_000, 0, "no part of a cent is in this test");
    format!(
        "{}{}.{:02}",
        if micros < 0 { "-" } else { "" },
        micros.abs() / 1_000_000,
        micros.abs() / 10_000 % 100
    )
}

#[tokio::test]
async fn the_portfolio_page_is_drawn_from_the_stored_valuations() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut ada = site.user("ada").await;
    ada.order(&ticket(site.id("ACME"), "BUY", "100", None, "c-1")).await;
    for wanted in 1..=4 {
        site.steps(650).await;
        rows(&ada, "/api/v1/portfolio/history", wanted).await;
    }
    let now = ada.get("/api/v1/portfolio").await.json();
    // The agent may still be storing the last steps: the rows as of the page.
    let drawn = async {
        loop {
            let before = rows(&ada, "/api/v1/portfolio/history", 4).await;
            let page = ada.get("/portfolio").await;
            if rows(&ada, "/api/v1/portfolio/history", 4).await == before {
                return (before, page);
            }
        }
    };
    let (points, page) = tokio::time::timeout(TEST_TIMEOUT, drawn).await.expect("rows keep coming");
    assert_eq!(page.status, 200);
    // The running maximum begins with what was paid in and ends with now, the
    // deepest fall is the one that lost the largest share of it. By hand, to the
    // cent as everywhere on the screen.
    let cents = |value: &Value| (money(value) as f64 / 10_000.0).round_ties_even() as i64;
    let mut navs: Vec<i64> = points.iter().rev().map(|point| cents(&point["nav"])).collect();
    navs.push(cents(&now["valuation"]["nav"]));
    let (mut peak, mut worst) = (100_000_000, (0, 1));
    for nav in &navs {
        peak = peak.max(*nav);
        let fall = peak - nav;
        if i128::from(fall) * worst.1 > i128::from(worst.0) * i128::from(peak) {
            worst = (fall, i128::from(peak));
        }
    }
    let plain = |testid: &str| figure(&page.text, testid).replace(',', "").replace('−', "-").replace('+', "");
    assert_eq!(plain("history-peak"), shown(peak * 10_000));
    let newest = navs.last().unwrap();
    assert_eq!(plain("history-pnl"), shown((newest - 100_000_000) * 10_000));
    let amount = |text: String| text.split_once('(').unwrap().1.trim_end_matches(')').to_owned();
    assert_eq!(amount(plain("history-drawdown")), shown((newest - peak) * 10_000));
    assert_eq!(amount(plain("history-worst")), shown(-worst.0 * 10_000));
    assert!(worst.0 > 0, "the test's market never fell: it shows nothing");
    // And it is a picture before any script runs: a line and an area.
    let (_, chart) = page.text.split_once("data-testid=\"history\"").unwrap();
    assert!(chart.contains("<polyline") && chart.contains("<polygon"), "no picture");
    site.close().await;
}
