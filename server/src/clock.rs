//! The time on the wall: the one place of the server that reads it.
//!
//! Sessions, logs and rate limits use it. Does not know venue time, and no
//! market may ask it anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use engine::time::WallTime;

/// A clock on the wall, handed in wherever one is wanted.
#[derive(Clone, Debug)]
pub enum WallClock {
    /// The machine's own.
    System,
    /// A test's: it moves when told to.
    Manual(Arc<AtomicI64>),
}

impl WallClock {
    /// A clock that stands at `now` until it is moved.
    pub fn manual(now: WallTime) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now.0)))
    }

    /// The time.
    pub fn now(&self) -> WallTime {
        match self {
            Self::System => system_now(),
            Self::Manual(micros) => WallTime(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock on; the machine's own cannot be moved.
    pub fn advance_micros(&self, micros: i64) {
        if let Self::Manual(now) = self {
            now.fetch_add(micros, Ordering::SeqCst);
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the clock that everybody else is given")]
fn system_now() -> WallTime {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_when_told_to() {
        let clock = WallClock::manual(WallTime(5));
        let same = clock.clone();
        clock.advance_micros(10);
        assert_eq!(same.now(), WallTime(15));
    }

    #[test]
    fn the_systems_clock_is_past_2026() {
        assert!(WallClock::System.now() > WallTime(1_767_225_600_000_000));
    }
}
