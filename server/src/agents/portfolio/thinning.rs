//! Thinning of an account's stored valuations: what is old becomes sparse, and no
//! peak, low or drawdown is lost.
//!
//! Pure: chooses rows to delete. Does not know the store.

use std::collections::{BTreeMap, BTreeSet};

use engine::id::Seq;
use engine::time::{MICROS_PER_SECOND, SECONDS_PER_TRADING_DAY, VenueTime};
use protocol::nav_history::Drawdown;

use crate::store::valuations::NavPoint;

/// Length of the shortest span in microseconds: no span crosses the end of a trading
/// day unless it is longer than one.
const SHORTEST_SPAN_US: i64 = SECONDS_PER_TRADING_DAY * MICROS_PER_SECOND / 512;

/// Limits of an account's stored valuations.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValuationLimits {
    /// More are thinned.
    pub(super) max_rows: usize,
    /// Cash with which the account opened, in cents: where the running peak begins.
    pub(super) paid_in: i64,
    /// Opening of the venue, from which spans are counted.
    pub(super) t0: VenueTime,
}

impl ValuationLimits {
    /// Entries of `points`, which are in order and complete, that need not be stored, of
    /// an account that was opened or last reset by entry `begun`.
    ///
    /// The newest quarter of the maximum stays. Older points fall into at most an
    /// eighth as many spans of equal length, and of each span five points stay at
    /// most: the highest, the lowest, the last, and the peak and the low of its
    /// deepest drawdown. So at most seven eighths of the maximum stay, and a
    /// [`protocol::nav_history::NavHistory`] of them has the same peak and the same
    /// deepest drawdown.
    pub(super) fn redundant(&self, points: &[NavPoint], begun: Seq) -> Vec<Seq> {
        let newest = self.max_rows / 4;
        if points.len() <= self.max_rows {
            return Vec::new();
        }
        let old = &points[..points.len() - newest];
        let length_us = self.span_length(old);
        let mut spans: BTreeMap<(bool, i64), Span> = BTreeMap::new();
        let (mut peak, mut has_begun) = ((self.paid_in, None), false);
        for point in old {
            let nav = point.nav.to_cents();
            if !has_begun && point.seq >= begun {
                (peak, has_begun) = ((self.paid_in, None), true);
            }
            if nav > peak.0 {
                peak = (nav, Some(point.seq));
            }
            let drawdown = Drawdown { below: peak.0 - nav, peak: peak.0 };
            spans
                .entry((has_begun, self.span_of(point.time, length_us)))
                .or_insert_with(|| Span::new(point.seq, nav, drawdown, peak.1))
                .add(point.seq, nav, drawdown, peak.1);
        }
        let kept: BTreeSet<Seq> = spans.values().flat_map(Span::kept).collect();
        old.iter().map(|point| point.seq).filter(|seq| !kept.contains(seq)).collect()
    }

    /// The shortest length with which `points` fall into few enough spans.
    fn span_length(&self, points: &[NavPoint]) -> i64 {
        let max_spans = (self.max_rows / 8).max(1);
        let mut length_us = SHORTEST_SPAN_US;
        loop {
            let spans: BTreeSet<i64> =
                points.iter().map(|point| self.span_of(point.time, length_us)).collect();
            if spans.len() <= max_spans {
                return length_us;
            }
            length_us *= 2;
        }
    }

    fn span_of(&self, time: VenueTime, length_us: i64) -> i64 {
        (time.0 - self.t0.0).div_euclid(length_us)
    }
}

/// Entries of one span that stay.
struct Span {
    high: (i64, Seq),
    low: (i64, Seq),
    last: Seq,
    deepest: (Drawdown, Seq),
    /// The peak before `deepest`; `None` if it is the cash paid in.
    peak: Option<Seq>,
}

impl Span {
    fn new(seq: Seq, nav: i64, drawdown: Drawdown, peak: Option<Seq>) -> Self {
        Self { high: (nav, seq), low: (nav, seq), last: seq, deepest: (drawdown, seq), peak }
    }

    fn add(&mut self, seq: Seq, nav: i64, drawdown: Drawdown, peak: Option<Seq>) {
        self.last = seq;
        if nav > self.high.0 {
            self.high = (nav, seq);
        }
        if nav < self.low.0 {
            self.low = (nav, seq);
        }
        if drawdown.is_deeper_than(self.deepest.0) {
            (self.deepest, self.peak) = ((drawdown, seq), peak);
        }
    }

    fn kept(&self) -> impl Iterator<Item = Seq> {
        [self.high.1, self.low.1, self.last, self.deepest.1].into_iter().chain(self.peak)
    }
}

#[cfg(test)]
mod tests {
    use engine::money::Money;
    use proptest::prelude::*;
    use protocol::nav_history::{NavHistory, NavRange};

    use super::*;

    const T0: VenueTime = VenueTime(34_200 * MICROS_PER_SECOND);
    const PAID_IN: i64 = 100_000_000;
    const LIMITS: ValuationLimits = ValuationLimits { max_rows: 200, paid_in: PAID_IN, t0: T0 };

    fn points(navs: &[i64], seconds: i64) -> Vec<NavPoint> {
        let point = |(number, cents): (u64, &i64)| NavPoint {
            seq: Seq(number),
            time: T0.plus_micros(number.cast_signed() * seconds * MICROS_PER_SECOND),
            nav: Money(cents * 10_000),
        };
        (1..).zip(navs).map(point).collect()
    }

    fn thinned(points: &[NavPoint]) -> Vec<NavPoint> {
        thinned_since(points, Seq(1))
    }

    fn thinned_since(points: &[NavPoint], begun: Seq) -> Vec<NavPoint> {
        let redundant: BTreeSet<Seq> = LIMITS.redundant(points, begun).into_iter().collect();
        points.iter().filter(|point| !redundant.contains(&point.seq)).copied().collect()
    }

    fn history(points: &[NavPoint]) -> NavHistory {
        let now = points.last().map_or(T0, |point| point.time);
        let mut history = NavHistory::new(NavRange::All, PAID_IN, T0, now);
        for point in points {
            history.push(point.time, point.nav.to_cents());
        }
        history
    }

    #[test]
    fn a_peak_and_the_fall_after_it_survive_in_the_same_span() {
        // Up to 1,050,000, down to 950,000, up to 1,200,000, all within three minutes
        // of a year: 950 / 1,050 is the deepest drawdown.
        let mut navs = vec![PAID_IN; 90_000];
        (navs[100], navs[101]) = (105_000_000, 95_000_000);
        navs[102..].fill(120_000_000);
        let all = points(&navs, 60);
        let few = thinned(&all);
        assert!(few.len() <= 175, "{}", few.len());
        let (full, thin) = (history(&all), history(&few));
        assert_eq!(thin.max_drawdown(), Drawdown { below: 10_000_000, peak: 105_000_000 });
        assert_eq!((full.max_drawdown(), full.peak()), (thin.max_drawdown(), thin.peak()));
    }

    #[test]
    fn a_reset_begins_a_new_running_maximum() {
        // 1,200,000, once 500,000; reset to 1,000,000, which falls to 950,000 once.
        let mut navs = vec![PAID_IN; 90_000];
        navs[..999].fill(120_000_000);
        (navs[990], navs[1_000]) = (50_000_000, 95_000_000);
        let (all, reset) = (points(&navs, 60), Seq(1_000));
        let few: Vec<_> = thinned_since(&all, reset).into_iter().filter(|point| point.seq >= reset).collect();
        assert!(few.len() <= 180, "{}", few.len());
        assert_eq!(history(&few).max_drawdown(), Drawdown { below: 5_000_000, peak: PAID_IN });
    }

    #[test]
    fn the_last_valuation_of_a_trading_day_and_the_newest_quarter_stay() {
        // A point a minute for ten days of 390 minutes.
        let all = points(&vec![PAID_IN; 3_900], 60);
        let few = thinned(&all);
        let day_us = SECONDS_PER_TRADING_DAY * MICROS_PER_SECOND;
        for day in 1..10 {
            let end = T0.plus_micros(day * day_us);
            let last = |points: &[NavPoint]| points.iter().rfind(|point| point.time < end).copied();
            assert_eq!(last(&few), last(&all), "day {day}");
        }
        assert_eq!(few[few.len() - 50..], all[all.len() - 50..]);
        assert_eq!(thinned(&few), few, "few enough already");
    }

    proptest! {
        #[test]
        fn thinning_again_and_again_loses_no_extreme(
            moves in prop::collection::vec(-400_000_i64..400_000, 201..1_500),
            seconds in 1_i64..2_000,
        ) {
            let mut nav = PAID_IN;
            let navs: Vec<i64> = moves.iter().map(|change| { nav = (nav + change).max(1); nav }).collect();
            let all = points(&navs, seconds);
            let mut stored: Vec<NavPoint> = Vec::new();
            for point in &all {
                stored.push(*point);
                stored = thinned(&stored);
                prop_assert!(stored.len() <= LIMITS.max_rows);
            }
            let (full, thin) = (history(&all), history(&stored));
            prop_assert_eq!(thin.max_drawdown(), full.max_drawdown());
            prop_assert_eq!((thin.peak(), thin.newest()), (full.peak(), full.newest()));
        }
    }
}
