//! History of ticks and fills.

use serde_json::Value;

use crate::support::site::{Site, ticket};

/// Waits until the history writer, which works in the background, has written `count`.
async fn ticks(user: &crate::support::site::Visitor, path: &str, count: usize) -> Value {
    let written = async {
        loop {
            let page = user.get(path).await;
            assert_eq!(page.status, 200, "{}", page.text);
            if page.json()["items"].as_array().unwrap().len() >= count {
                return page.json();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::support::trading_fixture::TEST_TIMEOUT, written)
        .await
        .expect("ticks are not written")
}

#[tokio::test]
async fn ticks_are_paged_without_gap_or_repeat() {
    let site = Site::open().await;
    site.steps(20).await;
    let user = site.user("ada").await;
    let path = format!("/api/v1/history/ticks?instrument_id={}", site.id("ACME"));
    // Every second step of 20.
    let whole = ticks(&user, &path, 10).await;
    let steps = |page: &Value| -> Vec<u64> {
        page["items"].as_array().unwrap().iter().map(|tick| tick["step"].as_u64().unwrap()).collect()
    };
    assert_eq!(steps(&whole), [20, 18, 16, 14, 12, 10, 8, 6, 4, 2]);
    let mut paged = Vec::new();
    let mut next = format!("{path}&limit=4");
    loop {
        let page = user.get(&next).await.json();
        paged.extend(steps(&page));
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("{path}&limit=4&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(paged, steps(&whole));
    let mark = &whole["items"][0];
    assert!(mark["mid"].is_string() && mark["timestamp"].is_string(), "{mark}");
    site.close().await;
}

#[tokio::test]
async fn bounds_select_ticks_by_venue_time() {
    let site = Site::open().await;
    site.steps(20).await;
    let user = site.user("ada").await;
    let path = format!("/api/v1/history/ticks?instrument_id={}", site.id("ACME"));
    ticks(&user, &path, 10).await;
    // Step k happens at 09:30:00 + k × 100 ms.
    let window = "from=2026-01-05T09:30:01Z&to=2026-01-05T09:30:01.400Z";
    let page = user.get(&format!("{path}&{window}")).await.json();
    let steps: Vec<u64> =
        page["items"].as_array().unwrap().iter().map(|tick| tick["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [12, 10]);
    site.close().await;
}

#[tokio::test]
async fn fills_are_the_callers_own() {
    let site = Site::open().await;
    site.steps(10).await;
    let (mut ada, bob) = (site.user("ada").await, site.user("bob").await);
    ada.order(&ticket(site.id("ACME"), "BUY", "10", None, "c-1")).await;
    let own = ada.get("/api/v1/history/trades").await.json();
    assert_eq!(own["items"][0]["quantity"], "10");
    assert_eq!(bob.get("/api/v1/history/trades").await.json()["items"], serde_json::json!([]));
    let other = format!("/api/v1/history/trades?instrument_id={}", site.id("GOV-4.5-2036"));
    assert_eq!(ada.get(&other).await.json()["items"], serde_json::json!([]));
    site.close().await;
}
