//! Rate limits per client, on the server's own clock.
//!
//! Does not know what is limited, nor who a client is.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;

use crate::clock::WallClock;

/// Number of tracked clients above which those with a full quota are evicted.
const MAX_TRACKED_CLIENTS: usize = 10_000;

/// A quota for each client, which refills evenly and may be used at once.
#[derive(Debug)]
pub struct RateLimiter<K: Hash + Eq + Clone> {
    limiter: governor::RateLimiter<K, DashMapStateStore<K>, WallClock, NoOpMiddleware<Nanos>>,
    clock: WallClock,
}

impl<K: Hash + Eq + Clone> RateLimiter<K> {
    /// Allows each client `count` requests (at least one) per `period`.
    pub fn new(count: u32, period: Duration, clock: WallClock) -> Self {
        let count = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(period / count.get()).unwrap_or(Quota::per_second(count));
        let quota = quota.allow_burst(count);
        Self { limiter: governor::RateLimiter::dashmap_with_clock(quota, clock.clone()), clock }
    }

    /// Takes one request of `client`'s quota.
    ///
    /// # Errors
    /// Seconds to wait when the quota is used up.
    pub fn check(&self, client: &K) -> Result<(), u64> {
        if self.limiter.len() >= MAX_TRACKED_CLIENTS {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(client).map_err(|refused| {
            let wait = refused.wait_time_from(Clock::now(&self.clock));
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
        })
    }
}

/// Nanoseconds since 1970.
impl Clock for WallClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.now().0.max(0).cast_unsigned().saturating_mul(1_000))
    }
}

#[cfg(test)]
mod tests {
    use engine::time::{MICROS_PER_SECOND, WallTime};

    use super::*;

    #[test]
    fn a_second_refills_the_quota_of_a_second() {
        let clock = WallClock::manual(WallTime(1_800_000_000_000_000));
        let limiter = RateLimiter::new(3, Duration::from_secs(1), clock.clone());
        let taken = || (0..5).filter(|_| limiter.check(&"ada").is_ok()).count();
        assert_eq!(taken(), 3);
        assert_eq!(limiter.check(&"ada"), Err(1));
        clock.advance_micros(MICROS_PER_SECOND / 3 + 1);
        assert_eq!(taken(), 1); // a third of a second is one of three
        clock.advance_micros(10 * MICROS_PER_SECOND);
        assert_eq!(taken(), 3);
        assert_eq!(limiter.check(&"bob"), Ok(()));
    }
}
