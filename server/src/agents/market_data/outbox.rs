//! Outbox of the steps that are not journalled yet: a bus that lost them gets them
//! again.
//!
//! Every append checks that the stream still ends with the one before. Does not
//! know what is in a step.

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::stream::FuturesOrdered;

use super::MarketDataError;
use crate::bus::{AppendResult, Batch, Bus, Message, Payload, StreamLimits};

/// Bytes of steps that are appended together; a larger step is appended alone.
const BATCH_MAX_BYTES: usize = 256 * 1024;

/// Appends in flight: the next is encoded while the server executes the one before.
const MAX_IN_FLIGHT: usize = 2;

/// Unjournalled steps, oldest first.
#[derive(Debug)]
pub struct StepOutbox {
    steps: VecDeque<(u64, Payload)>,
    bytes: usize,
    limits: StreamLimits,
    /// The stream's last id, as far as is known.
    last_id: u64,
}

impl StepOutbox {
    /// An empty outbox of a stream whose last id is `last_id`.
    pub fn new(limits: StreamLimits, last_id: u64) -> Self {
        Self { steps: VecDeque::new(), bytes: 0, limits, last_id }
    }

    /// Adds a step. The oldest are dropped when the sequencer is very far behind, as
    /// on the stream.
    pub fn push(&mut self, step: u64, message: Payload) {
        self.bytes += message.encoded_len_hint();
        self.steps.push_back((step, message));
        while self.steps.len() > self.limits.messages.max(1)
            || (self.bytes > self.limits.bytes && self.steps.len() > 1)
        {
            self.pop();
        }
    }

    /// Removes steps up to `step`, which are journalled.
    pub fn journalled(&mut self, step: u64) {
        while self.steps.front().is_some_and(|(oldest, _)| *oldest <= step) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some((_, message)) = self.steps.pop_front() {
            self.bytes -= message.encoded_len_hint();
        }
    }

    /// Returns true if every step is journalled.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The stream's last id, as far as is known.
    pub(super) fn last_id(&self) -> u64 {
        self.last_id
    }

    /// Publishes the steps that the stream lacks.
    ///
    /// # Errors
    /// [`MarketDataError::Bus`]: call it again. [`MarketDataError::Published`] when
    /// the stream holds another process's steps.
    pub async fn send(&mut self, bus: &Bus, stream: &str) -> Result<(), MarketDataError> {
        let (mut in_flight, mut sent) = (FuturesOrdered::new(), self.last_id);
        loop {
            while in_flight.len() < MAX_IN_FLIGHT {
                let batch = self.next_batch(sent);
                let ([(first, _), ..], [.., (newest, _)]) = (batch.as_slice(), batch.as_slice()) else {
                    break;
                };
                let (first, newest, last) = (*first, *newest, std::mem::replace(&mut sent, *newest));
                in_flight
                    .push_back(async move { (first, newest, bus.append_after(stream, last, &batch).await) });
            }
            let Some((first, newest, result)) = in_flight.next().await else { return Ok(()) };
            self.last_id = match result? {
                AppendResult::Appended => newest,
                AppendResult::LastIdIs(last) => {
                    // Appends after it failed too, or were duplicates.
                    in_flight = FuturesOrdered::new();
                    sent = if last < first { last } else { self.find_own(bus, stream, first).await? };
                    sent
                }
            };
        }
    }

    /// The next steps after `sent` that are appended together.
    fn next_batch(&self, sent: u64) -> Vec<(u64, Payload)> {
        let from = self.steps.partition_point(|(step, _)| *step <= sent);
        let mut bytes = 0;
        let fits = |(_, message): &&(u64, Payload)| {
            let is_first = bytes == 0;
            bytes += message.encoded_len_hint();
            is_first || bytes <= BATCH_MAX_BYTES
        };
        self.steps.range(from..).take_while(fits).cloned().collect()
    }

    /// The newest own step on a stream that has steps from `first` on: an earlier
    /// append may have succeeded without an answer.
    async fn find_own(&self, bus: &Bus, stream: &str, first: u64) -> Result<u64, MarketDataError> {
        let is_own = |found: &Message| {
            let index = self.steps.binary_search_by_key(&found.id, |(step, _)| *step);
            index.is_ok_and(|index| self.steps[index].1 == found.payload)
        };
        let Batch::Messages(found) = bus.read_now(stream, first - 1, self.steps.len()).await? else {
            return Err(MarketDataError::Published { step: first });
        };
        match (found.iter().find(|found| !is_own(found)), found.last()) {
            (None, Some(newest)) => Ok(newest.id),
            // The stream has lost them meanwhile, or its last id is nobody's.
            (None, None) => {
                bus.rewind(stream, first - 1).await?;
                Ok(first - 1)
            }
            (other, _) => Err(MarketDataError::Published { step: other.map_or(first, |other| other.id) }),
        }
    }

    /// Publishes again the steps that the stream has lost.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn check(&mut self, bus: &Bus, stream: &str) -> Result<(), MarketDataError> {
        self.last_id = self.last_id.min(bus.last_id(stream).await?);
        self.send(bus, stream).await
    }
}
