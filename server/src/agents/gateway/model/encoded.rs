//! Bytes of the frames of sockets, encoded once for all of them.
//!
//! An update is an envelope and items; the items are shared between sockets, so
//! each is encoded at most once per encoding and copied afterwards. Does not
//! know who receives it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use protocol::frames::{Instruments, ItemFrame};
use protocol::socket::{Encoding, Frame, Item, Update};
use serde::Serialize;

/// An item with its bytes, encoded on first use.
#[derive(Debug)]
pub(crate) struct Encoded {
    item: Item,
    instruments: Arc<Instruments>,
    json: OnceLock<Bytes>,
    postcard: OnceLock<Bytes>,
}

impl Encoded {
    /// An item about some of `instruments`, not encoded yet.
    pub(crate) fn new(item: Item, instruments: Arc<Instruments>) -> Self {
        Self { item, instruments, json: OnceLock::new(), postcard: OnceLock::new() }
    }

    /// The item itself.
    #[cfg(test)]
    pub(super) fn item(&self) -> &Item {
        &self.item
    }

    fn bytes(&self, encoding: Encoding) -> &Bytes {
        match encoding {
            Encoding::Json => self
                .json
                .get_or_init(|| encode(&ItemFrame::new(&self.item, &self.instruments), encoding).into()),
            Encoding::Postcard => self.postcard.get_or_init(|| encode(&self.item, encoding).into()),
        }
    }
}

/// Upper bound of the bytes that follow an update's items, or count them.
const ENDING_MAX_BYTES: usize = 8;

/// Size of a part's items from which on the rest of an update follows in another
/// part.
const PART_BYTES: usize = 64 * 1024;

/// Splits `items` into the parts in which they are sent: one, unless they are
/// many.
pub(crate) fn parts(items: &[Arc<Encoded>], encoding: Encoding) -> Vec<&[Arc<Encoded>]> {
    let (mut parts, mut rest, mut bytes) = (Vec::new(), items, 0);
    while let Some(end) = rest.iter().position(|item| {
        bytes += item.bytes(encoding).len();
        bytes >= PART_BYTES
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

/// The bytes of a frame without items, or of anything else.
pub(crate) fn encode(value: &impl Serialize, encoding: Encoding) -> Vec<u8> {
    // Plain data with text keys has a form in both encodings.
    match encoding {
        Encoding::Json => serde_json::to_vec(value).unwrap_or_default(),
        Encoding::Postcard => postcard::to_allocvec(value).unwrap_or_default(),
    }
}

/// The bytes of an update: `envelope` has no items of its own, `items` take
/// their place.
pub(crate) fn encode_update(envelope: Update, items: &[Arc<Encoded>], encoding: Encoding) -> Vec<u8> {
    let mut bytes = encode(&Frame::Update(envelope), encoding);
    let size: usize = items.iter().map(|item| item.bytes(encoding).len() + 1).sum();
    bytes.reserve_exact(size + ENDING_MAX_BYTES);
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
            // The items are the last field: their count, here 0, and then they.
            bytes.pop();
            let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
            bytes.extend(encode(&count, encoding));
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
    use engine::book::{BookSnapshot, PriceLevel};
    use engine::id::Seq;
    use engine::instrument::Instrument;
    use engine::money::{Lots, Ticks};
    use engine::order::Side;
    use engine::time::{Date, VenueTime};
    use engine::venue::{TapePrint, VenueConfig};
    use protocol::socket::TapeUpdate;

    fn instruments() -> Arc<Instruments> {
        Arc::new(VenueConfig::default().instruments().unwrap())
    }

    fn listed(instruments: &Instruments) -> &Instrument {
        instruments.values().next().unwrap()
    }

    #[test]
    fn the_parts_of_an_update_are_the_update_and_none_is_large() {
        let instruments = instruments();
        let tape = |number: i64| {
            let (price, lots) = (Ticks(number), Lots(1));
            let instrument = listed(&instruments).id;
            let print = TapePrint { instrument, price, lots, aggressor: Side::Buy };
            Item::Tape(TapeUpdate { print, time: VenueTime(number) })
        };
        let encoded = |number| Arc::new(Encoded::new(tape(number), instruments.clone()));
        let items: Vec<_> = (0..4_000).map(encoded).collect();
        for encoding in [Encoding::Json, Encoding::Postcard] {
            for count in [0, 1, 4_000] {
                let parts = parts(&items[..count], encoding);
                assert!(parts.concat().iter().zip(&items).all(|(a, b)| Arc::ptr_eq(a, b)));
                assert_eq!(parts.concat().len(), count);
                assert_eq!(parts.len() > 1, count == 4_000, "{encoding:?}");
                for part in parts {
                    let bytes: usize = part.iter().map(|item| item.bytes(encoding).len()).sum();
                    assert!(bytes < PART_BYTES + 1_000 && (count == 0 || !part.is_empty()), "{bytes}");
                }
            }
        }
    }

    #[test]
    fn an_update_put_together_is_the_update_encoded_whole() {
        let instruments = instruments();
        let book = |rev: u64| {
            let bids = vec![PriceLevel { price: Ticks(9_999), lots: Lots(5) }];
            Item::Book(BookSnapshot {
                instrument: listed(&instruments).id,
                rev: Seq(rev),
                bids,
                asks: vec![],
            })
        };
        for count in [0, 1, 2, 200] {
            let items: Vec<Item> = (0..count).map(book).collect();
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
            let encoded = |item| Arc::new(Encoded::new(item, instruments.clone()));
            let encoded: Vec<_> = items.into_iter().map(encoded).collect();
            let joined = |encoding| encode_update(envelope.clone(), &encoded, encoding);
            let json = whole.to_json_form(&instruments).unwrap();
            assert_eq!(joined(Encoding::Json), encode(&json, Encoding::Json), "{count}");
            assert_eq!(joined(Encoding::Postcard), encode(&whole, Encoding::Postcard), "{count}");
        }
    }
}
