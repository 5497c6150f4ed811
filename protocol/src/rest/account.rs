//! The caller's account: the data of a trading screen.

use engine::decimal::Decimal;
use engine::id::{Digest, InstrumentId, Seq, VenueId};
use engine::instrument::Instrument;
use engine::money::Money;
use engine::time::{Date, VenueTime};
use serde::{Deserialize, Serialize};

use crate::frames::{
    AccountFrame, BookFrame, FillFrame, OrderFrame, PortfolioSnapshot, QuotesFrame, TickEvent,
};
use crate::gateway::Caller;
use crate::sparkline::Sparkline;

/// One consistent cut of market and account: the data of a trading screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradingSnapshot {
    /// The market.
    pub venue: VenueId,
    /// Its name.
    pub venue_name: String,
    /// SHA-256(seed ‖ salt).
    pub seed_commitment: Digest,
    /// Code of the one currency.
    pub currency: String,
    /// Last journal entry that is included.
    pub through: Seq,
    /// Venue time of that entry.
    pub time: VenueTime,
    /// Settlement date.
    pub date: Date,
    /// Entry that last changed the settlement date.
    pub date_rev: Seq,
    /// Start of the venue: its days are counted from there.
    pub t0: VenueTime,
    /// Listed instruments, by symbol.
    pub instruments: Vec<Instrument>,
    /// The merged books.
    pub books: Vec<BookFrame>,
    /// Live quotes of instruments that trade on dealers' quotes.
    pub quotes: Vec<QuotesFrame>,
    /// Marks and touches.
    pub ticks: Vec<TickEvent>,
    /// Marks of the last minute.
    pub sparklines: Vec<(InstrumentId, Sparkline)>,
    /// The caller's account.
    pub account: AccountFrame,
    /// The caller's valuation.
    pub portfolio: PortfolioSnapshot,
    /// Base of the day's changes.
    pub day_open: DayOpen,
}

/// Figures at the start of the settlement date. What is unknown is absent and
/// shown as a dash, never as zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayOpen {
    /// The caller's NAV; the starting balance of an account opened on this date.
    pub nav: Option<Money>,
    /// Marks, or the first ones of the day, where there are any.
    pub marks: Vec<(InstrumentId, Decimal)>,
}

/// Everything that a page is rendered from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The signed-in user.
    pub caller: Caller,
    /// Market and account.
    pub snapshot: TradingSnapshot,
    /// The caller's newest orders, read after the snapshot.
    pub orders: Vec<OrderFrame>,
    /// The caller's newest fills, read after the snapshot.
    pub fills: Vec<FillFrame>,
}
