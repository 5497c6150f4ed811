//! Stored rows, page by page.

use engine::decimal::Decimal;
use engine::id::{InstrumentId, Seq};
use engine::money::Money;
use engine::time::VenueTime;
use serde::{Deserialize, Serialize};

/// Filter and position of a history. Absent means unbounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryQuery {
    /// UUID; required for ticks and candles, a filter of orders and fills.
    pub instrument_id: Option<String>,
    /// Venue time, inclusive.
    pub from: Option<String>,
    /// Venue time, exclusive.
    pub to: Option<String>,
    /// Rows of a page, 1 to 1,000; 100 when absent.
    pub limit: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Query of `GET /api/v1/history/candles`: a history with an interval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CandlesQuery {
    /// `1s`, `5s`, `15s`, `1m`, `5m`, `15m`, `1h` or `1d`.
    pub interval: Option<String>,
    /// As in [`HistoryQuery`].
    pub instrument_id: Option<String>,
    /// As in [`HistoryQuery`].
    pub from: Option<String>,
    /// As in [`HistoryQuery`].
    pub to: Option<String>,
    /// As in [`HistoryQuery`].
    pub limit: Option<String>,
    /// As in [`HistoryQuery`].
    pub cursor: Option<String>,
}

impl CandlesQuery {
    /// The part that every history has.
    pub fn history(self) -> HistoryQuery {
        let Self { interval: _, instrument_id, from, to, limit, cursor } = self;
        HistoryQuery { instrument_id, from, to, limit, cursor }
    }
}

/// A row of the contract's `market_ticks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickRow {
    /// The instrument.
    pub instrument_id: InstrumentId,
    /// Venue time.
    pub timestamp: VenueTime,
    /// Number of the step.
    pub step: u64,
    /// Best synthetic bid.
    pub bid: Option<Decimal>,
    /// Best synthetic ask.
    pub ask: Option<Decimal>,
    /// The mark.
    #[serde(rename = "mid")]
    pub mark: Decimal,
    /// Absent for listed instruments.
    pub dealer_id: Option<String>,
}

/// Prices and volume of an instrument in a span of venue time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandleRow {
    /// The instrument.
    pub instrument_id: InstrumentId,
    /// Start of the span.
    pub timestamp: VenueTime,
    /// The first mark or match.
    pub open: Decimal,
    /// The highest.
    pub high: Decimal,
    /// The lowest.
    pub low: Decimal,
    /// The last.
    pub close: Decimal,
    /// Traded quantity, in units.
    pub volume: Decimal,
    /// Venue time of the newest mark or match in it.
    pub updated_at: VenueTime,
}

/// A stored valuation: a point of the P&L chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortfolioPoint {
    /// Venue time.
    pub timestamp: VenueTime,
    /// Last journal entry that is included.
    pub seq: Seq,
    /// Cash plus marks.
    pub nav: Money,
    /// All cash.
    pub cash: Money,
    /// P&L of closed positions, before fees.
    pub realized_pnl: Money,
    /// P&L of open positions.
    pub unrealized_pnl: Money,
}
