//! Waking readers: one task a stream blocks on the server for all who wait for
//! that stream in this process, on a connection of its own.
//!
//! What it was woken by is kept for them, so that it comes over the wire once;
//! whoever is elsewhere reads for itself from its own place, and a reader that is
//! dropped while it waits costs nobody anything. Does not know what arrived.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, RedisResult, pipe};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::entry::{Entry, messages};
use super::{CONNECT, LAST_OF_A_KIND, pause, trimmed_key};
use crate::bus::Message;

/// How long one read blocks on the server.
const BLOCK: Duration = Duration::from_secs(1);

/// Entries that one read takes at most.
const READ: usize = 256;

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
    places: Mutex<Places>,
    /// Somebody waits now.
    demand: Notify,
    /// What came last.
    newest: Mutex<Newest>,
    /// Look again.
    arrived: Notify,
}

/// Where who stands.
#[derive(Debug, Default)]
struct Places {
    /// The lowest that is waited for.
    lowest: Option<u64>,
    /// What the read that is on its way began after.
    read: Option<u64>,
    /// Whether the last read came back.
    works: bool,
}

impl Places {
    /// Whether nothing after `after` can be missed by waiting: a read is on its
    /// way from there or before, or will be, or goes on where the last one ended.
    fn are_watched(&self, after: u64, newest: &Newest) -> bool {
        let ends = newest.messages.last().map(|last| last.id);
        self.works
            && match self.read {
                Some(from) => from <= after,
                None => self.lowest.is_some_and(|lowest| lowest <= after) || ends == Some(after),
            }
    }
}

impl Watched {
    /// Waits until there may be something after `after`; does not where it `asks`
    /// and something could be missed.
    async fn wait(&self, after: u64, asks: bool) {
        let arrived = self.arrived.notified();
        let mut arrived = std::pin::pin!(arrived);
        arrived.as_mut().enable();
        {
            let mut places = lock(&self.places);
            if asks && !places.are_watched(after, &lock(&self.newest)) {
                return;
            }
            places.lowest = Some(places.lowest.map_or(after, |other| other.min(after)));
        }
        self.demand.notify_one();
        // Whether woken or not, the caller looks.
        let _ = tokio::time::timeout(LOOK_AGAIN, arrived).await;
    }

    /// Where the next read begins, if anybody waits.
    fn begin(&self) -> Option<u64> {
        let mut places = lock(&self.places);
        places.read = places.lowest;
        places.read
    }

    /// A read came back, or did not, and whoever waits looks.
    fn end(&self, works: bool) {
        let mut places = lock(&self.places);
        // Who still waits after looking says so again.
        *places = Places { lowest: None, read: None, works };
        drop(places);
        self.arrived.notify_waiters();
    }
}

/// Messages that follow each other on a stream.
#[derive(Debug, Default)]
struct Newest {
    /// All that there was after this.
    after: u64,
    messages: Vec<Message>,
    /// How often everything was lost before.
    wipes: u64,
}

impl Newest {
    /// At most `max` messages after `after`; none where some may be missing.
    fn read(&self, after: u64, max: usize) -> Vec<Message> {
        if after < self.after {
            return Vec::new();
        }
        let from = self.messages.partition_point(|message| message.id <= after);
        self.messages[from..].iter().take(max).cloned().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watchers {
    pub(super) fn new(client: Client) -> Self {
        Self { client, streams: Mutex::default() }
    }

    /// What is known to follow `after` without asking; none where nothing is.
    pub(super) fn known(&self, stream: &str, after: u64, max: usize) -> Vec<Message> {
        let streams = lock(&self.streams);
        streams.get(stream).map_or_else(Vec::new, |(watched, _)| lock(&watched.newest).read(after, max))
    }

    /// Waits until there may be something after `after`.
    pub(super) async fn wait(&self, stream: &str, after: u64) {
        self.watched(stream).wait(after, false).await;
    }

    /// The same where nothing after `after` can be missed; elsewhere it returns at
    /// once.
    pub(super) async fn wait_if_watched(&self, stream: &str, after: u64) {
        self.watched(stream).wait(after, true).await;
    }

    /// Lets everybody look again, for themselves.
    pub(super) fn wake_all(&self) {
        for (watched, _) in lock(&self.streams).values() {
            let mut newest = lock(&watched.newest);
            *newest = Newest { wipes: newest.wipes + 1, ..Newest::default() };
            watched.arrived.notify_waiters();
        }
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
        let Some(after) = watched.begin() else {
            demand.await;
            continue;
        };
        let wipes = lock(&watched.newest).wipes;
        match block(&client, &mut connection, &stream, after).await {
            // It goes on from where it is waited for now.
            Ok(None) => lock(&watched.places).works = true,
            Ok(Some(messages)) => {
                // What was read before a wipe is not what is there.
                let mut newest = lock(&watched.newest);
                if newest.wipes == wipes {
                    *newest = Newest { after, messages, wipes };
                }
                drop(newest);
                watched.end(true);
            }
            Err(_) => {
                watched.end(false);
                connection = None;
                pause(REST).await;
            }
        }
    }
}

/// What each stream has.
type Streams = Vec<(String, Vec<Entry>)>;

/// Blocks until there is something after `after`: that, unless some of it is
/// gone; `None` when nothing came.
async fn block(
    client: &Client,
    connection: &mut Option<MultiplexedConnection>,
    stream: &str,
    after: u64,
) -> RedisResult<Option<Vec<Message>>> {
    let connection = match connection {
        Some(connection) => connection,
        None => {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT))
                .set_response_timeout(Some(BLOCK * 3));
            connection.insert(client.get_multiplexed_async_connection_with_config(&config).await?)
        }
    };
    let mut both = pipe();
    both.cmd("XREAD").arg("BLOCK").arg(BLOCK.as_millis() as u64).arg("COUNT").arg(READ);
    both.arg("STREAMS").arg(stream).arg(format!("{after}-{LAST_OF_A_KIND}"));
    both.cmd("GET").arg(trimmed_key(stream));
    let (found, trimmed): (Option<Streams>, Option<u64>) = both.query_async(connection).await?;
    let Some(found) = found else { return Ok(None) };
    let entries = found.into_iter().flat_map(|(_, entries)| entries);
    let whole = trimmed.is_none_or(|through| through <= after);
    Ok(Some(if whole { messages(entries, after) } else { Vec::new() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids that come next; none for who has to ask.
    fn next(newest: &Newest, after: u64, max: usize) -> Vec<u64> {
        newest.read(after, max).iter().map(|message| message.id).collect()
    }

    #[test]
    fn only_whoever_stands_within_what_came_is_given_it() {
        let message = |id| Message { id, parcel: "m".into() };
        // Ids need not be dense: nothing was between 4 and 7.
        let newest = Newest { after: 4, messages: [7, 8, 11].map(message).into(), wipes: 0 };
        assert_eq!(next(&newest, 4, 9), [7, 8, 11]);
        assert_eq!(next(&newest, 5, 9), [7, 8, 11]);
        assert_eq!(next(&newest, 7, 1), [8]);
        // Before it some may be missing, after it more may have come.
        for elsewhere in [3, 11, 12] {
            assert!(next(&newest, elsewhere, 9).is_empty(), "{elsewhere}");
        }
        // Some of what came is gone.
        let gone = Newest { after: 4, ..Newest::default() };
        assert!(next(&gone, 4, 9).is_empty());
    }

    #[test]
    fn whoever_could_miss_something_looks_first() {
        let newest = Newest { after: 4, messages: vec![Message { id: 9, parcel: "m".into() }], wipes: 0 };
        let watched = |lowest, read, works| {
            let places = Places { lowest, read, works };
            [3, 7, 9, 12].map(|after| places.are_watched(after, &newest))
        };
        // Nothing is on its way: who waits next is where the next read begins.
        assert_eq!(watched(None, None, true), [false, false, true, false]);
        assert_eq!(watched(Some(7), None, true), [false, true, true, true]);
        // A read is on its way; what is waited for before it comes later.
        assert_eq!(watched(Some(9), Some(9), true), [false, false, true, true]);
        assert_eq!(watched(Some(3), Some(12), true), [false, false, false, true]);
        // Reads fail: everybody looks for themselves.
        assert_eq!(watched(Some(3), Some(3), false), [false; 4]);
        assert_eq!(watched(None, None, false), [false; 4]);
    }
}
