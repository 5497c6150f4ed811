//! Values that expire by themselves, shared by whoever shares the bus.
//!
//! Does not know what they are, or what stays true when they are lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::BusError;
use super::redis::RedisCache;

/// Values above which those that have expired are looked for.
const CROWDED: usize = 1_024;

/// Shared memory; clones share it.
#[derive(Clone, Debug)]
pub enum Cache {
    /// Of this process.
    Local(LocalCache),
    /// Of every process.
    Redis(RedisCache),
}

impl Cache {
    /// The values of `keys`, in their order.
    ///
    /// # Errors
    /// When the server is away.
    pub async fn get(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, BusError> {
        match self {
            Self::Local(cache) => Ok(keys.iter().map(|key| cache.get(key)).collect()),
            Self::Redis(cache) => cache.get(keys).await,
        }
    }

    /// Writes the value of `key` for `life`, whatever is there.
    ///
    /// # Errors
    /// When the server is away.
    pub async fn put(&self, key: &str, bytes: &[u8], life: Duration) -> Result<(), BusError> {
        match self {
            Self::Local(cache) => {
                cache.put_if(key, bytes, life, |_| true);
                Ok(())
            }
            Self::Redis(cache) => cache.put(key, bytes, life).await,
        }
    }

    /// Writes the value of `key` for `life` where there is none; `false` where
    /// there is one.
    ///
    /// # Errors
    /// When the server is away.
    pub async fn put_new(&self, key: &str, bytes: &[u8], life: Duration) -> Result<bool, BusError> {
        match self {
            Self::Local(cache) => Ok(cache.put_if(key, bytes, life, |there| there.is_none())),
            Self::Redis(cache) => cache.put_new(key, bytes, life).await,
        }
    }

    /// Writes the value of `key` for `life` where it is still `old`; `false`
    /// where it is not.
    ///
    /// # Errors
    /// When the server is away.
    pub async fn replace(&self, key: &str, old: &[u8], new: &[u8], life: Duration) -> Result<bool, BusError> {
        match self {
            Self::Local(cache) => {
                Ok(cache.put_if(key, new, life, |there| there.is_some_and(|there| there == old)))
            }
            Self::Redis(cache) => cache.replace(key, old, new, life).await,
        }
    }
}

/// Memory of one process.
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
        life: Duration,
        may: impl FnOnce(Option<&Bytes>) -> bool,
    ) -> bool {
        let now = Instant::now();
        let mut values = self.values();
        let there = values.get(key).filter(|(_, until)| now < *until).map(|(bytes, _)| bytes);
        if !may(there) {
            return false;
        }
        if values.len() >= CROWDED && values.len() == values.capacity() {
            values.retain(|_, (_, until)| now < *until);
        }
        values.insert(key.to_owned(), (Bytes::copy_from_slice(bytes), now + life));
        true
    }

    fn values(&self) -> MutexGuard<'_, HashMap<String, (Bytes, Instant)>> {
        // No holder panics halfway through a change.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn values_expire_and_leave_no_trace() {
        let cache = LocalCache::default();
        let always = |_: Option<&Bytes>| true;
        for key in 0..10_000 {
            assert!(cache.put_if(&key.to_string(), b"x", Duration::from_secs(1), always));
            assert!(cache.get(&key.to_string()).is_some());
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        assert_eq!(cache.get("0"), None);
        assert!(cache.values().len() < 4 * CROWDED);
    }
}
