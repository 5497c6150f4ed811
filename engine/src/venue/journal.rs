//! Journal entries, chained by hashes.
//!
//! Does not know where entries are stored.

use super::{Input, Outcome, RULES_VERSION};
use crate::id::{Digest, Seq};

/// Hash before entry 1.
pub const GENESIS: Digest = Digest([0; 32]);

/// A journal entry as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Sequence number.
    pub seq: Seq,
    /// Version of the rules under which it was decided.
    pub rules_version: u32,
    /// Postcard of [`Input`].
    pub input: Vec<u8>,
    /// Postcard of [`Outcome`].
    pub outcome: Vec<u8>,
    /// SHA-256(previous hash ‖ seq ‖ rules version ‖ length of input ‖ input ‖
    /// outcome), integers as big-endian bytes.
    pub hash: Digest,
}

/// Journal bytes that cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} does not decode")]
pub struct Undecodable {
    /// The entry.
    pub seq: Seq,
}

impl JournalEntry {
    /// Creates the entry after `previous`, under this build's rules.
    pub fn new(previous: Digest, input: &Input, outcome: &Outcome) -> Self {
        Self::with_rules(RULES_VERSION, previous, input, outcome)
    }

    /// Creates the entry after `previous`, under the rules of `rules_version`.
    pub fn with_rules(rules_version: u32, previous: Digest, input: &Input, outcome: &Outcome) -> Self {
        // Writing plain data to a growing buffer cannot fail.
        let input = postcard::to_allocvec(input).unwrap_or_default();
        let outcome_bytes = outcome.bytes();
        let hash = chain(previous, outcome.seq, rules_version, &input, &outcome_bytes);
        Self { seq: outcome.seq, rules_version, input, outcome: outcome_bytes, hash }
    }

    /// Returns true if the hash is that of the entry's bytes after `previous`.
    pub fn follows(&self, previous: Digest) -> bool {
        self.hash == chain(previous, self.seq, self.rules_version, &self.input, &self.outcome)
    }

    /// Decodes the input.
    ///
    /// # Errors
    /// [`Undecodable`] for damaged bytes.
    pub fn input(&self) -> Result<Input, Undecodable> {
        postcard::from_bytes(&self.input).map_err(|_| Undecodable { seq: self.seq })
    }

    /// Decodes the outcome.
    ///
    /// # Errors
    /// [`Undecodable`] for damaged bytes.
    pub fn outcome(&self) -> Result<Outcome, Undecodable> {
        postcard::from_bytes(&self.outcome).map_err(|_| Undecodable { seq: self.seq })
    }
}

fn chain(previous: Digest, seq: Seq, rules_version: u32, input: &[u8], outcome: &[u8]) -> Digest {
    Digest::of(&[
        &previous.0,
        &seq.0.to_be_bytes(),
        &rules_version.to_be_bytes(),
        &(input.len() as u64).to_be_bytes(),
        input,
        outcome,
    ])
}
