//! What goes out on sockets, encoded once for all of them.
//!
//! An update is an envelope and items; the items are shared between sockets, so
//! each is encoded at most once per encoding and copied afterwards. Does not
//! know who gets it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use protocol::frames::Item;
use protocol::socket::{Encoding, Frame, Update};

/// An item with its bytes, made when first asked for.
#[derive(Debug)]
pub(crate) struct Encoded {
    item: Item,
    json: OnceLock<Bytes>,
    postcard: OnceLock<Bytes>,
}

impl Encoded {
    /// Not encoded yet.
    pub(crate) fn new(item: Item) -> Self {
        Self { item, json: OnceLock::new(), postcard: OnceLock::new() }
    }

    /// The item itself.
    pub(crate) fn item(&self) -> &Item {
        &self.item
    }

    fn bytes(&self, encoding: Encoding) -> &Bytes {
        // Plain data always has a form in both.
        match encoding {
            Encoding::Json => {
                self.json.get_or_init(|| serde_json::to_vec(&self.item).unwrap_or_default().into())
            }
            Encoding::Postcard => {
                self.postcard.get_or_init(|| postcard::to_allocvec(&self.item).unwrap_or_default().into())
            }
        }
    }
}

/// The most that ends an update after its items, or counts them.
const ENDING: usize = 8;

/// Bytes of items from which on the rest of an update follows in another part.
const PART: usize = 64 * 1024;

/// `items` in the parts in which they are sent: one, unless they are many.
pub(crate) fn parts(items: &[Arc<Encoded>], encoding: Encoding) -> Vec<&[Arc<Encoded>]> {
    let (mut parts, mut rest, mut bytes) = (Vec::new(), items, 0);
    while let Some(end) = rest.iter().position(|item| {
        bytes += item.bytes(encoding).len();
        bytes >= PART
    }) {
        let (part, left) = rest.split_at(end + 1);
        parts.push(part);
        (rest, bytes) = (left, 0);
    }
    if !rest.is_empty() || parts.is_empty() {
        parts.push(rest);
    }
    parts
}

/// A whole frame's bytes.
pub(crate) fn frame(frame: &Frame, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Json => serde_json::to_vec(frame).unwrap_or_default(),
        Encoding::Postcard => postcard::to_allocvec(frame).unwrap_or_default(),
    }
}

/// An update's bytes: `envelope` has no items of its own, `items` take their place.
pub(crate) fn update(envelope: Update, items: &[Arc<Encoded>], encoding: Encoding) -> Vec<u8> {
    let mut bytes = frame(&Frame::Update(envelope), encoding);
    let size: usize = items.iter().map(|item| item.bytes(encoding).len() + 1).sum();
    bytes.reserve_exact(size + ENDING);
    match encoding {
        Encoding::Json => {
            // The items are the last field: `…,"items":[]}}`.
            bytes.truncate(bytes.len().saturating_sub(b"]}}".len()));
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    bytes.push(b',');
                }
                bytes.extend_from_slice(item.bytes(encoding));
            }
            bytes.extend_from_slice(b"]}}");
        }
        Encoding::Postcard => {
            // The items are the last field: their number, here 0, and then they.
            bytes.pop();
            let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
            bytes.extend(postcard::to_allocvec(&count).unwrap_or_default());
            for item in items {
                bytes.extend_from_slice(item.bytes(encoding));
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::decimal::Decimal;
    use engine::id::{InstrumentId, Seq, VenueId};
    use engine::order::Side;
    use engine::time::{Date, VenueTime};
    use protocol::frames::{BookFrame, BookLevel, TapeFrame};

    #[test]
    fn the_parts_of_a_cut_are_the_cut_and_none_is_large() {
        let tape = |number: i64| {
            Item::Tape(TapeFrame {
                instrument_id: InstrumentId::derive(VenueId::from_name("main"), "ACME"),
                price: Decimal::new(number, 2),
                quantity: Decimal::new(1, 0),
                aggressor: Side::Buy,
                timestamp: VenueTime(number),
            })
        };
        let items: Vec<_> = (0..4_000).map(|number| Arc::new(Encoded::new(tape(number)))).collect();
        for encoding in [Encoding::Json, Encoding::Postcard] {
            for count in [0, 1, 4_000] {
                let parts = parts(&items[..count], encoding);
                assert!(parts.concat().iter().zip(&items).all(|(a, b)| Arc::ptr_eq(a, b)));
                assert_eq!(parts.concat().len(), count);
                assert_eq!(parts.len() > 1, count == 4_000, "{encoding:?}");
                for part in parts {
                    let bytes: usize = part.iter().map(|item| item.bytes(encoding).len()).sum();
                    assert!(bytes < PART + 1_000 && (count == 0 || !part.is_empty()), "{bytes}");
                }
            }
        }
    }

    #[test]
    fn a_cut_put_together_is_the_cut_encoded_whole() {
        let book = |symbol: &str| {
            Item::Book(BookFrame {
                instrument_id: InstrumentId::derive(VenueId::from_name("main"), symbol),
                rev: Seq(7),
                bids: vec![BookLevel { price: Decimal::new(9_999, 2), quantity: Decimal::new(5, 0) }],
                asks: vec![],
            })
        };
        for count in [0, 1, 2, 200] {
            let items: Vec<Item> = (0..count).map(|index| book(&format!("S{index}"))).collect();
            let envelope = Update {
                number: 1,
                more: false,
                through: Seq(300),
                time: VenueTime(1),
                date: Date::from_days(20_000),
                date_rev: Seq(1),
                items: vec![],
            };
            let whole = Frame::Update(Update { items: items.clone(), ..envelope.clone() });
            let encoded: Vec<_> = items.into_iter().map(|item| Arc::new(Encoded::new(item))).collect();
            for encoding in [Encoding::Json, Encoding::Postcard] {
                let joined = update(envelope.clone(), &encoded, encoding);
                assert_eq!(joined, frame(&whole, encoding), "{count} {encoding:?}");
            }
        }
    }
}
