//! The bus inside one process: a bounded ring per stream, consumers woken by a
//! notification.
//!
//! Payloads stay typed. Does not survive the process, and nothing needs it to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, watch};

use super::cache::LocalCache;
use super::decode_cache::DecodeCache;
use super::{AppendResult, Batch, BusError, Message, Payload, StreamLimits};

/// Handle of the bus; clones share it.
#[derive(Clone, Debug, Default)]
pub struct LocalBus {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    limits: StreamLimits,
    streams: Mutex<BTreeMap<String, Arc<Stream>>>,
    latest: Mutex<BTreeMap<String, Bytes>>,
    cache: LocalCache,
    decode_cache: DecodeCache,
    /// Never changes: memory is lost with the process.
    data_loss_epoch: watch::Sender<u64>,
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
    fn push(&mut self, limits: StreamLimits, id: u64, payload: Payload) {
        self.last_id = id;
        self.bytes += payload.encoded_len_hint();
        self.messages.push_back(Message { id, payload });
        while self.messages.len() > limits.messages.max(1)
            || (self.bytes > limits.bytes && self.messages.len() > 1)
        {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(oldest) = self.messages.pop_front() {
            self.bytes -= oldest.payload.encoded_len_hint();
            self.trimmed_through = oldest.id;
        }
    }

    fn rewind(&mut self, floor: u64) {
        self.last_id = self.messages.back().map_or(0, |newest| newest.id).max(floor);
        if self.trimmed_through > self.last_id {
            self.trimmed_through = floor;
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

/// Locks a mutex whose holders never panic halfway through a change: its value is
/// consistent even when poisoned.
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

    /// A bus whose streams are bounded by `limits`.
    pub(super) fn new(limits: StreamLimits) -> Self {
        Self { shared: Arc::new(Shared { limits, ..Shared::default() }) }
    }

    /// Changes a stream's ring, and wakes its consumers if it grew.
    fn push<T>(&self, name: &str, change: impl FnOnce(&mut Ring, StreamLimits) -> Option<T>) -> Option<T> {
        let stream = self.stream(name);
        let done = change(&mut lock(&stream.ring), self.shared.limits)?;
        stream.arrived.notify_waiters();
        Some(done)
    }

    pub(super) fn append_after(
        &self,
        name: &str,
        last: u64,
        first: u64,
        messages: &[(u64, Payload)],
    ) -> AppendResult {
        let mut found = last;
        let pushed = self.push(name, |ring, limits| {
            found = ring.last_id;
            (found == last && first > last).then_some(())?;
            messages.iter().for_each(|(id, message)| ring.push(limits, *id, message.clone()));
            Some(())
        });
        pushed.map_or(AppendResult::LastIdIs(found), |()| AppendResult::Appended)
    }

    pub(super) fn append_all(
        &self,
        name: &str,
        messages: Vec<Payload>,
        limit: usize,
    ) -> Result<u64, BusError> {
        let pushed = self.push(name, |ring, limits| {
            (ring.messages.len() < limit).then_some(())?;
            messages.into_iter().for_each(|message| ring.push(limits, ring.last_id + 1, message));
            Some(ring.last_id)
        });
        pushed.ok_or(BusError::Full)
    }

    pub(super) async fn read_after(&self, name: &str, after: u64, max: usize) -> Batch {
        let stream = self.stream(name);
        loop {
            // Registered before the read, so that no message is missed between.
            let arrived = stream.arrived.notified();
            let mut arrived = std::pin::pin!(arrived);
            arrived.as_mut().enable();
            match lock(&stream.ring).read(after, max) {
                batch if batch.is_empty() => {}
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

    pub(super) fn discard(&self, name: &str, message: &Message, floor: u64) -> bool {
        let stream = self.stream(name);
        let mut ring = lock(&stream.ring);
        let found = ring.messages.binary_search_by_key(&message.id, |held| held.id);
        let Some(index) = found.ok().filter(|index| ring.messages[*index] == *message) else { return false };
        ring.messages.remove(index);
        ring.bytes -= message.payload.encoded_len_hint();
        ring.rewind(floor);
        true
    }

    pub(super) fn rewind(&self, name: &str, floor: u64) {
        lock(&self.stream(name).ring).rewind(floor);
    }

    pub(super) fn put_latest(&self, values: Vec<(String, Bytes)>) {
        lock(&self.shared.latest).extend(values);
    }

    pub(super) fn remove_latest(&self, keys: &[String]) {
        let mut latest = lock(&self.shared.latest);
        for key in keys {
            latest.remove(key);
        }
    }

    pub(super) fn get_latest(&self, keys: &[String]) -> Vec<Option<Bytes>> {
        let latest = lock(&self.shared.latest);
        keys.iter().map(|key| latest.get(key).cloned()).collect()
    }

    pub(super) fn decode_cache(&self) -> &DecodeCache {
        &self.shared.decode_cache
    }

    pub(super) fn cache(&self) -> LocalCache {
        self.shared.cache.clone()
    }

    pub(super) fn data_loss_epoch(&self) -> watch::Receiver<u64> {
        self.shared.data_loss_epoch.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_the_newest_messages_within_its_bounds() {
        let bus = LocalBus::new(StreamLimits { messages: 8, bytes: 400 });
        let append = |stream, id, payload: Payload| bus.append_after(stream, id - 1, id, &[(id, payload)]);
        for id in 1..=6 {
            append("large", id, vec![0; 100].into());
        }
        assert_eq!(bus.read_now("large", 0, 10), Batch::Trimmed { through: 2 });
        // A message larger than the ring still gets through.
        append("large", 7, vec![0; 401].into());
        let Batch::Messages(left) = bus.read_now("large", 6, 10) else { panic!("trimmed") };
        assert_eq!(left.len(), 1);
        for id in 1..=9 {
            append("small", id, Bytes::new().into());
        }
        assert_eq!(bus.read_now("small", 0, 10), Batch::Trimmed { through: 1 });
    }
}
