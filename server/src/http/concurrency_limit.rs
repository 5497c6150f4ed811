//! Limits of what runs at once, by key: no key takes all of a resource, and each
//! waits for itself alone.
//!
//! Does not know what runs or who a key stands for.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A number of permits for each key; clones share them. Beyond it callers wait, in
/// the order in which they came, up to a number of their own.
#[derive(Clone, Debug)]
pub struct ConcurrencyLimiter<K: Clone + Eq + Hash> {
    shared: Arc<Shared<K>>,
}

#[derive(Debug)]
struct Shared<K> {
    permits: usize,
    waiting_max: usize,
    /// Keys with a permit in use, or waited for.
    active: Mutex<HashMap<K, ActiveKey>>,
}

#[derive(Debug)]
struct ActiveKey {
    permits: Arc<Semaphore>,
    /// Callers that have a permit or wait for one.
    callers: usize,
}

/// Permission to run once; dropping it gives it back.
#[derive(Debug)]
pub struct ConcurrencyPermit<K: Clone + Eq + Hash> {
    // Given back before its caller leaves.
    _permit: OwnedSemaphorePermit,
    _caller: Caller<K>,
}

/// A caller that is counted while this lives.
#[derive(Debug)]
struct Caller<K: Clone + Eq + Hash> {
    shared: Arc<Shared<K>>,
    key: K,
}

impl<K: Clone + Eq + Hash> ConcurrencyLimiter<K> {
    /// `permits` at once for each key, and `waiting_max` callers that wait for them.
    pub fn new(permits: usize, waiting_max: usize) -> Self {
        let permits = permits.max(1);
        Self { shared: Arc::new(Shared { permits, waiting_max, active: Mutex::default() }) }
    }

    /// Waits for a permit of `key`; `None` if too many of its callers wait.
    pub async fn acquire(&self, key: K) -> Option<ConcurrencyPermit<K>> {
        let (caller, permits) = self.enter(key)?;
        // It is never closed.
        let permit = permits.acquire_owned().await.ok()?;
        Some(ConcurrencyPermit { _permit: permit, _caller: caller })
    }

    fn enter(&self, key: K) -> Option<(Caller<K>, Arc<Semaphore>)> {
        let shared = &self.shared;
        let mut active = shared.lock();
        let new = || ActiveKey { permits: Arc::new(Semaphore::new(shared.permits)), callers: 0 };
        let entry = active.entry(key.clone()).or_insert_with(new);
        if entry.callers >= shared.permits.saturating_add(shared.waiting_max) {
            return None;
        }
        entry.callers += 1;
        Some((Caller { shared: Arc::clone(shared), key }, Arc::clone(&entry.permits)))
    }
}

impl<K> Shared<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, ActiveKey>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash> Drop for Caller<K> {
    fn drop(&mut self) {
        let mut active = self.shared.lock();
        if let Some(entry) = active.get_mut(&self.key) {
            entry.callers -= 1;
            if entry.callers == 0 {
                active.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;

    use super::*;

    #[tokio::test]
    async fn a_key_waits_for_its_own_permits_alone() {
        let limiter = ConcurrencyLimiter::new(1, 1);
        let first = limiter.acquire("ada").await.unwrap();
        let mut second = Box::pin(limiter.acquire("ada"));
        assert!(poll!(&mut second).is_pending());
        assert!(limiter.acquire("ada").await.is_none(), "one may wait");
        let other = limiter.acquire("bob").await.unwrap();
        drop(first);
        let second = second.await.unwrap();
        drop((second, other));
        assert!(limiter.shared.lock().is_empty());
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_leaves_its_place() {
        let limiter = ConcurrencyLimiter::new(1, 1);
        let first = limiter.acquire("ada").await.unwrap();
        let mut second = Box::pin(limiter.acquire("ada"));
        assert!(poll!(&mut second).is_pending());
        drop(second);
        let mut third = Box::pin(limiter.acquire("ada"));
        assert!(poll!(&mut third).is_pending());
        drop(first);
        assert!(third.await.is_some());
    }
}
