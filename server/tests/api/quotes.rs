//! Dealers' quotes over REST and the socket: live quotes, hits and lifts, and
//! refusals.

use engine::id::InstrumentId;
use serde_json::{Value, json};

use crate::support::site::{Site, Visitor, money, ticket};

/// Bonds that dealers quote.
const DEALT: [&str; 2] = ["HALV-5.25-2033", "MERI-6-2030"];

/// The first live quote of a bond.
async fn first(user: &Visitor, bond: InstrumentId) -> Value {
    let boards = user.get(&format!("/api/v1/quotes?instrument_id={bond}")).await.json();
    boards[0]["quotes"][0].clone()
}

fn path(quote: &Value, action: &str) -> String {
    format!("/api/v1/quotes/{}/{action}", quote["quote_id"].as_str().unwrap())
}

fn take(quantity: &str, name: &str) -> Value {
    json!({ "quantity": quantity, "client_order_id": name })
}

#[tokio::test]
async fn dealers_quote_two_bonds_with_size_and_expiry() {
    let site = Site::open().await;
    site.steps(100).await;
    let user = site.user("ada").await;
    let boards = user.get("/api/v1/quotes").await.json();
    let ids: Vec<_> = boards.as_array().unwrap().iter().map(|board| board["instrument_id"].clone()).collect();
    assert_eq!(ids, DEALT.map(|symbol| json!(site.id(symbol))));
    let now = "2026-01-05T09:30:10.000000Z";
    for board in boards.as_array().unwrap() {
        let quotes = board["quotes"].as_array().unwrap();
        let dealers: std::collections::BTreeSet<_> =
            quotes.iter().map(|quote| quote["dealer_id"].as_str().unwrap()).collect();
        assert!(dealers.len() >= 2, "{dealers:?}");
        for quote in quotes {
            assert!(money(&quote["bid"]) < money(&quote["ask"]), "{quote}");
            assert!(money(&quote["bid_quantity"]) > 0 && money(&quote["ask_quantity"]) > 0, "{quote}");
            assert!(quote["expires_at"].as_str().unwrap() > now, "{quote}");
        }
    }
    let listed = user.get("/api/v1/instruments").await.json();
    let dealt =
        listed.as_array().unwrap().iter().filter(|row| !row["dealers"].as_array().unwrap().is_empty());
    assert_eq!(dealt.count(), 2);
    // What was quoted is kept.
    site.close().await;
}

#[tokio::test]
async fn a_lift_is_previewed_filled_once_and_survives_a_restart() {
    let mut site = Site::open().await;
    site.steps(100).await;
    let mut user = site.user("ada").await;
    let bond = site.id(DEALT[0]);
    let quote = first(&user, bond).await;
    let mut request = take("20000", "lift-1");
    request["side"] = json!("BUY");
    let preview = user.post(&path(&quote, "preview"), &request).await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    let lift = user.post(&path(&quote, "lift"), &take("20000", "lift-1")).await;
    assert_eq!(lift.status, 201, "{}", lift.text);
    let answer = lift.json();
    assert_eq!(
        (&preview.json()["basis"], &preview.json()["decided"]),
        (&answer["basis"], &answer["decided"])
    );
    let order = &answer["order"];
    assert_eq!((&order["type"], &order["time_in_force"]), (&json!("QUOTE"), &json!("FOK")));
    assert_eq!((&order["quote_id"], &order["dealer_id"]), (&quote["quote_id"], &quote["dealer_id"]));
    assert_eq!(money(&order["limit_price"]), money(&quote["ask"]));
    let left = first(&user, bond).await;
    let same = left["quote_id"] == quote["quote_id"];
    assert!(same && money(&left["ask_quantity"]) == money(&quote["ask_quantity"]) - 20_000_000_000);
    assert_eq!(left["bid_quantity"], quote["bid_quantity"]);

    let again = user.post(&path(&quote, "lift"), &take("20000", "lift-1")).await;
    assert_eq!((again.status.as_u16(), &again.text), (200, &lift.text));
    let changed = user.post(&path(&quote, "lift"), &take("21000", "lift-1")).await;
    assert_eq!((changed.status.as_u16(), changed.code().as_str()), (409, "idempotency_mismatch"));

    site.stop().await;
    site.start().await;
    user.base = site.base.clone();
    let kept = user.get(&format!("/api/v1/orders/{}", order["order_id"].as_str().unwrap())).await.json();
    assert_eq!(&kept, order);
    let after = first(&user, bond).await;
    assert_eq!(after, left);
    // Sold again at the bid: it costs the spread and two fees.
    let hit = user.post(&path(&quote, "hit"), &take("20000", "hit-1")).await.json();
    let round = money(&hit["decided"]["cash"]) - 1_000_000_000_000;
    let spread = money(&quote["ask"]) - money(&quote["bid"]);
    // 20,000 of face is 200 times the 100 that a price is per.
    let fees = money(&answer["decided"]["fee"]) + money(&hit["decided"]["fee"]);
    assert_eq!(round, -200 * spread - fees);
    let trades = user.get("/api/v1/history/trades").await.json();
    assert_eq!(trades["items"].as_array().unwrap().len(), 2);
    let report = site.close().await;
    assert_eq!((report.orders, report.trades), (2, 2));
}

#[tokio::test]
async fn bad_takes_are_refused_by_name_and_change_nothing() {
    let site = Site::open().await;
    site.steps(100).await;
    let mut user = site.user("ada").await;
    let bond = site.id(DEALT[0]);
    let quote = first(&user, bond).await;
    let lift = path(&quote, "lift");
    let too_much = (money(&quote["ask_quantity"]) / 1_000_000 + 1_000).to_string();
    for (body, status, code) in [
        (take(&too_much, "a"), 409, "quote_size"),
        (take("0", "a"), 422, "invalid_quantity"),
        (take("-1000", "a"), 422, "invalid_quantity"),
        (take("1500", "a"), 422, "lot_size"),
        (take("1e309", "a"), 422, "invalid_quantity"),
        (json!({ "client_order_id": "a" }), 422, "invalid_quantity"),
        (json!({ "quantity": "1000" }), 422, "invalid_client_order_id"),
        (take("1000", &"x".repeat(65)), 422, "invalid_client_order_id"),
        (json!({ "quantity": "1000", "client_order_id": "a", "price": "1" }), 422, "unknown_field"),
        (
            json!({ "quantity": "1000", "client_order_id": "a", "valid_until": "soon" }),
            422,
            "invalid_valid_until",
        ),
        (
            json!({ "quantity": "1000", "client_order_id": "a", "valid_until": "2026-01-05T09:30:00Z" }),
            409,
            "too_late",
        ),
    ] {
        let refused = user.post(&lift, &body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code), "{body}");
    }
    let short = user.post(&path(&quote, "hit"), &take("1000", "a")).await;
    assert_eq!((short.status.as_u16(), short.code().as_str()), (409, "insufficient_position"));
    for (path, status, code) in [
        ("/api/v1/quotes/42/lift".to_owned(), 400, "invalid_id"),
        (format!("/api/v1/quotes/{}/lift", uuid::Uuid::new_v4()), 404, "unknown_quote"),
    ] {
        let refused = user.post(&path, &take("1000", "a")).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code), "{path}");
    }
    let unlisted = user.get("/api/v1/quotes?instrument_id=42").await;
    assert_eq!((unlisted.status.as_u16(), unlisted.code().as_str()), (404, "unknown_instrument"));
    let no_book = user.post("/api/v1/orders", &ticket(bond, "BUY", "1000", None, "a")).await;
    assert_eq!((no_book.status.as_u16(), no_book.code().as_str()), (409, "no_order_book"));
    let mut taken = ticket(site.id("ACME"), "BUY", "1", Some("100"), "a");
    taken["type"] = json!("QUOTE");
    assert_eq!(user.post("/api/v1/orders", &taken).await.code(), "invalid_type");

    let all = (money(&quote["ask_quantity"]) / 1_000_000).to_string();
    user.post(&lift, &take(&all, "all")).await;
    let used = user.post(&lift, &take("1000", "b")).await;
    assert_eq!((used.status.as_u16(), used.code().as_str()), (409, "quote_used"));
    // Every quote of now is over twelve seconds later.
    site.steps(121).await;
    let late = user.post(&lift, &take("1000", "b")).await;
    assert_eq!((late.status.as_u16(), late.code().as_str()), (409, "quote_expired"));
    let mut visitor = site.visitor();
    assert_eq!(visitor.post(&lift, &take("1000", "c")).await.status, 401);
    let report = site.close().await;
    assert_eq!(report.orders, 1);
}
