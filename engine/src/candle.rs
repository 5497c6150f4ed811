//! Candles: open, high, low, close and volume of an interval of venue time.
//!
//! Folded from the journal's marks and prints, in order. The fold is associative,
//! so longer candles are folds of shorter ones and a restart continues from the
//! stored ones. Does not know where they are stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::InstrumentId;
use crate::money::{Lots, Ticks};
use crate::time::{MICROS_PER_SECOND, SECONDS_PER_TRADING_DAY, VenueTime};
use crate::venue::Outcome;

/// Length of a candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Interval {
    /// A second.
    #[serde(rename = "1s")]
    S1,
    /// Five seconds.
    #[serde(rename = "5s")]
    S5,
    /// Fifteen seconds.
    #[serde(rename = "15s")]
    S15,
    /// A minute.
    #[serde(rename = "1m")]
    M1,
    /// Five minutes.
    #[serde(rename = "5m")]
    M5,
    /// A quarter of an hour.
    #[serde(rename = "15m")]
    M15,
    /// An hour; the day's last is half of one.
    #[serde(rename = "1h")]
    H1,
    /// A trading day.
    #[serde(rename = "1d")]
    D1,
}

impl Interval {
    /// All of them, shortest first.
    pub const ALL: [Self; 8] =
        [Self::S1, Self::S5, Self::S15, Self::M1, Self::M5, Self::M15, Self::H1, Self::D1];

    /// Returns the length in venue seconds.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::S1 => 1,
            Self::S5 => 5,
            Self::S15 => 15,
            Self::M1 => 60,
            Self::M5 => 300,
            Self::M15 => 900,
            Self::H1 => 3_600,
            Self::D1 => SECONDS_PER_TRADING_DAY,
        }
    }

    /// Name on the wire and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S1 => "1s",
            Self::S5 => "5s",
            Self::S15 => "15s",
            Self::M1 => "1m",
            Self::M5 => "5m",
            Self::M15 => "15m",
            Self::H1 => "1h",
            Self::D1 => "1d",
        }
    }

    /// Parses [`Interval::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|interval| interval.as_str() == word)
    }

    /// Returns the start of the candle that contains `time`, in a venue that began at
    /// `t0`; every trading day starts new candles.
    pub const fn start(self, t0: VenueTime, time: VenueTime) -> VenueTime {
        start_of(self.seconds() * MICROS_PER_SECOND, t0, time)
    }
}

/// Returns the start of the interval of `length_us` that contains `time`, in a venue
/// that began at `t0`; every trading day starts new intervals.
pub const fn start_of(length_us: i64, t0: VenueTime, time: VenueTime) -> VenueTime {
    let day = SECONDS_PER_TRADING_DAY * MICROS_PER_SECOND;
    let within = (time.0 - t0.0).rem_euclid(day);
    VenueTime(time.0 - within.rem_euclid(length_us))
}

/// Open, high, low, close and volume of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candle {
    /// Start of the interval.
    pub start: VenueTime,
    /// The first price.
    pub open: Ticks,
    /// The highest.
    pub high: Ticks,
    /// The lowest.
    pub low: Ticks,
    /// The last.
    pub close: Ticks,
    /// Traded lots.
    pub volume: Lots,
    /// Venue time of the last price in it.
    pub through: VenueTime,
}

impl Candle {
    /// Returns the candle of one price, at which `lots` traded (zero for a mark).
    pub const fn of(time: VenueTime, price: Ticks, lots: Lots) -> Self {
        let (start, through) = (time, time);
        Self { start, open: price, high: price, low: price, close: price, volume: lots, through }
    }

    /// Returns this candle followed by a later one.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        Self {
            start: self.start,
            open: self.open,
            high: self.high.max(later.high),
            low: self.low.min(later.low),
            close: later.close,
            volume: Lots(self.volume.0.saturating_add(later.volume.0)),
            through: later.through,
        }
    }
}

/// Returns the candles of `interval` that consist of `shorter` ones, which are in order
/// of time, in a venue that began at `t0`.
pub fn merge(interval: Interval, t0: VenueTime, shorter: &[Candle]) -> Vec<Candle> {
    let mut merged: Vec<Candle> = Vec::new();
    for candle in shorter {
        let start = interval.start(t0, candle.start);
        match merged.last_mut() {
            Some(last) if last.start == start => *last = last.then(*candle),
            _ => merged.push(Candle { start, ..*candle }),
        }
    }
    merged
}

/// The current candle of every instrument and interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candles {
    t0: VenueTime,
    current: BTreeMap<(InstrumentId, Interval), Candle>,
}

impl Candles {
    /// Creates the candles of a venue that began at `t0`, empty.
    pub fn new(t0: VenueTime) -> Self {
        Self { t0, current: BTreeMap::new() }
    }

    /// Restores a stored candle, the last of its instrument and interval.
    pub fn resume(&mut self, instrument: InstrumentId, interval: Interval, candle: Candle) {
        self.current.insert((instrument, interval), candle);
    }

    /// Applies a journal entry, each once and in order. `changed` is called with
    /// every changed candle.
    pub fn apply(&mut self, outcome: &Outcome, mut changed: impl FnMut(InstrumentId, Interval, Candle)) {
        let marks = outcome.marks.iter().map(|mark| (mark.instrument, mark.price, Lots::ZERO));
        let matches = outcome.tape.iter().map(|print| (print.instrument, print.price, print.lots));
        let mut seen: BTreeMap<InstrumentId, Candle> = BTreeMap::new();
        for (instrument, price, lots) in marks.chain(matches) {
            if price <= Ticks::ZERO {
                // Halted before its first mark.
                continue;
            }
            let one = Candle::of(outcome.time, price, lots);
            seen.entry(instrument).and_modify(|candle| *candle = candle.then(one)).or_insert(one);
        }
        for (instrument, one) in seen {
            for interval in Interval::ALL {
                let start = interval.start(self.t0, outcome.time);
                let candle = match self.current.get(&(instrument, interval)) {
                    Some(current) if current.start == start => current.then(one),
                    _ => Candle { start, ..one },
                };
                self.current.insert((instrument, interval), candle);
                changed(instrument, interval, candle);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Seq, VenueId};
    use crate::order::{InstrumentStatus, Side};
    use crate::venue::{Mark, TapePrint};
    use proptest::prelude::*;

    const T0: VenueTime = VenueTime(1_767_605_400 * MICROS_PER_SECOND);

    fn acme() -> InstrumentId {
        InstrumentId::derive(VenueId::from_name("main"), "ACME")
    }

    fn at(millis: i64) -> VenueTime {
        T0.plus_micros(millis * 1_000)
    }

    /// An entry with a mark or a print.
    fn entry(millis: i64, price: i64, lots: i64) -> Outcome {
        let (instrument, price) = (acme(), Ticks(price));
        let mut outcome = Outcome { time: at(millis), ..Outcome::default() };
        if lots == 0 {
            let status = InstrumentStatus::Trading;
            outcome.marks.push(Mark { instrument, price, rev: Seq(1), status });
        } else {
            outcome.tape.push(TapePrint { instrument, price, lots: Lots(lots), aggressor: Side::Buy });
        }
        outcome
    }

    /// All candles of a sequence of entries.
    fn fold(entries: &[Outcome]) -> BTreeMap<(Interval, VenueTime), Candle> {
        let (mut candles, mut all) = (Candles::new(T0), BTreeMap::new());
        for entry in entries {
            candles.apply(entry, |_, interval, candle| {
                all.insert((interval, candle.start), candle);
            });
        }
        all
    }

    #[test]
    fn a_candle_has_open_high_low_close_and_volume() {
        let entries = [
            entry(0, 100, 0),
            entry(200, 103, 5),
            entry(400, 98, 7),
            entry(999, 101, 0),
            entry(1_000, 99, 1),
        ];
        let all = fold(&entries);
        let (open, high, low, close) = (Ticks(100), Ticks(103), Ticks(98), Ticks(101));
        let first = Candle { start: T0, open, high, low, close, volume: Lots(12), through: at(999) };
        assert_eq!(all[&(Interval::S1, T0)], first);
        assert_eq!(all[&(Interval::S1, at(1_000))], Candle::of(at(1_000), Ticks(99), Lots(1)));
        let longer = Candle { close: Ticks(99), volume: Lots(13), through: at(1_000), ..first };
        assert_eq!(all[&(Interval::S5, T0)], longer);
    }

    #[test]
    fn intervals_restart_with_the_trading_day() {
        let day = SECONDS_PER_TRADING_DAY * 1_000;
        for (millis, interval, start) in [
            (0, Interval::D1, 0),
            (day - 1, Interval::D1, 0),
            (day, Interval::D1, day),
            (7_199_999, Interval::H1, 3_600_000),
            // The last hour of a day is half an hour.
            (day - 1, Interval::H1, 21_600_000),
            (day + 1, Interval::H1, day),
            (day + 61_000, Interval::M1, day + 60_000),
            (14_999, Interval::S15, 0),
        ] {
            assert_eq!(interval.start(T0, at(millis)), at(start), "{millis} {interval:?}");
        }
        for interval in Interval::ALL {
            assert_eq!(Interval::from_word(interval.as_str()), Some(interval));
        }
        assert_eq!(Interval::from_word("2s"), None);
    }

    proptest! {
        #[test]
        fn folding_is_associative(
            moves in prop::collection::vec((0_i64..40_000_000, 1_i64..1_000, 0_i64..50), 1..120),
            cut in 0_usize..120,
        ) {
            let mut moves = moves;
            moves.sort_by_key(|(millis, ..)| *millis);
            let entries: Vec<Outcome> =
                moves.into_iter().map(|(millis, price, lots)| entry(millis, price, lots)).collect();
            let all = fold(&entries);
            // Longer candles are folds of their seconds.
            let of = |interval| {
                let kept = all.iter().filter(move |((of, _), _)| *of == interval);
                kept.map(|(_, candle)| *candle).collect::<Vec<_>>()
            };
            for interval in Interval::ALL {
                prop_assert_eq!(merge(interval, T0, &of(Interval::S1)), of(interval));
            }
            // A restart continues from the stored candles.
            let (before, after) = entries.split_at(cut.min(entries.len()));
            let mut stored = fold(before);
            let mut resumed = Candles::new(T0);
            for interval in Interval::ALL {
                let newest = stored.iter().rfind(|((of, _), _)| *of == interval);
                if let Some((_, candle)) = newest {
                    resumed.resume(acme(), interval, *candle);
                }
            }
            for entry in after {
                resumed.apply(entry, |_, interval, candle| {
                    stored.insert((interval, candle.start), candle);
                });
            }
            prop_assert_eq!(stored, all);
        }
    }
}
