//! Market steps: made by market data for one instant of venue time, applied by
//! trading.
//!
//! Integers only: marks, target depth, prints, dealers' quotes. Does not know how
//! they are drawn.

use std::ops::Deref;

use serde::{Deserialize, Serialize, Serializer};

use crate::id::{Digest, InstrumentId, Seq};
use crate::instrument::MAX_LOTS;
use crate::money::{Lots, Ticks};
use crate::order::Side;
use crate::time::VenueTime;

/// Number of a step and hash of its payload; the journalled part of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepHeader {
    /// Number of the step, from 1; it happens at `t0 + step × step_us`.
    pub step: u64,
    /// The last sequence number whose executions the step includes.
    pub seen_seq: Seq,
    /// SHA-256 of the payload's postcard bytes.
    pub payload_hash: Digest,
}

/// Content of a step: at most one tick per instrument, in ascending instrument
/// id; instruments that do not tick are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepPayload {
    /// Ticks of the instruments.
    pub ticks: Vec<Tick>,
    /// New firm quotes, at most one per instrument and dealer, in ascending order
    /// of both.
    #[serde(default)]
    pub quotes: Vec<DealerQuote>,
}

/// A payload with its journalled encoding and hash, both computed once.
/// Serialized like the payload alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "StepPayload")]
pub struct EncodedPayload {
    payload: StepPayload,
    bytes: Vec<u8>,
    hash: Digest,
}

impl EncodedPayload {
    /// Encodes and hashes `payload`.
    pub fn new(payload: StepPayload) -> Self {
        let bytes = payload.encode();
        Self { hash: Digest::of(&[&bytes]), payload, bytes }
    }

    /// Decodes and hashes the bytes of [`EncodedPayload::bytes`].
    ///
    /// # Errors
    /// When they are not the encoding of a payload.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, postcard::Error> {
        let payload = StepPayload::decode(bytes)?;
        Ok(Self { hash: Digest::of(&[bytes]), payload, bytes: bytes.to_vec() })
    }

    /// Returns the journalled encoding.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the header of this payload as step number `step`.
    pub fn header(&self, step: u64, seen_seq: Seq) -> StepHeader {
        StepHeader { step, seen_seq, payload_hash: self.hash }
    }
}

impl From<StepPayload> for EncodedPayload {
    fn from(payload: StepPayload) -> Self {
        Self::new(payload)
    }
}

impl Serialize for EncodedPayload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.payload.serialize(serializer)
    }
}

impl Deref for EncodedPayload {
    type Target = StepPayload;

    fn deref(&self) -> &StepPayload {
        &self.payload
    }
}

/// A dealer's new quote: firm until it expires, for any size up to its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealerQuote {
    /// Quoted instrument.
    pub instrument: InstrumentId,
    /// Index of the dealer among the instrument's dealers.
    pub dealer: u8,
    /// The dealer's buying price.
    pub bid: Ticks,
    /// The dealer's selling price, above the bid.
    pub ask: Ticks,
    /// Lots that the dealer buys, positive.
    pub bid_lots: Lots,
    /// Lots that the dealer sells, positive.
    pub ask_lots: Lots,
    /// Valid before this venue time.
    pub expires_at: VenueTime,
}

/// One instrument's part of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// Instrument that ticks.
    pub instrument: InstrumentId,
    /// Price at which positions are marked (bond: clean).
    pub mark: Ticks,
    /// Yield of a bond, in 1e-9.
    pub yield_e9: Option<i64>,
    /// Target of synthetic bids, best first, strictly falling, sizes positive.
    pub bids: Vec<TargetLevel>,
    /// Target of synthetic asks, best first, strictly rising, sizes positive.
    pub asks: Vec<TargetLevel>,
    /// Trades of the simulated public: immediate-or-cancel orders of the house
    /// against the book, in order.
    pub prints: Vec<Print>,
}

/// Target of synthetic lots at a price; serialized as a pair, because a step has
/// hundreds of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Ticks, Lots)", into = "(Ticks, Lots)")]
pub struct TargetLevel {
    /// Price of the level.
    pub price: Ticks,
    /// Synthetic lots at this price.
    pub lots: Lots,
}

impl From<(Ticks, Lots)> for TargetLevel {
    fn from((price, lots): (Ticks, Lots)) -> Self {
        Self { price, lots }
    }
}

impl From<TargetLevel> for (Ticks, Lots) {
    fn from(level: TargetLevel) -> Self {
        (level.price, level.lots)
    }
}

/// An immediate-or-cancel order of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Print {
    /// The house's side.
    pub side: Side,
    /// Maximum lots.
    pub lots: Lots,
    /// The worst price it takes.
    pub limit: Ticks,
}

/// Reason why a step cannot be applied: its publisher is faulty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Not later than the last applied step.
    #[error("step {found} follows step {last}")]
    OutOfOrder {
        /// The last applied step.
        last: u64,
        /// The received step.
        found: u64,
    },
    /// Includes executions that have not happened, or fewer than the step before.
    #[error("seen_seq {found} is not between {low} and {high}")]
    SeenSeq {
        /// `seen_seq` of the step before.
        low: Seq,
        /// The newest sequence number.
        high: Seq,
        /// `seen_seq` of this step.
        found: Seq,
    },
    /// The payload's hash is not the header's.
    #[error("the payload's hash is not the header's")]
    PayloadHash,
    /// A tick or quote breaks the rules of its fields.
    #[error("malformed tick of {instrument}: {what}")]
    Malformed {
        /// Its instrument.
        instrument: InstrumentId,
        /// The broken rule.
        what: &'static str,
    },
}

impl StepPayload {
    /// Returns the journalled encoding.
    fn encode(&self) -> Vec<u8> {
        // Writing integers to a growing buffer cannot fail. Without quotes only
        // the ticks are written.
        let mut bytes = postcard::to_allocvec(&self.ticks).unwrap_or_default();
        if !self.quotes.is_empty() {
            bytes.extend(postcard::to_allocvec(&self.quotes).unwrap_or_default());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, postcard::Error> {
        let (ticks, rest) = postcard::take_from_bytes(bytes)?;
        let quotes = if rest.is_empty() { Vec::new() } else { postcard::from_bytes(rest)? };
        Ok(Self { ticks, quotes })
    }

    /// Checks the rules of the fields.
    ///
    /// # Errors
    /// [`StepError::Malformed`] with the first broken rule.
    pub fn check(&self) -> Result<(), StepError> {
        for pair in self.ticks.windows(2) {
            if pair[0].instrument >= pair[1].instrument {
                let what = "instruments must ascend";
                return Err(StepError::Malformed { instrument: pair[1].instrument, what });
            }
        }
        for pair in self.quotes.windows(2) {
            if (pair[0].instrument, pair[0].dealer) >= (pair[1].instrument, pair[1].dealer) {
                let what = "quotes must ascend by instrument and dealer";
                return Err(StepError::Malformed { instrument: pair[1].instrument, what });
            }
        }
        self.ticks.iter().try_for_each(Tick::check)?;
        self.quotes.iter().try_for_each(DealerQuote::check)
    }
}

impl DealerQuote {
    fn check(&self) -> Result<(), StepError> {
        let malformed = |what| Err(StepError::Malformed { instrument: self.instrument, what });
        if self.bid <= Ticks::ZERO || self.ask <= self.bid {
            return malformed("a quote must have a positive bid below its ask");
        }
        if ![self.bid_lots, self.ask_lots].iter().all(|lots| (Lots(1)..=MAX_LOTS).contains(lots)) {
            return malformed("a quote must have positive sizes");
        }
        Ok(())
    }
}

impl Tick {
    /// Returns true if it has any content for an order book.
    pub fn has_depth(&self) -> bool {
        !(self.bids.is_empty() && self.asks.is_empty() && self.prints.is_empty())
    }

    fn check(&self) -> Result<(), StepError> {
        let malformed = |what| Err(StepError::Malformed { instrument: self.instrument, what });
        let positive = |level: &TargetLevel| level.lots > Lots::ZERO && level.price > Ticks::ZERO;
        if !self.bids.iter().chain(&self.asks).all(positive) {
            return malformed("depth must have positive sizes and prices");
        }
        if !self.bids.is_sorted_by(|a, b| a.price > b.price) {
            return malformed("bids must fall");
        }
        if !self.asks.is_sorted_by(|a, b| a.price < b.price) {
            return malformed("asks must rise");
        }
        if let (Some(bid), Some(ask)) = (self.bids.first(), self.asks.first())
            && bid.price >= ask.price
        {
            return malformed("the target is crossed");
        }
        if self.prints.iter().any(|print| print.lots <= Lots::ZERO) {
            return malformed("prints must have positive sizes");
        }
        if self.mark <= Ticks::ZERO {
            return malformed("the mark must be positive");
        }
        Ok(())
    }
}
