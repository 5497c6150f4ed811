//! Shared blocking reads: one XREAD per stream and process fans messages out.
//!
//! Consumers at the tail wait for it; consumers behind the tail read for
//! themselves. A consumer that is dropped while it waits costs nothing. Does not
//! know what the messages are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, RedisResult, pipe};
use tokio::sync::{Notify, watch};
use tokio_util::task::AbortOnDropHandle;

use super::packed_entry::{Entry, messages};
use super::{CONNECT_TIMEOUT, MAX_ID_SUFFIX, trimmed_key};
use crate::bus::Message;
use crate::clock;

/// Limit for one blocking read on the server.
const BLOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// Entries of one read.
const READ_MAX_ENTRIES: usize = 256;

/// Longest wait of a consumer before it polls: the cost of a wake-up that was lost
/// in a data loss or an outage.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Delay after a failed read.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The pollers of all streams that have been read.
#[derive(Debug)]
pub(super) struct StreamPollers {
    client: Client,
    pollers: Mutex<BTreeMap<String, RunningPoller>>,
}

/// A poller and its task, which ends with the handle.
type RunningPoller = (Arc<StreamPoller>, AbortOnDropHandle<()>);

impl StreamPollers {
    pub(super) fn new(client: Client) -> Self {
        Self { client, pollers: Mutex::default() }
    }

    /// The poller of `stream`; started at first use.
    pub(super) fn get(&self, stream: &str) -> Arc<StreamPoller> {
        let mut pollers = self.pollers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((poller, _)) = pollers.get(stream) {
            return poller.clone();
        }
        let poller = Arc::new(StreamPoller::default());
        let task = tokio::spawn(run(self.client.clone(), stream.to_owned(), poller.clone()));
        pollers.insert(stream.to_owned(), (poller.clone(), AbortOnDropHandle::new(task)));
        poller
    }

    /// Discards all pollers after a data loss and wakes their consumers.
    pub(super) fn reset(&self) {
        let pollers = std::mem::take(&mut *self.pollers.lock().unwrap_or_else(PoisonError::into_inner));
        for (poller, _) in pollers.into_values() {
            poller.tail.send_replace(Tail::default());
        }
    }
}

/// The poller of one stream.
#[derive(Debug, Default)]
pub(super) struct StreamPoller {
    tail: watch::Sender<Tail>,
    /// Wakes the task when a consumer waits.
    demand: Notify,
}

/// Messages of the last read, and the read positions of the consumers waiting for
/// the next one.
#[derive(Debug, Default)]
struct Tail {
    /// `messages` holds everything after this id at the time of the read.
    after: u64,
    messages: Vec<Message>,
    /// Lowest position of the waiting consumers: the next read starts there.
    waiting: Option<u64>,
    /// Start of the read in flight.
    in_flight: Option<u64>,
    /// True if the last read succeeded.
    is_working: bool,
}

impl Tail {
    /// At most `max` messages after `after`; none if some may be missing.
    fn read(&self, after: u64, max: usize) -> Vec<Message> {
        if after < self.after {
            return Vec::new();
        }
        let from = self.messages.partition_point(|message| message.id <= after);
        self.messages[from..].iter().take(max).cloned().collect()
    }

    /// True if a consumer at `after` can block without polling first: a blocking
    /// XREAD at or before `after` is in flight or about to start, or the last one
    /// ended exactly there.
    fn covers(&self, after: u64) -> bool {
        let starts_before = |from: Option<u64>| from.is_some_and(|from| from <= after);
        let is_end = self.messages.last().is_some_and(|last| last.id == after);
        self.is_working
            && match self.in_flight {
                Some(_) => starts_before(self.in_flight),
                None => starts_before(self.waiting) || is_end,
            }
    }
}

impl StreamPoller {
    /// At most `max` messages after `after` from the last read; none if some may be
    /// missing.
    pub(super) fn cached(&self, after: u64, max: usize) -> Vec<Message> {
        self.tail.borrow().read(after, max)
    }

    /// Removes a message from the last read, because it was removed from the stream.
    pub(super) fn forget(&self, id: u64) {
        self.tail.send_if_modified(|tail| {
            tail.messages.retain(|message| message.id != id);
            false
        });
    }

    /// Blocks until woken, at most [`POLL_INTERVAL`]. With `poll_first`, returns at
    /// once if a message could have been missed.
    pub(super) async fn wait(&self, after: u64, poll_first: bool) {
        let mut tail = self.tail.subscribe();
        let mut may_block = true;
        self.tail.send_if_modified(|tail| {
            may_block = !poll_first || tail.covers(after);
            if may_block {
                tail.waiting = Some(tail.waiting.map_or(after, |other| other.min(after)));
            }
            false
        });
        if may_block {
            self.demand.notify_one();
            // Woken or not, the caller reads again.
            let _ = tokio::time::timeout(POLL_INTERVAL, tail.changed()).await;
        }
    }

    /// Starts the next read where the lowest waiting consumer is.
    fn start_read(&self) -> Option<u64> {
        let mut from = None;
        self.tail.send_if_modified(|tail| {
            tail.in_flight = tail.waiting;
            from = tail.waiting;
            false
        });
        from
    }
}

/// Reads while a consumer waits. Each result wakes all of them, and those that
/// still wait register again.
async fn run(client: Client, stream: String, poller: Arc<StreamPoller>) {
    let mut connection = None;
    loop {
        let Some(after) = poller.start_read() else {
            poller.demand.notified().await;
            continue;
        };
        match read_blocking(&client, &mut connection, &stream, after).await {
            Ok(Some(messages)) => {
                poller.tail.send_replace(Tail { after, messages, is_working: true, ..Tail::default() });
            }
            Ok(None) => {
                poller.tail.send_if_modified(|tail| {
                    tail.is_working = true;
                    false
                });
            }
            Err(_) => {
                poller.tail.send_replace(Tail::default());
                connection = None;
                clock::sleep(RETRY_DELAY).await;
            }
        }
    }
}

/// Entries of each stream.
type StreamEntries = Vec<(String, Vec<Entry>)>;

/// Blocks until there are messages after `after` and returns them, or none if some
/// were trimmed; `None` after [`BLOCK_TIMEOUT`].
async fn read_blocking(
    client: &Client,
    connection: &mut Option<MultiplexedConnection>,
    stream: &str,
    after: u64,
) -> RedisResult<Option<Vec<Message>>> {
    let connection = match connection {
        Some(connection) => connection,
        None => {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECT_TIMEOUT))
                .set_response_timeout(Some(BLOCK_TIMEOUT * 3));
            connection.insert(client.get_multiplexed_async_connection_with_config(&config).await?)
        }
    };
    let mut request = pipe();
    request
        .cmd("XREAD")
        .arg("BLOCK")
        .arg(BLOCK_TIMEOUT.as_millis() as u64)
        .arg("COUNT")
        .arg(READ_MAX_ENTRIES);
    request.arg("STREAMS").arg(stream).arg(format!("{after}-{MAX_ID_SUFFIX}"));
    request.cmd("GET").arg(trimmed_key(stream));
    let (found, trimmed): (Option<StreamEntries>, Option<u64>) = request.query_async(connection).await?;
    let Some(found) = found else { return Ok(None) };
    if trimmed.is_some_and(|through| through > after) {
        return Ok(Some(Vec::new()));
    }
    Ok(Some(messages(found.into_iter().flat_map(|(_, entries)| entries), after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(after: u64, ids: &[u64]) -> Tail {
        let messages = ids.iter().map(|id| Message { id: *id, payload: "m".into() }).collect();
        Tail { after, messages, ..Tail::default() }
    }

    #[test]
    fn only_positions_within_the_last_read_are_served_from_it() {
        let ids = |tail: &Tail, after, max| -> Vec<u64> {
            tail.read(after, max).iter().map(|message| message.id).collect()
        };
        // Ids need not be dense: nothing was between 4 and 7.
        let newest = tail(4, &[7, 8, 11]);
        assert_eq!(ids(&newest, 4, 9), [7, 8, 11]);
        assert_eq!(ids(&newest, 5, 9), [7, 8, 11]);
        assert_eq!(ids(&newest, 7, 1), [8]);
        // Before it messages may be missing, after it more may have arrived.
        for elsewhere in [3, 11, 12] {
            assert!(ids(&newest, elsewhere, 9).is_empty(), "{elsewhere}");
        }
        // Some of the messages were trimmed.
        assert!(ids(&tail(4, &[]), 4, 9).is_empty());
    }

    #[test]
    fn a_consumer_that_could_miss_a_message_polls_first() {
        let covered = |waiting, in_flight, is_working| {
            let tail = Tail { waiting, in_flight, is_working, ..tail(4, &[9]) };
            [3, 7, 9, 12].map(|after| tail.covers(after))
        };
        // No read is in flight: a consumer at its end continues it.
        assert_eq!(covered(None, None, true), [false, false, true, false]);
        assert_eq!(covered(Some(7), None, true), [false, true, true, true]);
        // A read is in flight; lower positions are read after it.
        assert_eq!(covered(Some(9), Some(9), true), [false, false, true, true]);
        assert_eq!(covered(Some(3), Some(12), true), [false, false, false, true]);
        // Reads fail: every consumer polls.
        assert_eq!(covered(Some(3), Some(3), false), [false; 4]);
        assert_eq!(covered(None, None, false), [false; 4]);
    }
}
