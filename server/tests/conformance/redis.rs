//! Data loss, outages and refusals of the Redis server.

use std::time::Duration;

use server::bus::{Batch, Bus, BusError, StreamLimits};

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
    let (cache, key) = (bus.cache(), uuid::Uuid::new_v4().to_string());
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
