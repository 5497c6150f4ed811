//! `tickhall user reset` beside a server that goes on.

use serde_json::json;

use super::process::{Server, finished};

const OLD: &str = "correct horse battery";
const NEW: &str = "violet anchor 42 lantern";

#[tokio::test]
async fn a_link_is_printed_while_the_site_is_open_and_sets_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let said = finished(&["user", "reset", "ada@example.org"], folder.path());
    assert_eq!(String::from_utf8(said.stderr).unwrap(), "error: --data data: no such folder\n");
    let server = Server::start(folder.path(), &[]);
    let post = async |path: &str, body: serde_json::Value| {
        let url = format!("{}/api/v1/auth/{path}", server.url);
        reqwest::Client::new().post(url).json(&body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(post("register", json!({ "email": "ada@example.org", "password": OLD })).await, 201);
    let said = finished(&["user", "reset", "bob@example.org"], folder.path());
    assert_eq!(
        String::from_utf8(said.stderr).unwrap(),
        "error: \"bob@example.org\" is no user's e-mail address\n"
    );
    let words = ["user", "reset", "Ada@example.org", "--set", "public_url=https://trade.example.org"];
    let said = finished(&words, folder.path());
    let link = String::from_utf8(said.stdout).unwrap();
    let token = link.trim_end().strip_prefix("https://trade.example.org/reset?token=").expect(&link);
    assert_eq!(post("reset", json!({ "token": token, "password": NEW })).await, 204);
    assert_eq!(post("login", json!({ "email": "ada@example.org", "password": OLD })).await, 401);
    assert_eq!(post("login", json!({ "email": "ada@example.org", "password": NEW })).await, 200);
    let logged = server.stop();
    assert!(logged.contains("password_reset") && !logged.contains(token) && !logged.contains(NEW));
}
