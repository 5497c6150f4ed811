//! The journal's form: entries chained by hashes.
//!
//! Does not know where entries are kept.

use super::{Input, Outcome, RULES_VERSION};
use crate::id::{Digest, Seq};

/// The hash before entry 1.
pub const GENESIS: Digest = Digest([0; 32]);

/// One journal entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its place.
    pub seq: Seq,
    /// The rules by which it was decided.
    pub rules_version: u32,
    /// Postcard of [`Input`].
    pub input: Vec<u8>,
    /// Postcard of [`Outcome`].
    pub outcome: Vec<u8>,
    /// SHA-256(hash before ‖ seq ‖ rules version ‖ length of input ‖ input ‖
    /// outcome), integers as big-endian bytes.
    pub hash: Digest,
}

/// Bytes of the journal that do not decode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} does not decode")]
pub struct Undecodable {
    /// Its place.
    pub seq: Seq,
}

impl JournalEntry {
    /// The entry that follows `previous` in a venue that was opened by this
    /// build's rules.
    pub fn new(previous: Digest, input: &Input, outcome: &Outcome) -> Self {
        Self::by(RULES_VERSION, previous, input, outcome)
    }

    /// The entry that follows `previous` in a venue of these rules.
    pub fn by(rules_version: u32, previous: Digest, input: &Input, outcome: &Outcome) -> Self {
        // Writing plain data to a growing buffer cannot fail.
        let input = postcard::to_allocvec(input).unwrap_or_default();
        let outcome_bytes = outcome.bytes();
        let hash = chain(previous, outcome.seq, rules_version, &input, &outcome_bytes);
        Self { seq: outcome.seq, rules_version, input, outcome: outcome_bytes, hash }
    }

    /// Whether the entry's hash is that of its bytes after `previous`.
    pub fn follows(&self, previous: Digest) -> bool {
        self.hash == chain(previous, self.seq, self.rules_version, &self.input, &self.outcome)
    }

    /// The entry's input.
    ///
    /// # Errors
    /// [`Undecodable`] when the bytes are damaged.
    pub fn input(&self) -> Result<Input, Undecodable> {
        postcard::from_bytes(&self.input).map_err(|_| Undecodable { seq: self.seq })
    }

    /// The entry's outcome.
    ///
    /// # Errors
    /// [`Undecodable`] when the bytes are damaged.
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
