//! Guests: registration with a name alone, later with an address, and removal.

use std::time::Duration;

use engine::id::Digest;
use engine::venue::Command;
use serde_json::{Value, json};
use server::sequencer_client::SendError;
use server::store::users::{GuestRegistration, UserAccount};

use crate::support::site::{PASSWORD, Site, Visitor, ticket};

const HOUR_MICROS: i64 = 3_600_000_000;
const DAY_MICROS: i64 = 24 * HOUR_MICROS;

async fn guest(site: &Site, name: &str) -> Visitor {
    let mut guest = site.visitor();
    let answer = guest.post("/api/v1/auth/guest", &json!({ "name": name })).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    guest
}

async fn who(visitor: &Visitor) -> Value {
    visitor.get("/api/v1/session").await.json()
}

#[tokio::test]
async fn a_guest_trades_and_registers_with_the_same_account() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut ada = guest(&site, "  Ada   L. ").await;
    let before = who(&ada).await;
    let name = before["email"].as_str().unwrap().to_owned();
    assert!(name.starts_with("ada l. (guest "), "{name}");
    assert_eq!(before["name"], "Ada L.");
    ada.order(&ticket(site.id("ACME"), "BUY", "100", None, "c-1")).await;
    // The name signs nobody in.
    let mut stranger = site.visitor();
    let tried = stranger.post("/api/v1/auth/login", &json!({ "email": name, "password": "" })).await;
    assert_eq!((tried.status.as_u16(), tried.code()), (401, "invalid_credentials".to_owned()));

    site.user("bob").await;
    let old = Visitor { cookie: ada.cookie.clone(), ..site.visitor() };
    for (body, status, code) in [
        (json!({ "email": "ada", "password": PASSWORD }), 422, "invalid_email"),
        (json!({ "email": "ada@example.org", "password": "short" }), 422, "password_too_short"),
        (json!({ "email": "bob@example.org", "password": PASSWORD }), 409, "email_taken"),
        (json!({ "email": "a@b.example", "password": PASSWORD, "role": "owner" }), 422, "unknown_field"),
    ] {
        let refused = ada.post("/api/v1/auth/keep", &body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (status, code), "{body}");
    }
    assert_eq!(who(&ada).await["email"], before["email"]);
    let body = json!({ "email": "Ada@Example.org", "password": PASSWORD });
    let kept = ada.post("/api/v1/auth/keep", &body).await;
    assert_eq!(kept.status, 200, "{}", kept.text);
    let after = who(&ada).await;
    assert_eq!((&after["email"], &after["account"]), (&json!("ada@example.org"), &before["account"]));
    assert_eq!(after["name"], "Ada L.");
    // The guest's session is over, and there is no guest any more.
    assert_eq!(old.get("/api/v1/session").await.status, 401);
    let again = ada.post("/api/v1/auth/keep", &json!({ "email": "c@d.example", "password": PASSWORD })).await;
    assert_eq!((again.status.as_u16(), again.code()), (409, "not_guest".to_owned()));

    let mut elsewhere = site.visitor();
    let signed_in = elsewhere.post("/api/v1/auth/login", &body).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text);
    let portfolio = elsewhere.get("/api/v1/portfolio").await.json();
    assert_eq!(portfolio["valuation"]["positions"][0]["quantity"], "100", "{portfolio}");
    site.close().await;
}

#[tokio::test]
async fn guests_names_are_checked_and_their_number_is_limited() {
    let site = Site::with(|config| config.limits.registrations_per_minute = 3).await;
    let mut visitor = site.visitor();
    for name in ["", "  ", "bob@example.org", "<script>", "a\u{202e}b"] {
        let refused = visitor.post("/api/v1/auth/guest", &json!({ "name": name })).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "invalid_name".to_owned()), "{name:?}");
    }
    let first = who(&guest(&site, "ada").await).await;
    let second = who(&guest(&site, "ada").await).await;
    assert_ne!(first["account"], second["account"]);
    guest(&site, "ada").await;
    let fourth = visitor.post("/api/v1/auth/guest", &json!({ "name": "ada" })).await;
    assert_eq!((fourth.status.as_u16(), fourth.code()), (429, "rate_limited".to_owned()));
    // A visitor has no account to keep.
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(visitor.post("/api/v1/auth/keep", &body).await.status, 401);
    site.close().await;
}

#[tokio::test]
async fn a_guest_comes_back_after_weeks_without_use() {
    let site = Site::open().await;
    let mut ada = site.visitor();
    let answer = ada.post("/api/v1/auth/guest", &json!({ "name": "Ada" })).await;
    // Browsers keep no cookie for more than 400 days.
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("; Max-Age=34560000"), "{cookie}");
    let account = who(&ada).await["account"].clone();
    // Each use restarts the 30 days; a guest who comes back is not lost meanwhile.
    for _ in 0..3 {
        site.clock.advance_micros(29 * DAY_MICROS);
        site.auth().clean_up().await.unwrap();
        assert_eq!(who(&ada).await["account"], account);
        assert_eq!(ada.get("/api/v1/portfolio").await.status, 200);
    }
    let session = ada.get("/api/v1/auth/session").await.json();
    assert_eq!(session["idle_expires_at"], json!(site.clock.now().plus_micros(30 * DAY_MICROS)));
    // A registered user's session ends as it did.
    let bob = site.user("bob").await;
    site.clock.advance_micros(HOUR_MICROS / 2);
    assert_eq!(bob.get("/api/v1/session").await.status, 401);
    site.clock.advance_micros(30 * DAY_MICROS);
    assert_eq!(ada.get("/api/v1/session").await.status, 401);
    site.close().await;
}

#[tokio::test]
async fn no_form_ends_a_guests_session_without_a_question() {
    let site = Site::open().await;
    site.user("bob").await;
    let mut ada = guest(&site, "Ada").await;
    let account = who(&ada).await["account"].clone();
    let own =
        ada.get("/api/v1/auth/session").await.json()["session"]["session_id"].as_str().unwrap().to_owned();
    let bob = format!("email=bob%40example.org&password={}", PASSWORD.replace(' ', "+"));
    let new = format!("email=new%40example.org&password={}", PASSWORD.replace(' ', "+"));
    let (asked, problem) = ("/account?notice=guest_sign_out", "/account?error=guest_session");
    for (path, form, target) in [
        ("/logout", String::new(), asked),
        ("/account/sessions", format!("session={own}"), asked),
        // Pages that were open before the guest came.
        ("/guest", "name=Ada&next=%2Fportfolio".to_owned(), "/portfolio"),
        ("/login", bob, problem),
        ("/register", new, problem),
    ] {
        let answer = ada.form(path, &form).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, target), "{path}");
        assert_eq!(who(&ada).await["account"], account, "{path}");
    }
    let page = ada.get(asked).await;
    for text in
        ["You are not signed out yet", "deleted when you sign out or stay away 30 days", "Save account"]
    {
        assert!(page.text.contains(text), "{text}");
    }
    assert!(page.text.contains("name=\"delete\" value=\"account\""), "{}", page.text);
    let answer = ada.form("/logout", "delete=account").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/login"));
    assert_eq!(ada.get("/api/v1/session").await.status, 401);
    site.close().await;
}

/// Numbers of guests, of users' accounts, and of accounts with cash, live orders and
/// open positions.
async fn left(site: &Site) -> [String; 5] {
    [
        site.text("SELECT CAST(count(*) AS TEXT) FROM users WHERE email NOT LIKE '%@%'").await,
        site.text("SELECT CAST(count(*) AS TEXT) FROM user_accounts").await,
        site.text("SELECT CAST(count(*) AS TEXT) FROM accounts WHERE cash_balance <> 0").await,
        site.text("SELECT CAST(count(*) AS TEXT) FROM orders WHERE status IN ('OPEN', 'PARTIAL')").await,
        site.text("SELECT CAST(count(*) AS TEXT) FROM positions WHERE qty <> 0").await,
    ]
}

/// A guest who holds a position and has a live order.
async fn trading_guest(site: &Site, name: &str) -> Visitor {
    let mut guest = guest(site, name).await;
    guest.order(&ticket(site.id("ACME"), "BUY", "100", None, "held")).await;
    guest.order(&ticket(site.id("ACME"), "BUY", "10", Some("95"), "live")).await;
    guest
}

#[tokio::test]
async fn a_guest_who_cannot_come_back_is_removed_with_the_account() {
    let site = Site::open().await;
    site.steps(10).await;
    let ada = trading_guest(&site, "Ada").await;
    let mut bob = trading_guest(&site, "Bob").await;
    let mut eve = trading_guest(&site, "Eve").await;
    let kept = json!({ "email": "eve@example.org", "password": PASSWORD });
    assert_eq!(eve.post("/api/v1/auth/keep", &kept).await.status, 200);
    bob.raw("/api/v1/auth/logout", "application/json", "").await;
    let auth = site.auth();
    // One without a session may be on the way to the first one.
    auth.clean_up().await.unwrap();
    assert_eq!(left(&site).await, ["2", "4", "4", "3", "3"]);
    site.clock.advance_micros(2 * HOUR_MICROS);
    auth.clean_up().await.unwrap();
    // Bob is gone: the owner, Ada and Eve are left.
    assert_eq!(left(&site).await, ["1", "3", "3", "2", "2"]);
    assert_eq!(ada.get("/api/v1/portfolio").await.status, 200);
    site.clock.advance_micros(31 * DAY_MICROS);
    for _ in 0..2 {
        auth.clean_up().await.unwrap();
        assert_eq!(left(&site).await, ["0", "2", "2", "1", "1"]);
    }
    assert_eq!(ada.get("/api/v1/session").await.status, 401);
    // The journal's fold is compared with the projections, and the books balance.
    let report = site.close().await;
    assert_eq!(report.accounts, 4);
}

#[tokio::test]
async fn a_removal_that_was_interrupted_is_finished_after_a_restart() {
    let mut site = Site::open().await;
    site.steps(10).await;
    let mut closed = trading_guest(&site, "Ada").await;
    let mut marked = trading_guest(&site, "Bob").await;
    for guest in [&mut closed, &mut marked] {
        guest.raw("/api/v1/auth/logout", "application/json", "").await;
    }
    site.clock.advance_micros(2 * HOUR_MICROS);
    // The server ends after one account is closed and before anybody is deleted.
    let (auth, now) = (site.auth(), site.clock.now());
    let venue = site.venue.venue_id();
    let store = site.running.as_ref().unwrap().resources.store.clone();
    let guests = store.begin_guest_removals(venue, now, now, 10).await.unwrap();
    assert_eq!(guests.len(), 2);
    let close = |guest: &UserAccount| Command::CloseAccount { account: guest.account };
    auth.sequencer().send(close(&guests[0]), Duration::from_secs(5)).await.unwrap();
    // From now on it is too late to keep the account.
    let kept = store.register_guest(guests[1].user, "bob@example.org", "$argon2id$one").await.unwrap();
    assert_eq!(kept, GuestRegistration::NotGuest);
    drop(store);
    site.stop().await;
    site.start().await;
    let auth = site.auth();
    let again = auth.sequencer().send(close(&guests[0]), Duration::from_secs(5)).await.unwrap_err();
    assert!(matches!(again, SendError::Refused(_)), "{again}");
    auth.clean_up().await.unwrap();
    assert_eq!(left(&site).await, ["0", "1", "1", "0", "0"]);
    site.close().await;
}

#[tokio::test]
async fn a_guest_who_owns_the_venue_stays() {
    let site = Site::with(|config| config.owner_email = None).await;
    let token = site.running.as_ref().unwrap().claim_token.clone().unwrap();
    let mut ada = guest(&site, "Ada").await;
    // Earlier versions let guests claim.
    let user = who(&ada).await["user"].as_str().unwrap().parse().unwrap();
    let hash = Digest::of(&[token.as_bytes()]).0;
    assert!(site.auth().claim_venue(hash, user).await.unwrap());
    ada.raw("/api/v1/auth/logout", "application/json", "").await;
    site.clock.advance_micros(2 * HOUR_MICROS);
    site.auth().clean_up().await.unwrap();
    assert_eq!(left(&site).await[0], "1");
    site.close().await;
}

#[tokio::test]
async fn a_venue_takes_so_many_guests_at_once() {
    let site = Site::with(|config| config.limits.guests = 2).await;
    let mut ada = guest(&site, "Ada").await;
    let mut bob = guest(&site, "Bob").await;
    let mut visitor = site.visitor();
    let refused = visitor.post("/api/v1/auth/guest", &json!({ "name": "Eve" })).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (503, "too_many_guests".to_owned()));
    let form = visitor.form("/guest", "name=Eve").await;
    assert_eq!(form.header("location"), "/login?error=too_many_guests&wait=1");
    let page = visitor.get("/login?error=too_many_guests").await;
    assert!(page.text.contains("no room for another guest"), "{}", page.text);
    // Users with an address are no guests.
    site.user("eve").await;
    let kept = json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(ada.post("/api/v1/auth/keep", &kept).await.status, 200);
    guest(&site, "Joe").await;
    bob.raw("/api/v1/auth/logout", "application/json", "").await;
    site.clock.advance_micros(2 * HOUR_MICROS);
    site.auth().clean_up().await.unwrap();
    guest(&site, "Zoe").await;
    site.close().await;
}
