//! What an account was worth over venue time, and how far below its best it
//! stood: points folded into spans of equal length, so that a long life stays
//! a small picture and no high, low or fall in it is lost.
//!
//! Whole cents. Knows neither where points come from nor how they are drawn.

use engine::money::div_half_even;
use engine::time::{MICROS_PER_SECOND, SECONDS_PER_TRADING_DAY, VenueTime};
use serde::{Deserialize, Serialize};

/// Time between two points after which the account did not change: more than
/// twice the time between two that are stored.
const SILENCE_US: i64 = 150 * MICROS_PER_SECOND;

/// How far back a picture goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Range {
    /// The last hour of venue time.
    Hour,
    /// The last trading day's length.
    Day,
    /// Everything since the account was opened.
    #[default]
    All,
}

impl Range {
    /// All of them, shortest first.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::All];

    /// For people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hour => "Hour",
            Self::Day => "Day",
            Self::All => "All",
        }
    }

    /// Length of a span in seconds, at first, and how many spans at most.
    const fn spans(self) -> (i64, usize) {
        match self {
            Self::Hour => (10, 360),
            Self::Day => (60, 390),
            Self::All => (10, 480),
        }
    }

    /// Where the picture begins at `now`.
    fn from(self, now: VenueTime) -> VenueTime {
        match self {
            Self::Hour => VenueTime(now.0 - 3_600 * MICROS_PER_SECOND),
            Self::Day => VenueTime(now.0 - SECONDS_PER_TRADING_DAY * MICROS_PER_SECOND),
            Self::All => VenueTime(i64::MIN),
        }
    }
}

/// How far below the best before it something stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawdown {
    /// In cents, never negative.
    pub below: i64,
    /// The best, in cents.
    pub peak: i64,
}

impl Drawdown {
    /// NAV / running maximum − 1 in millionths, half-even: zero or negative;
    /// zero where nothing was ever worth anything.
    pub fn millionths(self) -> i64 {
        let peak = i128::from(self.peak);
        // No fall below zero is shown: it is more than all of it.
        (if peak > 0 { div_half_even(-i128::from(self.below) * 1_000_000, peak) } else { 0 }) as i64
    }

    /// Whether it lost a larger part than `other`, compared without rounding.
    fn is_deeper_than(self, other: Self) -> bool {
        let wide = i128::from;
        wide(self.below) * wide(other.peak.max(1)) > wide(other.below) * wide(self.peak.max(1))
    }

    fn deeper(self, other: Self) -> Self {
        if other.is_deeper_than(self) { other } else { self }
    }
}

/// A stretch of venue time, in cents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// When it begins.
    pub start: VenueTime,
    /// The most that it was worth.
    pub high: i64,
    /// The least.
    pub low: i64,
    /// The last.
    pub close: i64,
    /// The deepest fall in it.
    pub fall: Drawdown,
}

impl Span {
    const fn flat(start: VenueTime, worth: i64, fall: Drawdown) -> Self {
        Self { start, high: worth, low: worth, close: worth, fall }
    }

    fn take(&mut self, worth: i64, fall: Drawdown) {
        self.high = self.high.max(worth);
        self.low = self.low.min(worth);
        self.close = worth;
        self.fall = self.fall.deeper(fall);
    }

    fn then(&mut self, later: Self) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.fall = self.fall.deeper(later.fall);
    }
}

/// What an account was worth, over a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NavHistory {
    range: Range,
    from: VenueTime,
    t0: VenueTime,
    step_us: i64,
    paid_in: i64,
    spans: Vec<Span>,
    newest: i64,
    peak: i64,
    worst: Drawdown,
    through: VenueTime,
}

impl NavHistory {
    /// Nothing yet: of an account that began with `paid_in` cents in a venue
    /// that began at `t0`, looked at `now`. The running maximum begins with
    /// what was paid in, so a loss on the first trade is a drawdown.
    pub fn new(range: Range, paid_in: i64, t0: VenueTime, now: VenueTime) -> Self {
        Self {
            range,
            from: range.from(now),
            t0,
            step_us: range.spans().0 * MICROS_PER_SECOND,
            paid_in,
            spans: Vec::new(),
            newest: paid_in,
            peak: paid_in,
            worst: Drawdown { below: 0, peak: paid_in },
            through: VenueTime(i64::MIN),
        }
    }

    /// Takes what it was worth at `time`; whether that was news. Points come in
    /// the order of time, and every one counts for the running maximum, those
    /// before the range too.
    pub fn take(&mut self, time: VenueTime, worth: i64) -> bool {
        if time < self.through || (time == self.through && worth == self.newest) {
            return false;
        }
        let known = self.through > VenueTime(i64::MIN);
        let before = (self.newest, self.fall());
        (self.through, self.newest, self.peak) = (time, worth, self.peak.max(worth));
        let fall = self.fall();
        self.worst = self.worst.deeper(fall);
        if time < self.from {
            return true;
        }
        if self.spans.is_empty() && known && self.range != Range::All {
            // The range opens with what was there when it began.
            self.spans.push(Span::flat(self.start(self.from), before.0, before.1));
        }
        self.make_room(time);
        let start = self.start(time);
        match self.spans.last_mut() {
            Some(last) if last.start >= start => last.take(worth, fall),
            _ => {
                self.hold(start, before);
                self.spans.push(Span::flat(start, worth, fall));
            }
        }
        if self.range != Range::All {
            let oldest = start.0 - self.step_us * self.range.spans().1 as i64;
            self.spans.retain(|span| span.start.0 > oldest);
        }
        true
    }

    /// Goes on with what `seen` saw after the end of this, which was read
    /// later but knows less of the last moments.
    pub fn go_on_with(&mut self, seen: &Self) {
        let through = self.through;
        for span in seen.spans.iter().filter(|span| span.start > through) {
            self.take(span.start, span.close);
        }
        self.take(seen.through, seen.newest);
        self.know(seen);
    }

    /// Takes over the extremes that `seen` saw, whatever range it is about: what
    /// happened between two stored points is nowhere else.
    pub fn know(&mut self, seen: &Self) {
        self.worst = self.worst.deeper(seen.worst);
        self.peak = self.peak.max(seen.peak);
    }

    /// Longer spans, until those up to `time` are few enough; a range that
    /// slides keeps their length.
    fn make_room(&mut self, time: VenueTime) {
        let Some(first) = self.spans.first().map(|span| span.start) else { return };
        let (before, most) = (self.step_us, self.range.spans().1 as i64);
        while self.range == Range::All && (time.0 - first.0) / self.step_us >= most {
            self.step_us *= 2;
        }
        if self.step_us == before {
            return;
        }
        let mut merged: Vec<Span> = Vec::with_capacity(self.spans.len());
        for span in std::mem::take(&mut self.spans) {
            let start = self.start(span.start);
            match merged.last_mut() {
                Some(last) if last.start == start => last.then(span),
                _ => merged.push(Span { start, ..span }),
            }
        }
        self.spans = merged;
    }

    /// Nothing is stored of an account while it does not change: after a long
    /// silence it was worth `before` until just now. Between points that are
    /// closer nothing is known, and nothing is made up.
    fn hold(&mut self, start: VenueTime, (worth, fall): (i64, Drawdown)) {
        let Some(last) = self.spans.last().map(|span| span.start) else { return };
        let until = VenueTime(start.0 - self.step_us);
        if start.0 - last.0 > SILENCE_US && until > last {
            self.spans.push(Span::flat(until, worth, fall));
        }
    }

    /// Where the span that holds `time` begins: they are counted from the
    /// venue's beginning and know no days.
    const fn start(&self, time: VenueTime) -> VenueTime {
        VenueTime(time.0 - (time.0 - self.t0.0).rem_euclid(self.step_us))
    }

    /// When the venue began: spans are counted from there.
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

    /// How far back it goes.
    pub const fn range(&self) -> Range {
        self.range
    }

    /// The spans, oldest first.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// What was paid in, in cents: P&L is what is above it.
    pub const fn paid_in(&self) -> i64 {
        self.paid_in
    }

    /// What it is worth now, in cents.
    pub const fn newest(&self) -> i64 {
        self.newest
    }

    /// The most that it ever was worth, in cents.
    pub const fn peak(&self) -> i64 {
        self.peak
    }

    /// How far it is below that now.
    pub const fn fall(&self) -> Drawdown {
        Drawdown { below: self.peak - self.newest, peak: self.peak }
    }

    /// The deepest fall of the account's life, whatever the range.
    pub const fn worst(&self) -> Drawdown {
        self.worst
    }
}

#[cfg(test)]
mod tests;
