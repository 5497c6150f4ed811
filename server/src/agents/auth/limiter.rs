//! How often something may be tried: a sliding minute for each key.
//!
//! Reads no clock and knows no addresses: it is told both.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use engine::time::{MICROS_PER_SECOND, WallTime};

/// Length of the window.
const WINDOW_MICROS: i64 = 60 * MICROS_PER_SECOND;

/// Keys above which keys without a try in the window are forgotten.
const CROWDED: usize = 10_000;

/// Counts tries by key; cheap to clone.
#[derive(Debug)]
pub struct Limiter<K> {
    per_minute: usize,
    tries: Arc<Mutex<HashMap<K, VecDeque<WallTime>>>>,
}

impl<K> Clone for Limiter<K> {
    fn clone(&self) -> Self {
        Self { per_minute: self.per_minute, tries: Arc::clone(&self.tries) }
    }
}

impl<K: Eq + Hash> Limiter<K> {
    /// Lets `per_minute` tries of a key pass in any minute.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute as usize, tries: Arc::default() }
    }

    /// Counts one try. It counts at once, so that tries that run side by side
    /// cannot all pass; [`Limiter::forgive`] and [`Limiter::take_back`] undo it.
    ///
    /// # Errors
    /// Seconds to wait, when the minute is used up; nothing is counted then.
    pub fn count(&self, key: K, now: WallTime) -> Result<(), u64> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= CROWDED {
            tries.retain(|_, times| times.back().is_some_and(|last| in_window(*last, now)));
        }
        let times = tries.entry(key).or_default();
        while times.front().is_some_and(|first| !in_window(*first, now)) {
            times.pop_front();
        }
        match times.front() {
            Some(first) if times.len() >= self.per_minute => {
                let wait = first.0 + WINDOW_MICROS - now.0;
                Err(u64::try_from(wait).unwrap_or(0).div_ceil(MICROS_PER_SECOND as u64).max(1))
            }
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }

    /// Forgets the key's tries: the last one succeeded.
    pub fn forgive(&self, key: &K) {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Takes one try of the key back: it was none.
    pub fn take_back(&self, key: &K) {
        if let Some(times) = self.tries.lock().unwrap_or_else(PoisonError::into_inner).get_mut(key) {
            times.pop_back();
        }
    }
}

fn in_window(time: WallTime, now: WallTime) -> bool {
    now.0 - time.0 < WINDOW_MICROS
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = MICROS_PER_SECOND;

    #[test]
    fn the_eleventh_try_in_a_minute_waits_for_the_first_to_leave() {
        let limiter = Limiter::new(10);
        for second in 0..10 {
            assert_eq!(limiter.count("ada", WallTime(second * SECOND)), Ok(()));
        }
        assert_eq!(limiter.count("ada", WallTime(10 * SECOND)), Err(50));
        assert_eq!(limiter.count("bob", WallTime(10 * SECOND)), Ok(()));
        assert_eq!(limiter.count("ada", WallTime(60 * SECOND)), Ok(()));
        assert_eq!(limiter.count("ada", WallTime(60 * SECOND)), Err(1));
    }

    #[test]
    fn what_was_no_try_is_taken_back_alone() {
        let limiter = Limiter::new(2);
        for _ in 0..5 {
            assert_eq!(limiter.count("school", WallTime(0)), Ok(()));
            limiter.take_back(&"school");
        }
        assert_eq!(limiter.count("school", WallTime(0)), Ok(()));
        assert_eq!(limiter.count("school", WallTime(1)), Ok(()));
        assert!(limiter.count("school", WallTime(1)).is_err());
    }

    #[test]
    fn success_forgives() {
        let limiter = Limiter::new(1);
        assert_eq!(limiter.count("ada", WallTime(0)), Ok(()));
        limiter.forgive(&"ada");
        assert_eq!(limiter.count("ada", WallTime(1)), Ok(()));
    }
}
