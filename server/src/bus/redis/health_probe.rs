//! Health probe of the Redis server, which also detects data loss.
//!
//! A random value under [`DATA_ID_KEY`] identifies the server's data: when the
//! value is another one, everything was lost. Does not know what was lost.

use std::sync::Weak;
use std::time::Duration;

use ::redis::{RedisError, RedisResult, cmd};

use super::Inner;
use crate::clock;

/// Key of the value that identifies the server's data.
const DATA_ID_KEY: &str = "tickhall:data_id";

const PROBE_INTERVAL: Duration = Duration::from_millis(250);

/// Time in which the server must answer a probe: less than that of a request, so that
/// a server that hangs costs a request with several calls one wait.
const PROBE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Probes the server until the bus is dropped. `data_id` is the value at connect,
/// so that a data loss before the first probe is detected.
pub(super) async fn run(bus: Weak<Inner>, mut data_id: String) {
    while let Some(inner) = bus.upgrade() {
        let was_up = *inner.up.borrow();
        let found = tokio::time::timeout(PROBE_TIMEOUT, self::data_id(&inner)).await;
        match found.unwrap_or_else(|_| Err(no_answer())) {
            Ok(found) => {
                if !was_up {
                    tracing::info!(event = "bus_back", url = inner.redacted_url, "Redis answers again");
                }
                if data_id != found {
                    tracing::warn!(event = "bus_wiped", url = inner.redacted_url, "Redis has lost its data");
                    metrics::counter!("tickhall_bus_data_losses_total").increment(1);
                    inner.data_loss_epoch.send_modify(|epoch| *epoch += 1);
                    inner.pollers.reset();
                }
                data_id = found;
                inner.up.send_if_modified(|up| !std::mem::replace(up, true));
            }
            Err(error) => {
                if was_up {
                    tracing::error!(event = "bus_away", url = inner.redacted_url, %error, "Redis does not answer");
                }
                inner.up.send_if_modified(|up| std::mem::replace(up, false));
            }
        }
        metrics::gauge!("tickhall_bus_up").set(f64::from(u8::from(*inner.up.borrow())));
        drop(inner);
        clock::sleep(PROBE_INTERVAL).await;
    }
}

fn no_answer() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

/// The value that identifies the server's data; set now if there is none.
pub(super) async fn data_id(inner: &Inner) -> RedisResult<String> {
    let mut connection = inner.connection.clone();
    let found: Option<String> = cmd("GET").arg(DATA_ID_KEY).query_async(&mut connection).await?;
    if let Some(found) = found {
        return Ok(found);
    }
    let mine = uuid::Uuid::new_v4().to_string();
    let other: Option<String> =
        cmd("SET").arg(DATA_ID_KEY).arg(&mine).arg("NX").arg("GET").query_async(&mut connection).await?;
    Ok(other.unwrap_or(mine))
}
