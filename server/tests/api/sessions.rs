//! A user's own sessions: list, revoke one, revoke all others.

use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::support::site::{PASSWORD, Site, Visitor};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Signs in again, with another browser.
async fn sign_in_again(site: &Site, name: &str) -> Visitor {
    let mut visitor = site.visitor();
    visitor.client = reqwest::Client::builder().redirect(Policy::none()).user_agent(FIREFOX).build().unwrap();
    let body = json!({ "email": format!("{name}@example.org"), "password": PASSWORD });
    assert_eq!(visitor.post("/api/v1/auth/login", &body).await.status, 200);
    visitor
}

async fn listed(visitor: &Visitor) -> Vec<Value> {
    let answer = visitor.get("/api/v1/auth/sessions").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().unwrap().clone()
}

fn id(entry: &Value) -> String {
    entry["session_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_describes_itself_without_its_secrets() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    let began = site.clock.now();
    site.clock.advance_micros(60_000_000);
    let answer = user.get("/api/v1/auth/session").await;
    let body = answer.json();
    assert_eq!(
        (&body["caller"]["email"], &body["session"]["current"]),
        (&json!("ada@example.org"), &json!(true))
    );
    assert_eq!(body["caller"]["session_id"], body["session"]["session_id"]);
    assert_eq!(body["session"]["created_at"], json!(began));
    // Active now: 30 min of idleness from here, 12 h from the beginning.
    let now = site.clock.now();
    assert_eq!(body["session"]["last_seen_at"], json!(now));
    assert_eq!(body["idle_expires_at"], json!(now.plus_micros(30 * 60_000_000)));
    assert_eq!(body["session"]["expires_at"], json!(began.plus_micros(12 * 3_600_000_000)));
    let cookie = user.cookie.clone().unwrap().split_once('=').unwrap().1.to_owned();
    let stored = site.text("SELECT lower(hex(session_hash)) FROM sessions").await;
    assert!(!answer.text.contains(&cookie) && !answer.text.contains(&stored), "{}", answer.text);
    assert_eq!(site.visitor().get("/api/v1/auth/session").await.status, 401);
    site.close().await;
}

#[tokio::test]
async fn a_revoked_session_ends_and_its_sockets_close() {
    let site = Site::open().await;
    let mut here = site.user("ada").await;
    let there = sign_in_again(&site, "ada").await;
    let mut bob = site.user("bob").await;
    let entries = listed(&here).await;
    let shown: Vec<_> = entries.iter().map(|entry| (&entry["current"], &entry["device"])).collect();
    assert_eq!(shown, [(&json!(true), &json!("Unknown")), (&json!(false), &json!("Firefox on Linux"))]);
    let (own, other) = (id(&entries[0]), id(&entries[1]));
    assert_eq!(id(&listed(&there).await[0]), other);
    assert_eq!(listed(&bob).await.len(), 1);

    // Nobody else's, and those that are not, are told alike.
    let path = |id: &str| format!("/api/v1/auth/sessions/{id}");
    let foreign = bob.delete(&path(&other)).await;
    let missing = bob.delete(&path(&uuid::Uuid::new_v4().to_string())).await;
    assert_eq!((foreign.status.as_u16(), foreign.code().as_str()), (404, "unknown_session"));
    assert_eq!(foreign.text, missing.text);
    let invalid = bob.delete(&path("1%20OR%201=1")).await;
    assert_eq!((invalid.status.as_u16(), invalid.code().as_str()), (400, "invalid_id"));
    assert_eq!(there.get("/api/v1/session").await.status, 200);

    let mut socket = there.follow("", &["account".to_owned()]).await;
    socket.next_update().await;
    let asked = Instant::now();
    assert_eq!(here.delete(&path(&other)).await.status, 204);
    assert_eq!(socket.closed().await, 4001);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(there.get("/api/v1/session").await.status, 401);
    assert_eq!(here.delete(&path(&other)).await.status, 404);
    assert_eq!(listed(&here).await.len(), 1);

    // The own one is a sign-out.
    let copy = here.clone();
    let answer = here.delete(&path(&own)).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(copy.get("/api/v1/session").await.status, 401);
    site.close().await;
}

#[tokio::test]
async fn all_other_sessions_are_revoked_at_once() {
    let site = Site::open().await;
    let mut here = site.user("ada").await;
    let others = [sign_in_again(&site, "ada").await, sign_in_again(&site, "ada").await];
    let bob = site.user("bob").await;
    assert_eq!(here.delete("/api/v1/auth/sessions").await.status, 204);
    for other in &others {
        assert_eq!(other.get("/api/v1/session").await.status, 401);
    }
    assert_eq!(listed(&here).await.len(), 1);
    assert_eq!(bob.get("/api/v1/session").await.status, 200);
    // Nothing is left to end; that is no error.
    assert_eq!(here.delete("/api/v1/auth/sessions").await.status, 204);
    site.close().await;
}

#[tokio::test]
async fn idle_sessions_are_not_listed() {
    let site = Site::open().await;
    let here = site.user("ada").await;
    let _idle = sign_in_again(&site, "ada").await;
    site.clock.advance_micros(20 * 60_000_000);
    assert_eq!(listed(&here).await.len(), 2);
    // 20 + 10 minutes without a request from there.
    site.clock.advance_micros(10 * 60_000_000);
    assert_eq!(listed(&here).await.len(), 1);
    site.close().await;
}

#[tokio::test]
async fn the_account_page_revokes_sessions_without_javascript() {
    let site = Site::open().await;
    let mut here = site.user("ada").await;
    let there = sign_in_again(&site, "ada").await;
    let elsewhere = sign_in_again(&site, "ada").await;
    let page = here.get("/account").await;
    assert_eq!(page.status, 200);
    let entries = listed(&here).await;
    for entry in &entries {
        assert!(page.text.contains(&format!("value=\"{}\"", id(entry))), "{entry}");
    }
    assert!(page.text.contains("Firefox on Linux") && page.text.contains("Sign out all others"));

    let end = |id: &str| format!("session={id}");
    let theirs = id(&listed(&there).await[0]);
    let gone = here.form("/account/sessions", &end(&theirs)).await;
    assert_eq!((gone.status.as_u16(), gone.header("location")), (303, "/account"));
    assert_eq!(there.get("/api/v1/session").await.status, 401);
    assert_eq!(here.form("/account/sessions", &end("others")).await.status, 303);
    assert_eq!(elsewhere.get("/api/v1/session").await.status, 401);
    for wrong in ["session=nobody", "", "user=x"] {
        let status = here.form("/account/sessions", wrong).await.status.as_u16();
        assert!(status == 400 || status == 422, "{wrong}: {status}");
    }
    let answer = here.form("/account/sessions", &end(&id(&entries[0]))).await;
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    let page = here.send(Method::GET, "/account", |request| request.header("accept", "text/html")).await;
    for answer in [page, here.form("/account/sessions", &end("others")).await] {
        assert!(answer.status.is_redirection(), "{}", answer.status);
        assert_eq!(answer.header("location"), "/login?next=/account");
    }
    site.close().await;
}

#[tokio::test]
async fn a_new_session_beyond_the_limit_ends_the_one_unused_for_longest() {
    let site = Site::with(|config| config.limits.sessions_per_user = 3).await;
    let minute = || site.clock.advance_micros(60_000_000);
    let first = site.user("ada").await;
    minute();
    let second = sign_in_again(&site, "ada").await;
    minute();
    let third = sign_in_again(&site, "ada").await;
    let bob = site.user("bob").await;
    minute();
    // The oldest one is used again, so the second is the one unused for longest.
    assert_eq!(first.get("/api/v1/session").await.status, 200);
    let mut socket = second.follow("", &["account".to_owned()]).await;
    socket.next_update().await;
    site.clock.advance_micros(5_000_000);
    for used in [&first, &third] {
        minute();
        assert_eq!(used.get("/api/v1/session").await.status, 200);
    }
    let fourth = sign_in_again(&site, "ada").await;
    assert_eq!(socket.closed().await, 4001);
    assert_eq!(second.get("/api/v1/session").await.status, 401);
    for going_on in [&first, &third, &fourth, &bob] {
        assert_eq!(going_on.get("/api/v1/session").await.status, 200);
    }
    assert_eq!(listed(&fourth).await.len(), 3);
    site.close().await;
}

#[tokio::test]
async fn a_user_has_twenty_sessions_at_most() {
    let site = Site::open().await;
    let mut user = site.user("ada").await;
    for _ in 0..30 {
        user = sign_in_again(&site, "ada").await;
    }
    assert_eq!(listed(&user).await.len(), 20);
    assert_eq!(site.text("SELECT CAST(count(*) AS TEXT) FROM sessions").await, "20");
    site.close().await;
}
