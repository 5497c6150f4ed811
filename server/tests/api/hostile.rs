//! Bad input, row by row: the refusal, and that nothing changed.

use serde_json::{Value, json};

use crate::support::site::{Answer, PASSWORD, Site, ticket};

fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

fn expected(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Number and hash of the journal's last entry: a refusal adds none.
async fn head(site: &Site) -> String {
    site.text("SELECT seq || ' ' || lower(hex(hash)) FROM journal ORDER BY seq DESC LIMIT 1").await
}

#[tokio::test]
async fn bodies_that_are_not_strict_json_are_refused_on_every_route() {
    let site = Site::open().await;
    site.steps(4).await;
    let mut user = site.user("ada").await;
    let before = head(&site).await;
    let large = format!(r#"{{"email":"{}"}}"#, "x".repeat(70_000));
    let deep = format!(r#"{{"email":{}{}}}"#, "[".repeat(33), "]".repeat(33));
    for path in [
        "/api/v1/auth/register",
        "/api/v1/auth/login",
        "/api/v1/auth/reset",
        "/api/v1/orders",
        "/api/v1/orders/preview",
        "/api/v1/venue/clock",
        "/api/v1/venue/claim",
    ] {
        for (kind, body, status, code) in [
            ("application/json", large.as_str(), 413, "body_too_large"),
            ("application/json", "", 400, "invalid_json"),
            ("application/json", "{\"email\":", 400, "invalid_json"),
            ("application/json", "[1]", 400, "invalid_json"),
            ("application/json", r#"{"email":"a","email":"b"}"#, 400, "invalid_json"),
            ("application/json", deep.as_str(), 400, "invalid_json"),
            ("application/json", "\u{feff}{}", 400, "invalid_json"),
            ("text/plain", "{}", 415, "unsupported_media_type"),
            ("", "{}", 415, "unsupported_media_type"),
        ] {
            let answer = user.raw(path, kind, body).await;
            assert_eq!(refusal(&answer), expected(status, code), "{path} {kind} {body:.40}");
        }
        let answer = user.raw(path, "application/json", &b"{\"email\":\"\xff\"}"[..]).await;
        assert_eq!(refusal(&answer), expected(400, "invalid_json"), "{path}");
    }
    assert_eq!(head(&site).await, before);
    site.close().await;
}

#[tokio::test]
async fn a_body_without_a_length_is_limited_too() {
    let site = Site::open().await;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let user = site.user("ada").await;
    for path in ["/api/v1/orders", "/login", "/api/ui/place_order"] {
        let kind = if path == "/login" { "application/x-www-form-urlencoded" } else { "application/json" };
        let address = site.base.trim_start_matches("http://");
        let cookie = user.cookie.clone().unwrap();
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\norigin: {}\r\ncookie: {cookie}\r\n\
             content-type: {kind}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
            site.base
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
        for _ in 0..100 {
            // The server may have hung up.
            if stream.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
        }
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        let status = String::from_utf8_lossy(&answer[9..]).into_owned();
        assert!(status.starts_with('4'), "{path}: {status}");
    }
    site.close().await;
}

#[tokio::test]
async fn registrations_are_refused_by_name() {
    let site = Site::open().await;
    site.user("taken").await;
    let mut visitor = site.visitor();
    let long = "x7".repeat(513);
    let far = format!("{}@example.org", "a".repeat(250));
    let cases: Vec<(Value, u16, &str, &str)> = vec![
        (json!({ "password": PASSWORD }), 422, "invalid_email", "email"),
        (json!({ "email": "", "password": PASSWORD }), 422, "invalid_email", "email"),
        (json!({ "email": far, "password": PASSWORD }), 422, "invalid_email", "email"),
        (json!({ "email": "a\0@example.org", "password": PASSWORD }), 422, "invalid_email", "email"),
        (json!({ "email": "a@example.org\r\nBcc: b", "password": PASSWORD }), 422, "invalid_email", "email"),
        (json!({ "email": "a@", "password": PASSWORD }), 422, "invalid_email", "email"),
        (json!({ "email": 5, "password": PASSWORD }), 422, "invalid_email", "email"),
        (json!({ "email": "TAKEN@example.org", "password": PASSWORD }), 409, "email_taken", "email"),
        (json!({ "email": "a@example.org", "password": "short9chr" }), 422, "password_too_short", "password"),
        (json!({ "email": "a@example.org", "password": "password123" }), 422, "password_weak", "password"),
        (json!({ "email": "a@example.org", "password": long }), 422, "password_too_long", "password"),
        (
            json!({ "email": "a@example.org", "password": PASSWORD, "cash_balance": 9 }),
            422,
            "unknown_field",
            "cash_balance",
        ),
        (
            json!({ "email": "a@example.org", "password": PASSWORD, "role": "admin" }),
            422,
            "unknown_field",
            "role",
        ),
        (
            json!({ "email": "a@example.org", "password": PASSWORD, "user_id": "x" }),
            422,
            "unknown_field",
            "user_id",
        ),
    ];
    for (body, status, code, field) in cases {
        let answer = visitor.post("/api/v1/auth/register", &body).await;
        assert_eq!(refusal(&answer), expected(status, code), "{body:.80}");
        assert_eq!(answer.json()["error"]["field"], field, "{body:.80}");
        assert!(!answer.text.contains(PASSWORD), "{}", answer.text);
    }
    assert_eq!(site.text("SELECT CAST(count(*) AS TEXT) FROM users").await, "1");
    site.close().await;
}

#[tokio::test]
async fn orders_are_refused_by_name_and_change_nothing() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut user = site.user("ada").await;
    user.order(&ticket(site.id("ACME"), "BUY", "100", None, "used")).await;
    // One share sold at market shows the best bid; an own order rests there.
    let sold = user.order(&ticket(site.id("ACME"), "SELL", "1", None, "sold")).await;
    let best = sold["decided"]["notional"].as_str().unwrap().to_owned();
    user.order(&ticket(site.id("ACME"), "BUY", "1", Some(&best), "resting")).await;
    let before = head(&site).await;
    let (acme, gov) = (site.id("ACME"), site.id("GOV-4.5-2036"));
    let limit = ticket(acme, "BUY", "10", Some("100"), "new");
    let with = |field: &str, value: Value| {
        let mut changed = limit.clone();
        changed[field] = value;
        changed
    };
    let without = |field: &str| {
        let mut changed = limit.clone();
        changed.as_object_mut().unwrap().remove(field);
        changed
    };
    let market = |field: &str, value: Value| {
        let mut changed = ticket(acme, "BUY", "10", None, "new");
        changed[field] = value;
        changed
    };
    let mut self_trade = ticket(acme, "SELL", "1", Some("95"), "new");
    self_trade["self_trade_prevention"] = json!("REJECT");
    let cases: Vec<(Value, u16, &str)> = vec![
        (with("quantity", json!("0")), 422, "invalid_quantity"),
        (with("quantity", json!(-1)), 422, "invalid_quantity"),
        (with("quantity", json!(1.5)), 422, "invalid_quantity"),
        (with("quantity", json!("1e309")), 422, "invalid_quantity"),
        (with("quantity", json!("NaN")), 422, "invalid_quantity"),
        (with("quantity", json!(i64::MAX)), 422, "invalid_quantity"),
        (with("quantity", json!(null)), 422, "invalid_quantity"),
        (with("quantity", json!({})), 422, "invalid_quantity"),
        (with("quantity", json!(true)), 422, "invalid_quantity"),
        (without("quantity"), 422, "invalid_quantity"),
        (ticket(gov, "BUY", "1500", Some("100"), "new"), 422, "lot_size"),
        (with("limit_price", json!("0")), 422, "invalid_price"),
        (with("limit_price", json!(-5)), 422, "invalid_price"),
        (with("limit_price", json!("1e309")), 422, "invalid_price"),
        (with("limit_price", json!("1e18")), 422, "invalid_price"),
        (with("limit_price", json!([1])), 422, "invalid_price"),
        (with("limit_price", json!("100.005")), 422, "tick_size"),
        (with("limit_price", json!("200")), 422, "price_collar"),
        (with("limit_price", json!("10")), 422, "price_collar"),
        (with("quantity", json!("1000000000000")), 422, "notional_limit"),
        (without("limit_price"), 422, "price_required"),
        (market("limit_price", json!("100")), 422, "price_forbidden"),
        (with("instrument_id", json!(uuid::Uuid::new_v4())), 404, "unknown_instrument"),
        (with("instrument_id", json!("ACME")), 404, "unknown_instrument"),
        (without("instrument_id"), 404, "unknown_instrument"),
        (with("side", json!("HOLD")), 422, "invalid_side"),
        (with("side", json!("buy")), 422, "invalid_side"),
        (with("side", json!(1)), 422, "invalid_side"),
        (with("time_in_force", json!("FOREVER")), 422, "invalid_time_in_force"),
        (market("time_in_force", json!("GTC")), 422, "invalid_time_in_force"),
        (with("type", json!("STOP")), 422, "invalid_type"),
        (without("client_order_id"), 422, "invalid_client_order_id"),
        (with("client_order_id", json!("")), 422, "invalid_client_order_id"),
        (with("client_order_id", json!("x".repeat(65))), 422, "invalid_client_order_id"),
        (with("client_order_id", json!("a b")), 422, "invalid_client_order_id"),
        (with("client_order_id", json!("used")), 409, "idempotency_mismatch"),
        (with("valid_until", json!("2026-01-05T09:30:00Z")), 409, "too_late"),
        (with("valid_until", json!("soon")), 422, "invalid_valid_until"),
        (with("self_trade_prevention", json!("MAYBE")), 422, "invalid_self_trade_prevention"),
        (self_trade, 422, "self_trade"),
        (with("user_id", json!("x")), 422, "unknown_field"),
        (with("price", json!("1")), 422, "unknown_field"),
        (with("decided", json!({})), 422, "unknown_field"),
        (with("quantity", json!("20000")), 409, "insufficient_cash"),
        (ticket(acme, "SELL", "500", None, "new"), 409, "insufficient_position"),
    ];
    for (body, status, code) in &cases {
        let answer = user.post("/api/v1/orders", body).await;
        assert_eq!(refusal(&answer), expected(*status, code), "{body}");
        assert!(answer.json()["error"]["message"].is_string(), "{}", answer.text);
        // A preview says the same, but for what only an order binds.
        if !["used", ""].contains(&body["client_order_id"].as_str().unwrap_or("")) && *code != "too_late" {
            let preview = user.post("/api/v1/orders/preview", body).await;
            assert_eq!(refusal(&preview), expected(*status, code), "preview of {body}");
        }
    }
    assert_eq!(head(&site).await, before);
    let report = site.close().await;
    assert_eq!(report.orders, 3);
}

#[tokio::test]
async fn an_instrument_without_a_price_is_halted() {
    let site = Site::open().await;
    let mut user = site.user("ada").await;
    let answer = user.post("/api/v1/orders", &ticket(site.id("ACME"), "BUY", "1", None, "c-1")).await;
    assert_eq!(refusal(&answer), expected(409, "halted"));
    site.close().await;
}

#[tokio::test]
async fn history_queries_are_refused_by_name() {
    let site = Site::open().await;
    site.steps(10).await;
    let user = site.user("ada").await;
    let id = site.id("ACME");
    let tick = |query: &str| format!("/api/v1/history/ticks?instrument_id={id}&{query}");
    for (path, status, code) in [
        ("/api/v1/history/ticks".to_owned(), 422, "instrument_required"),
        (format!("/api/v1/history/ticks?instrument_id={}", uuid::Uuid::new_v4()), 404, "unknown_instrument"),
        ("/api/v1/history/ticks?instrument_id=ACME".to_owned(), 404, "unknown_instrument"),
        (tick("from=2026-01-05T09:30:01Z&to=2026-01-05T09:30:00Z"), 422, "invalid_window"),
        (tick("from=2027-01-01T00:00:00Z"), 422, "invalid_window"),
        (tick("to=2027-01-01T00:00:00Z"), 422, "invalid_window"),
        (tick("from=yesterday"), 422, "invalid_window"),
        (tick("cursor=AAAA"), 422, "invalid_cursor"),
        (tick(&format!("cursor={}", "0".repeat(48))), 422, "invalid_cursor"),
        (tick("limit=0"), 422, "invalid_limit"),
        (tick("limit=1001"), 422, "invalid_limit"),
        (tick("limit=many"), 422, "invalid_limit"),
        (tick("user_id=x"), 422, "unknown_field"),
        (tick("limit=1&limit=2"), 400, "invalid_query"),
        ("/api/v1/history/trades?limit=-1".to_owned(), 422, "invalid_limit"),
        ("/api/v1/history/trades?account=x".to_owned(), 422, "unknown_field"),
        ("/api/v1/orders?limit=1e3".to_owned(), 422, "invalid_limit"),
        ("/api/v1/orders/42".to_owned(), 400, "invalid_id"),
        (format!("/api/v1/orders/{}", uuid::Uuid::new_v4()), 404, "unknown_order"),
    ] {
        let answer = user.get(&path).await;
        assert_eq!(refusal(&answer), expected(status, code), "{path}");
    }
    site.close().await;
}

#[tokio::test]
async fn mutations_from_other_origins_are_refused() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    for path in [
        "/api/v1/auth/login",
        "/api/v1/auth/logout",
        "/api/v1/orders",
        "/login",
        "/logout",
        "/account/sessions",
        "/account/profile",
        "/account/password",
        "/api/v1/auth/password",
        "/api/v1/logs",
        "/api/v1/auth/reset",
        "/reset",
        "/api/ui/place_order",
    ] {
        for (origin, cookie, allowed) in [
            (Some("https://evil.example"), true, false),
            (Some("https://evil.example"), false, false),
            (Some("null"), true, false),
            (None, true, false),
            (None, false, true),
        ] {
            let mut request = user.client.post(format!("{}{path}", user.base)).json(&body);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            if cookie {
                request = request.header("cookie", user.cookie.clone().unwrap());
            }
            let status = request.send().await.unwrap().status().as_u16();
            assert_eq!(status != 403, allowed, "{path} {origin:?} {cookie}");
        }
    }
    // Nobody was signed out by that.
    assert_eq!(user.get("/api/v1/session").await.status, 200);
    site.close().await;
}

#[tokio::test]
async fn an_order_beyond_the_limit_of_a_second_is_refused_until_the_quota_refills() {
    let site = Site::with(|config| config.limits.orders_per_second = 3).await;
    site.steps(10).await;
    let mut user = site.user("ada").await;
    for number in 0..3 {
        user.order(&ticket(site.id("ACME"), "BUY", "1", None, &format!("c-{number}"))).await;
    }
    let limited = user.post("/api/v1/orders", &ticket(site.id("ACME"), "BUY", "1", None, "c-4")).await;
    assert_eq!(refusal(&limited), expected(429, "rate_limited"));
    assert_eq!(limited.header("retry-after"), "1");
    site.clock.advance_micros(1_000_000);
    user.order(&ticket(site.id("ACME"), "BUY", "1", None, "c-4")).await;
    site.close().await;
}

#[tokio::test]
async fn unknown_cookies_sign_nobody_in() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    for cookie in [
        "tickhall=",
        "tickhall=x",
        "__Host-tickhall=x",
        &format!("tickhall={}", "0".repeat(64)),
        &format!("tickhall={}", "0".repeat(7_000)),
        &user.cookie.clone().unwrap().to_uppercase(),
        "tickhall=' OR 1=1 --",
    ] {
        let visitor = crate::support::site::Visitor { cookie: Some(cookie.to_owned()), ..user.clone() };
        assert_eq!(visitor.get("/api/v1/session").await.status, 401, "{cookie:.40}");
    }
    site.close().await;
}
