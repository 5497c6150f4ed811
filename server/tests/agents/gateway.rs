//! The gateway with a sequencer that is busy, stopped or halted.

use engine::id::{AccountId, Seq};
use engine::order::RawTicket;
use protocol::bus::SequencerStatus;
use protocol::gateway::{Caller, OrderApi as _};
use protocol::rest::{OrdersQuery, PlaceOrderResponse};
use server::agents::auth::{self, Auth, VenueRole};
use server::agents::gateway::{self, Gateway};
use server::config::Config;
use server::http::operations::Operations;
use server::peers::Peers;
use server::sequencer_client::QUEUE_CAPACITY;
use server::shutdown::Shutdown;
use server::telemetry::{Health, recorder};

use crate::support::desk::Desk;

/// A gateway over the desk's store and bus, following it until the shutdown.
async fn open(desk: &Desk, shutdown: &Shutdown) -> Gateway {
    let health = Health::new(desk.clock.clone());
    let auth_deps = auth::Deps {
        store: desk.store.clone(),
        bus: desk.bus.clone(),
        streams: desk.streams.clone(),
        sequencer: desk.client.clone(),
        clock: desk.clock.clone(),
        venue: desk.venue(),
        health: health.clone(),
    };
    let config = Config::default();
    let deps = gateway::Deps {
        store: desk.store.clone(),
        bus: desk.bus.clone(),
        streams: desk.streams.clone(),
        sequencer: desk.client.clone(),
        auth: Auth::new(auth_deps, &config, false).unwrap(),
        clock: desk.clock.clone(),
        venue: desk.store.venue(desk.venue()).await.unwrap().unwrap(),
        limits: config.limits,
        public_url: None,
        operations: Operations { health, peers: Peers::none(), metrics: recorder() },
    };
    let opened = Gateway::new(deps, shutdown.clone());
    tokio::spawn(gateway::run(opened.clone(), shutdown.clone()));
    assert!(opened.wait_for_seq(Seq(1)).await);
    opened
}

fn caller(account: AccountId) -> Caller {
    Caller {
        user: "u".to_owned(),
        email: "ada@example.org".to_owned(),
        name: "ada@example.org".to_owned(),
        account,
        owner: false,
        session_id: String::new(),
        permissions: VenueRole::Trader.permissions(),
    }
}

fn ticket(desk: &Desk, name: &str) -> RawTicket {
    RawTicket {
        instrument_id: desk.instrument("ACME").id.to_string(),
        side: "BUY".to_owned(),
        order_type: "LIMIT".to_owned(),
        quantity: "10".to_owned(),
        limit_price: Some("100".to_owned()),
        client_order_id: Some(name.to_owned()),
        ..RawTicket::default()
    }
}

#[tokio::test]
async fn an_order_without_an_answer_is_pending_and_never_fills_later() {
    let mut desk = Desk::open().await;
    desk.quote(9_990, 10_000).await;
    let caller = caller(desk.account().await);
    let shutdown = Shutdown::new();
    let gateway = open(&desk, &shutdown).await;
    desk.stop().await;
    let placed = gateway.place_order(&caller, ticket(&desk, "c-1")).await.unwrap();
    assert_eq!(placed, PlaceOrderResponse::Pending { client_order_id: "c-1".to_owned() });
    // The sequencer comes back after the order's time: it asks in vain.
    desk.clock.advance_micros(10_000_000);
    desk.start().await;
    let accepted = gateway.place_order(&caller, ticket(&desk, "c-2")).await.unwrap();
    assert!(matches!(accepted, PlaceOrderResponse::Decided { .. }));
    let found = gateway.orders(&caller, OrdersQuery::default()).await.unwrap();
    let names: Vec<_> = found.items.iter().map(|order| order.client_order_id.as_str()).collect();
    assert_eq!(names, ["c-2"]);
    shutdown.cancel();
    desk.close().await;
}

#[tokio::test]
async fn a_full_queue_is_busy_and_outages_say_so() {
    let mut desk = Desk::open().await;
    desk.quote(9_990, 10_000).await;
    let caller = caller(desk.account().await);
    let shutdown = Shutdown::new();
    let gateway = open(&desk, &shutdown).await;
    desk.stop().await;
    let halted = SequencerStatus::Halted { reason: "the books do not balance".to_owned() };
    for (status, code) in [(halted, "trading_halted"), (SequencerStatus::Unavailable, "unavailable")] {
        let bytes = serde_json::to_vec(&status).unwrap();
        desk.bus.put_latest(&desk.streams.trading_status, bytes).await.unwrap();
        let refused = gateway.place_order(&caller, ticket(&desk, "c-1")).await.unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (503, code));
    }
    let running = serde_json::to_vec(&SequencerStatus::Running).unwrap();
    desk.bus.put_latest(&desk.streams.trading_status, running).await.unwrap();
    while desk.bus.append_auto(&desk.streams.command, "{}", QUEUE_CAPACITY).await.is_ok() {}
    let refused = gateway.place_order(&caller, ticket(&desk, "c-1")).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (503, "busy"));
    shutdown.cancel();
    desk.close().await;
}
