//! Wall time: the only module of the server that reads it or sleeps.
//!
//! Sessions, logs, rate limits and retries use it. Does not know venue time; the
//! market never depends on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::time::WallTime;

/// Clock of wall time; clones share it.
#[derive(Clone, Debug)]
pub enum WallClock {
    /// The machine's clock.
    System,
    /// A test's clock, which moves only by [`WallClock::advance_micros`].
    Manual(Arc<AtomicI64>),
}

impl WallClock {
    /// A manual clock at `now`.
    pub fn manual(now: WallTime) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now.0)))
    }

    /// The current time.
    pub fn now(&self) -> WallTime {
        match self {
            Self::System => system_now(),
            Self::Manual(micros) => WallTime(micros.load(Ordering::SeqCst)),
        }
    }

    /// Advances a manual clock; does nothing to the machine's clock.
    pub fn advance_micros(&self, micros: i64) {
        if let Self::Manual(now) = self {
            now.fetch_add(micros, Ordering::SeqCst);
        }
    }
}

/// Sleeps for `duration` of real time, also beside a manual clock: for delays
/// before a retry and intervals of upkeep, where no event can be awaited.
#[expect(clippy::disallowed_methods, reason = "the only sleep; everything else awaits an event")]
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[allow(clippy::disallowed_methods, reason = "everything else reads the injected clock")]
fn system_now() -> WallTime {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_advanced() {
        let clock = WallClock::manual(WallTime(5));
        let same = clock.clone();
        clock.advance_micros(10);
        assert_eq!(same.now(), WallTime(15));
    }

    #[test]
    fn the_system_clock_is_past_2026() {
        assert!(WallClock::System.now() > WallTime(1_767_225_600_000_000));
    }
}
