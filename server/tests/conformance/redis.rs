//! Data loss, outages and refusals of the Redis server.

use std::time::Duration;

use engine::id::AccountId;
use engine::time::WallTime;
use engine::venue::{Command, VenueConfig};
use server::bus::{Batch, Bus, BusError, MAX_MESSAGE_ID, Message, StreamLimits, StreamNames};
use server::clock::WallClock;
use server::sequencer_client::{SendError, SequencerClient};
use server::shutdown::Shutdown;
use tokio::time::Instant;
use uuid::Uuid;

use crate::support::redis::Server;

fn ids(batch: &Batch) -> Vec<u64> {
    match batch {
        Batch::Messages(messages) => messages.iter().map(|message| message.id).collect(),
        Batch::Trimmed { through } => panic!("trimmed through {through}"),
    }
}

#[tokio::test]
async fn after_a_data_loss_a_stream_is_empty_and_assigned_ids_continue() {
    let server = Server::private();
    let bus = server.bus().await;
    let mut data_loss = bus.data_loss_epoch();
    let before = bus.append_auto("s", "a", 10).await.unwrap();
    let (reader, other) = (bus.clone(), bus.clone());
    let waiting = tokio::spawn(async move { reader.read_after("s", before, 10).await });
    // The probe must have seen the data to detect its loss.
    while server.cli(&["EXISTS", "tickhall:data_id"]) == "0" {
        tokio::task::yield_now().await;
    }
    server.wipe();
    assert_eq!(bus.last_id("s").await.unwrap(), 0);
    let after = other.append_auto("s", "b", 10).await.unwrap();
    assert!(after > before);
    assert_eq!(ids(&waiting.await.unwrap().unwrap()), [after]);
    data_loss.changed().await.unwrap();
    assert_eq!(*data_loss.borrow(), 1);
}

#[tokio::test]
async fn reads_wait_for_the_end_of_an_outage_and_writes_fail_at_once() {
    let mut server = Server::private();
    let bus = server.bus().await;
    let (mut data_loss, reader) = (bus.data_loss_epoch(), bus.clone());
    bus.append_after("s", 0, &[(7, "seven".into())]).await.unwrap();
    let waiting = tokio::spawn(async move { reader.read_after("s", 7, 10).await });
    while server.cli(&["EXISTS", "tickhall:data_id"]) == "0" {
        tokio::task::yield_now().await;
    }
    server.kill();
    let failed = bus.append_auto("s", "lost", 10).await.unwrap_err();
    assert!(matches!(failed, BusError::Unanswered(_) | BusError::Unavailable(_)), "{failed}");
    while bus.is_up() {
        assert!(bus.last_id("s").await.is_err());
        tokio::task::yield_now().await;
    }
    server.restart();
    data_loss.changed().await.unwrap();
    assert!(bus.is_up());
    bus.append_after("s", 0, &[(8, "eight".into())]).await.unwrap();
    assert_eq!(ids(&waiting.await.unwrap().unwrap()), [8]);
}

#[tokio::test]
async fn every_refusal_at_start_is_one_line_without_the_password() {
    let server = Server::private();
    let refusal = async |url: &str| {
        let line = Bus::open(Some(url), StreamLimits::default()).await.unwrap_err().to_string();
        assert!(line.starts_with("--redis-url redis") && !line.contains(['\n', '\r']), "{line}");
        assert!(!line.contains("s3cret"), "{line}");
        line
    };
    refusal("redis://ann:s3cret@127.0.0.1:1/0").await;
    refusal("redis+unix:///nowhere/at/all.sock?pass=s3cret").await;
    refusal("redis://ann:s3cret@127.0.0.1:notaport/0").await;
    let line = refusal(&format!("{}?db=4711", server.url())).await;
    assert!(line.contains("4711"), "{line}");
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let line = refusal(server.url()).await;
    assert!(line.ends_with("Redis has no memory left (maxmemory)"), "{line}");
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    let line = refusal(server.url()).await;
    assert!(line.ends_with("this is a read-only replica"), "{line}");
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    // A refused append needs the permission to rename.
    server.cli(&["ACL", "SETUSER", "ann", "on", ">s3cret", "~*", "&*", "+@all", "-rename"]);
    let line = refusal(&format!("{}?user=ann&pass=s3cret", server.url())).await;
    assert!(line.contains("a script may not RENAME: "), "{line}");
    server.cli(&["CONFIG", "SET", "requirepass", "other"]);
    for url in [server.url().to_owned(), format!("{}?pass=s3cret", server.url())] {
        let line = refusal(&url).await;
        assert!(line.ends_with("user or password is missing or wrong"), "{line}");
    }
}

#[tokio::test]
async fn cache_writes_check_the_current_value() {
    let server = Server::start();
    let bus = server.bus().await;
    let (cache, key) = (bus.cache(), Uuid::new_v4().to_string());
    let ttl = Duration::from_secs(60);
    assert!(!cache.replace(&key, b"", b"no", ttl).await.unwrap());
    assert!(cache.put_new(&key, b"one", ttl).await.unwrap());
    assert!(!cache.put_new(&key, b"no", ttl).await.unwrap());
    assert!(!cache.replace(&key, b"two", b"no", ttl).await.unwrap());
    assert!(cache.replace(&key, b"one", b"two", ttl).await.unwrap());
    let found = cache.get(&[key.clone(), format!("{key}:none")]).await.unwrap();
    assert_eq!(found, [Some("two".into()), None]);
    cache.put(&key, b"", Duration::ZERO).await.unwrap();
    while cache.get(std::slice::from_ref(&key)).await.unwrap() != [None] {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn entries_of_somebody_else_are_messages_and_can_be_discarded() {
    let server = Server::private();
    let bus = server.bus().await;
    for id in 1..=4 {
        bus.append_after("s", id - 1, &[(id, "x".into())]).await.unwrap();
    }
    let packed: Vec<_> = (5..=7).map(|id| (id, format!("{id}").into())).collect();
    bus.append_after("s", 4, &packed).await.unwrap();
    for (entry, id, fields) in [
        ("8-0", 8, ["other", "field"]),
        ("7-3", 7, ["m", "the same id again"]),
        ("18446744073709551614-1", u64::MAX - 1, ["m", "too high"]),
    ] {
        server.cli(&[&["XADD", "s", entry], &fields[..]].concat());
        let Batch::Messages(found) = bus.read_now("s", 0, 99).await.unwrap() else { panic!("trimmed") };
        assert_eq!(found.last().map(|message| message.id), Some(id), "{entry}");
        assert!(bus.discard("s", &found[found.len() - 1], 6).await.unwrap(), "{entry}");
        assert_eq!(ids(&bus.read_now("s", 0, 99).await.unwrap()), [1, 2, 3, 4, 5, 6, 7], "{entry}");
        assert_eq!(bus.last_id("s").await.unwrap(), 7, "{entry}");
    }
    // A message that shares an entry is removed with it: its producer sends the others
    // again.
    assert!(bus.discard("s", &Message { id: 6, payload: "6".into() }, 4).await.unwrap());
    assert_eq!(
        (ids(&bus.read_now("s", 0, 99).await.unwrap()), bus.last_id("s").await.unwrap()),
        (vec![1, 2, 3, 4], 4)
    );
    bus.append_after("s", 4, &packed).await.unwrap();
    assert_eq!(ids(&bus.read_now("s", 4, 99).await.unwrap()), [5, 6, 7]);
}

#[tokio::test]
async fn an_id_that_leaves_none_after_it_stops_no_producer() {
    let server = Server::private();
    let bus = server.bus().await;
    let before = bus.append_auto("s", "x", 9).await.unwrap();
    server.cli(&["XADD", "s", "18446744073709551614-1", "m", "too high"]);
    assert_eq!(bus.last_id("s").await.unwrap(), before);
    let after = bus.append_auto("s", "y", 9).await.unwrap();
    assert!(before < after && after < MAX_MESSAGE_ID);
    assert_eq!(ids(&bus.read_now("s", 0, 9).await.unwrap()), [before, after]);
    // The end alone may be there, and the trim point of nothing that ever was.
    server.cli(&["XSETID", "s", "18446744073709551614-1"]);
    server.cli(&["SET", "s:trimmed", "18446744073709551615"]);
    let last = bus.append_auto("s", "z", 9).await.unwrap();
    assert_eq!(ids(&bus.read_now("s", 0, 9).await.unwrap()), [before, after, last]);
}

/// The clock stands still here while anything can be done, and goes on to the next
/// timeout when nothing can.
#[tokio::test]
async fn a_server_that_hangs_holds_no_command_past_its_validity() {
    let server = Server::private();
    let bus = server.bus().await;
    let venue = VenueConfig::default().venue_id();
    let (clock, shutdown) = (WallClock::manual(WallTime(0)), Shutdown::new());
    let client =
        SequencerClient::start(bus.clone(), StreamNames::of(venue), venue, clock, shutdown).await.unwrap();
    server.cli(&["CLIENT", "PAUSE", "3600000", "ALL"]);
    tokio::time::pause();
    let began = Instant::now();
    let command = Command::OpenAccount { account: AccountId::derive(venue, Uuid::from_u128(1)) };
    let sent = client.send(command.clone(), Duration::from_secs(3)).await.unwrap_err();
    assert!(matches!(sent, SendError::Pending | SendError::Unavailable), "{sent}");
    assert!(began.elapsed() <= Duration::from_millis(3_500), "{:?}", began.elapsed());
    bus.wait_until_down().await;
    // From now on nothing waits for it.
    let began = Instant::now();
    assert!(bus.cache().get(&["key".to_owned()]).await.is_err());
    assert!(bus.get_latest("key").await.is_err());
    assert!(bus.append_auto("s", "x", 9).await.is_err());
    assert_eq!(client.send(command, Duration::from_secs(3)).await.unwrap_err(), SendError::Unavailable);
    assert_eq!(began.elapsed(), Duration::ZERO);
}
