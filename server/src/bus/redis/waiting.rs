//! Waking readers: one task a stream blocks on the server for all who wait for
//! that stream in this process, on a connection of its own.
//!
//! It only wakes; each reader then reads for itself from its own place, so a
//! reader that is dropped while it waits costs nobody anything. Does not know
//! what arrived.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, RedisResult, Value, cmd};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::{CONNECT, LAST_OF_A_KIND, pause};

/// How long one read blocks on the server.
const BLOCK: Duration = Duration::from_secs(1);

/// How long a reader sleeps at most before it looks again: what a wake-up that
/// was lost, in a wipe or an outage, costs.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Pause after the server could not be reached.
const REST: Duration = Duration::from_millis(100);

/// The watchers of all streams that anybody has waited for.
#[derive(Debug)]
pub(super) struct Watchers {
    client: Client,
    streams: Mutex<BTreeMap<String, (Arc<Watched>, AbortHandle)>>,
}

/// One stream.
#[derive(Debug, Default)]
struct Watched {
    /// The lowest place that is waited for.
    lowest: Mutex<Option<u64>>,
    /// Somebody waits now.
    demand: Notify,
    /// Look again.
    arrived: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watchers {
    pub(super) fn new(client: Client) -> Self {
        Self { client, streams: Mutex::default() }
    }

    /// Waits until there may be something after `after`.
    pub(super) async fn wait(&self, stream: &str, after: u64) {
        let watched = self.watched(stream);
        let arrived = watched.arrived.notified();
        let mut arrived = std::pin::pin!(arrived);
        arrived.as_mut().enable();
        {
            let mut lowest = lock(&watched.lowest);
            *lowest = Some(lowest.map_or(after, |other| other.min(after)));
        }
        watched.demand.notify_one();
        // Whether woken or not, the caller looks.
        let _ = tokio::time::timeout(LOOK_AGAIN, arrived).await;
    }

    /// Lets everybody look again.
    pub(super) fn wake_all(&self) {
        lock(&self.streams).values().for_each(|(watched, _)| watched.arrived.notify_waiters());
    }

    fn watched(&self, stream: &str) -> Arc<Watched> {
        let mut streams = lock(&self.streams);
        if let Some((watched, _)) = streams.get(stream) {
            return watched.clone();
        }
        let watched = Arc::new(Watched::default());
        let task = tokio::spawn(watch(self.client.clone(), stream.to_owned(), watched.clone()));
        streams.insert(stream.to_owned(), (watched.clone(), task.abort_handle()));
        watched
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        lock(&self.streams).values().for_each(|(_, task)| task.abort());
    }
}

async fn watch(client: Client, stream: String, watched: Arc<Watched>) {
    let mut connection = None;
    loop {
        let demand = watched.demand.notified();
        let Some(after) = *lock(&watched.lowest) else {
            demand.await;
            continue;
        };
        match block(&client, &mut connection, &stream, after).await {
            Ok(false) => {}
            Ok(true) => {
                // Who still waits after looking says so again.
                *lock(&watched.lowest) = None;
                watched.arrived.notify_waiters();
            }
            Err(_) => {
                connection = None;
                pause(REST).await;
            }
        }
    }
}

/// Blocks until there is something after `after`; `false` when nothing came.
async fn block(
    client: &Client,
    connection: &mut Option<MultiplexedConnection>,
    stream: &str,
    after: u64,
) -> RedisResult<bool> {
    let connection = match connection {
        Some(connection) => connection,
        None => {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT))
                .set_response_timeout(Some(BLOCK * 3));
            connection.insert(client.get_multiplexed_async_connection_with_config(&config).await?)
        }
    };
    let mut read = cmd("XREAD");
    read.arg("BLOCK").arg(BLOCK.as_millis() as u64).arg("COUNT").arg(1);
    read.arg("STREAMS").arg(stream).arg(format!("{after}-{LAST_OF_A_KIND}"));
    let found: Value = read.query_async(connection).await?;
    Ok(found != Value::Nil)
}
