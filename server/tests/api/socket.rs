//! The live socket: updates, executions, and what hostile clients get.

use std::time::{Duration, Instant};

use engine::decimal::Decimal;
use engine::venue::VenueConfig;
use protocol::frames::ItemFrame;
use protocol::socket::Frame;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::support::site::{Site, Visitor, ticket};
use crate::support::trading_fixture::TEST_TIMEOUT;

#[tokio::test]
async fn an_upgrade_needs_a_session_and_the_own_origin() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    assert_eq!(site.visitor().socket("", Some(&site.base)).await.err(), Some(401));
    assert_eq!(site.visitor().socket("", None).await.err(), Some(401));
    assert_eq!(user.socket("", Some("https://evil.example")).await.err(), Some(403));
    assert_eq!(user.socket("", None).await.err(), Some(403));
    assert_eq!(user.socket("?encoding=xml", Some(&site.base)).await.err(), Some(422));
    assert!(user.socket("", Some(&site.base)).await.is_ok());
    let plain = user.get("/api/v1/stream").await;
    assert_eq!((plain.status.as_u16(), plain.code().as_str()), (426, "upgrade_required"));
    site.close().await;
}

#[tokio::test]
async fn a_subscription_starts_with_the_newest_of_everything_in_one_cut() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut user = site.user("ada").await;
    user.order(&ticket(site.id("ACME"), "BUY", "10", Some("95"), "c-1")).await;
    let id = site.id("ACME");
    let channels = [format!("book:{id}"), format!("tick:{id}"), "account".to_owned(), "portfolio".to_owned()];
    for query in ["", "?encoding=json", "?encoding=postcard"] {
        let mut socket = user.follow(query, &channels).await;
        let update = socket.next_update().await;
        assert_eq!(update.items.len(), 4, "{update:?}");
        let book = update.items.iter().find_map(|item| match item {
            ItemFrame::Book(book) => Some(book),
            _ => None,
        });
        let book = book.unwrap();
        // The own bid at 95 rests in the merged book that everybody sees.
        assert!(book.bids.iter().any(|level| level.price.same_value(Decimal::new(95, 0))), "{book:?}");
        assert!(book.rev <= update.through);
        let account = update.items.iter().find_map(|item| match item {
            ItemFrame::Account(account) => Some(account),
            _ => None,
        });
        let account = account.unwrap();
        assert_eq!((account.orders.len(), account.account_seq), (1, 2));
    }
    site.close().await;
}

#[tokio::test]
async fn every_execution_arrives_once_and_in_order_and_prices_are_the_newest() {
    let site = Site::open().await;
    site.steps(10).await;
    let mut user = site.user("ada").await;
    let id = site.id("ACME");
    let mut socket = user.follow("?encoding=postcard", &["account".to_owned(), format!("tick:{id}")]).await;
    let first = socket.next_update().await;
    let Some(ItemFrame::Account(account)) =
        first.items.iter().find(|item| matches!(item, ItemFrame::Account(_)))
    else {
        panic!("{first:?}")
    };
    let mut expected = account.account_seq + 1;
    let mut last_through = first.through;
    for number in 0..30 {
        user.order(&ticket(id, "BUY", "2", None, &format!("c-{number}"))).await;
        if number % 10 == 9 {
            site.steps(2).await;
        }
    }
    // Each order is accepted and filled: at least two numbers each.
    let mut filled = 0;
    while filled < 30 {
        let update = socket.next_update().await;
        assert!(update.through > last_through, "an update came twice");
        last_through = update.through;
        for item in update.items {
            match item {
                ItemFrame::Execution(execution) => {
                    assert_eq!(execution.account_seq, expected, "executions are dense");
                    assert!(execution.seq <= update.through);
                    expected += 1;
                    let over = execution.order.is_some_and(|order| order.leaves_quantity.mantissa == 0);
                    filled += usize::from(execution.fill.is_some() && over);
                }
                ItemFrame::Account(_) => panic!("nothing was missing"),
                _ => {}
            }
        }
    }
    site.close().await;
}

#[tokio::test]
async fn nobody_sees_anothers_account() {
    let site = Site::open().await;
    site.steps(10).await;
    let (ada, mut bob) = (site.user("ada").await, site.user("bob").await);
    let id = site.id("ACME");
    let channels = [format!("book:{id}"), format!("tape:{id}"), "account".to_owned(), "portfolio".to_owned()];
    let mut socket = ada.follow("", &channels).await;
    let own = ada.get("/api/v1/session").await.json()["account"].as_str().unwrap().to_owned();
    let other = bob.get("/api/v1/session").await.json()["account"].as_str().unwrap().to_owned();
    socket.next_update().await;
    bob.order(&ticket(id, "BUY", "10", None, "bobs-secret")).await;
    let update = socket.next_update().await;
    let text = serde_json::to_string(&update).unwrap();
    assert!(!text.contains(&other) && !text.contains("bobs-secret"), "{text}");
    assert!(
        update.items.iter().all(|item| matches!(item, ItemFrame::Book(_) | ItemFrame::Tape(_))),
        "{text}"
    );
    for name in ["portfolio", "account"] {
        socket.say(&json!({ "subscribe": { "channels": [format!("{name}:{other}")] } })).await;
        assert_eq!(socket.error().await, "forbidden");
        socket.say(&json!({ "subscribe": { "channels": [format!("{name}:{own}")] } })).await;
    }
    site.close().await;
}

#[tokio::test]
async fn messages_that_mean_nothing_are_answered_and_the_socket_goes_on() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    let mut socket = user.follow("", &[]).await;
    let many: Vec<String> = (0..129).map(|_| format!("book:{}", uuid::Uuid::new_v4())).collect();
    for (message, code) in [
        ("{", "invalid_json"),
        ("[]", "invalid_json"),
        (r#"{"ping":{"nonce":1,"nonce":2}}"#, "invalid_json"),
        (r#"{"dance":{}}"#, "invalid_value"),
        (r#"{"ping":{"nonce":-1}}"#, "invalid_value"),
        (r#"{"subscribe":{"channels":[],"since":7}}"#, "unknown_field"),
        (r#"{"subscribe":{"channels":["books"]}}"#, "unknown_channel"),
        (&json!({ "subscribe": { "channels": many } }).to_string(), "too_many_channels"),
    ] {
        socket.put(Message::text(message)).await;
        assert_eq!(socket.error().await, code, "{message:.60}");
    }
    socket.say(&json!({ "ping": { "nonce": 7 } })).await;
    assert_eq!(socket.frame().await, Frame::Pong { nonce: 7, updates: 0 });
    site.close().await;
}

#[tokio::test]
async fn a_socket_has_so_many_channels_and_no_more() {
    let mut venue = VenueConfig::default();
    let share = venue.listings[0].clone();
    for number in 0..50 {
        let mut another = share.clone();
        another.instrument.symbol = format!("S{number:02}");
        venue.listings.push(another);
    }
    let site = Site::of(venue, |_| {}).await;
    site.steps(2).await;
    let user = site.user("ada").await;
    let of = |kind: &str| -> Vec<String> {
        (0..50).map(|number| format!("{kind}:{}", site.id(&format!("S{number:02}")))).collect()
    };
    let mut socket = user.follow("", &[of("book"), of("tick")].concat()).await;
    assert_eq!(socket.next_update().await.items.len(), 100);
    // 100 and 28 are 128; one more is too many, and then none of them is added.
    socket.say(&json!({ "subscribe": { "channels": &of("tape")[..29] } })).await;
    assert_eq!(socket.error().await, "too_many_channels");
    let fitting = [&of("tape")[..28], &of("book")].concat();
    socket.say(&json!({ "subscribe": { "channels": fitting } })).await;
    socket.say(&json!({ "subscribe": { "channels": ["account"] } })).await;
    assert_eq!(socket.error().await, "too_many_channels");
    // One goes, one comes.
    socket.say(&json!({ "unsubscribe": { "channels": &of("tape")[..1] } })).await;
    socket.say(&json!({ "subscribe": { "channels": ["account"] } })).await;
    while !socket.next_update().await.items.iter().any(|item| matches!(item, ItemFrame::Account(_))) {}
    site.close().await;
}

#[tokio::test]
async fn frames_that_are_too_large_binary_or_not_utf8_end_the_socket() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    for (message, code) in
        [(Message::text("x".repeat(16 * 1024 + 1)), 1009), (Message::binary(vec![0; 10]), 1003)]
    {
        let mut socket = user.follow("", &[]).await;
        socket.put(message).await;
        assert_eq!(socket.closed().await, code);
    }
    // A text frame whose payload is not UTF-8, which the library would not send.
    use tokio::io::AsyncWriteExt as _;
    let mut socket = user.follow("", &[]).await;
    let frame = [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe];
    socket.stream.get_mut().write_all(&frame).await.unwrap();
    assert_eq!(socket.closed().await, 1007);
    site.close().await;
}

#[tokio::test]
async fn the_twenty_first_message_in_a_second_ends_the_socket() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    let mut socket = user.follow("", &[]).await;
    for nonce in 0..40 {
        socket.say(&json!({ "ping": { "nonce": nonce } })).await;
    }
    assert_eq!(socket.closed().await, 4029);
    site.close().await;
}

#[tokio::test]
async fn pongs_that_nobody_asked_for_are_counted() {
    let site = Site::open().await;
    let user = site.user("ada").await;
    let mut socket = user.follow("", &[]).await;
    for _ in 0..40 {
        socket.put(Message::Pong(vec![0; 100].into())).await;
    }
    assert_eq!(socket.closed().await, 4029);
    site.close().await;
}

#[tokio::test]
async fn frames_without_a_payload_are_counted() {
    use tokio::io::AsyncWriteExt as _;
    let site = Site::open().await;
    let user = site.user("ada").await;
    let mut socket = user.follow("", &[]).await;
    // A message that begins and never ends: masked frames of six bytes, more of them
    // than twenty messages of 16 KiB have bytes.
    let begin = [0x01, 0x80, 0, 0, 0, 0];
    let frames = [&begin[..], &[0x00, 0x80, 0, 0, 0, 0].repeat(60_000)].concat();
    let stream = socket.stream.get_mut();
    // The server stops reading before the end.
    let sent = tokio::time::timeout(TEST_TIMEOUT, stream.write_all(&frames)).await;
    drop(sent);
    assert_eq!(socket.closed().await, 4029);
    site.close().await;
}

#[tokio::test]
async fn a_user_opens_so_many_sockets_and_no_more() {
    let site = Site::with(|config| config.limits.sockets_per_user = 2).await;
    let (ada, bob) = (site.user("ada").await, site.user("bob").await);
    let _first = ada.follow("", &[]).await;
    let second = ada.follow("", &[]).await;
    assert_eq!(ada.socket("", Some(&site.base)).await.err(), Some(429));
    let _bobs = bob.follow("", &[]).await;
    let Frame::Hello(_) = (async {
        drop(second);
        loop {
            if let Ok(mut socket) = ada.socket("", Some(&site.base)).await {
                return socket.frame().await;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    else {
        panic!("no greeting")
    };
    site.close().await;
}

#[tokio::test]
async fn sign_out_closes_the_sessions_sockets_within_a_second() {
    let site = Site::open().await;
    let mut user = site.user("ada").await;
    let mut socket = user.follow("", &["account".to_owned()]).await;
    socket.next_update().await;
    let asked = Instant::now();
    user.raw("/api/v1/auth/logout", "application/json", "").await;
    assert_eq!(socket.closed().await, 4001);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    site.close().await;
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut_off_while_others_go_on() {
    let site = Site::open().await;
    site.steps(3_000).await;
    let (user, other) = (site.user("ada").await, site.user("bob").await);
    let id = site.id("ACME");
    let channels = [format!("book:{id}"), format!("tick:{id}"), format!("tape:{id}")];
    let mut slow = user.follow("", &channels).await;
    let mut quick = other.follow("", &channels).await;
    quick.next_update().await;
    // Asking for everything again and again, at a rate that is allowed, fills
    // whatever the system holds back for a client that does not read.
    let mut asks = tokio::time::interval(Duration::from_millis(60));
    let cut_off = async {
        loop {
            asks.tick().await;
            slow.say(&json!({ "subscribe": { "channels": channels } })).await;
            let figures = site.visitor().get("/metrics").await.text;
            if figures.contains("tickhall_sockets_closed_total{code=\"4008\"}") {
                break;
            }
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, cut_off).await.expect("the slow client is kept");
    site.steps(2).await;
    quick.next_update().await;
    site.close().await;
}

#[tokio::test]
async fn the_server_says_goodbye_when_it_stops() {
    let mut site = Site::open().await;
    let user = site.user("ada").await;
    let mut socket = user.follow("", &["account".to_owned()]).await;
    socket.next_update().await;
    site.stop().await;
    assert_eq!(socket.closed().await, 1012);
    site.close().await;
}

#[tokio::test]
async fn a_restart_forgets_neither_the_tape_nor_where_the_day_began() {
    let mut site = Site::with(|config| config.snapshot.journal_entries = 50).await;
    site.steps(300).await;
    let mut user = site.user("ada").await;
    user.order(&ticket(site.id("ACME"), "BUY", "10", None, "c-1")).await;
    let channel = [format!("tape:{}", site.id("ACME"))];
    async fn seen(user: &Visitor, channel: &[String]) -> (String, Vec<ItemFrame>) {
        let page = user.get("/").await.text;
        let (_, cell) = page.split_once("data-testid=\"change-ACME\"").unwrap();
        let cell = cell.split_once("</td>").unwrap().0.to_owned();
        assert!(cell.contains('%'), "{cell}");
        (cell, user.follow("", channel).await.next_update().await.items)
    }
    let before = seen(&user, &channel).await;
    site.stop().await;
    site.start().await;
    user.base = site.base.clone();
    let after = seen(&user, &channel).await;
    assert_eq!(after.0, before.0);
    // What is older than the last snapshot but one may be gone.
    assert!(after.1.len() > 3 && before.1.ends_with(&after.1), "{} of {}", after.1.len(), before.1.len());
    site.close().await;
}
