//! Steps that are made and not yet journalled, so that a bus that lost them
//! gets them again.
//!
//! The stream is checked with every append: it must be where the one before left
//! it. Does not know what is in a step.

use std::collections::VecDeque;

use super::agent::MarketDataError;
use crate::bus::{Batch, Bus, Limits, Message, Parcel, Placed};

/// Bytes of steps that are appended together, but for a step that is larger.
const TOGETHER: usize = 256 * 1024;

/// The unjournalled steps, oldest first.
#[derive(Debug)]
pub(super) struct Outbox {
    steps: VecDeque<(u64, Parcel)>,
    bytes: usize,
    limits: Limits,
    /// What the stream has reached, as far as is known.
    reached: u64,
}

impl Outbox {
    /// The stream has reached `reached`.
    pub(super) fn new(limits: Limits, reached: u64) -> Self {
        Self { steps: VecDeque::new(), bytes: 0, limits, reached }
    }

    /// Step `step` is to be published. The oldest give way when the sequencer
    /// is very far behind, as they do on the stream.
    pub(super) fn push(&mut self, step: u64, message: Parcel) {
        self.bytes += message.weight();
        self.steps.push_back((step, message));
        while self.steps.len() > self.limits.messages.max(1)
            || (self.bytes > self.limits.bytes && self.steps.len() > 1)
        {
            self.pop();
        }
    }

    /// Steps up to `step` are in the journal: nobody needs them any more.
    pub(super) fn journalled(&mut self, step: u64) {
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
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Publishes what the stream lacks.
    ///
    /// # Errors
    /// When the bus is away: call it again. [`MarketDataError::Published`] when
    /// the stream holds somebody else's steps.
    pub(super) async fn send(&mut self, bus: &Bus, stream: &str) -> Result<(), MarketDataError> {
        loop {
            let unsent = self.unsent();
            let ([(first, _), ..], [.., (newest, _)]) = (unsent.as_slice(), unsent.as_slice()) else {
                return Ok(());
            };
            self.reached = match bus.append_after(stream, self.reached, &unsent).await? {
                Placed::There => *newest,
                Placed::LastIs(last) if last < *first => last,
                // Perhaps they are there, and the answer was lost.
                Placed::LastIs(last) => match bus.read_now(stream, first - 1, self.steps.len()).await? {
                    Batch::Messages(found) if self.are_ours(&found, last) => last,
                    _ => return Err(MarketDataError::Published { step: last }),
                },
            };
        }
    }

    /// The next that the stream lacks and that are appended together.
    fn unsent(&self) -> Vec<(u64, Parcel)> {
        let from = self.steps.partition_point(|(step, _)| *step <= self.reached);
        let mut bytes = 0;
        let fits = |(_, message): &&(u64, Parcel)| {
            let is_first = bytes == 0;
            bytes += message.weight();
            is_first || bytes <= TOGETHER
        };
        self.steps.range(from..).take_while(fits).cloned().collect()
    }

    /// Whether messages, up to one with the id `last`, are these very steps.
    fn are_ours(&self, found: &[Message], last: u64) -> bool {
        let ours = |found: &Message| {
            let same = |(step, message): &(u64, Parcel)| *step == found.id && *message == found.parcel;
            self.steps.iter().any(same)
        };
        found.last().is_some_and(|newest| newest.id == last) && found.iter().all(ours)
    }

    /// Looks whether the stream still has what was sent, and sends it again.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(super) async fn check(&mut self, bus: &Bus, stream: &str) -> Result<(), MarketDataError> {
        self.reached = self.reached.min(bus.last_id(stream).await?);
        self.send(bus, stream).await
    }
}
