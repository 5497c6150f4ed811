//! Password resets by tokens that work once.

use serde_json::json;
use server::agents::auth::grant_reset;

use crate::support::site::{Answer, PASSWORD, Site};

const NEW: &str = "violet anchor 42 lantern";

/// A token as `tickhall user reset` prints it.
async fn token(site: &Site, name: &str) -> String {
    let store = &site.running.as_ref().unwrap().resources.store;
    grant_reset(store, &format!("{name}@Example.org"), site.clock.now()).await.unwrap().unwrap()
}

fn told(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

fn expected(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn a_token_sets_a_password_once_and_ends_the_users_sessions() {
    let site = Site::open().await;
    let (ada, bob) = (site.user("ada").await, site.user("bob").await);
    let mut socket = ada.follow("", &["account".to_owned()]).await;
    socket.next_update().await;
    let token = token(&site, "ada").await;
    let stored = "SELECT lower(hex(token_hash)) FROM password_resets
                  WHERE user_id = (SELECT id FROM users WHERE email = 'ada@example.org')";
    let stored = site.text(stored).await;
    assert_ne!(stored, token);

    let mut visitor = site.visitor();
    let body = json!({ "token": token, "password": NEW });
    // What is refused for the password does not use the token up.
    let weak =
        visitor.post("/api/v1/auth/reset", &json!({ "token": token, "password": "password123" })).await;
    assert_eq!(told(&weak), expected(422, "password_weak"));
    assert_eq!(visitor.post("/api/v1/auth/reset", &body).await.status, 204);
    assert_eq!(told(&visitor.post("/api/v1/auth/reset", &body).await), expected(403, "invalid_token"));

    assert_eq!(socket.closed().await, 4001);
    assert_eq!(ada.get("/api/v1/session").await.status, 401);
    assert_eq!(bob.get("/api/v1/session").await.status, 200);
    let enter = |password: &str| json!({ "email": "ada@example.org", "password": password });
    assert_eq!(visitor.post("/api/v1/auth/login", &enter(PASSWORD)).await.status, 401);
    assert_eq!(visitor.post("/api/v1/auth/login", &enter(NEW)).await.status, 200);
    site.close().await;
}

#[tokio::test]
async fn replaced_expired_and_invented_tokens_are_refused() {
    let site = Site::open().await;
    site.user("ada").await;
    let store = &site.running.as_ref().unwrap().resources.store;
    for nobody in ["bob@example.org", "ada", ""] {
        assert_eq!(grant_reset(store, nobody, site.clock.now()).await.unwrap(), None, "{nobody}");
    }
    let older = token(&site, "ada").await;
    let newer = token(&site, "ada").await;
    let mut visitor = site.visitor();
    let made_up = "0".repeat(64);
    for token in [&older, &made_up, &String::new(), &"é".repeat(30_000)] {
        let answer = visitor.post("/api/v1/auth/reset", &json!({ "token": token, "password": NEW })).await;
        assert_eq!(told(&answer), expected(403, "invalid_token"), "{token:.10}");
    }
    site.clock.advance_micros(3_600_000_000);
    let late = visitor.post("/api/v1/auth/reset", &json!({ "token": newer, "password": NEW })).await;
    assert_eq!(told(&late), expected(403, "invalid_token"));
    site.close().await;
}

#[tokio::test]
async fn guesses_are_limited_by_address() {
    let site = Site::open().await;
    let mut visitor = site.visitor();
    let body = json!({ "token": "guess", "password": NEW });
    for _ in 0..10 {
        assert_eq!(visitor.post("/api/v1/auth/reset", &body).await.status, 403);
    }
    let limited = visitor.post("/api/v1/auth/reset", &body).await;
    assert_eq!(told(&limited), expected(429, "rate_limited"));
    assert_eq!(limited.header("retry-after"), "60");
    site.close().await;
}

#[tokio::test]
async fn the_form_sets_a_password_without_javascript() {
    let site = Site::open().await;
    site.user("ada").await;
    let token = token(&site, "ada").await;
    let mut browser = site.visitor();
    let page = browser.get(&format!("/reset?token={token}")).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains(&format!("value=\"{token}\"")), "the form lacks the token");
    let form = |password: &str| format!("token={token}&password={}", password.replace(' ', "+"));
    let short = browser.form("/reset", &form("short")).await;
    let back = format!("/reset?error=password_too_short&token={token}");
    assert_eq!((short.status.as_u16(), short.header("location")), (303, back.as_str()));
    let done = browser.form("/reset", &form(NEW)).await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/login?notice=password_set"));
    let again = browser.form("/reset", &form(NEW)).await;
    assert!(again.header("location").starts_with("/reset?error=invalid_token"));
    let greeting = browser.get("/login?notice=password_set").await;
    assert!(greeting.text.contains("Your new password is set"));
    let login = format!("email=ada%40example.org&password={}", NEW.replace(' ', "+"));
    assert_eq!(browser.form("/login", &login).await.header("location"), "/");
    site.close().await;
}
