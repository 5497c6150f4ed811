//! A socket that breaks off at one gateway goes on at another.

use protocol::frames::ItemFrame;
use protocol::socket::Frame;
use serde_json::json;

use super::deployment::Deployment;
use crate::support::site::{Visitor, ticket};
use crate::support::socket::Socket;

/// The account's events up to number `last`, by number and with their fills'
/// trades; the account whole is not among what may come.
async fn events(socket: &mut Socket, last: u64) -> Vec<(u64, Option<String>)> {
    let mut came: Vec<(u64, Option<String>)> = Vec::new();
    while came.last().is_none_or(|(number, _)| *number < last) {
        for item in socket.next_update().await.items {
            match item {
                ItemFrame::Execution(event) => {
                    came.push((event.account_seq, event.fill.map(|fill| fill.trade_id.to_string())));
                }
                ItemFrame::Account(account) => panic!("nothing was missing: {account:?}"),
                _ => {}
            }
        }
    }
    came
}

#[tokio::test]
async fn topology_a_fill_while_nobody_listened_arrives_once_at_the_other_gateway() {
    let deployment =
        Deployment::open(Deployment::postgres(), &[("TICKHALL_CLOCK", "manual"), ("TICKHALL_IDLE", "run")]);
    deployment.until_healthy().await;
    let mut one = deployment.owner(0).await;
    let mut two = Visitor { base: deployment.gateways[1].clone(), ..one.clone() };
    let stepped = one.post("/api/v1/venue/clock", &json!({ "step": { "steps": 20 } })).await;
    assert_eq!(stepped.status, 200, "{}", stepped.text);
    let acme = engine::id::InstrumentId::derive(engine::venue::VenueConfig::default().venue_id(), "ACME");

    // Known at the first gateway: opened, accepted, filled.
    let mut socket = one.follow("", &["account".to_owned()]).await;
    let known = match &socket.next_update().await.items[..] {
        [ItemFrame::Account(account)] => account.account_seq,
        other => panic!("{other:?}"),
    };
    one.order(&ticket(acme, "BUY", "10", None, "c-1")).await;
    let seen = events(&mut socket, known + 2).await;
    assert_eq!(seen.len(), 2);
    drop(socket);

    // Filled while nobody listens; who has answered knows of it.
    two.order(&ticket(acme, "BUY", "20", None, "c-2")).await;

    let mut socket = two.socket("", Some(&two.base)).await.unwrap();
    assert!(matches!(socket.frame().await, Frame::Hello(_)));
    let resumed = json!({ "subscribe": { "channels": ["account"], "account_seq": known + 2 } });
    socket.say(&resumed).await;
    let missed = events(&mut socket, known + 4).await;
    one.order(&ticket(acme, "BUY", "30", None, "c-3")).await;
    let live = events(&mut socket, known + 6).await;

    let all: Vec<_> = seen.into_iter().chain(missed).chain(live).collect();
    let numbers: Vec<u64> = all.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (known + 1..=known + 6).collect::<Vec<_>>(), "each once and in order");
    let mut fills: Vec<_> = all.into_iter().filter_map(|(_, fill)| fill).collect();
    fills.sort();
    fills.dedup();
    assert_eq!(fills.len(), 3);

    // What neither gateway can know is answered by the account.
    socket.say(&json!({ "subscribe": { "channels": ["account"], "account_seq": known + 7 } })).await;
    assert_eq!(socket.error().await, "resync_required");
    let update = socket.next_update().await;
    assert!(
        matches!(&update.items[..], [ItemFrame::Account(account)] if account.account_seq == known + 6),
        "{update:?}"
    );
    assert!(deployment.say(&["verify"]).contains("books balance"));
}
