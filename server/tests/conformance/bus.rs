//! The guarantees of the bus, checked on each implementation.

use server::bus::{AppendResult, Batch, Bus, BusError, Message, Payload, StreamLimits};
use uuid::Uuid;

use crate::support::redis::Server;

/// An implementation, on its own server if it needs one.
struct Kind {
    bus: Bus,
    _server: Option<Server>,
}

/// Every implementation, and a stream name that is new on each.
async fn buses() -> (Vec<Kind>, String) {
    (every(StreamLimits::default()).await, format!("{{{}}}:s", Uuid::new_v4()))
}

/// Every implementation that is available here, with `limits`.
async fn every(limits: StreamLimits) -> Vec<Kind> {
    let mut kinds = vec![Kind { bus: Bus::open(None, limits).await.unwrap(), _server: None }];
    if let Some(server) = Server::if_there() {
        let bus = Bus::open(Some(server.url()), limits).await.unwrap();
        kinds.push(Kind { bus, _server: Some(server) });
    }
    kinds
}

/// Appends one message with id `id`, after the stream's last one.
async fn append(bus: &Bus, stream: &str, id: u64, message: impl Into<Payload>) -> AppendResult {
    let last = bus.last_id(stream).await.unwrap();
    bus.append_after(stream, last, &[(id, message.into())]).await.unwrap()
}

fn ids(batch: &Batch) -> Vec<u64> {
    match batch {
        Batch::Messages(messages) => messages.iter().map(|message| message.id).collect(),
        Batch::Trimmed { through } => panic!("trimmed through {through}"),
    }
}

#[tokio::test]
async fn a_duplicate_id_changes_nothing() {
    let (kinds, s) = buses().await;
    let s = s.as_str();
    for Kind { bus, .. } in &kinds {
        assert_eq!(bus.last_id(s).await.unwrap(), 0);
        assert_eq!(append(bus, s, 5, "five").await, AppendResult::Appended);
        assert_eq!(append(bus, s, 5, "again").await, AppendResult::LastIdIs(5));
        assert_eq!(append(bus, s, 4, "late").await, AppendResult::LastIdIs(5));
        assert_eq!(append(bus, s, 9, "nine").await, AppendResult::Appended);
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
        append(bus, s, 1, "one").await;
        let (reader, other) = (bus.clone(), bus.clone());
        let stream = s.to_owned();
        let waiting = tokio::spawn(async move { reader.read_after(&stream, 1, 10).await });
        append(&other, &format!("{s}:elsewhere"), 1, "x").await;
        append(&other, s, 2, "two").await;
        assert_eq!(ids(&waiting.await.unwrap().unwrap()), [2]);
        // Any number of readers, each with its own cursor; at most `max` messages.
        append(bus, s, 3, "three").await;
        assert_eq!(ids(&bus.read_after(s, 0, 2).await.unwrap()), [1, 2]);
        assert_eq!(ids(&bus.read_after(s, 2, 2).await.unwrap()), [3]);
        assert_eq!(ids(&bus.read_now(s, 3, 2).await.unwrap()), [0; 0]);
    }
}

#[tokio::test]
async fn no_message_is_missed_between_read_and_wait() {
    let (kinds, s) = buses().await;
    let s = s.as_str();
    for Kind { bus, .. } in &kinds {
        let (writer, stream) = (bus.clone(), s.to_owned());
        let writing = tokio::spawn(async move {
            for id in 1..=2_000 {
                writer.append_after(&stream, id - 1, &[(id, "x".into())]).await.unwrap();
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
async fn a_cursor_below_the_trim_point_is_reported() {
    let (kinds, s) = buses().await;
    let s = s.as_str();
    for Kind { bus, .. } in &kinds {
        for id in [10, 20, 30] {
            append(bus, s, id, "x").await;
        }
        bus.trim(s, 25).await.unwrap();
        assert_eq!(bus.read_after(s, 5, 10).await.unwrap(), Batch::Trimmed { through: 20 });
        assert_eq!(ids(&bus.read_after(s, 20, 10).await.unwrap()), [30]);
        assert_eq!(append(bus, s, 15, "x").await, AppendResult::LastIdIs(30));
        bus.trim(s, 1_000).await.unwrap();
        assert_eq!(append(bus, s, 31, "x").await, AppendResult::Appended);
    }
}

#[tokio::test]
async fn a_bounded_stream_is_full_until_it_is_trimmed() {
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
async fn assigned_ids_continue_above_a_cursor() {
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
async fn messages_appended_together_keep_their_order() {
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
async fn a_producer_notices_another_last_id() {
    let (kinds, s) = buses().await;
    for Kind { bus, .. } in &kinds {
        assert_eq!(bus.append_after(&s, 3, &[(4, "four".into())]).await.unwrap(), AppendResult::LastIdIs(0));
        assert_eq!(bus.append_after(&s, 0, &[(4, "four".into())]).await.unwrap(), AppendResult::Appended);
        assert_eq!(bus.append_after(&s, 4, &[(5, "five".into())]).await.unwrap(), AppendResult::Appended);
        assert_eq!(bus.append_after(&s, 4, &[(5, "five".into())]).await.unwrap(), AppendResult::LastIdIs(5));
        // A trimmed stream keeps its last id.
        bus.trim(&s, 5).await.unwrap();
        assert_eq!(bus.append_after(&s, 5, &[(9, "nine".into())]).await.unwrap(), AppendResult::Appended);
        assert_eq!(ids(&bus.read_now(&s, 5, 10).await.unwrap()), [9]);
    }
}

#[tokio::test]
async fn messages_appended_together_are_read_one_by_one() {
    let (kinds, s) = buses().await;
    for Kind { bus, .. } in &kinds {
        let (waiting, stream) = (bus.clone(), s.clone());
        let waiting = tokio::spawn(async move { waiting.read_after(&stream, 1, 10).await });
        assert_eq!(bus.append_after(&s, 0, &[]).await.unwrap(), AppendResult::Appended);
        let together = [(1, "one".into()), (2, "two".into()), (5, "".into())];
        assert_eq!(bus.append_after(&s, 0, &together).await.unwrap(), AppendResult::Appended);
        assert_eq!(ids(&waiting.await.unwrap().unwrap()), [2, 5]);
        // All or nothing, and no duplicates; a waiting reader sees no refused append.
        let (waiting, stream) = (bus.clone(), s.clone());
        let waiting = tokio::spawn(async move { waiting.read_after(&stream, 5, 10).await });
        for (last, other) in [(0, &together[..]), (5, &together[..]), (2, &[(3, "three".into())])] {
            assert_eq!(bus.append_after(&s, last, other).await.unwrap(), AppendResult::LastIdIs(5));
        }
        assert_eq!(bus.last_id(&s).await.unwrap(), 5);
        bus.append_after(&s, 5, &[(6, "six".into()), (7, "seven".into())]).await.unwrap();
        assert_eq!(ids(&waiting.await.unwrap().unwrap()), [6, 7]);
        append(bus, &s, 8, "eight").await;
        // A cursor may point anywhere.
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
async fn a_dropped_reader_does_not_affect_others() {
    let (kinds, s) = buses().await;
    for Kind { bus, .. } in &kinds {
        for id in 1..=50 {
            // Dropped many times while it waits, next to one that stays.
            let (reader, stream) = (bus.clone(), s.clone());
            let stays = tokio::spawn(async move { reader.read_after(&stream, id - 1, 10).await });
            for _ in 0..5 {
                tokio::select! {
                    biased;
                    read = bus.read_after(&s, id - 1, 10) => panic!("{read:?} before it was appended"),
                    () = tokio::task::yield_now() => {}
                }
            }
            append(bus, &s, id, "x").await;
            assert_eq!(ids(&bus.read_after(&s, id - 1, 10).await.unwrap()), [id]);
            assert_eq!(ids(&stays.await.unwrap().unwrap()), [id]);
        }
    }
}

#[tokio::test]
async fn a_stream_keeps_its_newest_messages_and_reports_trimmed_ones() {
    for Kind { bus, .. } in &every(StreamLimits { messages: 100, bytes: 1_000_000 }).await {
        for (name, size, most) in [("many", 1, 116), ("large", 100_000, 40)] {
            let s = format!("{{{}}}:{name}", Uuid::new_v4());
            for id in 1..=200 {
                append(bus, &s, id, vec![b'x'; size]).await;
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
async fn messages_appended_together_are_trimmed_together() {
    let limits = StreamLimits { bytes: 1_000_000, ..StreamLimits::default() };
    for Kind { bus, .. } in &every(limits).await {
        let s = format!("{{{}}}:together", Uuid::new_v4());
        for last in (0..400).step_by(4) {
            let together: Vec<_> = (last + 1..=last + 4).map(|id| (id, vec![b'x'; 25_000].into())).collect();
            assert_eq!(bus.append_after(&s, last, &together).await.unwrap(), AppendResult::Appended);
        }
        let Batch::Trimmed { through } = bus.read_now(&s, 0, 1_000).await.unwrap() else {
            panic!("nothing was trimmed")
        };
        assert!(through < 400 && through.is_multiple_of(4), "{through}");
        // A cursor right there has lost nothing.
        assert!(ids(&bus.read_after(&s, through, 1_000).await.unwrap()).into_iter().eq(through + 1..=400));
        assert_eq!(bus.read_now(&s, through - 1, 1_000).await.unwrap(), Batch::Trimmed { through });
    }
}

#[tokio::test]
async fn a_newest_value_replaces_the_previous_one() {
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
        // A removed one is gone; removing it again is harmless.
        for _ in 0..2 {
            bus.remove_all_latest(&[s.to_owned(), format!("{s}:none")]).await.unwrap();
        }
        assert_eq!(bus.get_latest(s).await.unwrap(), None);
        assert!(bus.get_latest(&format!("{s}:other")).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_discarded_message_has_never_been_there() {
    let (kinds, s) = buses().await;
    let s = s.as_str();
    for Kind { bus, .. } in &kinds {
        for id in [1, 2] {
            append(bus, s, id, "x").await;
        }
        // Far ahead of the producer, whose next id is refused.
        append(bus, s, 1_796_015_617_683, "far").await;
        let next = [(3, "three".into())];
        let far = AppendResult::LastIdIs(1_796_015_617_683);
        assert_eq!(bus.append_after(s, 2, &next).await.unwrap(), far);
        assert_eq!(ids(&bus.read_after(s, 2, 9).await.unwrap()), [1_796_015_617_683]);
        // One of two readers removes it; neither reads it again.
        let message = |id, content: &'static str| Message { id, payload: content.into() };
        let far = message(1_796_015_617_683, "far");
        assert!(bus.discard(s, &far, 2).await.unwrap());
        assert!(!bus.discard(s, &far, 1).await.unwrap());
        assert_eq!(ids(&bus.read_now(s, 2, 9).await.unwrap()), [0; 0]);
        assert_eq!(bus.last_id(s).await.unwrap(), 2);
        assert_eq!(bus.append_after(s, 2, &next).await.unwrap(), AppendResult::Appended);
        assert_eq!(ids(&bus.read_after(s, 0, 9).await.unwrap()), [1, 2, 3]);
        // In the middle nothing else changes.
        assert!(bus.discard(s, &message(2, "x"), 0).await.unwrap());
        // A slow reader of what stood at 3 before does not remove what does now.
        assert!(!bus.discard(s, &message(3, "garbage"), 0).await.unwrap());
        assert_eq!(
            (ids(&bus.read_now(s, 0, 9).await.unwrap()), bus.last_id(s).await.unwrap()),
            (vec![1, 3], 3)
        );
    }
}

#[tokio::test]
async fn a_stream_is_not_rewound_before_its_reader() {
    let (kinds, s) = buses().await;
    let s = s.as_str();
    for Kind { bus, .. } in &kinds {
        bus.resume(s, 100).await.unwrap();
        let id = bus.append_auto(s, "read and trimmed", 9).await.unwrap();
        bus.trim(s, id).await.unwrap();
        let other = bus.append_auto(s, "garbage", 9).await.unwrap();
        assert!(bus.discard(s, &Message { id: other, payload: "garbage".into() }, id).await.unwrap());
        assert_eq!(bus.last_id(s).await.unwrap(), id);
        assert!(bus.append_auto(s, "next", 9).await.unwrap() > id);
        // Without a message the end is where the caller says.
        let empty = format!("{s}:empty");
        bus.resume(&empty, 50).await.unwrap();
        bus.rewind(&empty, 7).await.unwrap();
        assert_eq!(bus.last_id(&empty).await.unwrap(), 7);
    }
}
