//! The bus's promises, checked on each implementation.

use server::bus::{Appended, Batch, Bus, BusError, Placed};
use server::config::Config;
use uuid::Uuid;

use crate::support::redis::Server;

/// An implementation, on a server of its own where it needs one.
struct Kind {
    bus: Bus,
    _server: Option<Server>,
}

/// Every implementation there is, and a name that nobody has used on any.
async fn buses() -> (Vec<Kind>, String) {
    (every(Config::default()).await, format!("{{{}}}:s", Uuid::new_v4()))
}

/// Every implementation that there can be here, as configured.
async fn every(config: Config) -> Vec<Kind> {
    let mut kinds = vec![Kind { bus: Bus::open(&config).await.unwrap(), _server: None }];
    if let Some(server) = Server::if_there() {
        let config = Config { redis_url: Some(server.url().to_owned()), ..config };
        kinds.push(Kind { bus: Bus::open(&config).await.unwrap(), _server: Some(server) });
    }
    kinds
}

fn ids(batch: &Batch) -> Vec<u64> {
    match batch {
        Batch::Messages(messages) => messages.iter().map(|message| message.id).collect(),
        Batch::Trimmed { through } => panic!("trimmed through {through}"),
    }
}

#[tokio::test]
async fn a_producers_sequence_refuses_duplicates() {
    let (kinds, s) = buses().await;
    let s = s.as_str();
    for Kind { bus, .. } in &kinds {
        assert_eq!(bus.last_id(s).await.unwrap(), 0);
        assert_eq!(bus.append(s, 5, "five").await.unwrap(), Appended::New);
        assert_eq!(bus.append(s, 5, "again").await.unwrap(), Appended::Duplicate);
        assert_eq!(bus.append(s, 4, "late").await.unwrap(), Appended::Duplicate);
        assert_eq!(bus.append(s, 9, "nine").await.unwrap(), Appended::New);
        let Batch::Messages(messages) = bus.read_now(s, 0, 10).await.unwrap() else { panic!("trimmed") };
        let texts: Vec<_> = messages.iter().map(|message| message.bytes()).collect();
        assert_eq!(texts, [b"five".as_slice(), b"nine"]);
        assert_eq!(bus.last_id(s).await.unwrap(), 9);
    }
}

#[tokio::test]
async fn a_reader_waits_for_what_comes_after_its_cursor() {
    let (kinds, s) = buses().await;
    let s = s.as_str();
    for Kind { bus, .. } in &kinds {
        bus.append(s, 1, "one").await.unwrap();
        let (reader, other) = (bus.clone(), bus.clone());
        let place = s.to_owned();
        let waiting = tokio::spawn(async move { reader.read_after(&place, 1, 10).await });
        other.append(&format!("{s}:elsewhere"), 1, "x").await.unwrap();
        other.append(s, 2, "two").await.unwrap();
        assert_eq!(ids(&waiting.await.unwrap().unwrap()), [2]);
        // Any number of readers, each with its own place; at most as many as asked for.
        bus.append(s, 3, "three").await.unwrap();
        assert_eq!(ids(&bus.read_after(s, 0, 2).await.unwrap()), [1, 2]);
        assert_eq!(ids(&bus.read_after(s, 2, 2).await.unwrap()), [3]);
        assert_eq!(ids(&bus.read_now(s, 3, 2).await.unwrap()), [0; 0]);
    }
}

#[tokio::test]
async fn no_message_slips_between_look_and_wait() {
    let (kinds, s) = buses().await;
    let s = s.as_str();
    for Kind { bus, .. } in &kinds {
        let (writer, place) = (bus.clone(), s.to_owned());
        let writing = tokio::spawn(async move {
            for id in 1..=2_000 {
                writer.append(&place, id, "x").await.unwrap();
                if id % 7 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        });
        let mut seen = 0;
        while seen < 2_000 {
            for id in ids(&bus.read_after(s, seen, 3).await.unwrap()) {
                assert_eq!(id, seen + 1);
                seen = id;
            }
        }
        writing.await.unwrap();
    }
}

#[tokio::test]
async fn below_the_trim_point_it_says_so() {
    let (kinds, s) = buses().await;
    let s = s.as_str();
    for Kind { bus, .. } in &kinds {
        for id in [10, 20, 30] {
            bus.append(s, id, "x").await.unwrap();
        }
        bus.trim(s, 25).await.unwrap();
        assert_eq!(bus.read_after(s, 5, 10).await.unwrap(), Batch::Trimmed { through: 20 });
        assert_eq!(ids(&bus.read_after(s, 20, 10).await.unwrap()), [30]);
        assert_eq!(bus.append(s, 15, "x").await.unwrap(), Appended::Duplicate);
        bus.trim(s, 1_000).await.unwrap();
        assert_eq!(bus.append(s, 31, "x").await.unwrap(), Appended::New);
    }
}

#[tokio::test]
async fn a_bounded_stream_is_full_until_its_reader_trims() {
    let (kinds, s) = buses().await;
    let s = s.as_str();
    for Kind { bus, .. } in &kinds {
        let first = bus.append_auto(s, "a", 2).await.unwrap();
        let second = bus.append_auto(s, "b", 2).await.unwrap();
        assert!(second > first);
        assert_eq!(bus.append_auto(s, "c", 2).await, Err(BusError::Full));
        bus.trim(s, first).await.unwrap();
        assert!(bus.append_auto(s, "c", 2).await.unwrap() > second);
    }
}

#[tokio::test]
async fn automatic_ids_go_on_above_a_readers_cursor() {
    let (kinds, s) = buses().await;
    for Kind { bus, .. } in &kinds {
        // Further in the future than any clock.
        let cursor = 4_000_000_000_000_000;
        bus.resume(&s, cursor).await.unwrap();
        let first = bus.append_auto(&s, "a", 10).await.unwrap();
        bus.resume(&s, 7).await.unwrap();
        let second = bus.append_auto(&s, "b", 10).await.unwrap();
        assert!(cursor < first && first < second, "{cursor} {first} {second}");
        assert_eq!(ids(&bus.read_after(&s, cursor, 10).await.unwrap()), [first, second]);
        // And on a stream that has messages.
        bus.resume(&s, second + 100).await.unwrap();
        assert!(bus.append_auto(&s, "c", 10).await.unwrap() > second + 100);
        assert_eq!(ids(&bus.read_now(&s, 0, 10).await.unwrap()).len(), 3);
    }
}

#[tokio::test]
async fn many_are_appended_together_and_in_order() {
    let (kinds, s) = buses().await;
    for Kind { bus, .. } in &kinds {
        bus.append_all(&s, Vec::new(), 1).await.unwrap();
        bus.append_all(&s, (0..100u8).map(|n| vec![n].into()).collect(), 1).await.unwrap();
        let Batch::Messages(messages) = bus.read_now(&s, 0, 1_000).await.unwrap() else { panic!("trimmed") };
        assert!(messages.is_sorted_by(|a, b| a.id < b.id));
        assert!(messages.iter().map(|message| message.bytes()[0]).eq(0..100));
    }
}

#[tokio::test]
async fn a_producer_notices_that_the_stream_is_not_where_it_left_it() {
    let (kinds, s) = buses().await;
    for Kind { bus, .. } in &kinds {
        assert_eq!(bus.append_after(&s, 3, &[(4, "four".into())]).await.unwrap(), Placed::LastIs(0));
        assert_eq!(bus.append_after(&s, 0, &[(4, "four".into())]).await.unwrap(), Placed::There);
        assert_eq!(bus.append_after(&s, 4, &[(5, "five".into())]).await.unwrap(), Placed::There);
        assert_eq!(bus.append_after(&s, 4, &[(5, "five".into())]).await.unwrap(), Placed::LastIs(5));
        // A trimmed stream still knows how far it had come.
        bus.trim(&s, 5).await.unwrap();
        assert_eq!(bus.append_after(&s, 5, &[(9, "nine".into())]).await.unwrap(), Placed::There);
        assert_eq!(ids(&bus.read_now(&s, 5, 10).await.unwrap()), [9]);
    }
}

#[tokio::test]
async fn what_is_appended_together_is_read_one_by_one() {
    let (kinds, s) = buses().await;
    for Kind { bus, .. } in &kinds {
        let (waiting, place) = (bus.clone(), s.clone());
        let waiting = tokio::spawn(async move { waiting.read_after(&place, 1, 10).await });
        assert_eq!(bus.append_after(&s, 0, &[]).await.unwrap(), Placed::There);
        let together = [(1, "one".into()), (2, "two".into()), (5, "".into())];
        assert_eq!(bus.append_after(&s, 0, &together).await.unwrap(), Placed::There);
        assert_eq!(ids(&waiting.await.unwrap().unwrap()), [2, 5]);
        // All of it or nothing, and nothing twice; who waits hears of neither.
        let (waiting, place) = (bus.clone(), s.clone());
        let waiting = tokio::spawn(async move { waiting.read_after(&place, 5, 10).await });
        for (last, other) in [(0, &together[..]), (5, &together[..]), (2, &[(3, "three".into())])] {
            assert_eq!(bus.append_after(&s, last, other).await.unwrap(), Placed::LastIs(5));
        }
        assert_eq!(bus.last_id(&s).await.unwrap(), 5);
        bus.append_after(&s, 5, &[(6, "six".into()), (7, "seven".into())]).await.unwrap();
        assert_eq!(ids(&waiting.await.unwrap().unwrap()), [6, 7]);
        bus.append(&s, 8, "eight").await.unwrap();
        // A reader may stand anywhere, and finds what it came for.
        for (after, found) in [(0, &[1, 2, 5, 6, 7, 8][..]), (1, &[2, 5, 6, 7, 8]), (6, &[7, 8]), (8, &[])] {
            assert_eq!(ids(&bus.read_now(&s, after, 10).await.unwrap()), found);
        }
        let Batch::Messages(next) = bus.read_now(&s, 5, 1).await.unwrap() else { panic!("trimmed") };
        assert_eq!(next[0].bytes().as_ref(), b"six");
        bus.trim(&s, 5).await.unwrap();
        assert_eq!(bus.read_now(&s, 4, 10).await.unwrap(), Batch::Trimmed { through: 5 });
        assert_eq!(ids(&bus.read_now(&s, 5, 10).await.unwrap()), [6, 7, 8]);
    }
}

#[tokio::test]
async fn a_reader_that_gives_up_costs_nobody_anything() {
    let (kinds, s) = buses().await;
    for Kind { bus, .. } in &kinds {
        for id in 1..=50 {
            // Dropped while it waits, many times over, beside one that stays.
            let (reader, place) = (bus.clone(), s.clone());
            let stays = tokio::spawn(async move { reader.read_after(&place, id - 1, 10).await });
            for _ in 0..5 {
                tokio::select! {
                    biased;
                    read = bus.read_after(&s, id - 1, 10) => panic!("{read:?} before it was written"),
                    () = tokio::task::yield_now() => {}
                }
            }
            bus.append(&s, id, "x").await.unwrap();
            assert_eq!(ids(&bus.read_after(&s, id - 1, 10).await.unwrap()), [id]);
            assert_eq!(ids(&stays.await.unwrap().unwrap()), [id]);
        }
    }
}

#[tokio::test]
async fn a_stream_keeps_its_newest_and_says_what_it_forgot() {
    let mut config = Config::default();
    config.streams.max_messages = 100;
    config.streams.max_bytes = 1_000_000;
    for Kind { bus, .. } in &every(config).await {
        for (name, size, most) in [("many", 1, 116), ("large", 100_000, 40)] {
            let s = format!("{{{}}}:{name}", Uuid::new_v4());
            for id in 1..=200 {
                bus.append(&s, id, vec![b'x'; size]).await.unwrap();
            }
            let Batch::Trimmed { through } = bus.read_after(&s, 0, 1_000).await.unwrap() else {
                panic!("{name} was not trimmed")
            };
            let left = ids(&bus.read_now(&s, through, 1_000).await.unwrap());
            assert!(left.iter().copied().eq(through + 1..=200), "{name}: {through}, {left:?}");
            assert!(left.len() <= most, "{name}: {}", left.len());
        }
    }
}

#[tokio::test]
async fn what_was_appended_together_is_forgotten_together() {
    let mut config = Config::default();
    config.streams.max_bytes = 1_000_000;
    for Kind { bus, .. } in &every(config).await {
        let s = format!("{{{}}}:together", Uuid::new_v4());
        for last in (0..400).step_by(4) {
            let together: Vec<_> = (last + 1..=last + 4).map(|id| (id, vec![b'x'; 25_000].into())).collect();
            assert_eq!(bus.append_after(&s, last, &together).await.unwrap(), Placed::There);
        }
        let Batch::Trimmed { through } = bus.read_now(&s, 0, 1_000).await.unwrap() else {
            panic!("nothing was trimmed")
        };
        assert!(through < 400 && through.is_multiple_of(4), "{through}");
        // Whoever stands right there has lost nothing.
        assert!(ids(&bus.read_after(&s, through, 1_000).await.unwrap()).into_iter().eq(through + 1..=400));
        assert_eq!(bus.read_now(&s, through - 1, 1_000).await.unwrap(), Batch::Trimmed { through });
    }
}

#[tokio::test]
async fn the_newest_value_replaces_the_one_before() {
    let (kinds, s) = buses().await;
    let s = s.as_str();
    for Kind { bus, .. } in &kinds {
        assert_eq!(bus.get_latest(s).await.unwrap(), None);
        bus.put_latest(s, "one").await.unwrap();
        bus.put_latest(s, "two").await.unwrap();
        assert_eq!(bus.get_latest(s).await.unwrap().unwrap().as_ref(), b"two");
        let other = format!("{s}:other");
        bus.put_all_latest(vec![(other.clone(), "three".into())]).await.unwrap();
        let found = bus.get_all_latest(&[other, format!("{s}:none"), s.to_owned()]).await.unwrap();
        assert_eq!(found, [Some("three".into()), None, Some("two".into())]);
    }
}
