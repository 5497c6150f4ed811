//! The whole server on a free port, with a folder and clocks of its own, and
//! visitors who use it from outside.
//!
//! The market stands still until a test says how many steps it makes. `close`
//! checks that the journal's fold equals the projections and that the books
//! balance; a site that is dropped without it fails its test.

use std::sync::Arc;

use engine::decimal::Decimal;
use engine::id::InstrumentId;
use engine::time::WallTime;
use engine::venue::VenueConfig;
use reqwest::header::HeaderMap;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use server::agents::auth::{Auth, grant_reset};
use server::agents::trading::verify::{Report, Steps, verify};
use server::bootstrap::{self, RunningServer};
use server::clock::WallClock;
use server::config::{ClockMode, Config, IdlePolicy};
use server::shutdown::Shutdown;

use super::database::TestDatabase;
use super::description::Description;

/// E-mail address that owns the venue.
pub const OWNER: &str = "owner@example.org";

/// Good enough for everybody.
pub const PASSWORD: &str = "correct horse battery";

/// A running server.
pub struct Site {
    pub running: Option<RunningServer>,
    pub database: Arc<TestDatabase>,
    pub clock: WallClock,
    pub base: String,
    pub config: Config,
    pub venue: VenueConfig,
}

impl Site {
    /// A site with limits that no test reaches by accident.
    pub async fn open() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, with settings of the test's own.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::of(VenueConfig::default(), change).await
    }

    /// The same, of another venue than the default.
    pub async fn of(venue: VenueConfig, change: impl FnOnce(&mut Config)) -> Self {
        Self::on(TestDatabase::of_this_run().await, venue, change).await
    }

    /// The same, in a database of the test's choice.
    pub async fn on(database: TestDatabase, venue: VenueConfig, change: impl FnOnce(&mut Config)) -> Self {
        let database = Arc::new(database);
        let mut config = Config {
            listen: ([127, 0, 0, 1], 0).into(),
            clock: ClockMode::Manual,
            idle: IdlePolicy::Run,
            seed: "7".parse().ok(),
            owner_email: Some(OWNER.to_owned()),
            ..Config::defaults().unwrap()
        };
        database.configure(&mut config);
        // Tests count candles.
        config.history.past_days = 0;
        config.limits.requests_per_second = 100_000;
        config.limits.requests_per_address_per_second = 100_000;
        config.limits.connections_per_address = 1_000_000;
        config.limits.orders_per_second = 100_000;
        config.limits.registrations_per_minute = 100_000;
        change(&mut config);
        let clock = WallClock::manual(WallTime(1_800_000_000_000_000));
        let mut site = Self { running: None, database, clock, base: String::new(), config, venue };
        site.start().await;
        site.wait_for_accounts().await;
        site
    }

    /// Waits until every user's account is open, that of the owner before anything else.
    async fn wait_for_accounts(&self) {
        let store = &self.running.as_ref().unwrap().resources.store;
        let opened = async {
            while !store.unopened_accounts(self.venue.venue_id(), None).await.unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(super::trading_fixture::TEST_TIMEOUT, opened)
            .await
            .expect("an account stays unopened");
    }

    /// Starts the server again in the same folder.
    pub async fn start(&mut self) {
        let listener = bootstrap::listen(&self.config).await.unwrap();
        self.database.open().await.close().await;
        let config = self.config.clone();
        let running =
            bootstrap::start(config, self.venue.clone(), listener, self.clock.clone(), Shutdown::new())
                .await
                .unwrap();
        self.base = format!("http://{}", running.address);
        self.running = Some(running);
        self.ready().await;
    }

    /// Ends the server and leaves its folder.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Host and port of the server.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// The auth agent.
    pub fn auth(&self) -> &Auth {
        self.running.as_ref().unwrap().in_process().unwrap().1
    }

    /// Waits until the gateway can show the venue.
    async fn ready(&self) {
        let visitor = self.visitor();
        let ready = async {
            while visitor.get("/health").await.json()["agents"]["gateway"]["ok"] != json!(true) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(super::trading_fixture::TEST_TIMEOUT, ready)
            .await
            .expect("the gateway does not get ready");
    }

    /// Somebody who is not signed in.
    pub fn visitor(&self) -> Visitor {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Visitor { client, base: self.base.clone(), cookie: None }
    }

    /// A new user, signed in.
    pub async fn user(&self, name: &str) -> Visitor {
        self.registered(&format!("{name}@example.org")).await
    }

    /// The venue's owner, signed in. The first time, with the token that the operator
    /// hands them.
    pub async fn owner(&self) -> Visitor {
        let mut owner = self.visitor();
        let body = json!({ "email": OWNER, "password": PASSWORD });
        if owner.post("/api/v1/auth/login", &body).await.status != 200 {
            let store = &self.running.as_ref().unwrap().resources.store;
            let token = grant_reset(store, OWNER, self.clock.now()).await.unwrap();
            let reset = json!({ "token": token.expect("an owner"), "password": PASSWORD });
            assert_eq!(owner.post("/api/v1/auth/reset", &reset).await.status, 204);
            assert_eq!(owner.post("/api/v1/auth/login", &body).await.status, 200);
        }
        owner
    }

    async fn registered(&self, email: &str) -> Visitor {
        let mut user = self.visitor();
        let body = json!({ "email": email, "password": PASSWORD });
        let answer = user.post("/api/v1/auth/register", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        user
    }

    /// Makes so many steps and waits until they are applied.
    pub async fn steps(&self, steps: u32) {
        let mut owner = self.owner().await;
        let answer = owner.post("/api/v1/venue/clock", &json!({ "step": { "steps": steps } })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// The id of the listed instrument called `symbol`.
    pub fn id(&self, symbol: &str) -> InstrumentId {
        InstrumentId::derive(VenueConfig::default().venue_id(), symbol)
    }

    /// A text from the money database.
    pub async fn text(&self, sql: &'static str) -> String {
        self.database.text(sql).await
    }

    /// Ends the server; its journal must fold to its projections.
    pub async fn close(mut self) -> Report {
        self.stop().await;
        let store = self.database.open().await;
        let report = verify(&store, VenueConfig::default().venue_id(), Steps::FromSeed).await.unwrap();
        store.close().await;
        self.running = None;
        self.base.clear();
        report
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        assert!(self.base.is_empty() || std::thread::panicking(), "close() the site: it checks the books");
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The error's code; empty when there is none.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A browser, or a program that behaves like one.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub client: reqwest::Client,
    pub base: String,
    /// `name=value`.
    pub cookie: Option<String>,
}

impl Visitor {
    pub async fn get(&self, path: &str) -> Answer {
        self.clone().send(Method::GET, path, |request| request).await
    }

    pub async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.raw(path, "application/json", body.to_string()).await
    }

    pub async fn patch(&mut self, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        self.send(Method::PATCH, path, |request| {
            request.header("content-type", "application/json").body(body)
        })
        .await
    }

    pub async fn delete(&mut self, path: &str) -> Answer {
        self.send(Method::DELETE, path, |request| request).await
    }

    /// A form as a browser without JavaScript sends it.
    pub async fn form(&mut self, path: &str, body: &str) -> Answer {
        self.raw(path, "application/x-www-form-urlencoded", body.to_owned()).await
    }

    pub async fn raw(&mut self, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
        let (kind, body) = (kind.to_owned(), body.into());
        self.send(Method::POST, path, |request| request.header("content-type", kind).body(body)).await
    }

    /// Sends a request from this site's own origin with the cookie, and keeps
    /// the cookie that comes back. An answer of the API must be as described.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        let mut request =
            self.client.request(method.clone(), format!("{}{path}", self.base)).header("origin", &self.base);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let answer = read(change(request).send().await.unwrap()).await;
        let set = answer.header("set-cookie");
        if let Some(pair) = set.split(';').next().filter(|pair| !pair.is_empty()) {
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        if path.starts_with("/api/v1/")
            && let Some(description) = Description::of(self).await
        {
            description.check(&method, path, &answer);
        }
        answer
    }

    /// Places an order and expects it to be accepted.
    pub async fn order(&mut self, ticket: &Value) -> Value {
        let answer = self.post("/api/v1/orders", ticket).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()
    }
}

async fn read(response: Response) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

/// A ticket that only differs from another in its name.
pub fn ticket(
    instrument: InstrumentId,
    side: &str,
    quantity: &str,
    limit: Option<&str>,
    name: &str,
) -> Value {
    let mut ticket = json!({
        "instrument_id": instrument,
        "side": side,
        "type": if limit.is_some() { "LIMIT" } else { "MARKET" },
        "quantity": quantity,
        "client_order_id": name,
    });
    if let Some(limit) = limit {
        ticket["limit_price"] = json!(limit);
    }
    ticket
}

/// The text of the element with `testid` in a page; the figures are plain text.
pub fn figure(page: &str, testid: &str) -> String {
    let named = page.split_once(&format!("data-testid=\"{testid}\""));
    let (_, after) = named.unwrap_or_else(|| panic!("no {testid}"));
    // Attributes come in any order.
    let (_, text) = after.split_once('>').unwrap();
    text.split_once('<').unwrap().0.trim().to_owned()
}

/// A decimal text as money in millionths.
pub fn money(value: &Value) -> i64 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no decimal text"));
    Decimal::parse(text).unwrap().in_units_of(Decimal::new(1, 6)).unwrap()
}
