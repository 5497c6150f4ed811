//! Bars of a chart: open, high, low, close and volume of equal spans of time.
//!
//! Whole numbers in the chart's units; knows no instrument.

use engine::candle::start_of;
use engine::time::VenueTime;
use protocol::candle_history::{Bar, CandleHistory};
use protocol::nav_history::{NavHistory, Span};

/// Bars kept at most; the oldest are dropped.
const MAX_BARS: usize = 1_500;

/// Bars in order of time, all of one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bars {
    step_us: i64,
    /// Start of the venue's first day; every day starts a new bar.
    t0: VenueTime,
    list: Vec<Bar>,
    /// Prints up to this time are in the volumes.
    printed: VenueTime,
}

impl Bars {
    /// `list` in order of time, each `step_us` long; prints up to the start of its
    /// last bar are counted.
    pub fn new(step_us: i64, list: Vec<Bar>) -> Self {
        let printed = list.last().map_or(VenueTime(i64::MIN), |bar| bar.start);
        Self { step_us: step_us.max(1), t0: VenueTime(0), list, printed }
    }

    /// Continues `stored` candles of a venue that began at `t0`.
    pub fn resume(t0: VenueTime, step_us: i64, stored: CandleHistory) -> Self {
        Self { step_us: step_us.max(1), t0, list: stored.list, printed: stored.through }
    }

    /// Spans of a NAV history for a scene whose lower pane shows the drawdown.
    pub fn of_nav(history: &NavHistory) -> Self {
        let bar = |span: &Span| Bar {
            start: span.start,
            open: span.drawdown.peak,
            high: span.high,
            low: span.low,
            close: span.close,
            volume: span.drawdown.below,
        };
        let list = history.spans().iter().map(bar).collect();
        Self::resume(history.t0(), history.step_us(), CandleHistory { list, through: history.through() })
    }

    /// Length of a bar in microseconds.
    pub const fn step_us(&self) -> i64 {
        self.step_us
    }

    /// The bars, oldest first.
    pub fn list(&self) -> &[Bar] {
        &self.list
    }

    /// Takes a price at `time`; returns true if it changed a bar. A price older than
    /// the newest bar is ignored.
    pub fn mark(&mut self, time: VenueTime, price: i64) -> bool {
        let start = start_of(self.step_us, self.t0, time);
        match self.list.last_mut() {
            Some(last) if start < last.start => return false,
            Some(last) if start == last.start => {
                let before = *last;
                last.high = last.high.max(price);
                last.low = last.low.min(price);
                last.close = price;
                return *last != before;
            }
            // A bar opens at the close of the one before it: no gap is drawn in
            // which nobody could have traded.
            Some(last) => {
                let open = last.close;
                let (high, low) = (open.max(price), open.min(price));
                self.list.push(Bar { start, open, high, low, close: price, volume: 0 });
            }
            None => self.list.push(Bar::at(start, price)),
        }
        if self.list.len() > MAX_BARS {
            self.list.drain(..self.list.len() - MAX_BARS);
        }
        true
    }

    /// Adds prints in order of time to the volumes; returns true if any was added.
    /// Prints not newer than the last batch were counted before.
    pub fn print(&mut self, prints: &[(VenueTime, i64)]) -> bool {
        let until = self.printed;
        let mut counted = false;
        for (time, quantity) in prints.iter().filter(|(time, _)| *time > until) {
            let at = self.list.partition_point(|bar| bar.start <= *time);
            if let Some(bar) = at.checked_sub(1).and_then(|at| self.list.get_mut(at)) {
                bar.volume = bar.volume.saturating_add(*quantity);
                counted = true;
            }
            self.printed = self.printed.max(*time);
        }
        counted
    }
}

#[cfg(test)]
mod tests {
    use protocol::nav_history::NavRange;

    use super::*;

    const SECOND: i64 = 1_000_000;

    fn marked(step_us: i64, marks: &[(i64, i64)]) -> Bars {
        let mut bars = Bars::new(step_us, Vec::new());
        for (time, price) in marks {
            bars.mark(VenueTime(*time), *price);
        }
        bars
    }

    #[test]
    fn marks_are_collected_in_spans_of_time() {
        let bars = marked(SECOND, &[(100_000, 10), (400_000, 14), (900_000, 8), (1_000_000, 9)]);
        let [first, second] = bars.list() else { panic!("two bars") };
        assert_eq!((first.open, first.high, first.low, first.close), (10, 14, 8, 8));
        assert_eq!(first.start, VenueTime(0));
        // It opens at 8, where the first one closed.
        assert_eq!((second.open, second.high, second.low, second.close), (8, 9, 8, 9));
        assert_eq!(second.start, VenueTime(SECOND));
    }

    #[test]
    fn a_late_price_changes_nothing() {
        let mut bars = marked(SECOND, &[(SECOND, 10)]);
        assert!(!bars.mark(VenueTime(0), 99));
        assert!(!bars.mark(VenueTime(SECOND), 10));
        assert_eq!(bars.list().len(), 1);
    }

    #[test]
    fn prints_are_counted_once() {
        let mut bars = marked(SECOND, &[(0, 10), (SECOND, 11)]);
        let batch = [(VenueTime(100), 5), (VenueTime(100), 7), (VenueTime(SECOND + 1), 1)];
        assert!(bars.print(&batch));
        // The whole tape comes again after a reconnect.
        assert!(!bars.print(&batch));
        let volumes: Vec<i64> = bars.list().iter().map(|bar| bar.volume).collect();
        assert_eq!(volumes, [12, 1]); // 5 + 7, 1
    }

    #[test]
    fn stored_bars_are_continued() {
        let stored = Bar { volume: 5, ..Bar::at(VenueTime(SECOND), 10) };
        let through = VenueTime(SECOND + 300);
        let mut bars = Bars::resume(VenueTime(0), SECOND, CandleHistory { list: vec![stored], through });
        // Prints up to then are in them.
        bars.print(&[(VenueTime(SECOND + 100), 5), (VenueTime(SECOND + 400), 2)]);
        bars.mark(VenueTime(SECOND + 500), 12);
        assert_eq!(bars.list(), [Bar { high: 12, close: 12, volume: 7, ..stored }]); // 5 + 2
    }

    #[test]
    fn every_day_starts_a_new_bar() {
        // Hours of a day of six and a half, from half past nine.
        let (t0, hour) = (VenueTime(34_200 * SECOND), 3_600 * SECOND);
        let mut bars = Bars::resume(t0, hour, CandleHistory::default());
        for seconds in [0, 3_599, 3_600, 23_399, 23_400, 26_999] {
            bars.mark(t0.plus_micros(seconds * SECOND), 10);
        }
        let starts: Vec<i64> = bars.list().iter().map(|bar| (bar.start.0 - t0.0) / SECOND).collect();
        assert_eq!(starts, [0, 3_600, 21_600, 23_400]);
    }

    #[test]
    fn times_before_the_epoch_have_spans_too() {
        assert_eq!(marked(SECOND, &[(-1, 10)]).list()[0].start, VenueTime(-SECOND));
    }

    #[test]
    fn the_oldest_bars_are_dropped() {
        let marks: Vec<(i64, i64)> = (0..2_000).map(|second| (second * SECOND, 1)).collect();
        let bars = marked(SECOND, &marks);
        assert_eq!(bars.list().len(), MAX_BARS);
        assert_eq!(bars.list().last().map(|bar| bar.start), Some(VenueTime(1_999 * SECOND)));
    }

    #[test]
    fn the_lower_figure_of_a_nav_history_is_the_drawdown() {
        let start = VenueTime(0);
        let mut history = NavHistory::new(NavRange::All, 100_000, start, start);
        history.push(start, 110_000);
        history.push(start.plus_micros(SECOND), 99_000);
        let bars = Bars::of_nav(&history);
        let [bar] = bars.list() else { panic!("one bar") };
        assert_eq!((bar.open, bar.volume, bar.close), (110_000, 11_000, 99_000));
    }
}
