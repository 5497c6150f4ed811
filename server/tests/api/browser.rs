//! Log lines from browsers: their content and their limit.

use serde_json::{Value, json};

use crate::support::site::Site;

const PATH: &str = "/api/v1/logs";

fn line() -> Value {
    json!({ "level": "warn", "event": "frame_unreadable", "message": "m", "page": "/", "details": "" })
}

#[tokio::test]
async fn invalid_lines_are_refused_by_name() {
    let site = Site::open().await;
    let mut visitor = site.visitor();
    let with = |field: &str, value: Value| {
        let mut changed = line();
        changed[field] = value;
        changed
    };
    for (body, code) in [
        (with("level", json!("fatal")), "invalid_level"),
        (with("level", json!(1)), "invalid_level"),
        (with("event", json!("Not A Word")), "invalid_event"),
        (with("event", json!("")), "invalid_event"),
        (with("event", json!("x".repeat(65))), "invalid_event"),
        (with("message", json!("x".repeat(1_001))), "invalid_message"),
        (with("message", json!({})), "invalid_message"),
        (with("page", json!("x".repeat(201))), "invalid_page"),
        (with("details", json!("x".repeat(8_001))), "invalid_details"),
        (with("user", json!("ada")), "unknown_field"),
        (with("service", json!("tickhall")), "unknown_field"),
    ] {
        let answer = visitor.post(PATH, &body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, code), "{body:.80}");
    }
    assert_eq!(visitor.raw(PATH, "text/plain", "{}").await.status, 415);
    site.close().await;
}

#[tokio::test]
async fn each_client_has_a_limit_of_lines_a_minute() {
    let site = Site::with(|config| config.limits.browser_lines_per_minute = 3).await;
    let (mut ada, mut visitor) = (site.user("ada").await, site.visitor());
    for _ in 0..3 {
        assert_eq!(visitor.post(PATH, &line()).await.status, 204);
    }
    let limited = visitor.post(PATH, &line()).await;
    assert_eq!((limited.status.as_u16(), limited.code().as_str()), (429, "rate_limited"));
    assert_eq!(limited.header("retry-after"), "60");
    // A signed-in user has a limit of their own.
    assert_eq!(ada.post(PATH, &line()).await.status, 204);
    site.clock.advance_micros(60_000_000);
    assert_eq!(visitor.post(PATH, &line()).await.status, 204);
    site.close().await;
}
