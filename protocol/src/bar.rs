//! Stored candles of one instrument, the start of a chart.
//!
//! In whole units of the chart; does not know the instrument.

use engine::time::VenueTime;
use serde::{Deserialize, Serialize};

/// A bar of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// Start of the bar.
    pub start: VenueTime,
    /// First price.
    pub open: i64,
    /// Highest price.
    pub high: i64,
    /// Lowest price.
    pub low: i64,
    /// Last price.
    pub close: i64,
    /// Traded volume, or another figure of the lower pane.
    pub volume: i64,
}

impl Bar {
    /// A bar of one price.
    pub const fn at(start: VenueTime, price: i64) -> Self {
        Self { start, open: price, high: price, low: price, close: price, volume: 0 }
    }

    /// Returns true if it closed no lower than it opened.
    pub const fn rose(&self) -> bool {
        self.close >= self.open
    }
}

/// The bars of an instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandleHistory {
    /// Oldest first.
    pub list: Vec<Bar>,
    /// Everything up to this time is included.
    pub through: VenueTime,
}

impl Default for CandleHistory {
    fn default() -> Self {
        Self { list: Vec::new(), through: VenueTime(i64::MIN) }
    }
}
