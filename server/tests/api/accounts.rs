//! Registration, sign-in, sign-out, sessions.

use serde_json::json;
use server::agents::auth::grant_reset;
use server::clock::WallClock;

use crate::support::site::{OWNER, PASSWORD, Site, Visitor, money};

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
    let user = Visitor { base: site.base.clone(), ..user };
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
async fn whoever_registers_the_owners_address_does_not_own_the_venue() {
    let mut site = Site::open().await;
    // Not even the first, before the owner has come: the address is taken.
    let body = json!({ "email": "Owner@Example.org", "password": PASSWORD });
    let refused = site.visitor().post("/api/v1/auth/register", &body).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "email_taken"));
    let mut guest = site.visitor();
    guest.post("/api/v1/auth/guest", &json!({ "name": "Eve" })).await;
    assert_eq!(guest.post("/api/v1/auth/keep", &body).await.code(), "email_taken");
    // The token that was printed sets the password, once.
    let token = site.running.as_ref().unwrap().owner_token.clone().unwrap();
    let mut owner = site.visitor();
    let reset = json!({ "token": token, "password": PASSWORD });
    assert_eq!(owner.post("/api/v1/auth/reset", &reset).await.status, 204);
    assert_eq!(owner.post("/api/v1/auth/reset", &reset).await.status, 403);
    let signed_in = owner.post("/api/v1/auth/login", &json!({ "email": OWNER, "password": PASSWORD })).await;
    assert_eq!((signed_in.status.as_u16(), &signed_in.json()["owner"]), (200, &json!(true)));
    // Started again, the owner is the same and nothing is printed.
    site.stop().await;
    site.start().await;
    assert_eq!(site.running.as_ref().unwrap().owner_token, None);
    assert_eq!(site.owner().await.get("/api/v1/session").await.json()["owner"], true);
    site.close().await;
}

#[tokio::test]
async fn an_address_that_was_registered_before_it_was_configured_needs_the_link() {
    let mut site = Site::with(|config| config.owner_email = None).await;
    let squatter = site.user("teacher").await;
    site.stop().await;
    site.config.owner_email = Some("teacher@example.org".to_owned());
    site.start().await;
    let squatter = Visitor { base: site.base.clone(), ..squatter };
    assert_eq!(squatter.get("/api/v1/session").await.status, 401);
    let mut teacher = site.visitor();
    let login = |password: &str| json!({ "email": "teacher@example.org", "password": password });
    assert_eq!(teacher.post("/api/v1/auth/login", &login(PASSWORD)).await.status, 401);
    let token = site.running.as_ref().unwrap().owner_token.clone().unwrap();
    let reset = json!({ "token": token, "password": NEW_PASSWORD });
    assert_eq!(teacher.post("/api/v1/auth/reset", &reset).await.status, 204);
    let signed_in = teacher.post("/api/v1/auth/login", &login(NEW_PASSWORD)).await;
    assert_eq!(signed_in.json()["owner"], true, "{}", signed_in.text);
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

#[tokio::test]
async fn a_display_name_is_given_at_registration_and_changed_later() {
    let site = Site::open().await;
    let mut ada = site.visitor();
    let body = json!({ "email": "ada@example.org", "password": PASSWORD, "name": "  Ada   L. " });
    let answer = ada.post("/api/v1/auth/register", &body).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["name"]), (201, &json!("Ada L.")));
    let name = async |visitor: &Visitor| visitor.get("/api/v1/session").await.json()["name"].clone();
    let mut elsewhere = site.visitor();
    let login = json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(elsewhere.post("/api/v1/auth/login", &login).await.json()["name"], "Ada L.");
    assert_eq!(name(&elsewhere).await, "Ada L.");
    let renamed = ada.patch("/api/v1/account/profile", &json!({ "name": "Countess" })).await;
    assert_eq!((renamed.status.as_u16(), &renamed.json()["name"]), (200, &json!("Countess")));
    // Everywhere at once, also where a session was read before.
    assert_eq!((name(&ada).await, name(&elsewhere).await), (json!("Countess"), json!("Countess")));
    let long = "a".repeat(41);
    for refused in ["<b>", "a@b.example", long.as_str()] {
        let answer = ada.patch("/api/v1/account/profile", &json!({ "name": refused })).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, "invalid_name"), "{refused}");
    }
    let body = json!({ "email": "eve@example.org", "password": PASSWORD, "name": "<b>" });
    let refused = site.visitor().post("/api/v1/auth/register", &body).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "invalid_name"));
    assert_eq!(site.visitor().patch("/api/v1/account/profile", &json!({ "name": "Eve" })).await.status, 401);
    // Without a name, the address is shown. A guest has none.
    assert_eq!(ada.patch("/api/v1/account/profile", &json!({ "name": " " })).await.status, 200);
    assert_eq!(name(&elsewhere).await, "ada@example.org");
    let mut guest = site.visitor();
    guest.post("/api/v1/auth/guest", &json!({ "name": "Bob" })).await;
    assert_eq!(guest.patch("/api/v1/account/profile", &json!({ "name": "" })).await.status, 422);
    assert_eq!(guest.patch("/api/v1/account/profile", &json!({ "name": "Rob" })).await.json()["name"], "Rob");
    site.close().await;
}

#[tokio::test]
async fn forms_register_with_a_name_and_change_it() {
    let site = Site::open().await;
    let mut ada = site.visitor();
    let password = PASSWORD.replace(' ', "+");
    let refused = ada.form("/register", "name=Ada&email=ada%40example.org&password=short").await;
    let back = "/register?error=password_too_short&email=ada%40example.org&name=Ada";
    assert_eq!((refused.status.as_u16(), refused.header("location")), (303, back));
    assert!(ada.get(back).await.text.contains("value=\"Ada\""));
    let form = format!("name=Ada&email=ada%40example.org&password={password}");
    assert_eq!(ada.form("/register", &form).await.header("location"), "/");
    assert_eq!(ada.get("/api/v1/session").await.json()["name"], "Ada");
    let saved = ada.form("/account/profile", "name=Ada+L.").await;
    assert_eq!((saved.status.as_u16(), saved.header("location")), (303, "/account?notice=name_saved"));
    let page = ada.get("/account?notice=name_saved").await.text;
    assert!(page.contains("Your name is saved.") && page.contains("Ada L., ada@example.org"), "{page}");
    let refused = ada.form("/account/profile", "name=%3Cb%3E").await;
    assert_eq!(refused.header("location"), "/account?error=invalid_name");
    for path in ["/account/profile", "/account/password"] {
        assert_eq!(site.visitor().form(path, "").await.header("location"), "/login?next=/account");
    }
    site.close().await;
}

const NEW_PASSWORD: &str = "violet anchor 42 lantern";

#[tokio::test]
async fn changing_the_password_asks_for_the_present_one_and_ends_other_sessions() {
    let site = Site::open().await;
    let mut here = site.user("ada").await;
    let login = |password: &str| json!({ "email": "ada@example.org", "password": password });
    let mut there = site.visitor();
    assert_eq!(there.post("/api/v1/auth/login", &login(PASSWORD)).await.status, 200);
    let mut socket = there.follow("", &["account".to_owned()]).await;
    socket.next_update().await;
    let store = &site.running.as_ref().unwrap().resources.store;
    let token = grant_reset(store, "ada@example.org", site.clock.now()).await.unwrap().unwrap();

    let change = |present: &str, new: &str| json!({ "current_password": present, "password": new });
    for (body, status, code) in [
        (change("wrong password 1", NEW_PASSWORD), 403, "wrong_password"),
        (json!({ "password": NEW_PASSWORD }), 403, "wrong_password"),
        (change(PASSWORD, "short"), 422, "password_too_short"),
        (change(PASSWORD, "ada@example.org"), 422, "password_weak"),
    ] {
        let refused = here.post("/api/v1/auth/password", &body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code), "{body}");
    }
    assert_eq!(there.get("/api/v1/session").await.status, 200);
    assert_eq!(here.post("/api/v1/auth/password", &change(PASSWORD, NEW_PASSWORD)).await.status, 204);
    assert_eq!(socket.closed().await, 4001);
    assert_eq!(there.get("/api/v1/session").await.status, 401);
    assert_eq!(here.get("/api/v1/session").await.status, 200);
    // An earlier reset link sets nothing any more.
    let reset = json!({ "token": token, "password": PASSWORD });
    assert_eq!(there.post("/api/v1/auth/reset", &reset).await.code(), "invalid_token");
    assert_eq!(there.post("/api/v1/auth/login", &login(PASSWORD)).await.status, 401);
    assert_eq!(there.post("/api/v1/auth/login", &login(NEW_PASSWORD)).await.status, 200);

    let mut guest = site.visitor();
    guest.post("/api/v1/auth/guest", &json!({ "name": "Bob" })).await;
    let refused = guest.post("/api/v1/auth/password", &change("", NEW_PASSWORD)).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "no_password"));
    site.close().await;
}

#[tokio::test]
async fn guesses_at_the_present_password_are_limited_like_sign_ins() {
    let site = Site::open().await;
    let mut here = site.user("ada").await;
    let change = |present: &str| json!({ "current_password": present, "password": NEW_PASSWORD });
    for _ in 0..10 {
        assert_eq!(here.post("/api/v1/auth/password", &change("wrong password 1")).await.status, 403);
    }
    let limited = here.post("/api/v1/auth/password", &change(PASSWORD)).await;
    assert_eq!((limited.status.as_u16(), limited.code().as_str()), (429, "rate_limited"));
    // One budget for both.
    let login = json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(site.visitor().post("/api/v1/auth/login", &login).await.status, 429);
    site.clock.advance_micros(60_000_000);
    assert_eq!(here.post("/api/v1/auth/password", &change(PASSWORD)).await.status, 204);
    site.close().await;
}

#[tokio::test]
async fn the_form_changes_the_password_without_javascript() {
    let site = Site::open().await;
    let mut here = site.user("ada").await;
    let form = |present: &str, new: &str| {
        format!("current_password={}&password={}", present.replace(' ', "+"), new.replace(' ', "+"))
    };
    let page = here.get("/account").await.text;
    assert!(page.contains("name=\"current_password\"") && page.contains("Change password"), "{page}");
    for (form, target) in [
        (form("wrong password 1", NEW_PASSWORD), "/account?error=wrong_password"),
        (form(PASSWORD, "short"), "/account?error=password_too_short"),
        (form(PASSWORD, NEW_PASSWORD), "/account?notice=password_changed"),
    ] {
        let answer = here.form("/account/password", &form).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, target));
    }
    let page = here.get("/account?error=wrong_password").await.text;
    assert!(page.contains("This is not your present password."), "{page}");
    let login = json!({ "email": "ada@example.org", "password": NEW_PASSWORD });
    assert_eq!(site.visitor().post("/api/v1/auth/login", &login).await.status, 200);
    site.close().await;
}
