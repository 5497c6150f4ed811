//! Registration, sign-in, sign-out, sessions.

use serde_json::json;
use server::clock::WallClock;

use crate::support::site::{OWNER, PASSWORD, Site, money};

#[tokio::test]
async fn register_returns_201_with_a_hashed_user_an_account_and_a_secure_cookie() {
    let site = Site::with(|config| config.public_url = Some("https://trade.example.org".to_owned())).await;
    let visitor = site.visitor();
    let body = json!({ "email": "Ada@Example.org", "password": PASSWORD });
    let request = visitor.client.post(format!("{}/api/v1/auth/register", site.base));
    let response = request.header("origin", "https://trade.example.org").json(&body).send().await.unwrap();
    assert_eq!(response.status(), 201);
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["__Host-tickhall=", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let hash = site.text("SELECT password_hash FROM users WHERE email = 'ada@example.org'").await;
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && !hash.contains(PASSWORD));
    let account = site
        .text(
            "SELECT cash_balance || ' ' || base_currency || ' ' || CASE WHEN margin_allowed THEN 1 ELSE 0 END FROM accounts a
             JOIN users u ON u.id = a.user_id WHERE u.email = 'ada@example.org'",
        )
        .await;
    assert_eq!(account, "1000000000000 USD 0"); // 1,000,000 in millionths
    site.close().await;
}

#[tokio::test]
async fn a_new_user_has_an_account_at_once() {
    let site = Site::with(|config| config.limits.registrations_per_minute = 1_000).await;
    for number in 0..25 {
        let user = site.user(&format!("user-{number}")).await;
        let answer = user.get("/api/v1/account").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    site.close().await;
}

#[tokio::test]
async fn over_plain_http_the_cookie_has_a_plain_name() {
    let site = Site::open().await;
    let mut visitor = site.visitor();
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    let answer = visitor.post("/api/v1/auth/register", &body).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("tickhall=") && !cookie.contains("Secure"), "{cookie}");
    let session = visitor.get("/api/v1/session").await;
    assert_eq!(session.json()["email"], "ada@example.org");
    assert_eq!(session.json()["owner"], false);
    site.close().await;
}

#[tokio::test]
async fn the_store_holds_no_session_id() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    let id = user.cookie.clone().unwrap().split_once('=').unwrap().1.to_owned();
    let stored = site.text("SELECT lower(hex(session_hash)) FROM sessions").await;
    assert_eq!(stored.len(), 64);
    assert_ne!(stored, id);
    site.close().await;
}

#[tokio::test]
async fn every_sign_in_starts_a_new_session_and_ends_the_old_one() {
    let site = Site::open().await;
    let mut user = site.user("ada").await;
    let before = user.clone();
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(user.post("/api/v1/auth/login", &body).await.status, 200);
    assert_ne!(user.cookie, before.cookie);
    assert_eq!(before.get("/api/v1/session").await.status, 401);
    assert_eq!(user.get("/api/v1/session").await.status, 200);
    site.close().await;
}

#[tokio::test]
async fn sign_out_is_final() {
    let site = Site::open().await;
    let mut user = site.user("ada").await;
    let copy = user.clone();
    let answer = user.raw("/api/v1/auth/logout", "application/json", "").await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(copy.get("/api/v1/portfolio").await.status, 401);
    site.close().await;
}

#[tokio::test]
async fn only_a_sign_out_removes_the_cookie_and_browsers_accept_it() {
    let url = "https://trade.example.org";
    let site = Site::with(|config| config.public_url = Some(url.to_owned())).await;
    let visitor = site.visitor();
    let post = async |path: &str, cookie: &str| {
        let request = visitor.client.post(format!("{}{path}", site.base)).header("origin", url);
        let body = json!({ "email": "ada@example.org", "password": PASSWORD });
        let answer = request.header("cookie", cookie).json(&body).send().await.unwrap();
        answer.headers().get("set-cookie").map(|set| set.to_str().unwrap().to_owned())
    };
    let set = post("/api/v1/auth/register", "a=b").await.unwrap();
    assert!(set.contains("; Max-Age=43200"), "{set}"); // 12 h
    let cookie = set.split(';').next().unwrap();
    let removal = post("/api/v1/auth/logout", cookie).await.unwrap();
    assert!(removal.starts_with("__Host-tickhall=; "), "{removal}");
    for part in ["; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax", "; Max-Age=0"] {
        assert!(removal.contains(part), "{removal}");
    }
    // The answer to an older request must not remove the cookie of a new session.
    assert_eq!(post("/api/v1/logs", cookie).await, None);
    site.close().await;
}

#[tokio::test]
async fn a_session_ends_after_half_an_hour_idle_and_after_twelve_hours() {
    let site = Site::open().await;
    let minutes = |minutes: i64| minutes * 60_000_000;
    let user = site.user("ada").await;
    // Each request restarts the half hour.
    for _ in 0..24 {
        site.clock.advance_micros(minutes(29));
        assert_eq!(user.get("/api/v1/session").await.status, 200);
    }
    // 24 × 29 min = 11 h 36 min; 24 more are 12 h.
    site.clock.advance_micros(minutes(24));
    assert_eq!(user.get("/api/v1/session").await.status, 401);
    let idle = site.user("bob").await;
    site.clock.advance_micros(minutes(30));
    assert_eq!(idle.get("/api/v1/session").await.status, 401);
    site.close().await;
}

#[tokio::test]
async fn unknown_users_and_wrong_passwords_get_one_answer() {
    let site = Site::open().await;
    site.user("ada").await;
    let mut visitor = site.visitor();
    let mut answers = Vec::new();
    for (email, password) in [
        ("ada@example.org", "wrong password 1"),
        ("nobody@example.org", PASSWORD),
        ("not an address", PASSWORD),
        ("", ""),
    ] {
        let body = json!({ "email": email, "password": password });
        let answer = visitor.post("/api/v1/auth/login", &body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "invalid_credentials"));
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    site.close().await;
}

#[tokio::test]
async fn an_unknown_user_costs_as_many_hashes_as_a_wrong_password() {
    let site = Site::open().await;
    site.user("ada").await;
    let mut visitor = site.visitor();
    for (email, status) in
        [("ada@example.org", 401), ("nobody@example.org", 401), ("not an address", 401), ("", 401)]
    {
        let before = site.auth().password_hashes();
        let body = json!({ "email": email, "password": "wrong password 1" });
        assert_eq!(visitor.post("/api/v1/auth/login", &body).await.status, status);
        assert_eq!(site.auth().password_hashes() - before, 1, "{email}");
    }
    let metrics = visitor.get("/metrics").await.text;
    assert!(metrics.contains("tickhall_password_hashes_total"), "{metrics}");
    site.close().await;
}

#[tokio::test]
async fn the_eleventh_failure_in_a_minute_is_refused_for_its_account_alone() {
    let site = Site::open().await;
    site.user("ada").await;
    site.user("bob").await;
    let mut visitor = site.visitor();
    let wrong = json!({ "email": "ada@example.org", "password": "wrong password 1" });
    for _ in 0..10 {
        assert_eq!(visitor.post("/api/v1/auth/login", &wrong).await.status, 401);
    }
    let limited = visitor.post("/api/v1/auth/login", &wrong).await;
    assert_eq!((limited.status.as_u16(), limited.code().as_str()), (429, "rate_limited"));
    assert_eq!(limited.header("retry-after"), "60");
    let bob = json!({ "email": "bob@example.org", "password": PASSWORD });
    assert_eq!(visitor.post("/api/v1/auth/login", &bob).await.status, 200);
    site.clock.advance_micros(60_000_000);
    let right = json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(visitor.post("/api/v1/auth/login", &right).await.status, 200);
    site.close().await;
}

#[tokio::test]
async fn failures_from_one_address_are_limited_and_successes_do_not_count() {
    let site = Site::with(|config| config.limits.login_failures_per_address_per_minute = 5).await;
    site.user("ada").await;
    let mut visitor = site.visitor();
    let right = json!({ "email": "ada@example.org", "password": PASSWORD });
    for number in 0..5 {
        // A class that signs in is no attack.
        for _ in 0..2 {
            assert_eq!(visitor.post("/api/v1/auth/login", &right).await.status, 200);
        }
        let wrong = json!({ "email": format!("user-{number}@example.org"), "password": PASSWORD });
        assert_eq!(visitor.post("/api/v1/auth/login", &wrong).await.status, 401);
    }
    let limited = visitor.post("/api/v1/auth/login", &right).await;
    assert_eq!((limited.status.as_u16(), limited.code().as_str()), (429, "rate_limited"));
    site.clock.advance_micros(60_000_000);
    assert_eq!(visitor.post("/api/v1/auth/login", &right).await.status, 200);
    site.close().await;
}

#[tokio::test]
async fn an_unopened_account_is_opened_at_start_up() {
    let mut site = Site::open().await;
    let user = site.user("ada").await;
    site.stop().await;
    // A user who was stored just before a crash.
    let store = site.database.open().await;
    let venue = engine::venue::VenueConfig::default().venue_id();
    let id = uuid::Uuid::new_v4();
    let new = server::store::users::NewUser {
        id,
        email: "late@example.org".to_owned(),
        name: None,
        password_hash: "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            .to_owned(),
        created_at: WallClock::System.now(),
        venue,
        account: engine::id::AccountId::derive(venue, id),
    };
    assert!(store.insert_user(&new).await.unwrap());
    assert_eq!(store.unopened_accounts(venue, None).await.unwrap().len(), 1);
    store.close().await;
    drop(store);
    site.start().await;
    let opened = async {
        let store = &site.running.as_ref().unwrap().resources.store;
        while !store.unopened_accounts(venue, None).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::support::trading_fixture::TEST_TIMEOUT, opened)
        .await
        .expect("the account stays unopened");
    // The session from before the restart goes on.
    let user = crate::support::site::Visitor { base: site.base.clone(), ..user };
    let portfolio = user.get("/api/v1/portfolio").await.json();
    assert_eq!(money(&portfolio["valuation"]["cash"]), 1_000_000_000_000);
    site.close().await;
}

#[tokio::test]
async fn the_named_owner_owns_the_venue_and_nobody_else() {
    let site = Site::open().await;
    let (owner, mut user) = (site.owner().await, site.user("ada").await);
    assert_eq!(owner.get("/api/v1/session").await.json()["email"], OWNER);
    assert_eq!(owner.get("/api/v1/session").await.json()["owner"], true);
    let step = json!({ "step": { "steps": 1 } });
    let refused = user.post("/api/v1/venue/clock", &step).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "not_owner"));
    let claim = user.post("/api/v1/venue/claim", &json!({ "token": "guess" })).await;
    assert_eq!((claim.status.as_u16(), claim.code().as_str()), (403, "invalid_token"));
    site.close().await;
}

#[tokio::test]
async fn the_claim_token_makes_an_owner_once() {
    let site = Site::with(|config| config.owner_email = None).await;
    let token = site.running.as_ref().unwrap().claim_token.clone().unwrap();
    let (mut ada, mut bob) = (site.user("ada").await, site.user("bob").await);
    let body = json!({ "token": token });
    assert_eq!(ada.post("/api/v1/venue/claim", &body).await.status, 204);
    assert_eq!(ada.get("/api/v1/session").await.json()["owner"], true);
    assert_eq!(bob.post("/api/v1/venue/claim", &body).await.status, 403);
    site.close().await;
}
