//! The bus's promises, checked on each implementation.

use server::bus::{Appended, Batch, Bus, BusError};

/// Every implementation there is.
fn buses() -> Vec<Bus> {
    vec![Bus::local()]
}

fn ids(batch: &Batch) -> Vec<u64> {
    match batch {
        Batch::Messages(messages) => messages.iter().map(|message| message.id).collect(),
        Batch::Trimmed { through } => panic!("trimmed through {through}"),
    }
}

#[tokio::test]
async fn a_producers_sequence_refuses_duplicates() {
    for bus in buses() {
        assert_eq!(bus.last_id("s").await.unwrap(), 0);
        assert_eq!(bus.append("s", 5, "five").await.unwrap(), Appended::New);
        assert_eq!(bus.append("s", 5, "again").await.unwrap(), Appended::Duplicate);
        assert_eq!(bus.append("s", 4, "late").await.unwrap(), Appended::Duplicate);
        assert_eq!(bus.append("s", 9, "nine").await.unwrap(), Appended::New);
        let Batch::Messages(messages) = bus.read_now("s", 0, 10).await.unwrap() else { panic!("trimmed") };
        let texts: Vec<_> = messages.iter().map(|message| message.bytes.as_ref()).collect();
        assert_eq!(texts, [b"five".as_slice(), b"nine"]);
        assert_eq!(bus.last_id("s").await.unwrap(), 9);
    }
}

#[tokio::test]
async fn a_reader_waits_for_what_comes_after_its_cursor() {
    for bus in buses() {
        bus.append("s", 1, "one").await.unwrap();
        let (reader, other) = (bus.clone(), bus.clone());
        let waiting = tokio::spawn(async move { reader.read_after("s", 1, 10).await });
        other.append("elsewhere", 1, "x").await.unwrap();
        other.append("s", 2, "two").await.unwrap();
        assert_eq!(ids(&waiting.await.unwrap().unwrap()), [2]);
        // Any number of readers, each with its own place; at most as many as asked for.
        bus.append("s", 3, "three").await.unwrap();
        assert_eq!(ids(&bus.read_after("s", 0, 2).await.unwrap()), [1, 2]);
        assert_eq!(ids(&bus.read_after("s", 2, 2).await.unwrap()), [3]);
        assert_eq!(ids(&bus.read_now("s", 3, 2).await.unwrap()), [0; 0]);
    }
}

#[tokio::test]
async fn no_message_slips_between_look_and_wait() {
    for bus in buses() {
        let writer = bus.clone();
        let writing = tokio::spawn(async move {
            for id in 1..=2_000 {
                writer.append("s", id, "x").await.unwrap();
                if id % 7 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        });
        let mut seen = 0;
        while seen < 2_000 {
            for id in ids(&bus.read_after("s", seen, 3).await.unwrap()) {
                assert_eq!(id, seen + 1);
                seen = id;
            }
        }
        writing.await.unwrap();
    }
}

#[tokio::test]
async fn below_the_trim_point_it_says_so() {
    for bus in buses() {
        for id in [10, 20, 30] {
            bus.append("s", id, "x").await.unwrap();
        }
        bus.trim("s", 25).await.unwrap();
        assert_eq!(bus.read_after("s", 5, 10).await.unwrap(), Batch::Trimmed { through: 20 });
        assert_eq!(ids(&bus.read_after("s", 20, 10).await.unwrap()), [30]);
        assert_eq!(bus.append("s", 15, "x").await.unwrap(), Appended::Duplicate);
        bus.trim("s", 1_000).await.unwrap();
        assert_eq!(bus.append("s", 31, "x").await.unwrap(), Appended::New);
    }
}

#[tokio::test]
async fn a_bounded_stream_is_full_until_its_reader_trims() {
    for bus in buses() {
        let first = bus.append_auto("s", "a", 2).await.unwrap();
        let second = bus.append_auto("s", "b", 2).await.unwrap();
        assert!(second > first);
        assert_eq!(bus.append_auto("s", "c", 2).await, Err(BusError::Full));
        bus.trim("s", first).await.unwrap();
        assert!(bus.append_auto("s", "c", 2).await.unwrap() > second);
    }
}

#[tokio::test]
async fn a_wiped_stream_goes_on_above_its_readers_cursor() {
    for bus in buses() {
        bus.resume("s", 41).await.unwrap();
        assert_eq!(bus.append_auto("s", "a", 10).await.unwrap(), 42);
        bus.resume("s", 7).await.unwrap();
        assert_eq!(bus.append_auto("s", "b", 10).await.unwrap(), 43);
        assert_eq!(ids(&bus.read_after("s", 41, 10).await.unwrap()), [42, 43]);
    }
}

#[tokio::test]
async fn the_newest_value_replaces_the_one_before() {
    for bus in buses() {
        assert_eq!(bus.get_latest("k").await.unwrap(), None);
        bus.put_latest("k", "one").await.unwrap();
        bus.put_latest("k", "two").await.unwrap();
        assert_eq!(bus.get_latest("k").await.unwrap().unwrap().as_ref(), b"two");
    }
}
