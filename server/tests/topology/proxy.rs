//! The proxy of compose.yaml in front of two gateways: one site, whose clients keep
//! their addresses.

use std::net::IpAddr;

use reqwest::Method;
use serde_json::json;

use super::deployment::{Deployment, enter};
use crate::support::site::{Answer, OWNER, PASSWORD, Visitor};
use crate::support::trading_fixture::TEST_TIMEOUT;

/// Somebody at `base` whose address is `address`.
fn visitor_from(base: &str, address: [u8; 4]) -> Visitor {
    let client = reqwest::Client::builder().local_address(Some(IpAddr::from(address)));
    let client = client.redirect(reqwest::redirect::Policy::none()).build().unwrap();
    Visitor { client, base: base.to_owned(), cookie: None }
}

/// Tries a wrong password, with other addresses claimed.
async fn fail(visitor: &mut Visitor) -> Answer {
    let body = json!({ "email": "nobody@example.org", "password": PASSWORD }).to_string();
    let send = |request: reqwest::RequestBuilder| {
        let claims = request.header("x-forwarded-for", "203.0.113.9").header("forwarded", "for=203.0.113.8");
        claims.header("content-type", "application/json").body(body)
    };
    visitor.send(Method::POST, "/api/v1/auth/login", send).await
}

#[tokio::test]
async fn topology_the_proxy_tells_the_gateways_each_clients_address() {
    let limits = [
        ("TICKHALL_CLOCK", "manual"),
        ("TICKHALL_IDLE", "run"),
        ("TICKHALL_LIMITS__LOGIN_FAILURES_PER_ADDRESS_PER_MINUTE", "5"),
    ];
    let deployment = Deployment::open(Deployment::postgres(), &limits);
    deployment.until_healthy().await;
    let proxy = deployment.proxy();

    // A page, a sign-in, an order and a socket through the proxy.
    let mut owner = enter(visitor_from(&proxy, [127, 0, 0, 4]), OWNER).await;
    assert_eq!(owner.get("/").await.status, 200);
    let stepped = owner.post("/api/v1/venue/clock", &json!({ "step": { "steps": 20 } })).await;
    assert_eq!(stepped.status, 200, "{}", stepped.text);
    let mut socket = owner.follow("", &["account".to_owned()]).await;
    socket.next_update().await;

    // Each gateway counts five failures of an address, and of no other.
    let (mut one, mut other) = (visitor_from(&proxy, [127, 0, 0, 2]), visitor_from(&proxy, [127, 0, 0, 3]));
    let mut failures = 0;
    let limited = async {
        while fail(&mut one).await.status == 401 {
            failures += 1;
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, limited).await.expect("claimed addresses have limits of their own");
    assert!(failures >= 5, "{failures}");
    assert_eq!(fail(&mut other).await.status, 401);
}
