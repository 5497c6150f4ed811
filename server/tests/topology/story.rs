//! The same seed and the same commands give the same market, to the byte,
//! whether the agents share a process or not.

use std::collections::BTreeMap;

use engine::id::InstrumentId;
use serde_json::{Value, json};
use server::agents::trading::verify::replay;
use server::store::Store;
use server::store::users::NewUser;

use super::deployment::{Deployment, enter};
use crate::support::site::{OWNER, Site, Visitor, ticket};
use crate::support::trading_fixture::TEST_TIMEOUT;

const ADA: &str = "ada@example.org";

/// Names of the streams that no agent would think of by itself, none like what
/// it is for.
const STREAMS: [(&str, &str); 8] = [
    ("MARKET_DATA_STREAM", "andrea"),
    ("EXECUTION_STREAM", "bo"),
    ("RISK_STREAM", "chris"),
    ("COMMAND_STREAM", "dana"),
    ("CONTROL_STREAM", "eli"),
    ("TICKHALL_STREAMS__REPLY", "finn"),
    ("TICKHALL_STREAMS__CLOCK", "gerry"),
    ("TICKHALL_STREAMS__SESSION", "hilary"),
];

/// Two users who trade through whichever gateway is next, on a market that
/// makes one step at a time: so each step has seen everything before it.
async fn tell(bases: &[String]) -> [Visitor; 2] {
    let acme = InstrumentId::derive(engine::venue::VenueConfig::default().venue_id(), "ACME");
    let gov = InstrumentId::derive(engine::venue::VenueConfig::default().venue_id(), "GOV-4.5-2036");
    let mut owner = enter(super::deployment::visitor(&bases[0]), OWNER).await;
    let mut ada = enter(super::deployment::visitor(&bases[0]), ADA).await;
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
    [owner, ada]
}

/// What everybody sees of it at a gateway: every list over REST, and the
/// socket's first word on every channel.
async fn seen(users: &[Visitor], base: &str) -> BTreeMap<String, Value> {
    let venue = engine::venue::VenueConfig::default().venue_id();
    let instruments = ["ACME", "GOV-4.5-2036"].map(|symbol| InstrumentId::derive(venue, symbol));
    let mut seen = BTreeMap::new();
    for (number, user) in users.iter().enumerate() {
        let user = Visitor { base: base.to_owned(), ..user.clone() };
        let mut paths: Vec<_> = [
            "instruments",
            "orders?limit=200",
            "quotes",
            "history/trades?limit=200",
            "portfolio",
            "account",
            "venue/clock",
        ]
        .map(str::to_owned)
        .into();
        for instrument in &instruments {
            paths.push(format!("history/ticks?instrument_id={instrument}&limit=200"));
            paths.push(format!("history/candles?instrument_id={instrument}&interval=1m"));
        }
        for path in paths {
            let answer = user.get(&format!("/api/v1/{path}")).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            seen.insert(format!("{number}: {path}"), answer.json());
        }
        let mut channels = vec!["account".to_owned(), "portfolio".to_owned()];
        for instrument in &instruments {
            channels.extend([format!("book:{instrument}"), format!("tick:{instrument}")]);
        }
        let update = user.follow("", &channels).await.next_update().await;
        let mut update = serde_json::to_value(update).unwrap();
        for item in update["items"].as_array_mut().unwrap() {
            // How far was looked for something to value, not what was found.
            item.get_mut("portfolio").and_then(Value::as_object_mut).map(|found| found.remove("through"));
        }
        seen.insert(format!("{number}: socket"), update);
    }
    seen
}

/// Waits until people see the same at two places: what is valued and stored
/// follows.
async fn assert_same(one: (&[Visitor], &str), other: (&[Visitor], &str)) {
    let (mut expected, mut found) = (BTreeMap::new(), BTreeMap::new());
    let same = async {
        while found.is_empty() || found != expected {
            (expected, found) = tokio::join!(seen(one.0, one.1), seen(other.0, other.1));
        }
    };
    if tokio::time::timeout(TEST_TIMEOUT, same).await.is_err() {
        for (what, expected) in &expected {
            assert_eq!(found.get(what), Some(expected), "{what}");
        }
        panic!("never the same at once");
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
    assert!(row.owner.is_some());
}

#[tokio::test]
async fn topology_decides_what_one_process_decides() {
    let mut embedded = Site::with(|config| config.history.past_days = 3).await;
    embedded.owner().await;
    let embedded_users = tell(std::slice::from_ref(&embedded.base)).await;
    embedded.stop().await;
    let folder = embedded.database.open().await;
    let (seq, state) = replay(&folder, engine::venue::VenueConfig::default().venue_id()).await.unwrap();

    let postgres = Deployment::postgres();
    let store = Deployment::store(&postgres).await;
    copy(&folder, &store).await;
    store.close().await;
    folder.close().await;
    drop(folder);
    let mut settings = vec![("TICKHALL_CLOCK", "manual"), ("TICKHALL_IDLE", "run")];
    settings.extend(STREAMS);
    let deployment = Deployment::open(postgres, &settings);
    deployment.until_healthy().await;
    let mut users = tell(&deployment.gateways).await;
    embedded.start().await;
    for gateway in &deployment.gateways {
        assert_same((&embedded_users, &embedded.base), (&users, gateway)).await;
    }
    // Also the stream of sign-outs has been used.
    assert_eq!(users[1].post("/api/v1/auth/logout", &json!({})).await.status, 204);
    // The streams are called as they were told to be, and no other way.
    let mut names: Vec<_> = STREAMS.iter().map(|(_, name)| (*name).to_owned()).collect();
    names.sort_unstable();
    assert_eq!(deployment.streams(), names);

    // Accounts, books, positions: everything that a state hash covers, and
    // every entry of the journal on the way there.
    let report = embedded.close().await;
    assert_eq!(deployment.say(&["replay"]), format!("replayed: {seq} entries\nstate   {state}"));
    assert_eq!(deployment.say(&["verify"]), report.to_string());
}
