//! Every line that a real server logs is one that `logging.schema.json`
//! describes, and none holds a secret.

use serde_json::{Value, json};

use super::log_schema::broken;
use super::process::Server;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../logging.schema.json")).unwrap()
}

fn good_line() -> Value {
    json!({
        "timestamp": "2026-01-05T09:30:00.000000Z", "level": "info", "service": "tickhall",
        "agent": "trading", "event": "venue_opened", "message": "open", "context": {}, "target": "server",
    })
}

#[test]
fn the_schema_tells_good_lines_from_bad_ones() {
    let schema = schema();
    assert_eq!(broken(&schema, &good_line()), None);
    let change = |name: &str, value: Value| {
        let mut line = good_line();
        line[name] = value;
        line
    };
    for bad in [
        change("timestamp", json!("yesterday")),
        change("timestamp", json!("2026-13-05T09:30:00.000000Z")),
        change("level", json!("loud")),
        change("agent", json!("risk")),
        change("event", json!("Not A Key")),
        change("context", json!("text")),
        change("seq", json!(-1)),
        change("step", json!("5")),
        change("venue", json!("main")),
        change("password", json!("hunter2")),
        json!({ "level": "info" }),
    ] {
        assert!(broken(&schema, &bad).is_some(), "{bad}");
    }
}

#[tokio::test]
async fn a_real_servers_lines_fit_the_schema_and_tell_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--log", "debug", "--seed", "271828182845"]);
    let token = server.printed.last().unwrap().rsplit(' ').next().unwrap().to_owned();
    let client = reqwest::Client::builder().cookie_store(true).build().unwrap();
    let password = "correct horse battery staple";
    let mut cookies = Vec::new();
    for (path, body) in [
        ("register", json!({ "email": "a@example.org", "password": password })),
        ("login", json!({ "email": "a@example.org", "password": "not the password" })),
        ("login", json!({ "email": "a@example.org", "password": password })),
    ] {
        let url = format!("{}/api/v1/auth/{path}", server.url);
        let request = client.post(url).header("origin", &server.url).json(&body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().as_u16() < 500, "{path}: {}", answer.status());
        cookies.extend(answer.cookies().map(|cookie| cookie.value().to_owned()));
    }
    // A browser speaks in the same lines, whoever it is.
    let line = json!({
        "level": "error", "event": "page_panicked", "message": "a \"bad\"\nthing",
        "page": "/reset?token=s3cret#x", "details": "at app.rs:1",
    });
    let told = client.post(format!("{}/api/v1/logs", server.url)).header("origin", &server.url).json(&line);
    assert_eq!(told.send().await.unwrap().status(), 204);
    let logged = server.stop();
    let schema = schema();
    let lines: Vec<Value> = logged.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        assert_eq!(broken(&schema, line), None);
    }
    let events: Vec<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
    for expected in ["venue_opened", "simulation_rebuilt", "clock_mode", "user_registered"] {
        assert!(events.contains(&expected), "{expected} in {events:?}");
    }
    let told = lines.iter().find(|line| line["service"] == "frontend").unwrap();
    assert_eq!((&told["agent"], &told["level"]), (&json!("browser"), &json!("error")));
    assert_eq!((&told["event"], &told["message"]), (&json!("page_panicked"), &json!("a \"bad\"\nthing")));
    assert_eq!(
        (&told["context"]["page"], &told["context"]["details"]),
        (&json!("/reset"), &json!("at app.rs:1"))
    );
    assert_eq!(cookies.len(), 2);
    let secrets = ["s3cret", password, "not the password", token.as_str(), "271828182845", "$argon2id$v=19"];
    for secret in secrets.into_iter().chain(cookies.iter().map(String::as_str)) {
        assert!(!logged.contains(secret), "{secret}");
    }
}
