//! Bars of a chart: open, high, low, close and volume of equal spans of time.
//!
//! Whole numbers in the chart's units; knows no instrument, and folds nothing: the
//! venue's candles and the portfolio agent's valuations are folded before.

use engine::time::VenueTime;
use protocol::bar::Bar;
use protocol::nav_history::{NavHistory, Span};

/// Bars kept at most; the oldest are dropped.
const MAX_BARS: usize = 1_500;

/// Bars in order of time, all of one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bars {
    step_us: i64,
    list: Vec<Bar>,
}

impl Bars {
    /// `list` in order of time, each `step_us` long.
    pub fn new(step_us: i64, list: Vec<Bar>) -> Self {
        Self { step_us: step_us.max(1), list }
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
        Self::new(history.step_us(), history.spans().iter().map(bar).collect())
    }

    /// Length of a bar in microseconds.
    pub const fn step_us(&self) -> i64 {
        self.step_us
    }

    /// The bars, oldest first.
    pub fn list(&self) -> &[Bar] {
        &self.list
    }

    /// Returns true if a bar that starts at `start` is missing between those held.
    pub fn lacks(&self, start: VenueTime) -> bool {
        self.list.first().is_none_or(|first| first.start < start)
            && self.list.binary_search_by_key(&start, |bar| bar.start).is_err()
    }

    /// Replaces the bar with the same start, or adds `bar` in order of time. Returns
    /// true if that changed anything.
    pub fn set(&mut self, bar: Bar) -> bool {
        match self.list.binary_search_by_key(&bar.start, |bar| bar.start) {
            Ok(at) => std::mem::replace(&mut self.list[at], bar) != bar,
            Err(at) => {
                self.list.insert(at, bar);
                if self.list.len() > MAX_BARS {
                    self.list.drain(..self.list.len() - MAX_BARS);
                }
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::nav_history::NavRange;

    use super::*;

    const SECOND: i64 = 1_000_000;

    fn at(second: i64, price: i64) -> Bar {
        Bar::at(VenueTime(second * SECOND), price)
    }

    #[test]
    fn a_newer_state_replaces_a_bar_and_others_are_put_in_order() {
        let mut bars = Bars::new(SECOND, vec![at(1, 10), at(4, 14)]);
        let newer = Bar { high: 12, close: 12, volume: 5, ..at(4, 14) };
        assert!(bars.set(newer));
        assert!(!bars.set(newer));
        assert!(bars.set(at(2, 11)) && bars.set(at(5, 15)) && bars.set(at(-1, 9)));
        assert_eq!(bars.list(), [at(-1, 9), at(1, 10), at(2, 11), newer, at(5, 15)]);
    }

    #[test]
    fn a_missing_bar_is_one_between_those_held() {
        let bars = Bars::new(SECOND, vec![at(1, 10), at(4, 14)]);
        let missing = [0, 1, 3, 4, 5].map(|second| bars.lacks(VenueTime(second * SECOND)));
        // Before the first it is too old to be shown.
        assert_eq!(missing, [false, false, true, false, true]);
        assert!(Bars::new(SECOND, vec![]).lacks(VenueTime(0)));
    }

    #[test]
    fn the_oldest_bars_are_dropped() {
        let mut bars = Bars::new(SECOND, vec![]);
        (0..2_000).for_each(|second| assert!(bars.set(at(second, 1))));
        assert_eq!(bars.list().len(), MAX_BARS);
        assert_eq!(bars.list().last(), Some(&at(1_999, 1)));
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
