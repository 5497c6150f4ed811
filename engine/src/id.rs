//! Names of things: venues, instruments, accounts, orders, trades, and places
//! in the venue's sequence.
//!
//! Ids of a market's things derive from the venue and a symbol or sequence
//! number (UUIDv5), so a replay gives the same ids. Does not draw randomness.

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
    /// A trading account of one user in one venue.
    AccountId
}
id! {
    /// An accepted order: UUIDv5 of (venue, the sequence number that accepted it).
    OrderId
}
id! {
    /// One match between two parties: UUIDv5 of (venue, sequence number, index).
    TradeId
}

id! {
    /// A dealer's quote: UUIDv5 of (venue, instrument, dealer, step).
    QuoteId
}

/// Namespace under which venues get their ids from names.
const TRADEFLOOR: Uuid = Uuid::from_u128(0x7d3c_1f0a_5b42_4e6b_9a51_0c7f_2e84_d1f6);

impl VenueId {
    /// The id of the venue called `name` (`main` is made at first start).
    pub fn from_name(name: &str) -> Self {
        Self(Uuid::new_v5(&TRADEFLOOR, name.as_bytes()))
    }
}

impl InstrumentId {
    /// No instrument's: what is looked at where none is listed.
    pub const NONE: Self = Self(Uuid::nil());

    /// The id of `symbol` in `venue`.
    pub fn derive(venue: VenueId, symbol: &str) -> Self {
        Self(Uuid::new_v5(&venue.0, symbol.as_bytes()))
    }
}

impl AccountId {
    /// The account of the user whose id is `user` in `venue`.
    pub fn derive(venue: VenueId, user: Uuid) -> Self {
        Self(Uuid::new_v5(&venue.0, format!("account:{user}").as_bytes()))
    }
}

impl OrderId {
    /// The order accepted at `seq`; an entry accepts one order at most.
    pub fn derive(venue: VenueId, seq: Seq) -> Self {
        Self(Uuid::new_v5(&venue.0, format!("order:{}", seq.0).as_bytes()))
    }
}

impl TradeId {
    /// Match number `index` of the entry at `seq`.
    pub fn derive(venue: VenueId, seq: Seq, index: usize) -> Self {
        Self(Uuid::new_v5(&venue.0, format!("trade:{}:{index}", seq.0).as_bytes()))
    }
}

impl QuoteId {
    /// What the `dealer` with this place among those of `instrument` quotes in
    /// `step`; at most one quote.
    pub fn derive(venue: VenueId, instrument: InstrumentId, dealer: u8, step: u64) -> Self {
        Self(Uuid::new_v5(&venue.0, format!("quote:{instrument}:{dealer}:{step}").as_bytes()))
    }
}

/// A place in the venue's dense sequence of journal entries; the first is 1,
/// 0 stands for "before everything".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seq(pub u64);

impl Seq {
    /// The place after this one.
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
    /// The digest of the concatenated parts.
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
    fn ids_derive_from_venue_and_name_and_stay_what_they_are() {
        let venue = VenueId::from_name("main");
        assert_eq!(venue, VenueId::from_name("main"));
        let acme = InstrumentId::derive(venue, "ACME");
        assert_eq!(acme.0.get_version_num(), 5);
        assert_ne!(acme, InstrumentId::derive(VenueId::from_name("other"), "ACME"));
        assert_ne!(OrderId::derive(venue, Seq(1)), OrderId::derive(venue, Seq(2)));
    }

    #[test]
    fn a_digest_survives_json() {
        let digest = Digest::of(&[b"seed", b"salt"]);
        let text = serde_json::to_string(&digest).unwrap();
        assert_eq!(text.len(), 66);
        assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), digest);
        assert!(serde_json::from_str::<Digest>("\"zz\"").is_err());
    }
}
