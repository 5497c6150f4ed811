//! A socket that comes back: it goes on from the last event that it has, or is
//! told that it cannot and gets the account whole.

use protocol::frames::{AccountFrame, ItemFrame};
use protocol::socket::{Frame, Update};
use serde_json::json;

use crate::support::site::{Site, Visitor, ticket};
use crate::support::socket::Socket;

/// What came after a subscription: the code of an error, if there was one, and
/// the first update.
async fn first(socket: &mut Socket) -> (Option<String>, Update<ItemFrame>) {
    match socket.frame().await {
        Frame::Error(error) => (Some(error.code), socket.next_update().await),
        Frame::Update(update) => (None, update),
        other => panic!("{other:?}"),
    }
}

async fn resume(user: &Visitor, query: &str, known: &str) -> Socket {
    let mut socket = user.socket(query, Some(&user.base)).await.unwrap();
    assert!(matches!(socket.frame().await, Frame::Hello(hello) if hello.v == 1));
    // Spelled out, for numbers that are larger than a program's own.
    let text = format!(r#"{{"subscribe":{{"channels":["account","portfolio"],"account_seq":{known}}}}}"#);
    socket.put(text.into()).await;
    socket
}

fn events(update: &Update<ItemFrame>) -> Vec<u64> {
    let number = |item: &ItemFrame| match item {
        ItemFrame::Execution(event) => Some(event.account_seq),
        _ => None,
    };
    update.items.iter().filter_map(number).collect()
}

fn whole(update: &Update<ItemFrame>) -> Option<&AccountFrame> {
    update.items.iter().find_map(|item| match item {
        ItemFrame::Account(account) => Some(&**account),
        _ => None,
    })
}

/// A user who has traded, and the newest of their account's events.
async fn trader(site: &Site) -> (Visitor, u64) {
    site.steps(10).await;
    let mut user = site.user("ada").await;
    for number in 0..5 {
        user.order(&ticket(site.id("ACME"), "BUY", "2", None, &format!("c-{number}"))).await;
    }
    let mut socket = user.follow("", &["account".to_owned()]).await;
    let mut known = 0;
    // Opened, and each order accepted and filled.
    while known < 11 {
        let update = socket.next_update().await;
        known = whole(&update).map_or(0, |account| account.account_seq).max(known);
        known = events(&update).last().copied().unwrap_or_default().max(known);
    }
    (user, known)
}

#[tokio::test]
async fn every_event_after_the_last_one_known_follows_once_and_in_order() {
    let site = Site::open().await;
    let (mut user, newest) = trader(&site).await;
    for query in ["", "?encoding=postcard"] {
        for known in [0, 1, newest - 4, newest - 1] {
            let mut socket = resume(&user, query, &known.to_string()).await;
            let (error, update) = first(&mut socket).await;
            assert_eq!((error, whole(&update)), (None, None), "{known}");
            assert_eq!(events(&update), (known + 1..=newest).collect::<Vec<_>>());
        }
    }
    // Whoever has everything gets nothing, and then what happens.
    let mut socket = resume(&user, "", &newest.to_string()).await;
    let (error, update) = first(&mut socket).await;
    assert_eq!((error, whole(&update), events(&update)), (None, None, vec![]));
    user.order(&ticket(site.id("ACME"), "BUY", "2", None, "late")).await;
    let mut came = Vec::new();
    while came.last() < Some(&(newest + 2)) {
        let update = socket.next_update().await;
        assert_eq!(whole(&update), None);
        came.extend(events(&update));
    }
    assert_eq!(came, [newest + 1, newest + 2]);
    site.close().await;
}

#[tokio::test]
async fn a_number_that_cannot_be_gone_on_from_is_answered_by_the_account() {
    let site = Site::open().await;
    let (user, newest) = trader(&site).await;
    for known in ["-1", "-9223372036854775809", "18446744073709551615", &(newest + 1).to_string()] {
        for query in ["", "?encoding=postcard"] {
            let mut socket = resume(&user, query, known).await;
            let (error, update) = first(&mut socket).await;
            assert_eq!(error.as_deref(), Some("resync_required"), "{known}");
            assert_eq!(whole(&update).map(|account| account.account_seq), Some(newest), "{known}");
            assert_eq!(events(&update), [] as [u64; 0]);
        }
    }
    site.close().await;
}

#[tokio::test]
async fn a_number_of_before_what_is_kept_is_answered_by_the_account() {
    // A restarted gateway knows the newest snapshot and what came after it.
    let mut site = Site::with(|config| config.snapshot.journal_entries = 10).await;
    let (mut user, newest) = trader(&site).await;
    site.steps(20).await;
    site.stop().await;
    site.start().await;
    user.base.clone_from(&site.base);
    let mut socket = resume(&user, "", "1").await;
    let (error, update) = first(&mut socket).await;
    assert_eq!(error.as_deref(), Some("resync_required"));
    assert_eq!(whole(&update).map(|account| account.account_seq), Some(newest));
    // The same socket goes on from there, and so does another.
    user.order(&ticket(site.id("ACME"), "BUY", "2", None, "late")).await;
    let mut came = Vec::new();
    while came.last() < Some(&(newest + 2)) {
        came.extend(events(&socket.next_update().await));
    }
    let (error, update) = first(&mut resume(&user, "", &newest.to_string()).await).await;
    assert_eq!((error, whole(&update)), (None, None));
    assert_eq!((came, events(&update)), (vec![newest + 1, newest + 2], vec![newest + 1, newest + 2]));
    site.close().await;
}

#[tokio::test]
async fn a_number_that_means_nothing_is_refused_and_nothing_is_subscribed() {
    let site = Site::open().await;
    let (user, newest) = trader(&site).await;
    let mut socket = user.follow("", &[]).await;
    for (message, code) in [
        (json!({ "subscribe": { "channels": ["account"], "account_seq": "7" } }), "invalid_value"),
        (json!({ "subscribe": { "channels": ["account"], "account_seq": 1.5 } }), "invalid_value"),
        (json!({ "subscribe": { "channels": ["account"], "seq": 7 } }), "unknown_field"),
        (json!({ "subscribe": { "channels": ["portfolio"], "account_seq": 7 } }), "invalid_value"),
        (json!({ "unsubscribe": { "channels": ["account"], "account_seq": 7 } }), "unknown_field"),
    ] {
        socket.say(&message).await;
        assert_eq!(socket.error().await, code, "{message}");
    }
    // Null is as good as nothing.
    socket.say(&json!({ "subscribe": { "channels": ["account"], "account_seq": null } })).await;
    let (error, update) = first(&mut socket).await;
    assert_eq!((error, update.number, update.items.len()), (None, 1, 1));
    assert_eq!(whole(&update).map(|account| account.account_seq), Some(newest));
    site.close().await;
}

#[tokio::test]
async fn cuts_are_counted_and_everything_can_be_had_again() {
    let site = Site::open().await;
    site.steps(10).await;
    let user = site.user("ada").await;
    let id = site.id("ACME");
    let channels = [format!("book:{id}"), format!("tick:{id}"), "account".to_owned()];
    let mut socket = user.follow("?encoding=postcard", &channels).await;
    assert_eq!(socket.next_update().await.items.len(), 3);
    for number in 2..=5 {
        site.steps(2).await;
        assert_eq!(socket.next_update().await.number, number);
    }
    socket.say(&json!({ "ping": { "nonce": 7 } })).await;
    assert_eq!(socket.frame().await, Frame::Pong { nonce: 7, updates: 5 });
    // Nothing has moved: all the same it comes.
    let again = json!({ "subscribe": { "channels": channels, "account_seq": 1 } });
    socket.say(&again).await;
    let update = socket.next_update().await;
    assert_eq!((update.number, update.items.len()), (6, 2), "{update:?}");
    site.close().await;
}
