//! The description of the API: complete, plain, and true of a run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::description::Description;
use crate::support::site::{PASSWORD, Site, Visitor, ticket};

/// A bond that dealers quote.
const BOND: &str = "HALV-5.25-2033";

async fn described(visitor: &Visitor) -> &'static Description {
    Description::of(visitor).await.unwrap()
}

/// Calls `look` with every object inside `value` and its path.
fn objects<'v>(value: &'v Value, path: &str, look: &mut impl FnMut(&str, &'v Value)) {
    match value {
        Value::Object(fields) => {
            look(path, value);
            fields.iter().for_each(|(name, field)| objects(field, &format!("{path}/{name}"), look));
        }
        Value::Array(items) => items.iter().for_each(|item| objects(item, &format!("{path}/-"), look)),
        _ => {}
    }
}

#[tokio::test]
async fn the_description_is_open_cacheable_and_3_1() {
    let site = Site::open().await;
    let mut visitor = site.visitor();
    let answer = visitor.get("/api/v1/openapi.json").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    assert!(answer.json()["openapi"].as_str().unwrap().starts_with("3.1"));
    let tag = answer.header("etag").to_owned();
    let path = "/api/v1/openapi.json";
    let again = visitor.send(Method::GET, path, |request| request.header("if-none-match", &tag)).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    let session = &answer.json()["components"]["securitySchemes"]["session"];
    assert_eq!((&session["in"], &session["name"]), (&json!("cookie"), &json!("tickhall")));
    site.close().await;
}

#[tokio::test]
async fn everything_in_the_description_is_described() {
    let site = Site::open().await;
    let description = described(&site.visitor()).await;
    let document = &description.document;
    let mut missing = Vec::new();
    objects(document, "", &mut |path, object| {
        if let Some(target) = object["$ref"].as_str() {
            let found = document.pointer(target.trim_start_matches('#'));
            assert!(found.is_some(), "{path}: {target}");
        }
        if let Some(properties) = object["properties"].as_object().filter(|_| object["type"] == "object") {
            // What may be null has its text beside the reference.
            let own = |property: &Value| property["description"].is_string();
            let inner =
                |property: &Value| property["oneOf"].as_array().is_some_and(|all| all.iter().any(own));
            let silent = properties.iter().filter(|(_, property)| !own(property) && !inner(property));
            missing.extend(silent.map(|(name, _)| format!("{path}: {name}")));
        }
        if let Some(text) = object["description"].as_str() {
            assert!(!text.contains("[`"), "{path}: {text}");
        }
    });
    // Variants of an enum are named by what they hold.
    missing.retain(|path| !path.contains("/oneOf/"));
    assert!(missing.is_empty(), "{missing:#?}");

    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in description.operations() {
        assert!(operation["summary"].is_string(), "{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
        assert!(operation["tags"].as_array().unwrap().iter().all(|tag| tags.contains(&tag)), "{path}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{method} {path}: {parameter}");
        }
        let body = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        if let Some(target) = body.as_str() {
            let schema = document.pointer(target.trim_start_matches('#')).unwrap();
            objects(schema, target, &mut |path, object| {
                assert!(object["type"] != "object" || object["additionalProperties"] == false, "{path}");
            });
        }
    }
    for name in ["Decimal", "Money", "Basis"] {
        let schema = &document["components"]["schemas"][name];
        assert!(schema["pattern"].is_string() && schema["description"].as_str().unwrap().contains("unit"));
    }
    site.close().await;
}

fn sources(folder: PathBuf) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(path));
        } else {
            found.push(std::fs::read_to_string(path).unwrap());
        }
    }
    found
}

#[tokio::test]
async fn routes_and_descriptions_are_the_same() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    let description = described(&user).await;
    let mut count = 0;
    for (path, method, operation) in description.operations() {
        let path = path.replace("{id}", &uuid::Uuid::new_v4().to_string());
        let answer = user.clone().send(method.clone(), &path, |request| request).await;
        let no_route = matches!(answer.code().as_str(), "not_found" | "method_not_allowed");
        assert!(!no_route, "{method} {path}: {}", answer.text);
        if operation["security"].is_null() {
            let body = (!operation["requestBody"].is_null()).then_some("{}");
            let request = |request: reqwest::RequestBuilder| match body {
                Some(body) => request.header("content-type", "application/json").body(body),
                None => request,
            };
            let answer = site.visitor().send(method.clone(), &path, request).await;
            assert_eq!(answer.status, 401, "{method} {path}");
        }
        count += 1;
    }
    // Routes of the API are added with their description alone, and each of
    // those that are written is added.
    let sources = sources(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.iter().all(|source| !source.contains(r#".route("/api/"#)));
    let written: usize = sources.iter().map(|source| source.matches("#[utoipa::path(").count()).sum();
    assert_eq!(count, written);
    site.close().await;
}

/// Sends `body`, which must be as described, and expects `status`; every answer
/// is held against the description as it arrives.
async fn send(visitor: &mut Visitor, method: Method, path: &str, body: Option<Value>, status: u16) -> Value {
    let description = described(visitor).await;
    if let Some(body) = &body {
        let operation = description.operation(&method, path).unwrap();
        assert!(description.accepts(operation, body), "{method} {path}: {body}");
        let mut other = body.clone();
        other["unknown"] = json!(1);
        assert!(!description.accepts(operation, &other), "{method} {path}: {other}");
    }
    let request = |request: reqwest::RequestBuilder| match &body {
        Some(body) => request.header("content-type", "application/json").body(body.to_string()),
        None => request,
    };
    let answer = visitor.send(method.clone(), path, request).await;
    assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text);
    answer.json()
}

#[tokio::test]
async fn answers_of_a_trading_day_are_as_described() {
    let site = Site::open().await;
    let (get, post) = (Method::GET, Method::POST);
    let mut owner = site.owner().await;
    send(&mut owner, post.clone(), "/api/v1/venue/clock", Some(json!({ "step": { "steps": 100 } })), 200)
        .await;
    for command in ["pause", "resume"] {
        send(&mut owner, post.clone(), "/api/v1/venue/clock", Some(json!({ command: {} })), 200).await;
    }

    send(&mut owner, get.clone(), "/api/v1/venue/agents", None, 200).await;
    let users = send(&mut owner, get.clone(), "/api/v1/venue/users", None, 200).await;
    let reset = format!("/api/v1/venue/accounts/{}/reset", users["users"][0]["account"].as_str().unwrap());
    send(&mut owner, post.clone(), &reset, None, 204).await;

    let mut user = site.visitor();
    send(&mut user, post.clone(), "/api/v1/auth/guest", Some(json!({ "name": "Ada" })), 201).await;
    let credentials = json!({ "email": "ada@example.org", "password": PASSWORD });
    send(&mut user, post.clone(), "/api/v1/auth/keep", Some(credentials.clone()), 200).await;
    send(&mut site.visitor(), post.clone(), "/api/v1/auth/login", Some(credentials), 200).await;
    let profile = json!({ "name": "Countess" });
    send(&mut user, Method::PATCH, "/api/v1/account/profile", Some(profile), 200).await;
    let change = json!({ "current_password": PASSWORD, "password": format!("{PASSWORD} anew") });
    send(&mut user, post.clone(), "/api/v1/auth/password", Some(change), 204).await;
    let named = json!({ "email": "bob@example.org", "password": PASSWORD, "name": "Bob" });
    send(&mut site.visitor(), post.clone(), "/api/v1/auth/register", Some(named), 201).await;

    let acme = site.id("ACME");
    let market = ticket(acme, "BUY", "100", None, "market");
    send(&mut user, post.clone(), "/api/v1/orders/preview", Some(market.clone()), 200).await;
    for status in [201, 200] {
        send(&mut user, post.clone(), "/api/v1/orders", Some(market.clone()), status).await;
    }
    let mut limit = ticket(acme, "BUY", "10", Some("95"), "limit");
    limit["time_in_force"] = json!("GTC");
    limit["limit_price"] = json!(95.0);
    let placed = send(&mut user, post.clone(), "/api/v1/orders", Some(limit), 201).await;
    let order = format!("/api/v1/orders/{}", placed["order_id"].as_str().unwrap());
    let amend = json!({ "quantity": "5", "limit_price": null, "client_order_id": "amend" });
    send(&mut user, Method::PATCH, &order, Some(amend), 200).await;

    let boards =
        send(&mut user, get.clone(), &format!("/api/v1/quotes?instrument_id={}", site.id(BOND)), None, 200)
            .await;
    let quote = format!("/api/v1/quotes/{}", boards[0]["quotes"][0]["quote_id"].as_str().unwrap());
    let preview = json!({ "side": "BUY", "quantity": "20000" });
    send(&mut user, post.clone(), &format!("{quote}/preview"), Some(preview), 200).await;
    for (action, quantity) in [("lift", 20_000), ("hit", 10_000)] {
        let take = json!({ "quantity": quantity, "client_order_id": action });
        send(&mut user, post.clone(), &format!("{quote}/{action}"), Some(take), 201).await;
    }
    site.steps(200).await;

    for path in [
        "/api/v1/orders",
        "/api/v1/orders?status=OPEN&limit=1",
        &order,
        "/api/v1/quotes",
        "/api/v1/account",
        "/api/v1/portfolio",
        "/api/v1/portfolio/history",
        "/api/v1/history/trades",
        &format!("/api/v1/history/ticks?instrument_id={acme}&limit=3"),
        &format!("/api/v1/history/candles?instrument_id={acme}&interval=1s"),
        "/api/v1/instruments",
        "/api/v1/venue",
        "/api/v1/venue/clock",
        "/api/v1/session",
        "/api/v1/auth/session",
        "/api/v1/auth/sessions",
    ] {
        send(&mut user, get.clone(), path, None, 200).await;
    }
    send(&mut user, Method::DELETE, "/api/v1/orders", None, 200).await;
    send(&mut user, Method::DELETE, &order, None, 200).await;
    let line = json!({ "level": "info", "event": "test_line", "message": "A line." });
    send(&mut user, post.clone(), "/api/v1/logs", Some(line), 204).await;

    let missing = format!("/api/v1/orders/{}", uuid::Uuid::new_v4());
    send(&mut user, get.clone(), &missing, None, 404).await;
    send(&mut user, get.clone(), "/api/v1/stream", None, 426).await;
    let large = ticket(acme, "BUY", "20000", Some("100"), "large");
    send(&mut user, post.clone(), "/api/v1/orders", Some(large), 409).await;
    let claim = json!({ "token": "wrong" });
    send(&mut user, post.clone(), "/api/v1/venue/claim", Some(claim), 403).await;
    let reset = json!({ "token": "wrong", "password": PASSWORD });
    send(&mut user, post.clone(), "/api/v1/auth/reset", Some(reset), 403).await;
    send(&mut user, Method::DELETE, "/api/v1/auth/sessions", None, 204).await;
    send(&mut user, post, "/api/v1/auth/logout", None, 204).await;
    send(&mut user, get, "/api/v1/session", None, 401).await;
    site.close().await;
}
