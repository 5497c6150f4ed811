//! Opening the bus: everything that can be wrong is said in one line, without
//! the password.
//!
//! Does not know what the bus is used for.

use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, ErrorKind, RedisError, RedisResult, ServerErrorKind, cmd};

use super::CONNECT;
use crate::bus::BusError;

/// The oldest server that has what is used here.
const OLDEST: (u32, u32) = (7, 0);

/// Written to see whether that is allowed.
const PROBE: &str = "tickhall:probe";

/// What the bus holds an append back with: without it a stream that lacks what
/// came before would take what comes after. In one piece: others may be looking.
const MOVE: &str = "redis.call('SET', KEYS[1], '', 'PX', 1000) redis.call('RENAME', KEYS[1], KEYS[2])";

/// No request takes longer.
const ANSWER: Duration = Duration::from_secs(2);

/// A connection that comes back by itself, and what it is made from.
pub(super) async fn connect(url: &str, shown: &str) -> Result<(Client, ConnectionManager), BusError> {
    let refused = |why: String| BusError::Refused { url: shown.to_owned(), why };
    let client = Client::open(url).map_err(|error| refused(say(&error)))?;
    // Once, so that a wrong address is said at once.
    let first = client.get_multiplexed_async_connection().await;
    let mut first = first.map_err(|error| refused(say(&error)))?;
    if let Some(version) = version(&mut first).await.map_err(|error| refused(say(&error)))?
        && version < OLDEST
    {
        let (major, minor) = version;
        return Err(refused(format!("Redis {major}.{minor} is too old; 7.0 or newer is wanted")));
    }
    let written: RedisResult<()> =
        cmd("SET").arg(PROBE).arg("").arg("PX").arg(1_000).query_async(&mut first).await;
    written.map_err(|error| refused(say(&error)))?;
    let aside = format!("{PROBE}:aside");
    let moved = cmd("EVAL").arg(MOVE).arg(2).arg(PROBE).arg(aside).exec_async(&mut first).await;
    moved.map_err(|error| refused(format!("a script may not RENAME: {}", say(&error))))?;
    let config = ConnectionManagerConfig::new()
        .set_min_delay(Duration::from_millis(20))
        .set_max_delay(Duration::from_millis(250))
        .set_number_of_retries(4)
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(ANSWER));
    let manager = ConnectionManager::new_with_config(client.clone(), config).await;
    Ok((client, manager.map_err(|error| refused(say(&error)))?))
}

/// The server's version; `None` where it does not say.
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

/// What went wrong, in one line.
pub(super) fn say(error: &RedisError) -> String {
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
