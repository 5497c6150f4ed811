//! Rate limits by key: `governor`'s keyed limiter on the injected clock, whose
//! monotonic time it uses: a wall clock that is set back prolongs no wait.
//!
//! Does not know what is limited or who a key stands for.

use std::convert::Infallible;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::Quota;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::{HashMapStateStore, ShrinkableKeyedStateStore};

use crate::clock::WallClock;

/// Above this many tracked keys, those with a full quota are evicted.
const MAX_TRACKED_KEYS: usize = 10_000;

const MINUTE: Duration = Duration::from_secs(60);

/// A quota of events for each key; clones share it.
#[derive(Clone, Debug)]
pub struct RateLimiter<K: Clone + Eq + Hash> {
    limiter: Arc<governor::RateLimiter<K, SharedState<K>, WallClock, NoOpMiddleware<Duration>>>,
    state: Arc<HashMapStateStore<K>>,
    /// Time in which one event is restored.
    interval: Nanos,
}

impl<K: Clone + Eq + Hash> RateLimiter<K> {
    /// `limit` events at once, restored evenly over a second.
    pub fn per_second(limit: u32, clock: WallClock) -> Self {
        Self::new(Quota::per_second(at_least_one(limit)), clock)
    }

    /// `limit` events at once, restored evenly over a minute.
    pub fn per_minute(limit: u32, clock: WallClock) -> Self {
        Self::new(Quota::per_minute(at_least_one(limit)), clock)
    }

    /// At most `limit` events in any minute: `limit` at once, then one a minute
    /// is restored.
    pub fn strict_per_minute(limit: u32, clock: WallClock) -> Self {
        // A zero period alone has no quota.
        let one_a_minute = Quota::with_period(MINUTE).unwrap_or(Quota::per_minute(NonZeroU32::MIN));
        Self::new(one_a_minute.allow_burst(at_least_one(limit)), clock)
    }

    fn new(quota: Quota, clock: WallClock) -> Self {
        let state = Arc::new(HashMapStateStore::default());
        let limiter = governor::RateLimiter::new(quota, SharedState(Arc::clone(&state)), clock);
        Self { limiter: Arc::new(limiter), state, interval: quota.replenish_interval().into() }
    }

    /// Counts one event of `key`, at once, so that concurrent events cannot all
    /// pass; [`RateLimiter::refund`] and [`RateLimiter::reset`] undo it.
    ///
    /// # Errors
    /// Seconds to wait, at least one, when the quota is used up; nothing is
    /// counted then.
    pub fn check(&self, key: &K) -> Result<(), u64> {
        if self.limiter.len() >= MAX_TRACKED_KEYS {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|refused| {
            let wait = refused.wait_time_from(Clock::now(self.limiter.clock()));
            u64::try_from(wait.as_nanos().div_ceil(1_000_000_000)).unwrap_or(u64::MAX).max(1)
        })
    }

    /// Restores one event of `key`.
    pub fn refund(&self, key: &K) {
        self.restore(key, |next_at| next_at.saturating_sub(self.interval));
    }

    /// Restores the whole quota of `key`.
    pub fn reset(&self, key: &K) {
        self.restore(key, |_| Nanos::new(0));
    }

    /// Changes the time, since the limiter's start, from which on the quota of
    /// `key` is full (GCRA's theoretical arrival time).
    fn restore(&self, key: &K, change: impl Fn(Nanos) -> Nanos) {
        let full_at = |at: Option<Nanos>| Ok(((), change(at.unwrap_or(Nanos::new(0)))));
        let Ok(()) = self.state.measure_and_replace::<(), _, Infallible>(key, full_at);
    }
}

fn at_least_one(limit: u32) -> NonZeroU32 {
    NonZeroU32::new(limit).unwrap_or(NonZeroU32::MIN)
}

impl Clock for WallClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.monotonic()
    }
}

/// State that the limiter and its refunds share: `governor` gives events no way
/// back.
#[derive(Debug)]
struct SharedState<K: Clone + Eq + Hash>(Arc<HashMapStateStore<K>>);

impl<K: Clone + Eq + Hash> StateStore for SharedState<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, change: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.0.measure_and_replace(key, change)
    }
}

impl<K: Clone + Eq + Hash> ShrinkableKeyedStateStore<K> for SharedState<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.0.retain_recent(drop_below);
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use engine::time::{MICROS_PER_SECOND, WallTime};

    use super::*;

    fn clock() -> WallClock {
        WallClock::manual(WallTime(1_800_000_000 * MICROS_PER_SECOND))
    }

    #[test]
    fn the_eleventh_event_in_a_minute_waits_for_the_minute_to_end() {
        let clock = clock();
        let limiter = RateLimiter::strict_per_minute(10, clock.clone());
        for _ in 0..10 {
            assert_eq!(limiter.check(&"ada"), Ok(()));
            clock.advance_micros(MICROS_PER_SECOND);
        }
        assert_eq!(limiter.check(&"ada"), Err(50)); // 60 s after the first, 10 s after now
        assert_eq!(limiter.check(&"bob"), Ok(()));
        clock.advance_micros(50 * MICROS_PER_SECOND);
        assert_eq!(limiter.check(&"ada"), Ok(()));
        assert_eq!(limiter.check(&"ada"), Err(60));
    }

    #[test]
    fn a_clock_that_is_set_back_prolongs_no_wait() {
        let clock = clock();
        let limiter = RateLimiter::strict_per_minute(2, clock.clone());
        assert_eq!([(); 3].map(|()| limiter.check(&"ada")), [Ok(()), Ok(()), Err(60)]);
        clock.set_back_micros(2 * 3_600 * MICROS_PER_SECOND);
        assert_eq!(limiter.check(&"ada"), Err(60));
        clock.advance_micros(60 * MICROS_PER_SECOND);
        assert_eq!(limiter.check(&"ada"), Ok(()));
    }

    #[test]
    fn a_refund_restores_one_event() {
        let limiter = RateLimiter::strict_per_minute(2, clock());
        for _ in 0..5 {
            assert_eq!(limiter.check(&"school"), Ok(()));
            limiter.refund(&"school");
        }
        assert_eq!(limiter.check(&"school"), Ok(()));
        assert_eq!(limiter.check(&"school"), Ok(()));
        assert!(limiter.check(&"school").is_err());
    }

    #[test]
    fn a_reset_restores_the_whole_quota() {
        let limiter = RateLimiter::strict_per_minute(3, clock());
        for _ in 0..2 {
            assert_eq!([(); 4].map(|()| limiter.check(&"ada").is_ok()), [true, true, true, false]);
            limiter.reset(&"ada");
        }
    }

    #[test]
    fn a_second_restores_a_seconds_quota_evenly() {
        let clock = clock();
        let limiter = RateLimiter::per_second(3, clock.clone());
        let passed = |key| (0..5).filter(|_| limiter.check(key).is_ok()).count();
        assert_eq!(passed(&"ada"), 3);
        clock.advance_micros(MICROS_PER_SECOND / 3 + 1);
        assert_eq!(passed(&"ada"), 1); // a third of a second restores one of three
        clock.advance_micros(10 * MICROS_PER_SECOND);
        assert_eq!(passed(&"ada"), 3);
        assert_eq!(passed(&"bob"), 3);
    }

    #[test]
    fn keys_with_a_full_quota_are_evicted() {
        let clock = clock();
        let limiter = RateLimiter::per_second(1, clock.clone());
        for key in 0..3 * MAX_TRACKED_KEYS {
            assert_eq!(limiter.check(&key), Ok(()));
            clock.advance_micros(MICROS_PER_SECOND);
        }
        assert!(limiter.state.len() <= MAX_TRACKED_KEYS + 1, "{}", limiter.state.len());
    }
}
