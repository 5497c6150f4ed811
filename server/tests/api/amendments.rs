//! Times in force, amendments, and cancelling everything, over REST.

use engine::venue::VenueConfig;
use serde_json::{Value, json};

use crate::support::site::{Site, Visitor, money, ticket};

fn path(order: &Value) -> String {
    format!("/api/v1/orders/{}", order["order_id"].as_str().unwrap())
}

/// A limit order with a time in force.
fn timed(site: &Site, quantity: &str, limit: &str, tif: &str, name: &str) -> Value {
    let mut order = ticket(site.id("ACME"), "BUY", quantity, Some(limit), name);
    order["time_in_force"] = json!(tif);
    order
}

async fn reserved(user: &Visitor) -> i64 {
    money(&user.get("/api/v1/account").await.json()["reserved"])
}

#[tokio::test]
async fn a_fill_or_kill_order_is_previewed_as_it_ends() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut user = site.user("ada").await;
    for (quantity, limit, status, name) in
        [("20000", "100.10", "CANCELLED", "too-much"), ("100", "102", "FILLED", "enough")]
    {
        let order = timed(&site, quantity, limit, "FOK", name);
        let preview = user.post("/api/v1/orders/preview", &order).await.json();
        let answer = user.order(&order).await;
        assert_eq!((&preview["basis"], &preview["decided"]), (&answer["basis"], &answer["decided"]));
        assert_eq!(
            (&answer["order"]["status"], &answer["order"]["time_in_force"]),
            (&json!(status), &json!("FOK"))
        );
        assert_eq!(user.get(&path(&answer)).await.json(), answer["order"]);
    }
    let market = json!({ "time_in_force": "DAY" });
    let mut order = ticket(site.id("ACME"), "BUY", "1", None, "rests");
    order["time_in_force"] = market["time_in_force"].clone();
    let refused = user.post("/api/v1/orders", &order).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "invalid_time_in_force"));
    site.close().await;
}

#[tokio::test]
async fn a_day_order_is_cancelled_when_the_day_ends() {
    // A step a minute: 390 make a day.
    let site = Site::of(VenueConfig { step_us: 60_000_000, ..VenueConfig::default() }, |_| {}).await;
    site.steps(10).await;
    let mut user = site.user("ada").await;
    let day = user.order(&timed(&site, "10", "91", "DAY", "day")).await;
    let good = user.order(&timed(&site, "10", "91", "GTC", "good")).await;
    // 910 and 1 bp of it, twice
    assert_eq!(reserved(&user).await, 1_820_182_000);
    site.steps(379).await;
    assert_eq!(user.get(&path(&day)).await.json()["status"], "OPEN");
    site.steps(1).await;
    let ended = user.get(&path(&day)).await.json();
    assert_eq!((&ended["status"], &ended["cancel_reason"]), (&json!("CANCELLED"), &json!("END_OF_DAY")));
    assert_eq!(user.get(&path(&good)).await.json()["status"], "OPEN");
    assert_eq!(reserved(&user).await, 910_091_000);
    site.close().await;
}

#[tokio::test]
async fn an_amendment_is_durable_idempotent_and_for_the_owner_alone() {
    let mut site = Site::open().await;
    site.steps(10).await;
    let (mut ada, mut bob) = (site.user("ada").await, site.user("bob").await);
    let order = ada.order(&ticket(site.id("ACME"), "BUY", "100", Some("95"), "c-1")).await;
    let less = json!({ "quantity": "40", "client_order_id": "a-1" });
    let first = ada.patch(&path(&order), &less).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(
        (&first.json()["order"]["quantity"], &first.json()["decided"]["resting_quantity"]),
        (&json!("40"), &json!("40"))
    );
    // 40 × 95 and 1 bp of it
    assert_eq!(reserved(&ada).await, 3_800_380_000);
    assert_eq!(ada.patch(&path(&order), &less).await.text, first.text);
    let changed = json!({ "quantity": "41", "client_order_id": "a-1" });
    let conflict = ada.patch(&path(&order), &changed).await;
    assert_eq!((conflict.status.as_u16(), conflict.code().as_str()), (409, "idempotency_mismatch"));

    let foreign = bob.patch(&path(&order), &json!({ "quantity": "1", "client_order_id": "b-1" })).await;
    let missing = bob.patch(&format!("/api/v1/orders/{}", uuid::Uuid::new_v4()), &less).await;
    assert_eq!((foreign.status.as_u16(), foreign.text), (404, missing.text));

    site.stop().await;
    site.start().await;
    ada.base = site.base.clone();
    assert_eq!(ada.get(&path(&order)).await.json(), first.json()["order"]);
    let up = json!({ "limit_price": "102", "quantity": 60, "client_order_id": "a-2" });
    let filled = ada.patch(&path(&order), &up).await.json();
    assert_eq!(
        (&filled["order"]["status"], &filled["decided"]["filled_quantity"]),
        (&json!("FILLED"), &json!("60"))
    );
    assert_eq!(money(&filled["decided"]["reserved"]), 0);
    assert_eq!(ada.get(&path(&order)).await.json(), filled["order"]);
    let late = ada.patch(&path(&order), &json!({ "quantity": "70", "client_order_id": "a-3" })).await;
    assert_eq!((late.status.as_u16(), late.code().as_str()), (409, "already_filled"));
    let report = site.close().await;
    assert_eq!(report.orders, 1);
}

#[tokio::test]
async fn invalid_amendments_are_refused_and_change_nothing() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut user = site.user("ada").await;
    let order = user.order(&ticket(site.id("ACME"), "BUY", "100", Some("95"), "c-1")).await;
    let before = user.get("/api/v1/account").await.text;
    for (body, status, code) in [
        (json!({ "client_order_id": "a" }), 422, "nothing_to_amend"),
        (
            json!({ "quantity": "100", "limit_price": "95.00", "client_order_id": "a" }),
            422,
            "nothing_to_amend",
        ),
        (json!({ "quantity": "40" }), 422, "invalid_client_order_id"),
        (json!({ "quantity": "40", "client_order_id": "x".repeat(65) }), 422, "invalid_client_order_id"),
        (json!({ "quantity": "0", "client_order_id": "a" }), 422, "invalid_quantity"),
        (json!({ "quantity": "1.5", "client_order_id": "a" }), 422, "invalid_quantity"),
        (json!({ "quantity": "1e309", "client_order_id": "a" }), 422, "invalid_quantity"),
        (json!({ "limit_price": "-1", "client_order_id": "a" }), 422, "invalid_price"),
        (json!({ "limit_price": "95.001", "client_order_id": "a" }), 422, "tick_size"),
        (json!({ "limit_price": "500", "client_order_id": "a" }), 422, "price_collar"),
        (json!({ "quantity": "900000", "client_order_id": "a" }), 409, "insufficient_cash"),
        (json!({ "quantity": "40", "side": "SELL", "client_order_id": "a" }), 422, "unknown_field"),
        (
            json!({ "quantity": "40", "client_order_id": "a", "valid_until": "soon" }),
            422,
            "invalid_valid_until",
        ),
        (
            json!({ "quantity": "40", "client_order_id": "a", "valid_until": "2026-01-05T09:30:00Z" }),
            409,
            "too_late",
        ),
        (
            json!({ "quantity": "40", "client_order_id": "a", "self_trade_prevention": "MAYBE" }),
            422,
            "invalid_self_trade_prevention",
        ),
    ] {
        let refused = user.patch(&path(&order), &body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code), "{body}");
    }
    let nonsense = user.patch("/api/v1/orders/42", &json!({ "quantity": "1" })).await;
    assert_eq!((nonsense.status.as_u16(), nonsense.code().as_str()), (400, "invalid_id"));
    assert_eq!(user.get("/api/v1/account").await.text, before);
    site.close().await;
}

#[tokio::test]
async fn cancel_all_cancels_at_once_and_twice_is_harmless() {
    let site = Site::open().await;
    site.steps(10).await;
    let (mut ada, mut bob) = (site.user("ada").await, site.user("bob").await);
    for number in 1..=3 {
        ada.order(&ticket(site.id("ACME"), "BUY", "1", Some("95"), &format!("s-{number}"))).await;
    }
    ada.order(&ticket(site.id("GOV-4.5-2036"), "BUY", "1000", Some("99"), "b-1")).await;
    bob.order(&ticket(site.id("ACME"), "BUY", "1", Some("95"), "other")).await;
    let count = |answer: &Value| answer["cancelled"].as_array().unwrap().len();
    let shares = ada.delete(&format!("/api/v1/orders?instrument_id={}", site.id("ACME"))).await.json();
    assert_eq!((count(&shares), &shares["cancelled"][0]["status"]), (3, &json!("CANCELLED")));
    assert_eq!(count(&ada.delete("/api/v1/orders").await.json()), 1);
    assert_eq!(count(&ada.delete("/api/v1/orders").await.json()), 0);
    assert_eq!(reserved(&ada).await, 0);
    assert_eq!(bob.get("/api/v1/orders?status=OPEN").await.json()["items"].as_array().unwrap().len(), 1);
    for (path, status, code) in [
        ("/api/v1/orders?instrument_id=42", 404, "unknown_instrument"),
        ("/api/v1/orders?all=yes", 422, "unknown_field"),
    ] {
        let refused = ada.delete(path).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code), "{path}");
    }
    let mut visitor = site.visitor();
    assert_eq!(visitor.delete("/api/v1/orders").await.status, 401);
    site.close().await;
}
