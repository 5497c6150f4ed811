//! The gateway with a sequencer that is busy, stopped or halted.

use engine::id::{AccountId, Seq};
use engine::order::RawTicket;
use protocol::bus::SequencerStatus;
use protocol::caller::Caller;
use protocol::gateway::OrderApi as _;
use protocol::rest::{OrdersQuery, PlaceOrderResponse};
use server::agents::auth::{Auth, VenueRole};
use server::agents::context::AgentContext;
use server::agents::gateway::{self, Gateway};
use server::config::Config;
use server::http::operations::Operations;
use server::peers::Peers;
use server::sequencer_client::QUEUE_CAPACITY;
use server::shutdown::Shutdown;
use server::telemetry::{Health, recorder};

use crate::support::trading_fixture::TradingFixture;

/// A gateway over the fixture's store and bus, following it until the shutdown.
async fn open(fixture: &TradingFixture, shutdown: &Shutdown) -> Gateway {
    let health = Health::new(fixture.clock.clone());
    let context = AgentContext { health: health.clone(), shutdown: shutdown.clone(), ..fixture.context() };
    let config = Config::defaults().unwrap();
    let auth = Auth::new(context.clone(), fixture.client.clone(), &config, false).unwrap();
    let settings = gateway::Settings {
        venue: fixture.store.venue(fixture.venue()).await.unwrap().unwrap(),
        limits: config.limits,
        connections: config.connections(),
        public_url: None,
        operations: Operations { health, peers: Peers::none(), metrics: recorder() },
    };
    let opened = Gateway::new(context, auth, settings);
    tokio::spawn(gateway::run(opened.clone()));
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

fn ticket(fixture: &TradingFixture, name: &str) -> RawTicket {
    RawTicket {
        instrument_id: fixture.instrument("ACME").id.to_string(),
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
    let mut fixture = TradingFixture::open().await;
    fixture.quote(9_990, 10_000).await;
    let caller = caller(fixture.account().await);
    let shutdown = Shutdown::new();
    let gateway = open(&fixture, &shutdown).await;
    fixture.stop().await;
    let placed = gateway.place_order(&caller, ticket(&fixture, "c-1")).await.unwrap();
    assert_eq!(placed, PlaceOrderResponse::Pending { client_order_id: "c-1".to_owned() });
    // The sequencer comes back after the order's time: it asks in vain.
    fixture.clock.advance_micros(10_000_000);
    fixture.start().await;
    let accepted = gateway.place_order(&caller, ticket(&fixture, "c-2")).await.unwrap();
    assert!(matches!(accepted, PlaceOrderResponse::Decided { .. }));
    let found = gateway.orders(&caller, OrdersQuery::default()).await.unwrap();
    let names: Vec<_> = found.items.iter().map(|record| record.order.client_order_id.as_str()).collect();
    assert_eq!(names, ["c-2"]);
    shutdown.cancel();
    fixture.close().await;
}

#[tokio::test]
async fn a_full_queue_is_busy_and_outages_say_so() {
    let mut fixture = TradingFixture::open().await;
    fixture.quote(9_990, 10_000).await;
    let caller = caller(fixture.account().await);
    let shutdown = Shutdown::new();
    let gateway = open(&fixture, &shutdown).await;
    fixture.stop().await;
    let halted = SequencerStatus::Halted { reason: "the books do not balance".to_owned() };
    for (status, code) in [(halted, "trading_halted"), (SequencerStatus::Unavailable, "unavailable")] {
        let bytes = serde_json::to_vec(&status).unwrap();
        fixture.bus.put_latest(&fixture.streams.trading_status, bytes).await.unwrap();
        let refused = gateway.place_order(&caller, ticket(&fixture, "c-1")).await.unwrap_err();
        assert_eq!((refused.status, refused.code.as_str()), (503, code));
    }
    let running = serde_json::to_vec(&SequencerStatus::Running).unwrap();
    fixture.bus.put_latest(&fixture.streams.trading_status, running).await.unwrap();
    while fixture.bus.append_auto(&fixture.streams.command, "{}", QUEUE_CAPACITY).await.is_ok() {}
    let refused = gateway.place_order(&caller, ticket(&fixture, "c-1")).await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_str()), (503, "busy"));
    shutdown.cancel();
    fixture.close().await;
}
