//! Stored candles of one instrument, as a chart begins with them.
//!
//! Whole numbers of the chart's units; knows no instrument.

use engine::time::VenueTime;
use serde::{Deserialize, Serialize};

/// One bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// When it begins.
    pub start: VenueTime,
    /// First price.
    pub open: i64,
    /// Highest price.
    pub high: i64,
    /// Lowest price.
    pub low: i64,
    /// Last price.
    pub close: i64,
    /// Traded quantity, or the figure of the lower pane instead.
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

/// Bars as they were kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandleHistory {
    /// Oldest first.
    pub list: Vec<Bar>,
    /// They hold everything up to here.
    pub through: VenueTime,
}

impl Default for CandleHistory {
    fn default() -> Self {
        Self { list: Vec::new(), through: VenueTime(i64::MIN) }
    }
}
