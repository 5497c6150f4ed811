//! Cache of expiring values, shared by all processes on the bus.
//!
//! Does not know what the values are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::BusError;
use super::redis::RedisCache;

/// Below this number of values expired ones are not evicted.
const EVICTION_MIN_VALUES: usize = 1_024;

/// Handle of the cache; clones share it.
#[derive(Clone, Debug)]
pub enum Cache {
    /// In this process.
    Local(LocalCache),
    /// On the Redis server.
    Redis(RedisCache),
}

impl Cache {
    /// The values of `keys`, in their order.
    ///
    /// # Errors
    /// [`BusError::Unavailable`], [`BusError::Unanswered`].
    pub async fn get(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, BusError> {
        match self {
            Self::Local(cache) => Ok(keys.iter().map(|key| cache.get(key)).collect()),
            Self::Redis(cache) => cache.get(keys).await,
        }
    }

    /// Sets the value of `key` for `ttl`.
    ///
    /// # Errors
    /// [`BusError::Unavailable`], [`BusError::Unanswered`].
    pub async fn put(&self, key: &str, bytes: &[u8], ttl: Duration) -> Result<(), BusError> {
        match self {
            Self::Local(cache) => {
                cache.put_if(key, bytes, ttl, |_| true);
                Ok(())
            }
            Self::Redis(cache) => cache.put(key, bytes, ttl).await,
        }
    }

    /// Sets the value of `key` for `ttl` if it has none; else returns `false`.
    ///
    /// # Errors
    /// [`BusError::Unavailable`], [`BusError::Unanswered`].
    pub async fn put_new(&self, key: &str, bytes: &[u8], ttl: Duration) -> Result<bool, BusError> {
        match self {
            Self::Local(cache) => Ok(cache.put_if(key, bytes, ttl, |current| current.is_none())),
            Self::Redis(cache) => cache.put_new(key, bytes, ttl).await,
        }
    }

    /// Sets the value of `key` for `ttl` if it is `old`; else returns `false`.
    ///
    /// # Errors
    /// [`BusError::Unavailable`], [`BusError::Unanswered`].
    pub async fn replace(&self, key: &str, old: &[u8], new: &[u8], ttl: Duration) -> Result<bool, BusError> {
        match self {
            Self::Local(cache) => {
                Ok(cache.put_if(key, new, ttl, |current| current.is_some_and(|current| current == old)))
            }
            Self::Redis(cache) => cache.replace(key, old, new, ttl).await,
        }
    }
}

/// Cache in one process.
#[derive(Clone, Debug, Default)]
pub struct LocalCache {
    values: Arc<Mutex<HashMap<String, (Bytes, Instant)>>>,
}

impl LocalCache {
    fn get(&self, key: &str) -> Option<Bytes> {
        let now = Instant::now();
        self.values().get(key).filter(|(_, until)| now < *until).map(|(bytes, _)| bytes.clone())
    }

    fn put_if(
        &self,
        key: &str,
        bytes: &[u8],
        ttl: Duration,
        condition: impl FnOnce(Option<&Bytes>) -> bool,
    ) -> bool {
        let now = Instant::now();
        let mut values = self.values();
        let current = values.get(key).filter(|(_, until)| now < *until).map(|(bytes, _)| bytes);
        if !condition(current) {
            return false;
        }
        if values.len() >= EVICTION_MIN_VALUES && values.len() == values.capacity() {
            values.retain(|_, (_, until)| now < *until);
        }
        values.insert(key.to_owned(), (Bytes::copy_from_slice(bytes), now + ttl));
        true
    }

    fn values(&self) -> MutexGuard<'_, HashMap<String, (Bytes, Instant)>> {
        // Consistent even when poisoned: no holder panics halfway through a change.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn expired_values_are_evicted() {
        let cache = LocalCache::default();
        let always = |_: Option<&Bytes>| true;
        for key in 0..10_000 {
            assert!(cache.put_if(&key.to_string(), b"x", Duration::from_secs(1), always));
            assert!(cache.get(&key.to_string()).is_some());
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert_eq!(cache.get("0"), None);
        assert!(cache.values().len() < 4 * EVICTION_MIN_VALUES);
    }
}
