//! The venue, its instruments and its clock over REST.

use engine::venue::VenueConfig;
use protocol::frames::ItemFrame;
use protocol::socket::{ClockPhase, ClockUpdate};
use serde_json::json;
use server::config::ClockMode;

use crate::support::site::{Site, figure};

#[tokio::test]
async fn instruments_have_the_contracts_fields() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    let listed = user.get("/api/v1/instruments").await.json();
    let symbols: Vec<&str> =
        listed.as_array().unwrap().iter().map(|listed| listed["symbol"].as_str().unwrap()).collect();
    assert!(symbols.is_sorted());
    let kinds =
        |kind| listed.as_array().unwrap().iter().filter(|listed| listed["type"] == json!(kind)).count();
    assert_eq!((kinds("EQUITY"), kinds("BOND")), (9, 4));
    let at = symbols.iter().position(|symbol| *symbol == "GOV-4.5-2036").unwrap();
    let bond = &listed[at];
    assert_eq!(bond["instrument_id"], json!(site.id("GOV-4.5-2036")));
    assert_eq!((&bond["type"], &bond["maturity"]), (&json!("BOND"), &json!("2036-02-15")));
    assert_eq!((&bond["tick_size"], &bond["lot_size"]), (&json!("0.01"), &json!("1000")));
    assert_eq!((&bond["currency"], &bond["underlier_instrument_id"]), (&json!("USD"), &json!(null)));
    assert_eq!(listed[0]["maturity"], json!(null));
    site.close().await;
}

#[tokio::test]
async fn the_date_beside_the_clock_is_the_clocks_own() {
    // A step a minute from 09:30: the trading day ends at 16:00, the clock's at midnight.
    let site = Site::of(VenueConfig { step_us: 60_000_000, ..VenueConfig::default() }, |_| {}).await;
    let user = site.user("ada").await;
    for (steps, date, time) in [
        (389, "2026-01-05", "15:59:00"),
        (2, "2026-01-05", "16:01:00"),
        (478, "2026-01-05", "23:59:00"),
        (1, "2026-01-06", "00:00:00"),
    ] {
        site.steps(steps).await;
        let page = user.get("/").await.text;
        assert_eq!(
            (figure(&page, "venue-date").as_str(), figure(&page, "venue-time").as_str()),
            (date, time)
        );
        let clock = user.get("/api/v1/venue/clock").await.json();
        assert_eq!(clock["time"], format!("{date}T{time}.000000Z"));
    }
    site.close().await;
}

#[tokio::test]
async fn the_venue_commits_to_its_seed_and_never_shows_it() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    let venue = user.get("/api/v1/venue").await;
    let commitment = site.text("SELECT lower(hex(seed_commitment)) FROM venues").await;
    assert_eq!(venue.json()["seed_commitment"], json!(commitment));
    let seed = site.text("SELECT lower(hex(seed)) FROM venues").await;
    assert!(!venue.text.contains(&seed));
    site.close().await;
}

#[tokio::test]
async fn the_owner_steps_the_clock_and_only_by_so_many() {
    let site = Site::open().await;
    let mut owner = site.owner().await;
    let clock = owner.get("/api/v1/venue/clock").await.json();
    assert_eq!((&clock["step"], &clock["mode"]), (&json!(0), &json!("manual")));
    let stepped = owner.post("/api/v1/venue/clock", &json!({ "step": { "steps": 25 } })).await.json();
    assert_eq!((&stepped["step"], &stepped["time"]), (&json!(25), &json!("2026-01-05T09:30:02.500000Z")));
    for (body, code) in [
        (json!({ "step": { "steps": 0 } }), "out_of_range"),
        (json!({ "step": { "steps": 100_001 } }), "out_of_range"),
        (json!({ "speed": { "speed_milli": 0 } }), "out_of_range"),
        (json!({ "step": { "steps": 1, "seed": 1 } }), "unknown_field"),
        (json!({ "jump": {} }), "invalid_value"),
        (json!({ "step": { "steps": 1.5 } }), "invalid_value"),
    ] {
        let answer = owner.post("/api/v1/venue/clock", &body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (422, code), "{body}");
    }
    site.close().await;
}

#[tokio::test]
async fn a_paused_or_fast_clock_is_told_to_sockets_and_pages() {
    let site = Site::with(|config| config.clock = ClockMode::Realtime).await;
    let mut owner = site.owner().await;
    let user = site.user("ada").await;
    let mut socket = user.follow("", &["clock".to_owned()]).await;
    let mut wait_for = async |phase: ClockPhase, speed_milli: u64| loop {
        let update = socket.next_update().await;
        if update.items == [ItemFrame::Clock(ClockUpdate { phase, speed_milli })] {
            return;
        }
    };
    wait_for(ClockPhase::Running, 1_000).await;
    for (body, phase, speed_milli) in [
        (json!({ "speed": { "speed_milli": 60_000 } }), ClockPhase::Running, 60_000),
        (json!({ "pause": {} }), ClockPhase::Paused, 60_000),
        (json!({ "resume": {} }), ClockPhase::Running, 60_000),
        (json!({ "pause": {} }), ClockPhase::Paused, 60_000),
    ] {
        assert_eq!(owner.post("/api/v1/venue/clock", &body).await.status, 200);
        wait_for(phase, speed_milli).await;
    }
    // The page says so before any script runs, and what an order would meet.
    let page = user.get("/").await.text;
    assert!(page.contains("The venue is paused: orders meet the book as it stands."), "{page}");
    site.close().await;
}
