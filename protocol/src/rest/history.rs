//! Stored rows, page by page.

use engine::candle::Candle;
use engine::decimal::Decimal;
use engine::id::{InstrumentId, Seq};
use engine::instrument::Instrument;
use engine::money::Money;
use engine::time::VenueTime;
use serde::{Deserialize, Serialize};

/// Filter and position of a history. Absent means unbounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// UUID of an instrument: required for ticks, a filter of orders and fills, not
    /// allowed for valuations.
    #[cfg_attr(feature = "openapi", param(value_type = Option<InstrumentId>))]
    pub instrument_id: Option<String>,
    /// Earliest venue time, inclusive.
    #[cfg_attr(feature = "openapi", param(value_type = Option<VenueTime>))]
    pub from: Option<String>,
    /// Latest venue time, exclusive.
    #[cfg_attr(feature = "openapi", param(value_type = Option<VenueTime>))]
    pub to: Option<String>,
    /// Rows of a page; 100 when absent.
    #[cfg_attr(feature = "openapi", param(value_type = Option<u32>, minimum = 1, maximum = 1000))]
    pub limit: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Query of `GET /api/v1/history/candles`: a history with an interval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct CandlesQuery {
    /// `1s`, `5s`, `15s`, `1m`, `5m`, `15m`, `1h` or `1d`.
    #[cfg_attr(feature = "openapi", param(value_type = engine::candle::Interval, required))]
    pub interval: Option<String>,
    /// UUID of an instrument.
    #[cfg_attr(feature = "openapi", param(value_type = Option<InstrumentId>))]
    pub instrument_id: Option<String>,
    /// Earliest venue time, inclusive.
    #[cfg_attr(feature = "openapi", param(value_type = Option<VenueTime>))]
    pub from: Option<String>,
    /// Latest venue time, exclusive.
    #[cfg_attr(feature = "openapi", param(value_type = Option<VenueTime>))]
    pub to: Option<String>,
    /// Rows of a page; 100 when absent.
    #[cfg_attr(feature = "openapi", param(value_type = Option<u32>, minimum = 1, maximum = 1000))]
    pub limit: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl CandlesQuery {
    /// The part that every history has.
    pub fn history(self) -> HistoryQuery {
        let Self { interval: _, instrument_id, from, to, limit, cursor } = self;
        HistoryQuery { instrument_id, from, to, limit, cursor }
    }
}

/// Mark and best synthetic prices of an instrument after a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TickRow {
    /// The instrument.
    pub instrument_id: InstrumentId,
    /// Venue time.
    pub timestamp: VenueTime,
    /// Number of the step.
    pub step: u64,
    /// Best synthetic bid, in currency units.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub bid: Option<Decimal>,
    /// Best synthetic ask, in currency units.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub ask: Option<Decimal>,
    /// The mark, in currency units.
    #[serde(rename = "mid")]
    pub mark: Decimal,
    /// Dealer of the prices; `null` for instruments with an order book.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub dealer_id: Option<String>,
}

/// Prices and volume of an instrument in a span of venue time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

impl CandleRow {
    /// `candle` in the units of `instrument`.
    pub fn new(candle: &Candle, instrument: &Instrument) -> Self {
        Self {
            instrument_id: instrument.id,
            timestamp: candle.start,
            open: instrument.price(candle.open),
            high: instrument.price(candle.high),
            low: instrument.price(candle.low),
            close: instrument.price(candle.close),
            volume: instrument.quantity(candle.volume),
            updated_at: candle.through,
        }
    }
}

/// A stored valuation: a point of the P&L chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
