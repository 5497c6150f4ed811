//! The site as processes, and its visitors.

use std::path::Path;

use serde_json::{Value, json};
use server::store::{Role, Store};
use testbed::{Postgres, Topology};

use crate::support::site::{OWNER, PASSWORD, Visitor};
use crate::support::traders::Stored;
use crate::support::trading_fixture::TEST_TIMEOUT;

/// A site under test, with limits that no test reaches by accident.
pub struct Deployment {
    pub site: Topology,
    pub gateways: Vec<String>,
}

impl Deployment {
    /// Starts everything; `more` are settings of the test's own.
    pub fn open(postgres: Postgres, more: &[(&str, &str)]) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compose.yaml");
        let mut variables = vec![
            ("TICKHALL_OWNER_EMAIL", OWNER),
            ("TICKHALL_LOG", "warn"),
            ("TICKHALL_LIMITS__REQUESTS_PER_SECOND", "100000"),
            ("TICKHALL_LIMITS__REQUESTS_PER_ADDRESS_PER_SECOND", "100000"),
            ("TICKHALL_LIMITS__ORDERS_PER_SECOND", "100000"),
        ];
        variables.extend(more);
        let binary = Path::new(env!("CARGO_BIN_EXE_tickhall"));
        let site =
            Topology::start(&file, binary, &variables, postgres).unwrap_or_else(|error| panic!("{error}"));
        let gateways = site.gateways().iter().map(|name| site.url(name)).collect();
        Self { site, gateways }
    }

    /// A PostgreSQL of the test's own.
    pub fn postgres() -> Postgres {
        Postgres::start(&["fsync=off"]).expect("PostgreSQL: `cargo xtask test` installs it")
    }

    /// The store, with all rights.
    pub async fn store(postgres: &Postgres) -> Store {
        Store::open_postgres(&postgres.url("postgres"), Role::Owner).await.unwrap()
    }

    /// Address of the proxy in front of the gateways.
    pub fn proxy(&self) -> String {
        self.site.url(&self.site.published()[0])
    }

    /// Somebody at the gateway of this number who is not signed in.
    pub fn visitor(&self, gateway: usize) -> Visitor {
        visitor(&self.gateways[gateway])
    }

    /// The venue's owner at the gateway of this number, signed in with the link that the
    /// program prints.
    pub async fn owner(&self, gateway: usize) -> Visitor {
        let mut owner = self.visitor(gateway);
        let link = self.say(&["user", "reset", OWNER]);
        let (_, token) = link.split_once("/reset?token=").unwrap();
        let reset = json!({ "token": token, "password": PASSWORD });
        assert_eq!(owner.post("/api/v1/auth/reset", &reset).await.status, 204);
        enter(owner, OWNER).await
    }

    /// Waits until every service says that it is well, its own agent named.
    pub async fn until_healthy(&self) {
        for name in self.site.names() {
            self.until_service_is_healthy(&name).await;
        }
    }

    /// Waits until one service is well.
    pub async fn until_service_is_healthy(&self, name: &str) {
        let visitor = visitor(&self.site.url(name));
        let well = async {
            while !answers_healthy(&visitor).await {
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(TEST_TIMEOUT, well).await.is_err() {
            panic!("does not get well: {}", self.site.log_tail(name));
        }
    }

    /// What the owner of the database reads in it.
    pub fn sql(&self, sql: &str) -> String {
        let mut psql = self.site.postgres.client("psql").unwrap();
        let done = psql.args(["-At", "-F", " ", "-c", sql]).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// Names of all streams on Redis, sorted.
    pub fn streams(&self) -> Vec<String> {
        let mut scan = self.site.redis.client("redis-cli").unwrap();
        let found = scan.args(["SCAN", "0", "COUNT", "1000000", "TYPE", "stream"]).output().unwrap();
        assert!(found.status.success(), "{found:?}");
        let found = String::from_utf8(found.stdout).unwrap();
        // After where it ended, each after the venue's own part.
        let names = found.lines().skip(1).map(|name| name.rsplit(':').next().unwrap().to_owned());
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names
    }

    /// Every order that is stored.
    pub fn stored(&self) -> Stored {
        let mut stored = Stored::new();
        for row in self.sql("SELECT client_order_id, order_id, seq FROM orders").lines() {
            let [name, id, seq] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
            stored.entry(name.to_owned()).or_default().push((id.to_owned(), seq.parse().unwrap()));
        }
        stored
    }

    /// What the program prints about this site's store.
    pub fn say(&self, words: &[&str]) -> String {
        let done = self.site.command(words).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{words:?}: {out}{err}");
        out.trim().to_owned()
    }
}

/// Somebody who is not signed in.
pub fn visitor(base: &str) -> Visitor {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    Visitor { client, base: base.to_owned(), cookie: None }
}

/// What a process says of its health; null when it does not answer.
pub async fn health(visitor: &Visitor) -> Value {
    let request = visitor.client.get(format!("{}/health", visitor.base)).timeout(TEST_TIMEOUT);
    let Ok(answer) = request.send().await else { return Value::Null };
    answer.json().await.unwrap_or_default()
}

/// Whether a process answers and its agent works.
pub async fn answers_healthy(visitor: &Visitor) -> bool {
    let said = health(visitor).await;
    let agents = said["agents"].as_object();
    said["ok"] == json!(true) && agents.is_some_and(|agents| !agents.is_empty())
}

/// Signs in or registers, whichever works.
pub async fn enter(mut visitor: Visitor, email: &str) -> Visitor {
    let body = json!({ "email": email, "password": PASSWORD });
    if visitor.post("/api/v1/auth/login", &body).await.status != 200 {
        let answer = visitor.post("/api/v1/auth/register", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    visitor
}
