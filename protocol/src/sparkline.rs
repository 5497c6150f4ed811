//! Sparkline of an instrument: its marks of the last minute or so.
//!
//! Started by the gateway, continued by the browser.

use engine::money::Ticks;
use engine::time::{MICROS_PER_SECOND, VenueTime};
use serde::{Deserialize, Serialize};

/// Most marks.
const CAPACITY: usize = 60;

/// Marks a second or more of venue time apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sparkline {
    marks: Vec<Ticks>,
    /// Venue time of the newest mark.
    newest_at: Option<VenueTime>,
}

impl Sparkline {
    /// Adds a mark, unless the last one is less than a second older.
    pub fn push(&mut self, time: VenueTime, mark: Ticks) {
        let due = self.newest_at.is_none_or(|last| time.0 - last.0 >= MICROS_PER_SECOND);
        // An instrument halted before its first mark has none.
        if due && mark > Ticks::ZERO {
            self.newest_at = Some(time);
            self.marks.push(mark);
            if self.marks.len() > CAPACITY {
                self.marks.remove(0);
            }
        }
    }

    /// The marks, oldest first.
    pub fn marks(&self) -> &[Ticks] {
        &self.marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_has_a_mark_a_second_of_the_last_sixty() {
        let mut sparkline = Sparkline::default();
        sparkline.push(VenueTime(0), Ticks::ZERO);
        for half in 0..200_i64 {
            sparkline.push(VenueTime(half * MICROS_PER_SECOND / 2), Ticks(100 + half));
        }
        let marks = sparkline.marks();
        assert_eq!((marks.len(), marks[0], marks[59]), (60, Ticks(180), Ticks(298)));
    }
}
