//! Connecting to the Redis server and checking that it is usable; every error is
//! one line without the password.
//!
//! Does not know what the bus is used for.

use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, ErrorKind, RedisError, RedisResult, ServerErrorKind, cmd};

use super::CONNECT_TIMEOUT;
use crate::bus::BusError;

/// The oldest supported server.
const MIN_VERSION: (u32, u32) = (7, 0);

/// Key that is written to check the permission.
const PROBE_KEY: &str = "tickhall:probe";

/// Checks the permission to rename keys, which a refused append needs. One script,
/// because several processes may connect at once.
const RENAME_PROBE: &str =
    "redis.call('SET', KEYS[1], '', 'PX', 1000) redis.call('RENAME', KEYS[1], KEYS[2])";

/// Limit for one request.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Opens a connection that reconnects by itself, and the client for more.
pub(super) async fn connect(url: &str, redacted_url: &str) -> Result<(Client, ConnectionManager), BusError> {
    let refused = |why: String| BusError::Refused { url: redacted_url.to_owned(), why };
    let client = Client::open(url).map_err(|error| refused(describe(&error)))?;
    // Without retries, so that a wrong address is reported at once.
    let first = client.get_multiplexed_async_connection().await;
    let mut first = first.map_err(|error| refused(describe(&error)))?;
    if let Some(version) = version(&mut first).await.map_err(|error| refused(describe(&error)))?
        && version < MIN_VERSION
    {
        let (major, minor) = version;
        return Err(refused(format!("Redis {major}.{minor} is too old; 7.0 or newer is wanted")));
    }
    let written: RedisResult<()> =
        cmd("SET").arg(PROBE_KEY).arg("").arg("PX").arg(1_000).query_async(&mut first).await;
    written.map_err(|error| refused(describe(&error)))?;
    let aside = format!("{PROBE_KEY}:aside");
    let moved = cmd("EVAL").arg(RENAME_PROBE).arg(2).arg(PROBE_KEY).arg(aside).exec_async(&mut first).await;
    moved.map_err(|error| refused(format!("a script may not RENAME: {}", describe(&error))))?;
    let config = ConnectionManagerConfig::new()
        .set_min_delay(Duration::from_millis(20))
        .set_max_delay(Duration::from_millis(250))
        .set_number_of_retries(4)
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT));
    let manager = ConnectionManager::new_with_config(client.clone(), config).await;
    Ok((client, manager.map_err(|error| refused(describe(&error)))?))
}

/// The server's major and minor version; `None` without permission to ask.
async fn version(connection: &mut impl ::redis::aio::ConnectionLike) -> RedisResult<Option<(u32, u32)>> {
    let info: String = match cmd("INFO").arg("server").query_async(connection).await {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm) => return Ok(None),
        info => info?,
    };
    let text = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
    Ok(text.and_then(|text| {
        let mut parts = text.split('.').map_while(|part| part.parse().ok());
        Some((parts.next()?, parts.next()?))
    }))
}

/// The error in one line.
pub(super) fn describe(error: &RedisError) -> String {
    let text = match error.code() {
        Some("NOAUTH" | "WRONGPASS") => "user or password is missing or wrong".to_owned(),
        Some("READONLY") => "this is a read-only replica".to_owned(),
        Some("OOM") => "Redis has no memory left (maxmemory)".to_owned(),
        Some(code) if error.detail().is_some() => format!("{code} {}", error.detail().unwrap_or_default()),
        _ if error.kind() == ErrorKind::AuthenticationFailed => {
            "user or password is missing or wrong".to_owned()
        }
        _ => error.to_string(),
    };
    text.replace(['\n', '\r'], " ").trim().to_owned()
}
