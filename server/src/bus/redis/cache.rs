//! Cache of expiring values on the Redis server.
//!
//! Does not know what the values are.

use std::sync::Arc;
use std::time::Duration;

use ::redis::cmd;
use bytes::Bytes;

use super::Inner;
use super::scripts::REPLACE;
use crate::bus::BusError;

/// Handle of the cache; clones share the bus's connection.
#[derive(Clone)]
pub struct RedisCache {
    bus: Arc<Inner>,
}

impl std::fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisCache")
    }
}

impl RedisCache {
    pub(super) fn new(bus: Arc<Inner>) -> Self {
        Self { bus }
    }

    pub(in crate::bus) async fn get(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, BusError> {
        let mut connection = self.bus.connection.clone();
        self.bus.while_up(cmd("MGET").arg(keys).query_async(&mut connection)).await
    }

    pub(in crate::bus) async fn put(&self, key: &str, bytes: &[u8], ttl: Duration) -> Result<(), BusError> {
        self.set(key, bytes, ttl, false).await.map(|_| ())
    }

    pub(in crate::bus) async fn put_new(
        &self,
        key: &str,
        bytes: &[u8],
        ttl: Duration,
    ) -> Result<bool, BusError> {
        self.set(key, bytes, ttl, true).await
    }

    pub(in crate::bus) async fn replace(
        &self,
        key: &str,
        old: &[u8],
        new: &[u8],
        ttl: Duration,
    ) -> Result<bool, BusError> {
        let mut connection = self.bus.connection.clone();
        let mut call = REPLACE.prepare_invoke();
        call.key(key).arg(old).arg(new).arg(millis(ttl));
        self.bus.while_up(call.invoke_async(&mut connection)).await
    }

    async fn set(&self, key: &str, bytes: &[u8], ttl: Duration, new: bool) -> Result<bool, BusError> {
        let mut set = cmd("SET");
        set.arg(key).arg(bytes).arg("PX").arg(millis(ttl));
        if new {
            set.arg("NX");
        }
        let mut connection = self.bus.connection.clone();
        let done: Option<String> = self.bus.while_up(set.query_async(&mut connection)).await?;
        Ok(done.is_some())
    }
}

/// At least one: Redis refuses a lifetime of zero.
fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}
