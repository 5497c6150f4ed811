//! Cache of expiring values on the Redis server.
//!
//! Does not know what the values are.

use std::time::Duration;

use ::redis::aio::ConnectionManager;
use ::redis::{RedisResult, cmd};
use bytes::Bytes;

use super::failed;
use super::scripts::REPLACE;
use crate::bus::BusError;

/// Handle of the cache; clones share its connection.
#[derive(Clone)]
pub struct RedisCache {
    connection: ConnectionManager,
}

impl std::fmt::Debug for RedisCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisCache")
    }
}

impl RedisCache {
    pub(super) fn new(connection: ConnectionManager) -> Self {
        Self { connection }
    }

    pub(in crate::bus) async fn get(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, BusError> {
        let mut connection = self.connection.clone();
        let found: RedisResult<_> = cmd("MGET").arg(keys).query_async(&mut connection).await;
        found.map_err(|error| failed(&error))
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
        let mut connection = self.connection.clone();
        let mut call = REPLACE.prepare_invoke();
        call.key(key).arg(old).arg(new).arg(millis(ttl));
        let done: RedisResult<bool> = call.invoke_async(&mut connection).await;
        done.map_err(|error| failed(&error))
    }

    async fn set(&self, key: &str, bytes: &[u8], ttl: Duration, new: bool) -> Result<bool, BusError> {
        let mut set = cmd("SET");
        set.arg(key).arg(bytes).arg("PX").arg(millis(ttl));
        if new {
            set.arg("NX");
        }
        let mut connection = self.connection.clone();
        let done: RedisResult<Option<String>> = set.query_async(&mut connection).await;
        Ok(done.map_err(|error| failed(&error))?.is_some())
    }
}

/// At least one: Redis refuses a lifetime of zero.
fn millis(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}
