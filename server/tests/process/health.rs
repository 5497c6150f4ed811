//! Start and end: a server that calls itself well answers everything, and a signal
//! ends it in order from its first moment on.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::process::{Server, command};
use crate::support::site::{OWNER, PASSWORD, Visitor, ticket};
use crate::support::trading_fixture::TEST_TIMEOUT;

/// A server at an address that is known before it runs; killed when the test fails.
struct Starting {
    child: Child,
    base: String,
}

impl Starting {
    fn spawn(folder: &Path) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let words = ["serve", "--listen", &free.to_string(), "--clock", "manual"];
        let mut command = command(&words, folder);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { child, base: format!("http://{free}") }
    }

    /// Waits for the first time that the server says that it is well.
    async fn well(&self, client: &reqwest::Client) {
        let well = async {
            let ask = || client.get(format!("{}/health", self.base)).send();
            while !ask().await.is_ok_and(|answer| answer.status() == 200) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(TEST_TIMEOUT, well).await.expect("the server does not get well");
    }

    /// Sends SIGTERM and waits for the end; true if it was in order.
    fn stop(mut self) -> bool {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().success()
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_server_that_is_well_answers_everything_and_a_signal_ends_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let client = reqwest::Client::new();
    let first = Server::start(folder.path(), &["--owner-email", OWNER]);
    let mut user = Visitor { client: client.clone(), base: first.url.clone(), cookie: None };
    let body = json!({ "email": OWNER, "password": PASSWORD });
    assert_eq!(user.post("/api/v1/auth/register", &body).await.status, 201);
    assert_eq!(user.post("/api/v1/venue/clock", &json!({ "step": { "steps": 10 } })).await.status, 200);
    let listed = user.get("/api/v1/instruments").await.json();
    let acme = listed.as_array().unwrap().iter().find(|entry| entry["symbol"] == "ACME").unwrap();
    let acme = acme["instrument_id"].as_str().unwrap().parse().unwrap();
    first.stop();
    for round in 0..5 {
        let server = Starting::spawn(folder.path());
        user.base.clone_from(&server.base);
        server.well(&client).await;
        for path in [
            "/",
            "/portfolio",
            "/api/v1/account",
            "/api/v1/portfolio",
            "/api/v1/orders",
            "/api/v1/venue/clock",
        ] {
            let answer = user.get(path).await;
            assert_eq!(answer.status, 200, "{round}: {path}: {}", answer.text);
        }
        let order = ticket(acme, "BUY", "1", None, &format!("c-{round}"));
        let answer = user.post("/api/v1/orders", &order).await;
        assert_eq!(answer.status, 201, "{round}: {}", answer.text);
        assert!(server.stop(), "{round}: the signal killed it");
    }
    for round in 0..5 {
        let server = Starting::spawn(folder.path());
        server.well(&client).await;
        assert!(server.stop(), "{round}: the signal killed it");
    }
}
