//! The bus inside one process: a bounded ring a stream, readers woken by a
//! notification.
//!
//! Carries the very bytes that Redis would. Does not survive the process, and
//! nothing needs it to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::{Appended, Batch, BusError, Message};

/// Most messages that a ring keeps; its oldest give way.
const RING: usize = 16_384;

/// Most bytes of messages that a ring keeps.
const RING_BYTES: usize = 16 * 1024 * 1024;

/// Shared state of the bus; clones share it.
#[derive(Clone, Debug, Default)]
pub struct LocalBus {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    streams: Mutex<BTreeMap<String, Arc<Stream>>>,
    latest: Mutex<BTreeMap<String, Bytes>>,
}

#[derive(Debug, Default)]
struct Stream {
    ring: Mutex<Ring>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Ring {
    messages: VecDeque<Message>,
    bytes: usize,
    last_id: u64,
    trimmed_through: u64,
}

impl Ring {
    fn push(&mut self, id: u64, bytes: Bytes) {
        self.last_id = id;
        self.bytes += bytes.len();
        self.messages.push_back(Message { id, bytes });
        while self.messages.len() > RING || (self.bytes > RING_BYTES && self.messages.len() > 1) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(oldest) = self.messages.pop_front() {
            self.bytes -= oldest.bytes.len();
            self.trimmed_through = oldest.id;
        }
    }

    fn read(&self, after: u64, max: usize) -> Batch {
        if after < self.trimmed_through {
            return Batch::Trimmed { through: self.trimmed_through };
        }
        let from = self.messages.partition_point(|message| message.id <= after);
        Batch::Messages(self.messages.iter().skip(from).take(max).cloned().collect())
    }
}

/// A lock whose holders never panic halfway through a change, so that what a
/// poisoned one guards is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LocalBus {
    fn stream(&self, name: &str) -> Arc<Stream> {
        let mut streams = lock(&self.shared.streams);
        match streams.get(name) {
            Some(stream) => stream.clone(),
            None => streams.entry(name.to_owned()).or_default().clone(),
        }
    }

    pub(super) fn append(&self, name: &str, id: u64, bytes: Bytes) -> Appended {
        let stream = self.stream(name);
        {
            let mut ring = lock(&stream.ring);
            if id <= ring.last_id {
                return Appended::Duplicate;
            }
            ring.push(id, bytes);
        }
        stream.arrived.notify_waiters();
        Appended::New
    }

    pub(super) fn append_auto(&self, name: &str, bytes: Bytes, limit: usize) -> Result<u64, BusError> {
        let stream = self.stream(name);
        let id = {
            let mut ring = lock(&stream.ring);
            if ring.messages.len() >= limit {
                return Err(BusError::Full);
            }
            let id = ring.last_id + 1;
            ring.push(id, bytes);
            id
        };
        stream.arrived.notify_waiters();
        Ok(id)
    }

    pub(super) async fn read_after(&self, name: &str, after: u64, max: usize) -> Batch {
        let stream = self.stream(name);
        loop {
            // Registered before looking, so that no message slips between.
            let arrived = stream.arrived.notified();
            let mut arrived = std::pin::pin!(arrived);
            arrived.as_mut().enable();
            match lock(&stream.ring).read(after, max) {
                Batch::Messages(messages) if messages.is_empty() => {}
                batch => return batch,
            }
            arrived.await;
        }
    }

    pub(super) fn read_now(&self, name: &str, after: u64, max: usize) -> Batch {
        lock(&self.stream(name).ring).read(after, max)
    }

    pub(super) fn last_id(&self, name: &str) -> u64 {
        lock(&self.stream(name).ring).last_id
    }

    pub(super) fn resume(&self, name: &str, id: u64) {
        let stream = self.stream(name);
        let mut ring = lock(&stream.ring);
        if ring.last_id < id {
            ring.last_id = id;
        }
    }

    pub(super) fn trim(&self, name: &str, through: u64) {
        let stream = self.stream(name);
        let mut ring = lock(&stream.ring);
        while ring.messages.front().is_some_and(|oldest| oldest.id <= through) {
            ring.pop();
        }
    }

    pub(super) fn put_latest(&self, key: &str, bytes: Bytes) {
        lock(&self.shared.latest).insert(key.to_owned(), bytes);
    }

    pub(super) fn get_latest(&self, key: &str) -> Option<Bytes> {
        lock(&self.shared.latest).get(key).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_the_newest_within_its_bounds() {
        let bus = LocalBus::default();
        let quarter = Bytes::from(vec![0; RING_BYTES / 4]);
        for id in 1..=6 {
            bus.append("large", id, quarter.clone());
        }
        assert_eq!(bus.read_now("large", 0, 10), Batch::Trimmed { through: 2 });
        // A message larger than the ring still gets through.
        bus.append("large", 7, Bytes::from(vec![0; RING_BYTES + 1]));
        let Batch::Messages(left) = bus.read_now("large", 6, 10) else { panic!("trimmed") };
        assert_eq!(left.len(), 1);
        for id in 1..=RING as u64 + 1 {
            bus.append("small", id, Bytes::new());
        }
        assert_eq!(bus.read_now("small", 0, 10), Batch::Trimmed { through: 1 });
    }
}
