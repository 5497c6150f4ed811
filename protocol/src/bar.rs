//! Bars of a chart, in whole units of the chart; do not know the instrument.

use engine::candle::Candle;
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

    /// The bar of a candle, in ticks and lots.
    pub const fn of_candle(candle: &Candle) -> Self {
        Self {
            start: candle.start,
            open: candle.open.0,
            high: candle.high.0,
            low: candle.low.0,
            close: candle.close.0,
            volume: candle.volume.0,
        }
    }

    /// Returns true if it closed no lower than it opened.
    pub const fn rose(&self) -> bool {
        self.close >= self.open
    }
}
