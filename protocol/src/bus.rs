//! What agents tell each other.

use serde::{Deserialize, Serialize};

use engine::book::BookSnapshot;
use engine::id::{AccountId, Seq, VenueId};
use engine::portfolio::Valuation;
use engine::quote::QuotesSnapshot;
use engine::step::{EncodedPayload, StepHeader};
use engine::time::VenueTime;
use engine::venue::Outcome;

/// On `marketdata_stream`: one step, with its number as the message id.
/// Indicative until the sequencer has journalled it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketStep {
    /// Version of this shape: [`Self::VERSION`].
    pub v: u8,
    /// Whose market.
    pub venue: VenueId,
    /// Venue time of the step.
    pub time: VenueTime,
    /// Number, what it knew, hash.
    pub header: StepHeader,
    /// What moves.
    pub payload: EncodedPayload,
}

impl MarketStep {
    /// Since 2 a level is written as price and lots, without their names: half
    /// of the bytes. [`crate::old::MarketStepV1`] was before.
    pub const VERSION: u8 = 2;
}

/// On `execution_stream`: one committed batch of the journal, with its last
/// sequence number as the message id. A reader whose cursor is before
/// `first_seq − 1` refills from the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionBatch {
    /// Version of this shape: 1.
    pub v: u8,
    /// Whose market.
    pub venue: VenueId,
    /// The first entry in the batch.
    pub first_seq: Seq,
    /// The last; everything in the message is as of here.
    pub through: Seq,
    /// The entries, in order and without gaps.
    pub entries: Vec<PublishedEntry>,
    /// The merged book of every instrument that the batch changed, whole, as
    /// of `through`.
    pub books: Vec<BookSnapshot>,
    /// The same of dealers' quotes, for what trades on them.
    #[serde(default)]
    pub quotes: Vec<QuotesSnapshot>,
}

/// One entry of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedEntry {
    /// What others follow of it: without the answer and the postings, which are
    /// in the journal.
    pub outcome: Outcome,
}

/// On `risk_stream`: one account's valuation after an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortfolioMessage {
    /// Version of this shape: 1.
    pub v: u8,
    /// Whose market.
    pub venue: VenueId,
    /// Whose book.
    pub account: AccountId,
    /// Marks and positions are as of this entry.
    pub through: Seq,
    /// Venue time of that entry.
    pub time: VenueTime,
    /// The figures.
    pub valuation: Valuation,
}
