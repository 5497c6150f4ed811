//! How messages lie in an entry of a stream.
//!
//! A message is one field, `m`, of the entry `id-0`. Messages that are appended
//! together share an entry, called after the last of them: `p` names the place of
//! each, `id:length` by `id:length`, and `m` has their bytes one after the other.
//! So many small messages cost as much as a large one. Does not know what the
//! bytes mean.

use std::fmt::Write as _;
use std::io::Write as _;

use ::redis::{RedisWrite, ToRedisArgs};
use bytes::Bytes;

use crate::bus::{Message, Parcel};

/// An entry as Redis gives it: id, then fields and values.
pub(super) type Entry = (String, Vec<Bytes>);

/// The fields of messages that are appended together.
pub(super) struct Together(Vec<(u64, Bytes)>);

impl Together {
    pub(super) fn of(messages: &[(u64, Parcel)]) -> Self {
        Self(messages.iter().map(|(id, message)| (*id, message.bytes())).collect())
    }

    /// Bytes, at least one.
    pub(super) fn size(&self) -> usize {
        self.0.iter().map(|(_, bytes)| bytes.len()).sum::<usize>().max(1)
    }
}

impl ToRedisArgs for Together {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        if self.0.len() > 1 {
            let mut places = String::new();
            for (id, bytes) in &self.0 {
                let _ = write!(places, " {id}:{}", bytes.len());
            }
            out.write_arg(b"p");
            out.write_arg(places.trim_start().as_bytes());
        }
        out.write_arg(b"m");
        let mut all = out.writer_for_next_arg();
        for (_, bytes) in &self.0 {
            // Memory takes everything.
            let _ = all.write_all(bytes);
        }
    }

    fn num_of_args(&self) -> usize {
        if self.0.len() > 1 { 4 } else { 2 }
    }
}

/// The messages after `after`. What no bus has written is passed over.
pub(super) fn messages(entries: impl IntoIterator<Item = Entry>, after: u64) -> Vec<Message> {
    let all = entries.into_iter().filter_map(read).flatten();
    all.filter(|message| message.id > after).collect()
}

fn read((id, fields): Entry) -> Option<Vec<Message>> {
    let is = |field: usize, name: &[u8]| fields.get(field).is_some_and(|found| found == name);
    match fields.as_slice() {
        [_, bytes] if is(0, b"m") => {
            let id = id.split_once('-')?.0.parse().ok()?;
            Some(vec![Message { id, parcel: bytes.clone().into() }])
        }
        [_, places, _, bytes] if is(0, b"p") && is(2, b"m") => apart(places, bytes),
        _ => None,
    }
}

/// Messages at their places, which are within `all`.
fn apart(places: &[u8], all: &Bytes) -> Option<Vec<Message>> {
    let mut from: usize = 0;
    let places = std::str::from_utf8(places).ok()?.split(' ').map(|place| {
        let (id, length) = place.split_once(':')?;
        let end = from.checked_add(length.parse().ok()?).filter(|end| *end <= all.len())?;
        let parcel = all.slice(from..end).into();
        from = end;
        Some(Message { id: id.parse().ok()?, parcel })
    });
    places.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entry that these messages make.
    fn entry(messages: &[(u64, Parcel)]) -> Entry {
        let together = Together::of(messages);
        let fields = together.to_redis_args();
        assert_eq!(fields.len(), together.num_of_args());
        let (newest, _) = messages.last().unwrap();
        (format!("{newest}-0"), fields.into_iter().map(Bytes::from).collect())
    }

    fn texts(entries: Vec<Entry>, after: u64) -> Vec<(u64, String)> {
        let read = messages(entries, after).into_iter();
        read.map(|message| (message.id, String::from_utf8(message.bytes().to_vec()).unwrap())).collect()
    }

    #[test]
    fn what_is_appended_together_is_read_one_by_one() {
        let one = entry(&[(4, "four".into())]);
        let many = entry(&[(5, "five".into()), (7, "".into()), (8, "8 m p".into())]);
        let all = |after| texts(vec![one.clone(), many.clone()], after);
        let pair = |id, text: &str| (id, text.to_owned());
        assert_eq!(all(0), [pair(4, "four"), pair(5, "five"), pair(7, ""), pair(8, "8 m p")]);
        // A reader may stand within an entry.
        assert_eq!(all(5), [pair(7, ""), pair(8, "8 m p")]);
        assert_eq!(all(8), []);
    }

    #[test]
    fn what_no_bus_has_written_is_passed_over() {
        let of = |fields: &[&'static str]| -> Entry {
            ("9-0".to_owned(), fields.iter().map(|field| Bytes::from(*field)).collect())
        };
        for fields in [
            &["x", "y"][..],
            &["m"],
            &["m", "a", "x", "b"],
            &["p", "8:1", "m", ""],
            &["p", "8:1 9:18446744073709551615", "m", "ab"],
            &["p", "8:x", "m", "ab"],
            &["p", "", "m", "ab"],
        ] {
            assert!(texts(vec![of(fields)], 0).is_empty(), "{fields:?}");
        }
    }
}
