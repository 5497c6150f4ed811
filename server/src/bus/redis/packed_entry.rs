//! Layout of messages in the entries of a Redis stream.
//!
//! A single message is the field `m` of the entry `id-0`. Messages that are
//! appended together share an entry with the id of the last one: `p` lists their
//! ids and lengths as `id:length id:length …`, and `m` holds their bytes
//! concatenated. So many small messages cost as much as one large one. An entry of
//! another layout, or with too high an id, is one message that cannot be decoded. Does
//! not know what the bytes mean.

use std::fmt::Write as _;
use std::io::Write as _;

use ::redis::{RedisWrite, ToRedisArgs};
use bytes::Bytes;

use crate::bus::{MAX_MESSAGE_ID, Message, Payload};

/// An entry as Redis returns it: id, then fields and values.
pub(super) type Entry = (String, Vec<Bytes>);

/// Messages that are appended together as one entry.
pub(super) struct PackedEntry(Vec<(u64, Bytes)>);

impl PackedEntry {
    pub(super) fn new(messages: &[(u64, Payload)]) -> Self {
        Self(messages.iter().map(|(id, message)| (*id, message.bytes())).collect())
    }

    /// Length in bytes, at least one.
    pub(super) fn size(&self) -> usize {
        self.0.iter().map(|(_, bytes)| bytes.len()).sum::<usize>().max(1)
    }
}

impl ToRedisArgs for PackedEntry {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        if self.0.len() > 1 {
            let mut lengths = String::new();
            for (id, bytes) in &self.0 {
                let _ = write!(lengths, " {id}:{}", bytes.len());
            }
            out.write_arg(b"p");
            out.write_arg(lengths.trim_start().as_bytes());
        }
        out.write_arg(b"m");
        let mut all = out.writer_for_next_arg();
        for (_, bytes) in &self.0 {
            // A write to memory cannot fail.
            let _ = all.write_all(bytes);
        }
    }

    fn num_of_args(&self) -> usize {
        if self.0.len() > 1 { 4 } else { 2 }
    }
}

/// Unpacks the messages after `after`.
pub(super) fn messages(entries: impl IntoIterator<Item = Entry>, after: u64) -> Vec<Message> {
    entries.into_iter().flat_map(unpack).filter(|message| message.id > after).collect()
}

fn unpack((entry_id, fields): Entry) -> Vec<Message> {
    // The server makes no other ids.
    let id = entry_id.split_once('-').and_then(|(id, _)| id.parse().ok()).unwrap_or(MAX_MESSAGE_ID);
    let is = |field: usize, name: &[u8]| fields.get(field).is_some_and(|found| found == name);
    let unpacked = match fields.as_slice() {
        _ if id >= MAX_MESSAGE_ID => None,
        [_, bytes] if is(0, b"m") => Some(vec![Message { id, payload: bytes.clone().into() }]),
        [_, lengths, _, bytes] if is(0, b"p") && is(2, b"m") => split(lengths, bytes),
        _ => None,
    };
    let rises = |messages: &Vec<Message>| {
        messages.last().is_some_and(|last| last.id == id) && messages.is_sorted_by(|a, b| a.id < b.id)
    };
    unpacked.filter(rises).unwrap_or_else(|| {
        // Nothing that begins like this is JSON.
        let all = [&b"entry "[..], entry_id.as_bytes(), b": ", &fields.join(&b' ')].concat();
        vec![Message { id, payload: Bytes::from(all).into() }]
    })
}

/// Splits `all` into messages; `None` if it is too short for `lengths`.
fn split(lengths: &[u8], all: &Bytes) -> Option<Vec<Message>> {
    let mut from: usize = 0;
    let messages = std::str::from_utf8(lengths).ok()?.split(' ').map(|message| {
        let (id, length) = message.split_once(':')?;
        let end = from.checked_add(length.parse().ok()?).filter(|end| *end <= all.len())?;
        let payload = all.slice(from..end).into();
        from = end;
        Some(Message { id: id.parse().ok()?, payload })
    });
    messages.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entry that holds `messages`.
    fn entry(messages: &[(u64, Payload)]) -> Entry {
        let packed = PackedEntry::new(messages);
        let fields = packed.to_redis_args();
        assert_eq!(fields.len(), packed.num_of_args());
        let (newest, _) = messages.last().unwrap();
        (format!("{newest}-0"), fields.into_iter().map(Bytes::from).collect())
    }

    fn texts(entries: Vec<Entry>, after: u64) -> Vec<(u64, String)> {
        let read = messages(entries, after).into_iter();
        read.map(|message| (message.id, String::from_utf8(message.bytes().to_vec()).unwrap())).collect()
    }

    #[test]
    fn messages_appended_together_are_read_one_by_one() {
        let one = entry(&[(4, "four".into())]);
        let many = entry(&[(5, "five".into()), (7, "".into()), (8, "8 m p".into())]);
        let all = |after| texts(vec![one.clone(), many.clone()], after);
        let pair = |id, text: &str| (id, text.to_owned());
        assert_eq!(all(0), [pair(4, "four"), pair(5, "five"), pair(7, ""), pair(8, "8 m p")]);
        // A cursor may point into an entry.
        assert_eq!(all(5), [pair(7, ""), pair(8, "8 m p")]);
        assert_eq!(all(8), []);
    }

    #[test]
    fn an_entry_of_another_layout_is_one_message_that_is_not_json() {
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
            // Ids that do not rise to the entry's.
            &["p", "9:1 8:1", "m", "ab"],
            &["p", "8:1 10:1", "m", "ab"],
            &["p", "9:1 9:1", "m", "ab"],
        ] {
            let [(9, text)] = &texts(vec![of(fields)], 0)[..] else { panic!("{fields:?}") };
            assert_eq!(*text, format!("entry 9-0: {}", fields.join(" ")));
        }
    }

    #[test]
    fn an_id_that_leaves_none_after_it_is_no_message() {
        let of = |id: &str| (id.to_owned(), vec![Bytes::from("m"), Bytes::from("{}")]);
        let highest = MAX_MESSAGE_ID - 1;
        assert_eq!(texts(vec![of(&format!("{highest}-0"))], 0), [(highest, "{}".to_owned())]);
        for id in [MAX_MESSAGE_ID, u64::MAX - 1] {
            let found = texts(vec![of(&format!("{id}-1"))], 0);
            assert_eq!(found, [(id, format!("entry {id}-1: m {{}}"))]);
        }
    }
}
