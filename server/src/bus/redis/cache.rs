//! Values that expire by themselves, shared by every process.
//!
//! Does not know what they are, or what stays true when they are lost.

use std::time::Duration;

use ::redis::aio::ConnectionManager;
use ::redis::{RedisResult, cmd};
use bytes::Bytes;

use super::failed;
use crate::bus::BusError;

/// When a value may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Whatever is there.
    Always,
    /// Only where there is none.
    Absent,
    /// Only where there is one.
    Present,
}

/// Shared memory; clones share its connection.
#[derive(Clone)]
pub struct Cache {
    connection: ConnectionManager,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cache")
    }
}

impl Cache {
    pub(super) fn new(connection: ConnectionManager) -> Self {
        Self { connection }
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// When the server is away.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, BusError> {
        let mut connection = self.connection.clone();
        let found: RedisResult<Option<Bytes>> = cmd("GET").arg(key).query_async(&mut connection).await;
        found.map_err(|error| failed(&error))
    }

    /// Writes the value of `key` for `life`; `false` when it may not be.
    ///
    /// # Errors
    /// When the server is away.
    pub async fn put(&self, key: &str, bytes: &[u8], life: Duration, when: When) -> Result<bool, BusError> {
        let mut set = cmd("SET");
        set.arg(key).arg(bytes).arg("PX").arg(u64::try_from(life.as_millis()).unwrap_or(u64::MAX).max(1));
        match when {
            When::Always => {}
            When::Absent => {
                set.arg("NX");
            }
            When::Present => {
                set.arg("XX");
            }
        }
        let mut connection = self.connection.clone();
        let done: RedisResult<Option<String>> = set.query_async(&mut connection).await;
        Ok(done.map_err(|error| failed(&error))?.is_some())
    }
}
