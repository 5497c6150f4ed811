//! Layout of messages in the entries of a Redis stream.
//!
//! A single message is the field `m` of the entry `id-0`. Messages that are
//! appended together share an entry with the id of the last one: `p` lists their
//! ids and lengths as `id:length id:length …`, and `m` holds their bytes
//! concatenated. So many small messages cost as much as one large one. Does not
//! know what the bytes mean.

use std::fmt::Write as _;
use std::io::Write as _;

use ::redis::{RedisWrite, ToRedisArgs};
use bytes::Bytes;

use crate::bus::{Message, Payload};

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

/// Decodes the messages after `after`; skips entries of any other layout.
pub(super) fn messages(entries: impl IntoIterator<Item = Entry>, after: u64) -> Vec<Message> {
    let all = entries.into_iter().filter_map(unpack).flatten();
    all.filter(|message| message.id > after).collect()
}

fn unpack((id, fields): Entry) -> Option<Vec<Message>> {
    let is = |field: usize, name: &[u8]| fields.get(field).is_some_and(|found| found == name);
    match fields.as_slice() {
        [_, bytes] if is(0, b"m") => {
            let id = id.split_once('-')?.0.parse().ok()?;
            Some(vec![Message { id, payload: bytes.clone().into() }])
        }
        [_, lengths, _, bytes] if is(0, b"p") && is(2, b"m") => split(lengths, bytes),
        _ => None,
    }
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
    fn entries_of_another_layout_are_skipped() {
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
