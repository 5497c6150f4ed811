//! Whether the server is there, and whether it still has what it had.
//!
//! A random value under a key of its own stands for everything on the server:
//! when it has gone, everything has. Does not know what that was.

use std::sync::Weak;
use std::time::Duration;

use ::redis::{RedisResult, cmd};

use super::{Inner, pause};

/// Stands for the life of the server's memory.
const KEY: &str = "tickhall:life";

/// How often it looks.
const BEAT: Duration = Duration::from_millis(250);

/// Looks after `bus` until that is gone; `life` is what it was opened with, so
/// that not even the first moment's wipe goes unnoticed.
pub(super) async fn watch(bus: Weak<Inner>, mut life: String) {
    while let Some(inner) = bus.upgrade() {
        let was_up = *inner.up.borrow();
        match look(&inner).await {
            Ok(found) => {
                if !was_up {
                    tracing::info!(event = "bus_back", url = inner.shown, "Redis answers again");
                }
                if life != found {
                    tracing::warn!(event = "bus_wiped", url = inner.shown, "Redis has lost what it had");
                    metrics::counter!("tickhall_bus_wipes_total").increment(1);
                    inner.wipes.send_modify(|wipes| *wipes += 1);
                    inner.watchers.wake_all();
                }
                life = found;
                inner.up.send_if_modified(|up| !std::mem::replace(up, true));
            }
            Err(error) => {
                if was_up {
                    tracing::error!(event = "bus_away", url = inner.shown, %error, "Redis does not answer");
                }
                inner.up.send_if_modified(|up| std::mem::replace(up, false));
            }
        }
        metrics::gauge!("tickhall_bus_up").set(f64::from(u8::from(*inner.up.borrow())));
        drop(inner);
        pause(BEAT).await;
    }
}

/// The value, made now where there is none.
pub(super) async fn look(inner: &Inner) -> RedisResult<String> {
    let mut connection = inner.connection.clone();
    let found: Option<String> = cmd("GET").arg(KEY).query_async(&mut connection).await?;
    if let Some(found) = found {
        return Ok(found);
    }
    let mine = uuid::Uuid::new_v4().to_string();
    let other: Option<String> =
        cmd("SET").arg(KEY).arg(&mine).arg("NX").arg("GET").query_async(&mut connection).await?;
    Ok(other.unwrap_or(mine))
}
