//! How much of something a client may have in a second.
//!
//! Reads no clock and knows no clients: it is told both.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use engine::time::{MICROS_PER_SECOND, WallTime};

/// Clients above which those without a full bucket alone are remembered.
const CROWDED: usize = 10_000;

/// A bucket for each client: it holds a second's worth and fills evenly.
#[derive(Debug)]
pub(super) struct Budget {
    per_second: u32,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Micro-units left: a unit is a million of them.
    left: i64,
    at: WallTime,
}

impl Budget {
    /// Lets each client have `per_second` units a second.
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second, buckets: Mutex::default() }
    }

    /// Takes one unit of `client`'s, if there is one.
    pub(super) fn take(&self, client: &str, now: WallTime) -> bool {
        let rate = i64::from(self.per_second);
        let full = rate * MICROS_PER_SECOND;
        let refilled = |bucket: &Bucket| {
            let elapsed = (now.0 - bucket.at.0).clamp(0, MICROS_PER_SECOND);
            (bucket.left + elapsed * rate).min(full)
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= CROWDED {
            buckets.retain(|_, bucket| refilled(bucket) < full);
        }
        let bucket = buckets.entry(client.to_owned()).or_insert(Bucket { left: full, at: now });
        bucket.left = refilled(bucket);
        bucket.at = now;
        let enough = bucket.left >= MICROS_PER_SECOND;
        if enough {
            bucket.left -= MICROS_PER_SECOND;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_refills_what_a_second_may_take() {
        let budget = Budget::new(3);
        let taken = |at: i64| (0..5).filter(|_| budget.take("ada", WallTime(at))).count();
        assert_eq!(taken(0), 3);
        assert_eq!(taken(MICROS_PER_SECOND / 3 + 1), 1); // a third of a second is one of three
        assert_eq!(taken(10 * MICROS_PER_SECOND), 3);
        assert!(budget.take("bob", WallTime(0)));
    }
}
