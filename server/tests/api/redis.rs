//! One process whose agents speak over Redis: the same venue, on a bus that
//! others could be on too.

use protocol::socket::Frame;
use serde_json::json;

use crate::support::redis::Server;
use crate::support::site::{Site, ticket};

#[tokio::test]
async fn one_process_may_speak_over_redis() {
    let server = Server::private();
    let mut site = Site::with(|config| config.redis_url = Some(server.url().to_owned())).await;
    let mut ada = site.user("ada").await;
    site.steps(20).await;
    let mut socket = ada.follow("", &["account".to_owned()]).await;
    let placed = ada.order(&ticket(site.id("ACME"), "BUY", "10", None, "one")).await;
    let order = placed["order_id"].as_str().unwrap().to_owned();
    while !matches!(socket.frame().await, Frame::Update(update) if format!("{update:?}").contains(&order)) {}
    // All of it went over Redis, and nothing that is only there counts.
    let streams = server.cli(&["SCAN", "0", "COUNT", "1000000", "TYPE", "stream"]);
    for stream in ["marketdata_stream", "execution_stream", "command_stream"] {
        assert!(streams.contains(stream), "{streams}");
    }
    drop(socket);
    site.stop().await;
    server.wipe();
    site.start().await;
    ada.base.clone_from(&site.base);
    let again = ada.post("/api/v1/orders", &ticket(site.id("ACME"), "BUY", "10", None, "one")).await;
    assert_eq!((again.status.as_u16(), &again.json()["order_id"]), (200, &json!(order)));
    site.steps(1).await;
    site.close().await;
}
