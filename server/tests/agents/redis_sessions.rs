//! Two gateways share sessions: the store decides, Redis only saves asking it.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HeaderValue};
use server::agents::auth::{Auth, Deps};
use server::config::Config;
use server::telemetry::Health;

use crate::support::desk::{Desk, PATIENCE};
use crate::support::redis::Server;
use crate::support::site::PASSWORD;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// One gateway's auth over the desk's store, with a connection of its own.
async fn gateway(desk: &Desk, server: &Server) -> Auth {
    gateway_with(desk, server, &Config::default()).await
}

async fn gateway_with(desk: &Desk, server: &Server, config: &Config) -> Auth {
    let deps = Deps {
        store: desk.store.clone(),
        bus: server.bus().await,
        streams: desk.streams.clone(),
        sequencer: desk.client.clone(),
        clock: desk.clock.clone(),
        venue: desk.venue(),
        health: Health::new(desk.clock.clone()),
    };
    Auth::new(deps, config, false).unwrap()
}

/// What a browser sends from now on.
fn bearer(cookie: &HeaderValue) -> HeaderMap {
    let pair = cookie.to_str().unwrap().split(';').next().unwrap();
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(pair).unwrap())])
}

async fn enter(auth: &Auth, name: &str) -> HeaderMap {
    let email = format!("{name}@example.org");
    let entered = auth.register(&email, PASSWORD.to_owned(), HERE, &HeaderMap::new()).await.unwrap();
    bearer(&entered.cookie)
}

async fn knows(auth: &Auth, session: &HeaderMap) -> bool {
    auth.sessions().find(session).await.unwrap().is_some()
}

#[tokio::test]
async fn a_session_that_ended_at_one_gateway_has_ended_at_the_other() {
    let (desk, server) = (Desk::open().await, Server::private());
    let (one, other) = (gateway(&desk, &server).await, gateway(&desk, &server).await);
    let (ann, bob) = (enter(&one, "ann").await, enter(&one, "bob").await);
    for session in [&ann, &bob] {
        // Both hold a copy from now on.
        assert!(knows(&one, session).await && knows(&other, session).await);
    }
    one.sign_out(&ann).await.unwrap();
    assert!(!knows(&other, &ann).await && !knows(&one, &ann).await);
    assert!(knows(&other, &bob).await);
    desk.close().await;
}

#[tokio::test]
async fn a_wipe_and_an_outage_neither_end_a_session_nor_bring_one_back() {
    let (desk, mut server) = (Desk::open().await, Server::private());
    let (one, other) = (gateway(&desk, &server).await, gateway(&desk, &server).await);
    let (ann, bob) = (enter(&one, "ann").await, enter(&one, "bob").await);
    assert!(knows(&other, &ann).await && knows(&other, &bob).await);
    server.wipe();
    assert!(knows(&one, &ann).await && knows(&other, &ann).await);
    server.kill();
    assert!(knows(&one, &ann).await && knows(&other, &bob).await);
    one.sign_out(&ann).await.unwrap();
    assert!(!knows(&other, &ann).await, "there is no copy: the store is asked");
    server.restart();
    assert!(!knows(&one, &ann).await && !knows(&other, &ann).await);
    assert!(knows(&one, &bob).await && knows(&other, &bob).await);
    desk.close().await;
}

#[tokio::test]
async fn an_open_socket_keeps_a_session_under_the_shortest_limit() {
    let (desk, server) = (Desk::open().await, Server::private());
    let mut config = Config::default();
    config.session.idle_minutes = 1;
    let auth = gateway_with(&desk, &server, &config).await;
    let ann = enter(&auth, "ann").await;
    // A little early every time, as a timer may be.
    let look = i64::try_from(auth.sessions().look_every().as_micros()).unwrap() - 1;
    for turn in 0..40 {
        desk.clock.advance_micros(look);
        assert!(knows(&auth, &ann).await, "look {turn}");
    }
    desk.clock.advance_micros(60_000_000);
    assert!(!knows(&auth, &ann).await, "nobody looked for a minute");
    desk.close().await;
}

#[tokio::test]
async fn limits_hold_at_every_gateway_and_activity_counts_at_all() {
    let (desk, server) = (Desk::open().await, Server::private());
    let (one, other) = (gateway(&desk, &server).await, gateway(&desk, &server).await);
    let minutes = |count: i64| count * 60_000_000;
    let ann = enter(&one, "ann").await;
    // Active by turns, here and there: 24 × 29 min = 11 h 36 min.
    for turn in 0..24 {
        desk.clock.advance_micros(minutes(29));
        assert!(knows(if turn % 2 == 0 { &one } else { &other }, &ann).await, "turn {turn}");
    }
    desk.clock.advance_micros(minutes(24) - 1);
    assert!(knows(&one, &ann).await);
    // The copy is fresh; the twelve hours are over all the same.
    desk.clock.advance_micros(1);
    assert!(!knows(&other, &ann).await && !knows(&one, &ann).await);
    let bob = enter(&other, "bob").await;
    desk.clock.advance_micros(minutes(30));
    assert!(!knows(&one, &bob).await && !knows(&other, &bob).await);
    tokio::time::timeout(PATIENCE, desk.close()).await.unwrap();
}
