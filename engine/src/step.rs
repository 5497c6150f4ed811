//! A market step: what market data decides about one instant of venue time,
//! and what trading applies.
//!
//! Only integers: marks, target depth, prints, dealers' quotes. How they were drawn is the
//! simulation's business.

use serde::{Deserialize, Serialize};

use crate::id::{Digest, InstrumentId, Seq};
use crate::instrument::MAX_LOTS;
use crate::money::{Lots, Ticks};
use crate::order::Side;
use crate::time::VenueTime;

/// Names a step and pins its content; this much is journalled for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepHeader {
    /// Number of the step, from 1; it happens at `t0 + step × step_us`.
    pub step: u64,
    /// The last sequence number whose executions the step knows.
    pub seen_seq: Seq,
    /// SHA-256 of the payload's postcard bytes.
    pub payload_hash: Digest,
}

/// What moves in a step: at most one entry an instrument, in ascending
/// instrument id; an instrument that does not tick is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepPayload {
    /// The instruments that tick.
    pub ticks: Vec<Tick>,
    /// New firm quotes of dealers, at most one a dealer and instrument, in
    /// ascending instrument id and dealer.
    #[serde(default)]
    pub quotes: Vec<DealerQuote>,
}

/// A dealer's new quote: firm until it expires, in any size up to those named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealerQuote {
    /// What is quoted.
    pub instrument: InstrumentId,
    /// The dealer's place among those of the instrument.
    pub dealer: u8,
    /// What the dealer pays.
    pub bid: Ticks,
    /// What the dealer asks; above the bid.
    pub ask: Ticks,
    /// How much the dealer buys, positive.
    pub bid_lots: Lots,
    /// How much the dealer sells, positive.
    pub ask_lots: Lots,
    /// Good before this venue time.
    pub expires_at: VenueTime,
}

/// One instrument's part of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// Which instrument.
    pub instrument: InstrumentId,
    /// The price at which positions are marked (bond: clean).
    pub mark: Ticks,
    /// The model's driving rate in 1e-9, where it has one (bond: its yield).
    pub yield_e9: Option<i64>,
    /// Synthetic bids wanted, best first, strictly falling, sizes positive.
    pub bids: Vec<Depth>,
    /// Synthetic asks wanted, best first, strictly rising, sizes positive.
    pub asks: Vec<Depth>,
    /// Trades of the rest of the world: immediate-or-cancel orders of the
    /// house against the merged book, in order.
    pub prints: Vec<Print>,
}

/// A price and the synthetic lots wanted there, written as a pair: a step has
/// hundreds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Ticks, Lots)", into = "(Ticks, Lots)")]
pub struct Depth {
    /// Where.
    pub price: Ticks,
    /// How much.
    pub lots: Lots,
}

impl From<(Ticks, Lots)> for Depth {
    fn from((price, lots): (Ticks, Lots)) -> Self {
        Self { price, lots }
    }
}

impl From<Depth> for (Ticks, Lots) {
    fn from(depth: Depth) -> Self {
        (depth.price, depth.lots)
    }
}

/// An immediate-or-cancel order of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Print {
    /// The house's side.
    pub side: Side,
    /// How much.
    pub lots: Lots,
    /// The worst price it takes.
    pub limit: Ticks,
}

/// Why a step cannot be applied: its publisher is broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Not the step after the last one applied.
    #[error("step {found} follows step {last}")]
    OutOfOrder {
        /// The last applied.
        last: u64,
        /// The one offered.
        found: u64,
    },
    /// It knows executions that have not happened, or forgot some.
    #[error("seen_seq {found} is not between {low} and {high}")]
    SeenSeq {
        /// What the step before it knew.
        low: Seq,
        /// The newest sequence number.
        high: Seq,
        /// What this one claims.
        found: Seq,
    },
    /// The payload is not the one that the header names.
    #[error("the payload's hash is not the header's")]
    PayloadHash,
    /// A tick breaks the rules stated on its fields.
    #[error("malformed tick of {instrument}: {what}")]
    Malformed {
        /// Whose tick.
        instrument: InstrumentId,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl StepPayload {
    /// The bytes that travel and are hashed.
    pub fn bytes(&self) -> Vec<u8> {
        // Writing integers to a growing buffer cannot fail. A step without
        // quotes has the bytes that it had before there were any.
        let mut bytes = postcard::to_allocvec(&self.ticks).unwrap_or_default();
        if !self.quotes.is_empty() {
            bytes.extend(postcard::to_allocvec(&self.quotes).unwrap_or_default());
        }
        bytes
    }

    /// The payload whose [`StepPayload::bytes`] these are.
    ///
    /// # Errors
    /// When they are not any payload's.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, postcard::Error> {
        let (ticks, rest) = postcard::take_from_bytes(bytes)?;
        let quotes = if rest.is_empty() { Vec::new() } else { postcard::from_bytes(rest)? };
        Ok(Self { ticks, quotes })
    }

    /// The header that pins this payload as step `step`.
    pub fn header(&self, step: u64, seen_seq: Seq) -> StepHeader {
        StepHeader { step, seen_seq, payload_hash: Digest::of(&[&self.bytes()]) }
    }

    /// Checks the rules stated on the fields.
    ///
    /// # Errors
    /// [`StepError::Malformed`] names the first tick that breaks one.
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
    /// Whether it says anything about an order book.
    pub fn has_depth(&self) -> bool {
        !(self.bids.is_empty() && self.asks.is_empty() && self.prints.is_empty())
    }

    fn check(&self) -> Result<(), StepError> {
        let malformed = |what| Err(StepError::Malformed { instrument: self.instrument, what });
        let positive = |depth: &Depth| depth.lots > Lots::ZERO && depth.price > Ticks::ZERO;
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
