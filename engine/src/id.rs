//! Ids of venues, instruments, accounts, orders, trades and quotes; sequence
//! numbers; digests.
//!
//! Ids derive from the venue and a symbol (UUIDv5) or a sequence number (UUIDv8 in
//! the same order as the numbers), so a replay gives the same ids. Draws no
//! randomness.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id! {
    /// One simulated market.
    VenueId
}
id! {
    /// A listed instrument: UUIDv5 of (venue, symbol).
    InstrumentId
}
id! {
    /// One user's trading account in one venue.
    AccountId
}
id! {
    /// An accepted order: derived from venue and accepting sequence number, sorted
    /// by the latter.
    OrderId
}
id! {
    /// One match between two parties: derived from venue, sequence number and index,
    /// sorted by the latter two.
    TradeId
}

id! {
    /// A dealer's quote: UUIDv5 of (venue, instrument, dealer, step).
    QuoteId
}

/// UUIDv5 namespace of venue names.
const VENUE_NAMESPACE: Uuid = Uuid::from_u128(0x7d3c_1f0a_5b42_4e6b_9a51_0c7f_2e84_d1f6);

impl VenueId {
    /// Returns the id of the venue called `name` (`main` is created at first start).
    pub fn from_name(name: &str) -> Self {
        Self(Uuid::new_v5(&VENUE_NAMESPACE, name.as_bytes()))
    }
}

impl InstrumentId {
    /// The id of no instrument.
    pub const NONE: Self = Self(Uuid::nil());

    /// Returns the id of `symbol` in `venue`.
    pub fn derive(venue: VenueId, symbol: &str) -> Self {
        Self(Uuid::new_v5(&venue.0, symbol.as_bytes()))
    }
}

impl AccountId {
    /// Returns the account id of the user `user` in `venue`.
    pub fn derive(venue: VenueId, user: Uuid) -> Self {
        Self(Uuid::new_v5(&venue.0, format!("account:{user}").as_bytes()))
    }
}

impl OrderId {
    /// Returns the id of the order accepted at `seq`; an entry accepts one order at
    /// most.
    pub fn derive(venue: VenueId, seq: Seq) -> Self {
        Self(sorted(seq, 0, venue, &format!("order:{}", seq.0)))
    }
}

impl TradeId {
    /// Returns the id of match number `index` of the entry at `seq`.
    pub fn derive(venue: VenueId, seq: Seq, index: usize) -> Self {
        Self(sorted(seq, index, venue, &format!("trade:{}:{index}", seq.0)))
    }
}

/// Custom bits of a UUIDv8 (RFC 9562): 48 before the version, 12 after it, 62 after
/// the variant.
const NUMBER_BITS: u32 = 48;
const INDEX_BITS: u32 = 12;
const HASH_BITS: u32 = 62;

/// Returns a UUIDv8 that begins with `seq` and `index`, so that a store appends to
/// its tables, and ends with a hash of venue and name, so that ids are unique
/// across venues. Numbers beyond their bits do not sort but stay unique.
fn sorted(seq: Seq, index: usize, venue: VenueId, name: &str) -> Uuid {
    const VERSION: u128 = 8;
    const VARIANT: u128 = 0b10;
    let low = |number: u128, bits: u32| number & ((1 << bits) - 1);
    let mut id = low(u128::from(seq.0), NUMBER_BITS) << 4 | VERSION;
    id = id << INDEX_BITS | low(index as u128, INDEX_BITS);
    id = id << 2 | VARIANT;
    let hash = Uuid::new_v5(&venue.0, name.as_bytes()).as_u128();
    Uuid::from_u128(id << HASH_BITS | low(hash, HASH_BITS))
}

impl QuoteId {
    /// Returns the id of the quote by dealer number `dealer` of `instrument` in
    /// `step`; there is at most one.
    pub fn derive(venue: VenueId, instrument: InstrumentId, dealer: u8, step: u64) -> Self {
        Self(Uuid::new_v5(&venue.0, format!("quote:{instrument}:{dealer}:{step}").as_bytes()))
    }
}

/// Sequence number of a journal entry, dense from 1; 0 stands for "before the
/// first".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seq(pub u64);

impl Seq {
    /// Returns the next number.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A SHA-256 digest; hexadecimal in human-readable formats.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Returns the digest of the concatenated parts.
    pub fn of(parts: &[&[u8]]) -> Self {
        use sha2::Digest as _;
        let mut hasher = sha2::Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a digest is 64 hexadecimal digits";
        if text.len() != 64 || !text.is_ascii() {
            return Err(WRONG);
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| WRONG)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_functions_of_venue_and_name() {
        let venue = VenueId::from_name("main");
        assert_eq!(venue, VenueId::from_name("main"));
        let acme = InstrumentId::derive(venue, "ACME");
        assert_eq!(acme.0.get_version_num(), 5);
        assert_ne!(acme, InstrumentId::derive(VenueId::from_name("other"), "ACME"));
        assert_ne!(OrderId::derive(venue, Seq(1)), OrderId::derive(venue, Seq(2)));
    }

    #[test]
    fn orders_and_trades_sort_by_sequence_number() {
        let venue = VenueId::from_name("main");
        let numbers = [(1, 0), (1, 1), (1, 4_095), (2, 0), (255, 3), (256, 0), ((1 << 48) - 1, 7)];
        let trades = numbers.map(|(seq, index)| TradeId::derive(venue, Seq(seq), index));
        assert!(trades.is_sorted() && trades.windows(2).all(|pair| pair[0] != pair[1]));
        let orders = numbers.map(|(seq, _)| OrderId::derive(venue, Seq(seq)));
        assert!(orders.is_sorted());
        for id in trades.map(|trade| trade.0).into_iter().chain(orders.map(|order| order.0)) {
            assert_eq!((id.get_version_num(), id.get_variant()), (8, uuid::Variant::RFC4122));
        }
        // 0x102 is entry 258.
        let trade = TradeId::derive(venue, Seq(0x102), 3).to_string();
        assert!(trade.starts_with("00000000-0102-8003-"), "{trade}");
        let elsewhere = VenueId::from_name("other");
        assert_ne!(OrderId::derive(venue, Seq(5)), OrderId::derive(elsewhere, Seq(5)));
        assert_ne!(OrderId::derive(venue, Seq(5)).0, TradeId::derive(venue, Seq(5), 0).0);
        // Index 4,096 exceeds its bits; the hash keeps the ids unique.
        assert_ne!(TradeId::derive(venue, Seq(5), 0), TradeId::derive(venue, Seq(5), 4_096));
    }

    #[test]
    fn a_digest_round_trips_through_json() {
        let digest = Digest::of(&[b"seed", b"salt"]);
        let text = serde_json::to_string(&digest).unwrap();
        assert_eq!(text.len(), 66);
        assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), digest);
        assert!(serde_json::from_str::<Digest>("\"zz\"").is_err());
    }
}
