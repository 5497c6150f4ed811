//! A market step: what market data decides about one instant of venue time,
//! and what trading applies.
//!
//! Only integers: marks, target depth, prints. How they were drawn is the
//! simulation's business.

use serde::{Deserialize, Serialize};

use crate::id::{Digest, InstrumentId, Seq};
use crate::money::{Lots, Ticks};
use crate::order::Side;

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

/// A price and the synthetic lots wanted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depth {
    /// Where.
    pub price: Ticks,
    /// How much.
    pub lots: Lots,
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
        // Writing integers to a growing buffer cannot fail.
        postcard::to_allocvec(self).unwrap_or_default()
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
        self.ticks.iter().try_for_each(Tick::check)
    }
}

impl Tick {
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
