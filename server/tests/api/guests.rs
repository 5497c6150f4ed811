//! Guests: registration with a name alone, later with an address.

use serde_json::{Value, json};

use crate::support::site::{PASSWORD, Site, Visitor, ticket};

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
