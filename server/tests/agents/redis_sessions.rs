//! Two gateways share sessions: the store is the truth, Redis only saves
//! queries.

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use engine::id::Digest;
use serde_json::{Value, json};
use server::agents::auth::{Auth, routes, with_sessions};
use server::agents::context::AgentContext;
use server::config::Config;
use tower::ServiceExt as _;

use crate::support::redis::Server;
use crate::support::site::PASSWORD;
use crate::support::trading_fixture::{TEST_TIMEOUT, TradingFixture};

/// One gateway's auth over the fixture's store, with a connection of its own.
struct Gateway {
    auth: Auth,
    router: Router,
}

impl Gateway {
    async fn open(fixture: &TradingFixture, server: &Server) -> Self {
        Self::with(fixture, server, &Config::defaults().unwrap()).await
    }

    async fn with(fixture: &TradingFixture, server: &Server, config: &Config) -> Self {
        let context = AgentContext { bus: server.bus().await, ..fixture.context() };
        let auth = Auth::new(context, fixture.client.clone(), config, false).unwrap();
        Self { router: with_sessions(routes().into(), &auth), auth }
    }

    async fn send(&self, method: Method, path: &str, cookie: Option<&str>, body: Value) -> Response {
        let mut request =
            Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        self.router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap()
    }

    /// Registers a user; returns the cookie.
    async fn register(&self, name: &str) -> String {
        let body = json!({ "email": format!("{name}@example.org"), "password": PASSWORD });
        let response = self.send(Method::POST, "/api/v1/auth/register", None, body).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        response.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    /// Returns true if the session has not ended.
    async fn knows(&self, cookie: &str) -> bool {
        let response = self.send(Method::GET, "/api/v1/session", Some(cookie), Value::Null).await;
        assert!(matches!(response.status(), StatusCode::OK | StatusCode::UNAUTHORIZED), "{response:?}");
        response.status() == StatusCode::OK
    }

    async fn sign_out(&self, cookie: &str) {
        let response = self.send(Method::POST, "/api/v1/auth/logout", Some(cookie), Value::Null).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn a_session_that_ended_at_one_gateway_has_ended_at_the_other() {
    let (fixture, server) = (TradingFixture::open().await, Server::private());
    let (one, other) = (Gateway::open(&fixture, &server).await, Gateway::open(&fixture, &server).await);
    let (ann, bob) = (one.register("ann").await, one.register("bob").await);
    for session in [&ann, &bob] {
        // Both hold a copy from now on.
        assert!(one.knows(session).await && other.knows(session).await);
    }
    one.sign_out(&ann).await;
    assert!(!other.knows(&ann).await && !one.knows(&ann).await);
    assert!(other.knows(&bob).await);
    fixture.close().await;
}

#[tokio::test]
async fn a_wipe_and_an_outage_neither_end_nor_restore_a_session() {
    let (fixture, mut server) = (TradingFixture::open().await, Server::private());
    let (one, other) = (Gateway::open(&fixture, &server).await, Gateway::open(&fixture, &server).await);
    let (ann, bob) = (one.register("ann").await, one.register("bob").await);
    assert!(other.knows(&ann).await && other.knows(&bob).await);
    server.wipe();
    assert!(one.knows(&ann).await && other.knows(&ann).await);
    server.kill();
    assert!(one.knows(&ann).await && other.knows(&bob).await);
    one.sign_out(&ann).await;
    assert!(!other.knows(&ann).await, "there is no copy: the store is asked");
    server.restart();
    assert!(!one.knows(&ann).await && !other.knows(&ann).await);
    assert!(one.knows(&bob).await && other.knows(&bob).await);
    fixture.close().await;
}

#[tokio::test]
async fn a_session_saved_after_its_end_is_not_restored() {
    use axum_login::tower_sessions::SessionStore as _;
    use axum_login::tower_sessions::session::Id;

    let (fixture, server) = (TradingFixture::open().await, Server::private());
    let gateway = Gateway::open(&fixture, &server).await;
    let cookie = gateway.register("ann").await;
    let id: Id = cookie.split_once('=').unwrap().1.parse().unwrap();
    let sessions = gateway.auth.sessions();
    let record = sessions.load(&id).await.unwrap().unwrap();
    gateway.sign_out(&cookie).await;
    // A request that was in flight saves what it has read, with and without
    // the marker in Redis.
    for wiped in [false, true] {
        if wiped {
            server.wipe();
        }
        sessions.save(&record).await.unwrap();
        assert!(sessions.load(&id).await.unwrap().is_none(), "wiped: {wiped}");
    }
    assert!(
        fixture.store.session(fixture.venue(), Digest::of(&[&id.0.to_le_bytes()]).0).await.unwrap().is_none()
    );
    fixture.close().await;
}

#[tokio::test]
async fn an_open_socket_keeps_a_session_under_the_shortest_limit() {
    let (fixture, server) = (TradingFixture::open().await, Server::private());
    let mut config = Config::defaults().unwrap();
    config.session.idle_minutes = 1;
    let gateway = Gateway::with(&fixture, &server, &config).await;
    let ann = gateway.register("ann").await;
    // A little early every time, as a timer may be.
    let interval = i64::try_from(gateway.auth.sessions().check_interval().as_micros()).unwrap() - 1;
    for turn in 0..40 {
        fixture.clock.advance_micros(interval);
        assert!(gateway.knows(&ann).await, "check {turn}");
    }
    fixture.clock.advance_micros(60_000_000);
    assert!(!gateway.knows(&ann).await, "idle for a minute");
    fixture.close().await;
}

#[tokio::test]
async fn limits_and_activity_hold_for_all_gateways() {
    let (fixture, server) = (TradingFixture::open().await, Server::private());
    let (one, other) = (Gateway::open(&fixture, &server).await, Gateway::open(&fixture, &server).await);
    let minutes = |count: i64| count * 60_000_000;
    let ann = one.register("ann").await;
    // Active by turns, here and there: 24 × 29 min = 11 h 36 min.
    for turn in 0..24 {
        fixture.clock.advance_micros(minutes(29));
        assert!((if turn % 2 == 0 { &one } else { &other }).knows(&ann).await, "turn {turn}");
    }
    fixture.clock.advance_micros(minutes(24) - 1);
    assert!(one.knows(&ann).await);
    // The copy is fresh; the twelve hours are over all the same.
    fixture.clock.advance_micros(1);
    assert!(!other.knows(&ann).await && !one.knows(&ann).await);
    let bob = other.register("bob").await;
    fixture.clock.advance_micros(minutes(30));
    assert!(!one.knows(&bob).await && !other.knows(&bob).await);
    tokio::time::timeout(TEST_TIMEOUT, fixture.close()).await.unwrap();
}
