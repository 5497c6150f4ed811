//! The bus inside one process: a bounded ring a stream, readers woken by a
//! notification.
//!
//! Carries what Redis would have the bytes of. Does not survive the process, and
//! nothing needs it to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, watch};

use super::cache::LocalCache;
use super::shared::Decoded;
use super::{Appended, Batch, BusError, Limits, Message, Parcel, Placed};

/// Shared state of the bus; clones share it.
#[derive(Clone, Debug, Default)]
pub struct LocalBus {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    limits: Limits,
    streams: Mutex<BTreeMap<String, Arc<Stream>>>,
    latest: Mutex<BTreeMap<String, Bytes>>,
    cache: LocalCache,
    decoded: Decoded,
    /// Memory is never wiped: nothing is ever sent.
    wipes: watch::Sender<u64>,
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
    fn push(&mut self, limits: Limits, id: u64, parcel: Parcel) {
        self.last_id = id;
        self.bytes += parcel.weight();
        self.messages.push_back(Message { id, parcel });
        while self.messages.len() > limits.messages.max(1)
            || (self.bytes > limits.bytes && self.messages.len() > 1)
        {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(oldest) = self.messages.pop_front() {
            self.bytes -= oldest.parcel.weight();
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

    /// A bus whose streams keep as much as `limits` say.
    pub(super) fn new(limits: Limits) -> Self {
        Self { shared: Arc::new(Shared { limits, ..Shared::default() }) }
    }

    /// Changes a stream's ring, and wakes its readers if it grew.
    fn push<T>(&self, name: &str, change: impl FnOnce(&mut Ring, Limits) -> Option<T>) -> Option<T> {
        let stream = self.stream(name);
        let done = change(&mut lock(&stream.ring), self.shared.limits)?;
        stream.arrived.notify_waiters();
        Some(done)
    }

    pub(super) fn append(&self, name: &str, id: u64, message: Parcel) -> Appended {
        let pushed =
            self.push(name, |ring, limits| (id > ring.last_id).then(|| ring.push(limits, id, message)));
        pushed.map_or(Appended::Duplicate, |()| Appended::New)
    }

    pub(super) fn append_after(
        &self,
        name: &str,
        last: u64,
        first: u64,
        messages: &[(u64, Parcel)],
    ) -> Placed {
        let mut found = last;
        let pushed = self.push(name, |ring, limits| {
            found = ring.last_id;
            (found == last && first > last).then_some(())?;
            messages.iter().for_each(|(id, message)| ring.push(limits, *id, message.clone()));
            Some(())
        });
        pushed.map_or(Placed::LastIs(found), |()| Placed::There)
    }

    pub(super) fn append_all(
        &self,
        name: &str,
        messages: Vec<Parcel>,
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
            // Registered before looking, so that no message slips between.
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

    pub(super) fn put_latest(&self, values: Vec<(String, Bytes)>) {
        lock(&self.shared.latest).extend(values);
    }

    pub(super) fn get_latest(&self, keys: &[String]) -> Vec<Option<Bytes>> {
        let latest = lock(&self.shared.latest);
        keys.iter().map(|key| latest.get(key).cloned()).collect()
    }

    pub(super) fn decoded(&self) -> &Decoded {
        &self.shared.decoded
    }

    pub(super) fn cache(&self) -> LocalCache {
        self.shared.cache.clone()
    }

    pub(super) fn wipes(&self) -> watch::Receiver<u64> {
        self.shared.wipes.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_the_newest_within_its_bounds() {
        let bus = LocalBus::new(Limits { messages: 8, bytes: 400 });
        let quarter = Bytes::from(vec![0; 100]);
        for id in 1..=6 {
            bus.append("large", id, quarter.clone().into());
        }
        assert_eq!(bus.read_now("large", 0, 10), Batch::Trimmed { through: 2 });
        // A message larger than the ring still gets through.
        bus.append("large", 7, vec![0; 401].into());
        let Batch::Messages(left) = bus.read_now("large", 6, 10) else { panic!("trimmed") };
        assert_eq!(left.len(), 1);
        for id in 1..=9 {
            bus.append("small", id, Bytes::new().into());
        }
        assert_eq!(bus.read_now("small", 0, 10), Batch::Trimmed { through: 1 });
    }
}
