//! Two gateways are one site: what is done through one is seen through the
//! other.

use protocol::socket::Frame;
use serde_json::json;

use super::deployment::{Deployment, enter};
use crate::support::site::{OWNER, Visitor, ticket};
use crate::support::trading_fixture::TEST_TIMEOUT;

/// Gives every agent but trading, which has made the tables, a login that can
/// do nothing but its work.
async fn own_logins(deployment: &mut Deployment) {
    for (name, roles) in [
        ("market-data", "tickhall_market_data"),
        ("portfolio", "tickhall_portfolio"),
        ("auth", "tickhall_auth"),
        ("gateway-1", "tickhall_gateway, tickhall_auth"),
        ("gateway-2", "tickhall_gateway, tickhall_auth"),
    ] {
        let login = name.replace('-', "_");
        deployment.sql(&format!("CREATE ROLE {login} LOGIN IN ROLE {roles}"));
        let url = deployment.site.postgres.url("postgres");
        let (_, here) = url.split_once('@').unwrap();
        deployment.site.kill(name);
        deployment.site.set_database_url(name, format!("postgres://{login}@{here}"));
        deployment.site.start_all().unwrap();
        deployment.until_service_is_healthy(name).await;
    }
}

#[tokio::test]
async fn topology_two_gateways_are_one_site() {
    let mut deployment =
        Deployment::open(Deployment::postgres(), &[("TICKHALL_CLOCK", "manual"), ("TICKHALL_IDLE", "run")]);
    deployment.until_healthy().await;
    own_logins(&mut deployment).await;
    let mut one = deployment.owner(0).await;
    // The cookie of one is good at the other.
    let mut two = Visitor { base: deployment.gateways[1].clone(), ..one.clone() };
    assert_eq!(two.get("/api/v1/session").await.json()["email"], json!(OWNER));
    let answer = two.post("/api/v1/venue/clock", &json!({ "step": { "steps": 20 } })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);

    // An order through one is on the other's socket and in its lists.
    let mut socket = two.follow("", &["account".to_owned()]).await;
    let acme = engine::id::InstrumentId::derive(engine::venue::VenueConfig::default().venue_id(), "ACME");
    let placed = one.order(&ticket(acme, "BUY", "10", None, "c-1")).await;
    let order = placed["order_id"].as_str().unwrap().to_owned();
    while !format!("{:?}", socket.frame().await).contains(&order) {}
    let listed = two.get("/api/v1/orders").await.text;
    assert!(listed.contains(&order), "{listed}");
    assert_eq!(two.get(&format!("/api/v1/orders/{order}")).await.status, 200);

    // The same order again, elsewhere, is the same order.
    let again = two.post("/api/v1/orders", &ticket(acme, "BUY", "10", None, "c-1")).await;
    assert_eq!((again.status.as_u16(), &again.json()["order_id"]), (200, &placed["order_id"]));

    // Everybody's health is known at the gateways, a second after they started.
    for agent in ["auth", "market_data", "portfolio", "trading"] {
        let known = async {
            while one.get("/health").await.json()["elsewhere"][agent]["ok"] != json!(true) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(TEST_TIMEOUT, known).await.unwrap_or_else(|_| panic!("{agent} is unheard of"));
    }

    // Signed out at one is signed out at both, sockets included.
    assert_eq!(one.post("/api/v1/auth/logout", &json!({})).await.status, 204);
    while let Ok(frame) = socket.next().await {
        assert!(matches!(frame, Frame::Update(_)), "{frame:?}");
    }
    assert_eq!(two.get("/api/v1/session").await.status, 401);

    // Auth alone answers for itself.
    let auth = enter(super::deployment::visitor(&deployment.site.url("auth")), OWNER).await;
    let back = Visitor { base: deployment.gateways[0].clone(), ..auth };
    assert_eq!(back.get("/api/v1/session").await.status, 200);
    assert!(deployment.say(&["verify"]).contains("books balance"));
}
