//! Orders over REST: the contract's examples, idempotency, cancels.

use serde_json::{Value, json};

use crate::support::site::{Site, money, ticket};

#[tokio::test]
async fn orders_are_rejected_when_not_signed_in() {
    let site = Site::open().await;
    let mut visitor = site.visitor();
    let order = ticket(site.id("ACME"), "BUY", "1", None, "c-1");
    let answer = visitor.post("/api/v1/orders", &order).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "unauthenticated"));
    for path in ["/api/v1/orders", "/api/v1/portfolio", "/api/v1/instruments", "/api/v1/venue/clock"] {
        assert_eq!(visitor.get(path).await.status, 401, "{path}");
    }
    site.close().await;
}

#[tokio::test]
async fn an_order_for_zero_is_rejected() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut user = site.user("ada").await;
    let answer = user.post("/api/v1/orders", &ticket(site.id("ACME"), "BUY", "0", None, "c-1")).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "invalid_quantity"));
    assert_eq!(answer.json()["error"]["field"], "quantity");
    site.close().await;
}

#[tokio::test]
async fn an_order_beyond_the_cash_is_rejected_when_margin_is_not_allowed() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut user = site.user("ada").await;
    // 20,000 × about 100 is twice the million.
    let order = ticket(site.id("ACME"), "BUY", "20000", Some("100"), "c-1");
    let answer = user.post("/api/v1/orders", &order).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "insufficient_cash"));
    assert_eq!(money(&answer.json()["error"]["available"]), 1_000_000_000_000);
    assert!(money(&answer.json()["error"]["required"]) >= 2_000_000_000_000);
    let sell = ticket(site.id("ACME"), "SELL", "1", None, "c-2");
    let answer = user.post("/api/v1/orders", &sell).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (409, "insufficient_position"));
    site.close().await;
}

#[tokio::test]
async fn a_valid_order_is_accepted_and_gets_its_id() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut user = site.user("ada").await;
    let answer = user.order(&ticket(site.id("ACME"), "BUY", "100", None, "c-1")).await;
    let id = answer["order_id"].as_str().unwrap();
    assert_eq!(answer["order"]["status"], "FILLED");
    // Cash falls by what was exchanged and its fee.
    let decided = &answer["decided"];
    let paid = money(&decided["notional"]) + money(&decided["fee"]);
    assert_eq!(money(&decided["cash"]), 1_000_000_000_000 - paid);
    let stored = user.get(&format!("/api/v1/orders/{id}")).await;
    assert_eq!(stored.json(), answer["order"]);
    // The answer's own reads already know it.
    let portfolio = user.get("/api/v1/portfolio").await.json();
    assert_eq!(portfolio["valuation"]["cash"], decided["cash"]);
    let trades = user.get("/api/v1/history/trades").await.json();
    let filled: i64 = trades["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fill| fill["quantity"].as_str().unwrap().parse::<i64>().unwrap())
        .sum();
    assert_eq!(filled, 100);
    site.close().await;
}

#[tokio::test]
async fn a_preview_on_the_same_basis_is_what_happens() {
    let site = Site::open().await;
    site.steps(20).await;
    let mut user = site.user("ada").await;
    let mut compared = 0;
    for (name, symbol, side, quantity, limit) in [
        ("c-1", "ACME", "BUY", "700", None),
        ("c-2", "GOV-4.5-2036", "BUY", "25000", None),
        ("c-3", "ACME", "BUY", "50", Some("99.50")),
        ("c-4", "ACME", "SELL", "300", None),
        ("c-5", "ACME", "SELL", "100", Some("101")),
        ("c-6", "ACME", "BUY", "900", Some("102")),
    ] {
        let order = ticket(site.id(symbol), side, quantity, limit, name);
        let preview = user.post("/api/v1/orders/preview", &order).await;
        assert_eq!(preview.status, 200, "{}", preview.text);
        let answer = user.order(&order).await;
        assert_eq!(preview.json()["basis"], answer["basis"], "{name}");
        assert_eq!(preview.json()["decided"], answer["decided"], "{name}");
        compared += 1;
        site.steps(3).await;
    }
    assert_eq!(compared, 6);
    site.close().await;
}

#[tokio::test]
async fn a_repeated_order_gets_the_first_answer_and_a_changed_one_a_conflict() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut user = site.user("ada").await;
    let order = ticket(site.id("ACME"), "BUY", "100", None, "c-1");
    let first = user.post("/api/v1/orders", &order).await;
    site.steps(5).await;
    let again = user.post("/api/v1/orders", &order).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200));
    assert_eq!(first.text, again.text);
    let changed = ticket(site.id("ACME"), "BUY", "101", None, "c-1");
    let conflict = user.post("/api/v1/orders", &changed).await;
    assert_eq!((conflict.status.as_u16(), conflict.code().as_str()), (409, "idempotency_mismatch"));
    // A refused order's name is free.
    let refused = ticket(site.id("ACME"), "BUY", "100000", Some("100"), "c-2");
    assert_eq!(user.post("/api/v1/orders", &refused).await.status, 409);
    user.order(&ticket(site.id("ACME"), "BUY", "1", None, "c-2")).await;
    let report = site.close().await;
    assert_eq!(report.orders, 2);
}

#[tokio::test]
async fn a_number_may_be_text_or_a_number_and_is_never_a_float() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut user = site.user("ada").await;
    let id = site.id("ACME");
    let body = format!(
        r#"{{"instrument_id":"{id}","side":"BUY","type":"LIMIT","quantity":10,"limit_price":99.9900,
            "client_order_id":"c-1"}}"#
    );
    let answer = user.raw("/api/v1/orders", "application/json", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.json()["order"]["limit_price"], "99.99");
    // A float would make these 99.99 and 10.
    for (quantity, price, code) in
        [("10", "99.990000000000001", "tick_size"), ("10.0000000000000000001", "99.99", "invalid_quantity")]
    {
        let body = format!(
            r#"{{"instrument_id":"{id}","side":"BUY","type":"LIMIT","quantity":{quantity},
                "limit_price":{price},"client_order_id":"c-2"}}"#
        );
        let answer = user.raw("/api/v1/orders", "application/json", body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, code));
    }
    site.close().await;
}

#[tokio::test]
async fn a_cancel_is_harmless_twice_too_late_once_filled_and_blind_to_others() {
    let site = Site::open().await;
    site.steps(10).await;
    let (mut ada, mut bob) = (site.user("ada").await, site.user("bob").await);
    let resting = ada.order(&ticket(site.id("ACME"), "BUY", "10", Some("95"), "c-1")).await;
    let filled = ada.order(&ticket(site.id("ACME"), "BUY", "10", None, "c-2")).await;
    let path = |order: &Value| format!("/api/v1/orders/{}", order["order_id"].as_str().unwrap());

    let foreign = bob.delete(&path(&resting)).await;
    let missing = bob.delete(&format!("/api/v1/orders/{}", uuid::Uuid::new_v4())).await;
    assert_eq!((foreign.status.as_u16(), foreign.code().as_str()), (404, "unknown_order"));
    assert_eq!(foreign.text, missing.text);
    assert_eq!(bob.get(&path(&resting)).await.text, missing.text);

    let first = ada.delete(&path(&resting)).await;
    assert_eq!((first.status.as_u16(), &first.json()["status"]), (200, &json!("CANCELLED")));
    let second = ada.delete(&path(&resting)).await;
    assert_eq!((second.status, second.text), (first.status, first.text));
    let late = ada.delete(&path(&filled)).await;
    assert_eq!((late.status.as_u16(), late.code().as_str()), (409, "already_filled"));
    let nonsense = ada.delete("/api/v1/orders/42").await;
    assert_eq!((nonsense.status.as_u16(), nonsense.code().as_str()), (400, "invalid_id"));
    // What the order held is free again.
    let account = ada.get("/api/v1/account").await.json();
    assert_eq!(money(&account["reserved"]), 0);
    site.close().await;
}

#[tokio::test]
async fn why_an_order_was_cancelled_is_stored_with_it() {
    let mut site = Site::open().await;
    site.steps(10).await;
    let mut ada = site.user("ada").await;
    let acme = site.id("ACME");
    let answer = ada.order(&ticket(acme, "BUY", "100", None, "filled")).await;
    assert_eq!(answer["order"]["cancel_reason"], json!(null));
    ada.order(&ticket(acme, "BUY", "10", Some("95"), "requested")).await;
    assert_eq!(ada.delete("/api/v1/orders").await.json()["cancelled"][0]["cancel_reason"], "REQUESTED");
    for (word, name, reason) in [("IOC", "ioc", "IMMEDIATE_OR_CANCEL"), ("FOK", "fok", "FILL_OR_KILL")] {
        let mut order = ticket(acme, "BUY", "10", Some("95"), name);
        order["time_in_force"] = json!(word);
        assert_eq!(ada.order(&order).await["order"]["cancel_reason"], reason);
    }
    // One share sold shows the best bid; an own order there is in the way of the next sale.
    let first = ada.order(&ticket(acme, "SELL", "1", None, "first")).await;
    let best = first["decided"]["notional"].as_str().unwrap().to_owned();
    ada.order(&ticket(acme, "BUY", "10", Some(&best), "own")).await;
    ada.order(&ticket(acme, "SELL", "10", None, "sale")).await;
    ada.order(&ticket(acme, "BUY", "10", Some("95"), "resting")).await;

    let listed = ada.get("/api/v1/orders").await.json()["items"].clone();
    let reasons: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|order| (order["client_order_id"].as_str().unwrap(), order["cancel_reason"].as_str()))
        .collect();
    assert_eq!(
        reasons,
        [
            ("resting", None),
            ("sale", None),
            ("own", Some("SELF_TRADE")),
            ("first", None),
            ("fok", Some("FILL_OR_KILL")),
            ("ioc", Some("IMMEDIATE_OR_CANCEL")),
            ("requested", Some("REQUESTED")),
            ("filled", None),
        ]
    );
    let own = format!("/api/v1/orders/{}", listed[2]["order_id"].as_str().unwrap());
    assert_eq!(ada.get(&own).await.json(), listed[2]);
    site.stop().await;
    site.start().await;
    ada.base = site.base.clone();
    assert_eq!(ada.get("/api/v1/orders").await.json()["items"], listed);
    site.close().await;
}

#[tokio::test]
async fn orders_are_listed_newest_first_and_filtered() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut user = site.user("ada").await;
    for number in 1..=5 {
        user.order(&ticket(site.id("ACME"), "BUY", "1", Some("95"), &format!("rest-{number}"))).await;
    }
    user.order(&ticket(site.id("ACME"), "BUY", "1", None, "fill-1")).await;
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|order| order["client_order_id"].as_str().unwrap().to_owned()).collect()
    };
    let open = user.get("/api/v1/orders?status=OPEN&limit=3").await.json();
    assert_eq!(names(&open), ["rest-5", "rest-4", "rest-3"]);
    let cursor = open["next_cursor"].as_str().unwrap();
    let rest = user.get(&format!("/api/v1/orders?status=OPEN&limit=3&cursor={cursor}")).await.json();
    assert_eq!(names(&rest), ["rest-2", "rest-1"]);
    assert_eq!(rest["next_cursor"], json!(null));
    assert_eq!(names(&user.get("/api/v1/orders?status=FILLED").await.json()), ["fill-1"]);
    assert_eq!(names(&user.get("/api/v1/orders?client_order_id=rest-2").await.json()), ["rest-2"]);
    // Another query's cursor continues nothing.
    let foreign = user.get(&format!("/api/v1/orders?status=FILLED&cursor={cursor}")).await;
    assert_eq!((foreign.status.as_u16(), foreign.code().as_str()), (422, "invalid_cursor"));
    let unknown = user.get("/api/v1/orders?status=LOST").await;
    assert_eq!((unknown.status.as_u16(), unknown.code().as_str()), (422, "invalid_status"));
    site.close().await;
}
