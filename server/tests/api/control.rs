//! What the venue's owner sees and does, and nobody else.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::site::{OWNER, PASSWORD, Site, money, ticket};
use crate::support::trading_fixture::TEST_TIMEOUT;

/// Routes of the owner, with a body for those that change something.
const OWN_ROUTES: [(&str, Option<&str>); 3] = [
    ("/api/v1/venue/users", None),
    ("/api/v1/venue/agents", None),
    ("/api/v1/venue/clock", Some(r#"{"pause":{}}"#)),
];

#[tokio::test]
async fn nobody_but_the_owner_controls_the_venue() {
    let site = Site::open().await;
    let (owner, mut user) = (site.owner().await, site.user("ada").await);
    for (path, body) in OWN_ROUTES {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let request = |request: reqwest::RequestBuilder| match body {
            Some(body) => request.header("content-type", "application/json").body(body),
            None => request,
        };
        let refused = user.send(method.clone(), path, request).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "not_owner"), "{path}");
        let allowed = owner.clone().send(method, path, request).await;
        assert_eq!(allowed.status, 200, "{path}: {}", allowed.text);
    }
    site.close().await;
}

#[tokio::test]
async fn the_owner_sees_who_is_connected() {
    let site = Site::open().await;
    site.steps(10).await;
    let owner = site.owner().await;
    let mut ada = site.user("ada").await;
    let mut guest = site.visitor();
    assert_eq!(guest.post("/api/v1/auth/guest", &json!({ "name": "Bob" })).await.status, 201);
    ada.order(&ticket(site.id("ACME"), "BUY", "100", None, "c-1")).await;
    let mut socket = ada.follow("", &["account".to_owned()]).await;
    socket.next_update().await;

    let seen = owner.get("/api/v1/venue/users").await.json();
    assert_eq!((&seen["total"], &seen["sockets"]), (&json!(3), &json!(1)), "{seen}");
    let found = |email: &str| -> Value {
        let mut users = seen["users"].as_array().unwrap().iter();
        users.find(|user| user["email"] == email).cloned().unwrap_or_else(|| panic!("{email}: {seen}"))
    };
    let of_ada = found("ada@example.org");
    assert_eq!((&of_ada["sockets"], &of_ada["sessions"]), (&json!(1), &json!(1)));
    assert_eq!(of_ada["nav"], ada.get("/api/v1/portfolio").await.json()["valuation"]["nav"]);
    let of_owner = found(OWNER);
    assert_eq!((&of_owner["sockets"], money(&of_owner["nav"])), (&json!(0), 1_000_000_000_000));
    let names: Vec<&Value> = seen["users"].as_array().unwrap().iter().map(|user| &user["name"]).collect();
    assert!(names.contains(&&json!("Bob")), "{names:?}");

    // Two minutes without a request or a socket, and somebody is gone.
    drop(socket);
    site.clock.advance_micros(121 * 1_000_000);
    let owner = site.owner().await;
    let seen = owner.get("/api/v1/venue/users").await.json();
    assert_eq!((&seen["total"], &seen["users"][0]["email"]), (&json!(1), &json!(OWNER)), "{seen}");
    site.close().await;
}

#[tokio::test]
async fn the_owner_resets_an_account_and_its_user_sees_it() {
    let site = Site::open().await;
    site.steps(10).await;
    let (mut owner, mut ada) = (site.owner().await, site.user("ada").await);
    let acme = site.id("ACME");
    let bought = ada.order(&ticket(acme, "BUY", "300", None, "c-1")).await;
    let resting = ada.order(&ticket(acme, "BUY", "10", Some("95"), "c-2")).await;
    let mut socket = ada.follow("", &["account".to_owned()]).await;
    socket.next_update().await;
    let users = owner.get("/api/v1/venue/users").await.json();
    let mut listed = users["users"].as_array().unwrap().iter();
    let account = listed.find(|user| user["email"] == "ada@example.org").unwrap()["account"].clone();
    let path = |id: &str| format!("/api/v1/venue/accounts/{id}/reset");
    let own = path(account.as_str().unwrap());
    let nothing = json!({});
    let refused = ada.post(&own, &nothing).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "not_owner"));
    for (id, status, code) in
        [("1", 400, "invalid_id"), (&uuid::Uuid::new_v4().to_string(), 404, "no_account")]
    {
        let refused = owner.post(&path(id), &nothing).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code));
    }
    assert_eq!(owner.post(&own, &nothing).await.status, 204);

    // The open page: the cancel, the reset with its cash, and the account whole.
    let update = socket.next_update().await;
    let items: Vec<Value> = update.items.iter().map(|item| serde_json::to_value(item).unwrap()).collect();
    assert_eq!(items.len(), 3, "{items:#?}");
    assert_eq!(items[0]["execution"]["cancel_reason"], "ACCOUNT_RESET");
    assert_eq!(money(&items[1]["execution"]["cash"]), 1_000_000_000_000);
    let whole = &items[2]["account"];
    assert_eq!((&whole["positions"], &whole["orders"]), (&json!([]), &json!([])));
    assert_eq!((money(&whole["cash"]), money(&whole["reserved"])), (1_000_000_000_000, 0));
    // And whatever it reads.
    let valuation = ada.get("/api/v1/portfolio").await.json()["valuation"].clone();
    assert_eq!((money(&valuation["nav"]), money(&valuation["fees"])), (1_000_000_000_000, 0));
    let orders = ada.get("/api/v1/orders").await.json()["items"].as_array().unwrap().clone();
    let shown: Vec<_> = orders.iter().map(|order| (&order["order_id"], &order["status"])).collect();
    let cancelled = (&resting["order_id"], &json!("CANCELLED"));
    assert_eq!(shown, [cancelled, (&bought["order_id"], &json!("FILLED"))]);
    assert_eq!(orders[0]["cancel_reason"], "ACCOUNT_RESET");
    assert_eq!(ada.get("/api/v1/history/trades").await.json()["items"].as_array().unwrap().len(), 1);

    // Once more, and it trades on.
    assert_eq!(owner.post(&own, &nothing).await.status, 204);
    ada.order(&ticket(acme, "BUY", "1", None, "c-3")).await;
    site.close().await;
}

#[tokio::test]
async fn the_owner_sees_how_every_agent_does() {
    let site = Site::open().await;
    site.steps(25).await;
    let owner = site.owner().await;
    let everybody_works = async {
        loop {
            let agents = owner.get("/api/v1/venue/agents").await.json();
            let listed = agents.as_array().unwrap().clone();
            if listed.len() == 5 && listed.iter().all(|agent| agent["ok"] == json!(true)) {
                return listed;
            }
        }
    };
    let agents = tokio::time::timeout(TEST_TIMEOUT, everybody_works).await.expect("an agent does not work");
    let names: Vec<&Value> = agents.iter().map(|agent| &agent["agent"]).collect();
    assert_eq!(names, ["auth", "gateway", "market_data", "portfolio", "trading"]);
    assert!(agents.iter().all(|agent| agent["reason"] == json!("") && agent["age_ms"].is_u64()));
    assert_eq!(agents[2]["progress"], 25);
    site.close().await;
}

#[tokio::test]
async fn a_guest_claims_no_venue() {
    let site = Site::with(|config| config.owner_email = None).await;
    let token = site.running.as_ref().unwrap().claim_token.clone().unwrap();
    let claim = json!({ "token": token });
    let mut guest = site.visitor();
    assert_eq!(guest.post("/api/v1/auth/guest", &json!({ "name": "Bob" })).await.status, 201);
    let refused = guest.post("/api/v1/venue/claim", &claim).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "guest_account"));
    // The token is still good once the account cannot be lost any more.
    let keep = json!({ "email": "bob@example.org", "password": PASSWORD });
    assert_eq!(guest.post("/api/v1/auth/keep", &keep).await.status, 200);
    assert_eq!(guest.post("/api/v1/venue/claim", &claim).await.status, 204);
    assert_eq!(guest.get("/api/v1/venue/users").await.status, 200);
    site.close().await;
}

#[tokio::test]
async fn the_control_page_is_the_owners_and_shows_others_how_to_claim() {
    let site = Site::open().await;
    let (owner, user) = (site.owner().await, site.user("ada").await);
    for (visitor, shown, hidden) in
        [(&owner, "clock-state", "claim-token"), (&user, "claim-token", "clock-state")]
    {
        let page = visitor.get("/control").await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains(&format!("data-testid=\"{shown}\"")), "{shown}");
        assert!(!page.text.contains(&format!("data-testid=\"{hidden}\"")), "{hidden}");
    }
    let stranger = site.visitor().get("/control").await;
    assert_eq!(stranger.header("location"), "/login?next=/control");
    site.close().await;
}
