//! Steps that are made and not yet journalled, so that a bus that lost them
//! gets them again.
//!
//! The stream is checked with every append: it must be where the one before left
//! it. Does not know what is in a step.

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::stream::FuturesOrdered;

use super::agent::MarketDataError;
use crate::bus::{Batch, Bus, Limits, Message, Parcel, Placed};

/// Bytes of steps that are appended together, but for a step that is larger.
const TOGETHER: usize = 256 * 1024;

/// Appends that are on their way at a time: the next is written while the one
/// before it is carried out.
const IN_FLIGHT: usize = 2;

/// The unjournalled steps, oldest first.
#[derive(Debug)]
pub struct Outbox {
    steps: VecDeque<(u64, Parcel)>,
    bytes: usize,
    limits: Limits,
    /// What the stream has reached, as far as is known.
    reached: u64,
}

impl Outbox {
    /// The stream has reached `reached`.
    pub fn new(limits: Limits, reached: u64) -> Self {
        Self { steps: VecDeque::new(), bytes: 0, limits, reached }
    }

    /// Step `step` is to be published. The oldest give way when the sequencer
    /// is very far behind, as they do on the stream.
    pub fn push(&mut self, step: u64, message: Parcel) {
        self.bytes += message.weight();
        self.steps.push_back((step, message));
        while self.steps.len() > self.limits.messages.max(1)
            || (self.bytes > self.limits.bytes && self.steps.len() > 1)
        {
            self.pop();
        }
    }

    /// Steps up to `step` are in the journal: nobody needs them any more.
    pub fn journalled(&mut self, step: u64) {
        while self.steps.front().is_some_and(|(oldest, _)| *oldest <= step) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some((_, message)) = self.steps.pop_front() {
            self.bytes -= message.weight();
        }
    }

    /// Whether every step is in the journal.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Publishes what the stream lacks.
    ///
    /// # Errors
    /// When the bus is away: call it again. [`MarketDataError::Published`] when
    /// the stream holds somebody else's steps.
    pub async fn send(&mut self, bus: &Bus, stream: &str) -> Result<(), MarketDataError> {
        let (mut flying, mut sent) = (FuturesOrdered::new(), self.reached);
        loop {
            while flying.len() < IN_FLIGHT {
                let some = self.next(sent);
                let ([(first, _), ..], [.., (newest, _)]) = (some.as_slice(), some.as_slice()) else { break };
                let (first, newest, last) = (*first, *newest, std::mem::replace(&mut sent, *newest));
                flying.push_back(async move { (first, newest, bus.append_after(stream, last, &some).await) });
            }
            let Some((first, newest, placed)) = flying.next().await else { return Ok(()) };
            self.reached = match placed? {
                Placed::There => newest,
                Placed::LastIs(last) => {
                    // Those behind it had nothing to follow, or were there.
                    flying = FuturesOrdered::new();
                    sent = if last < first { last } else { self.found(bus, stream, first).await? };
                    sent
                }
            };
        }
    }

    /// The next after `sent` that are appended together.
    fn next(&self, sent: u64) -> Vec<(u64, Parcel)> {
        let from = self.steps.partition_point(|(step, _)| *step <= sent);
        let mut bytes = 0;
        let fits = |(_, message): &&(u64, Parcel)| {
            let is_first = bytes == 0;
            bytes += message.weight();
            is_first || bytes <= TOGETHER
        };
        self.steps.range(from..).take_while(fits).cloned().collect()
    }

    /// The newest step on a stream that has some from `first` on: perhaps they
    /// are these very steps, and the answer was lost.
    async fn found(&self, bus: &Bus, stream: &str, first: u64) -> Result<u64, MarketDataError> {
        let is_ours = |found: &Message| {
            let place = self.steps.binary_search_by_key(&found.id, |(step, _)| *step);
            place.is_ok_and(|place| self.steps[place].1 == found.parcel)
        };
        let Batch::Messages(found) = bus.read_now(stream, first - 1, self.steps.len()).await? else {
            return Err(MarketDataError::Published { step: first });
        };
        match (found.iter().find(|found| !is_ours(found)), found.last()) {
            (None, Some(newest)) => Ok(newest.id),
            // Lost in between.
            (None, None) => Ok(first - 1),
            (other, _) => Err(MarketDataError::Published { step: other.map_or(first, |other| other.id) }),
        }
    }

    /// Looks whether the stream still has what was sent, and sends it again.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn check(&mut self, bus: &Bus, stream: &str) -> Result<(), MarketDataError> {
        self.reached = self.reached.min(bus.last_id(stream).await?);
        self.send(bus, stream).await
    }
}
