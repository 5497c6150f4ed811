//! The small picture of an instrument: its marks of the last minute or so.
//!
//! The gateway leaves it, a page goes on with it. Does not know who looks.

use engine::money::Ticks;
use engine::time::{MICROS_PER_SECOND, VenueTime};
use serde::{Deserialize, Serialize};

/// Marks that are kept.
const MOST: usize = 60;

/// Marks a second or more of venue time apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sparkline {
    marks: Vec<Ticks>,
    /// When the newest of them was taken.
    newest_at: Option<VenueTime>,
}

impl Sparkline {
    /// Takes a mark if the last one is old enough.
    pub fn take(&mut self, time: VenueTime, mark: Ticks) {
        let due = self.newest_at.is_none_or(|last| time.0 - last.0 >= MICROS_PER_SECOND);
        // What was halted before it had a mark has none.
        if due && mark > Ticks::ZERO {
            self.newest_at = Some(time);
            self.marks.push(mark);
            if self.marks.len() > MOST {
                self.marks.remove(0);
            }
        }
    }

    /// Oldest first.
    pub fn marks(&self) -> &[Ticks] {
        &self.marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_a_mark_a_second_of_the_last_sixty() {
        let mut sparkline = Sparkline::default();
        sparkline.take(VenueTime(0), Ticks::ZERO);
        for half in 0..200_i64 {
            sparkline.take(VenueTime(half * MICROS_PER_SECOND / 2), Ticks(100 + half));
        }
        let marks = sparkline.marks();
        assert_eq!((marks.len(), marks[0], marks[59]), (60, Ticks(180), Ticks(298)));
    }
}
