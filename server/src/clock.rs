//! Wall time: the only module of the server that reads it or sleeps.
//!
//! Sessions, logs, rate limits and retries use it. Does not know venue time; the
//! market never depends on it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::time::WallTime;

/// Clock of wall time; clones share it.
#[derive(Clone, Debug)]
pub enum WallClock {
    /// The machine's clock.
    System,
    /// A test's clock, which moves only by [`WallClock::advance_micros`] and
    /// [`WallClock::set_back_micros`].
    Manual(Arc<ManualTime>),
}

/// Time of a manual clock.
#[derive(Debug)]
pub struct ManualTime {
    wall_micros: AtomicI64,
    monotonic_micros: AtomicI64,
}

impl WallClock {
    /// A manual clock at `now`.
    pub fn manual(now: WallTime) -> Self {
        let (wall_micros, monotonic_micros) = (AtomicI64::new(now.0), AtomicI64::new(0));
        Self::Manual(Arc::new(ManualTime { wall_micros, monotonic_micros }))
    }

    /// The current time.
    pub fn now(&self) -> WallTime {
        match self {
            Self::System => system_now(),
            Self::Manual(time) => WallTime(time.wall_micros.load(Ordering::SeqCst)),
        }
    }

    /// Time that has passed since some moment before the first call: it does not
    /// change when the machine's clock is set.
    pub fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        match self {
            Self::System => START.elapsed(),
            Self::Manual(time) => {
                let micros = time.monotonic_micros.load(Ordering::SeqCst);
                Duration::from_micros(u64::try_from(micros).unwrap_or(0))
            }
        }
    }

    /// Advances a manual clock; does nothing to the machine's clock.
    pub fn advance_micros(&self, micros: i64) {
        if let Self::Manual(time) = self {
            time.wall_micros.fetch_add(micros, Ordering::SeqCst);
            time.monotonic_micros.fetch_add(micros, Ordering::SeqCst);
        }
    }

    /// Sets a manual clock back, as an operator does: no time passes.
    pub fn set_back_micros(&self, micros: i64) {
        if let Self::Manual(time) = self {
            time.wall_micros.fetch_sub(micros, Ordering::SeqCst);
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
        assert_eq!(clock.monotonic(), Duration::from_micros(10));
        clock.set_back_micros(12);
        assert_eq!((same.now(), same.monotonic()), (WallTime(3), Duration::from_micros(10)));
    }

    #[test]
    fn the_system_clock_is_past_2026() {
        assert!(WallClock::System.now() > WallTime(1_767_225_600_000_000));
    }
}
