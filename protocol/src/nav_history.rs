//! An account's net asset value over venue time, with its drawdown: points
//! folded into spans of equal length, so that a long history stays small and
//! keeps every high, low and drawdown.
//!
//! In whole cents. Knows neither where points come from nor how they are drawn.

use engine::money::div_half_even;
use engine::time::{MICROS_PER_SECOND, SECONDS_PER_TRADING_DAY, VenueTime};
use serde::{Deserialize, Serialize};

/// Gap between two points from which on the account counts as unchanged
/// between them: more than twice the interval at which valuations are stored.
const UNCHANGED_GAP_US: i64 = 150 * MICROS_PER_SECOND;

/// The period that a history covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NavRange {
    /// The last hour of venue time.
    Hour,
    /// The last trading day's length.
    Day,
    /// Everything since the account was opened.
    #[default]
    All,
}

impl NavRange {
    /// Every range, shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::All];

    /// The label on screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hour => "Hour",
            Self::Day => "Day",
            Self::All => "All",
        }
    }

    /// Initial length of a span in seconds, and the most spans.
    const fn spans(self) -> (i64, usize) {
        match self {
            Self::Hour => (10, 360),
            Self::Day => (60, 390),
            Self::All => (10, 480),
        }
    }

    /// The start of the range that ends at `now`.
    fn from(self, now: VenueTime) -> VenueTime {
        match self {
            Self::Hour => VenueTime(now.0 - 3_600 * MICROS_PER_SECOND),
            Self::Day => VenueTime(now.0 - SECONDS_PER_TRADING_DAY * MICROS_PER_SECOND),
            Self::All => VenueTime(i64::MIN),
        }
    }
}

/// The distance of a NAV from the running maximum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawdown {
    /// In cents, never negative.
    pub below: i64,
    /// The running maximum, in cents.
    pub peak: i64,
}

impl Drawdown {
    /// NAV / running maximum − 1 in millionths, half-even: zero or negative;
    /// zero while the maximum is not positive.
    pub fn millionths(self) -> i64 {
        let peak = i128::from(self.peak);
        (if peak > 0 { div_half_even(-i128::from(self.below) * 1_000_000, peak) } else { 0 }) as i64
    }

    /// Returns true if the loss is a larger share than `other`, compared without
    /// rounding.
    pub fn is_deeper_than(self, other: Self) -> bool {
        let wide = i128::from;
        wide(self.below) * wide(other.peak.max(1)) > wide(other.below) * wide(self.peak.max(1))
    }

    fn deeper(self, other: Self) -> Self {
        if other.is_deeper_than(self) { other } else { self }
    }
}

/// NAV over a stretch of venue time, in cents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Start of the span.
    pub start: VenueTime,
    /// Highest NAV.
    pub high: i64,
    /// Lowest NAV.
    pub low: i64,
    /// Last NAV.
    pub close: i64,
    /// Deepest drawdown.
    pub drawdown: Drawdown,
}

impl Span {
    const fn flat(start: VenueTime, nav: i64, drawdown: Drawdown) -> Self {
        Self { start, high: nav, low: nav, close: nav, drawdown }
    }

    /// Extends the span with a later one.
    fn merge(&mut self, later: Self) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.drawdown = self.drawdown.deeper(later.drawdown);
    }
}

/// The NAV of an account over a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NavHistory {
    range: NavRange,
    from: VenueTime,
    t0: VenueTime,
    step_us: i64,
    paid_in: i64,
    spans: Vec<Span>,
    newest: i64,
    peak: i64,
    max_drawdown: Drawdown,
    through: VenueTime,
}

impl NavHistory {
    /// The empty history, as of `now`, of an account that opened with `paid_in`
    /// cents in a venue that opened at `t0`. The running maximum starts at
    /// `paid_in`, so a loss on the first trade is a drawdown.
    pub fn new(range: NavRange, paid_in: i64, t0: VenueTime, now: VenueTime) -> Self {
        Self {
            range,
            from: range.from(now),
            t0,
            step_us: range.spans().0 * MICROS_PER_SECOND,
            paid_in,
            spans: Vec::new(),
            newest: paid_in,
            peak: paid_in,
            max_drawdown: Drawdown { below: 0, peak: paid_in },
            through: VenueTime(i64::MIN),
        }
    }

    /// Adds the NAV at `time`. Returns true if it was new. Points come in order
    /// of time, and every one counts for the running maximum, those before the
    /// range too.
    pub fn push(&mut self, time: VenueTime, nav: i64) -> bool {
        if time < self.through || (time == self.through && nav == self.newest) {
            return false;
        }
        let is_first = self.through == VenueTime(i64::MIN);
        let before = (self.newest, self.drawdown());
        (self.through, self.newest, self.peak) = (time, nav, self.peak.max(nav));
        let drawdown = self.drawdown();
        self.max_drawdown = self.max_drawdown.deeper(drawdown);
        if time < self.from {
            return true;
        }
        if self.spans.is_empty() && !is_first && self.range != NavRange::All {
            // The range opens with the NAV before it.
            self.spans.push(Span::flat(self.span_start(self.from), before.0, before.1));
        }
        self.widen_spans(time);
        let span = Span::flat(self.span_start(time), nav, drawdown);
        match self.spans.last_mut() {
            Some(last) if last.start >= span.start => last.merge(span),
            _ => {
                self.fill_gap(span.start, before);
                self.spans.push(span);
            }
        }
        if self.range != NavRange::All {
            let oldest = span.start.0 - self.step_us * self.range.spans().1 as i64;
            self.spans.retain(|span| span.start.0 > oldest);
        }
        true
    }

    /// Appends the part of `seen` after this history's end: this one was read
    /// from the store later but lacks the last moments.
    pub fn extend_with(&mut self, seen: &Self) {
        let through = self.through;
        for span in seen.spans.iter().filter(|span| span.start > through) {
            self.push(span.start, span.close);
        }
        self.push(seen.through, seen.newest);
        self.merge_extremes(seen);
    }

    /// Takes over the extremes of `seen`, whatever its range: those between two
    /// stored points are known nowhere else.
    pub fn merge_extremes(&mut self, seen: &Self) {
        self.max_drawdown = self.max_drawdown.deeper(seen.max_drawdown);
        self.peak = self.peak.max(seen.peak);
    }

    /// Doubles the length of spans until those up to `time` are few enough; a
    /// sliding range keeps its length.
    fn widen_spans(&mut self, time: VenueTime) {
        let Some(first) = self.spans.first().map(|span| span.start) else { return };
        let (before, most) = (self.step_us, self.range.spans().1 as i64);
        while self.range == NavRange::All && (time.0 - first.0) / self.step_us >= most {
            self.step_us *= 2;
        }
        if self.step_us == before {
            return;
        }
        let mut merged: Vec<Span> = Vec::with_capacity(self.spans.len());
        for span in std::mem::take(&mut self.spans) {
            let start = self.span_start(span.start);
            match merged.last_mut() {
                Some(last) if last.start == start => last.merge(span),
                _ => merged.push(Span { start, ..span }),
            }
        }
        self.spans = merged;
    }

    /// Nothing is stored of an account while it does not change, so after a long
    /// gap the NAV was `before` until just now. Shorter gaps stay empty.
    fn fill_gap(&mut self, start: VenueTime, (nav, drawdown): (i64, Drawdown)) {
        let Some(last) = self.spans.last().map(|span| span.start) else { return };
        let until = VenueTime(start.0 - self.step_us);
        if start.0 - last.0 > UNCHANGED_GAP_US && until > last {
            self.spans.push(Span::flat(until, nav, drawdown));
        }
    }

    /// The start of the span that contains `time`: spans are counted from the
    /// venue's opening, not by day.
    const fn span_start(&self, time: VenueTime) -> VenueTime {
        VenueTime(time.0 - (time.0 - self.t0.0).rem_euclid(self.step_us))
    }

    /// The venue's opening: spans are counted from there.
    pub const fn t0(&self) -> VenueTime {
        self.t0
    }

    /// Length of a span in microseconds.
    pub const fn step_us(&self) -> i64 {
        self.step_us
    }

    /// Venue time of the newest point.
    pub const fn through(&self) -> VenueTime {
        self.through
    }

    /// The range that it covers.
    pub const fn range(&self) -> NavRange {
        self.range
    }

    /// The spans, oldest first.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Cash paid in, in cents: NAV minus this is the P&L.
    pub const fn paid_in(&self) -> i64 {
        self.paid_in
    }

    /// Newest NAV, in cents.
    pub const fn newest(&self) -> i64 {
        self.newest
    }

    /// Highest NAV ever, in cents.
    pub const fn peak(&self) -> i64 {
        self.peak
    }

    /// Drawdown of the newest NAV.
    pub const fn drawdown(&self) -> Drawdown {
        Drawdown { below: self.peak - self.newest, peak: self.peak }
    }

    /// Deepest drawdown ever, whatever the range.
    pub const fn max_drawdown(&self) -> Drawdown {
        self.max_drawdown
    }
}

#[cfg(test)]
mod tests;
