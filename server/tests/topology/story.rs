//! The same seed and the same commands give the same market, to the byte,
//! whether the agents share a process or not.

use serde_json::json;
use server::store::Store;
use server::store::api::users::NewUser;
use server::trading::verify::replay;

use super::place::{Place, enter};
use crate::support::site::{OWNER, Site, Visitor, ticket};

const ADA: &str = "ada@example.org";

/// Two users who trade through whichever gateway is next, on a market that
/// makes one step at a time: so each step has seen everything before it.
async fn tell(bases: &[String]) {
    let acme = engine::id::InstrumentId::derive(engine::venue::VenueConfig::default().venue_id(), "ACME");
    let gov =
        engine::id::InstrumentId::derive(engine::venue::VenueConfig::default().venue_id(), "GOV-4.5-2036");
    let mut owner = enter(super::place::visitor(&bases[0]), OWNER).await;
    let mut ada = enter(super::place::visitor(&bases[0]), ADA).await;
    let at = |user: &mut Visitor, turn: usize| user.base.clone_from(&bases[turn % bases.len()]);
    for turn in 0..60 {
        at(&mut owner, turn);
        let stepped = owner.post("/api/v1/venue/clock", &json!({ "step": { "steps": 1 } })).await;
        assert_eq!(stepped.status, 200, "{}", stepped.text);
        if turn < 20 {
            continue;
        }
        at(&mut ada, turn + 1);
        let name = format!("a-{turn}");
        match turn % 5 {
            0 => drop(ada.order(&ticket(acme, "BUY", "100", None, &name)).await),
            1 => drop(ada.order(&ticket(gov, "BUY", "5000", None, &name)).await),
            2 => drop(owner.order(&ticket(acme, "BUY", "20", Some("96.00"), &format!("o-{turn}"))).await),
            3 => drop(ada.order(&ticket(acme, "SELL", "40", None, &name)).await),
            _ => {
                let open = owner.get("/api/v1/orders?status=OPEN&limit=1").await.json();
                if let Some(order) = open["items"][0]["order_id"].as_str() {
                    let gone = owner.delete(&format!("/api/v1/orders/{order}")).await;
                    assert!(gone.status.is_success(), "{}", gone.text);
                }
            }
        }
    }
}

/// Gives `to` the venue and the users of `from`: seed, salt and ids, which are
/// drawn at random elsewhere.
async fn copy(from: &Store, to: &Store) {
    let venue = engine::venue::VenueConfig::default().venue_id();
    let row = from.venue(venue).await.unwrap().unwrap();
    assert!(to.create_venue(&row).await.unwrap());
    for email in [OWNER, ADA] {
        let user = from.user_by_email(email).await.unwrap().unwrap();
        let account = engine::id::AccountId::derive(venue, user.id);
        let user = NewUser {
            id: user.id,
            email: user.email,
            name: None,
            password_hash: user.password_hash,
            created_at: row.created_at,
            venue,
            account,
        };
        assert!(to.insert_user(&user).await.unwrap());
    }
    assert!(to.set_owner(venue, OWNER).await.unwrap());
}

#[tokio::test]
async fn topology_decides_what_one_process_decides() {
    let mut embedded = Site::open().await;
    tell(std::slice::from_ref(&embedded.base)).await;
    embedded.stop().await;
    let folder = embedded.place.open().await;
    let (seq, state) = replay(&folder, engine::venue::VenueConfig::default().venue_id()).await.unwrap();

    let postgres = Place::postgres();
    let store = Place::store(&postgres).await;
    copy(&folder, &store).await;
    store.close().await;
    folder.close().await;
    drop(folder);
    let place = Place::open(postgres, &[("TRADEFLOOR_CLOCK", "manual"), ("TRADEFLOOR_IDLE", "run")]);
    place.well().await;
    tell(&place.gateways).await;

    // Accounts, books, positions: everything that a state hash covers, and
    // every entry of the journal on the way there.
    let report = embedded.close().await;
    assert_eq!(place.say(&["replay"]), format!("replayed: {seq} entries\nstate   {state}"));
    assert_eq!(place.say(&["verify"]), report.to_string());
}
