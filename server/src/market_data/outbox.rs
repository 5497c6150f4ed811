//! Steps that are made and not yet journalled, so that a bus that lost them
//! gets them again.
//!
//! The stream is checked with every step: it must be where the step before left
//! it. Does not know what is in a step.

use std::collections::VecDeque;

use bytes::Bytes;

use super::agent::MarketDataError;
use crate::bus::{Batch, Bus, Limits, Placed};

/// Steps that are published together at most.
pub(super) const TOGETHER: usize = 16;

/// The unjournalled steps, oldest first.
#[derive(Debug)]
pub(super) struct Outbox {
    steps: VecDeque<(u64, Bytes)>,
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
    pub(super) fn push(&mut self, step: u64, bytes: Bytes) {
        self.bytes += bytes.len();
        self.steps.push_back((step, bytes));
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
        if let Some((_, bytes)) = self.steps.pop_front() {
            self.bytes -= bytes.len();
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
            let unsent = self.steps.partition_point(|(step, _)| *step <= self.reached);
            let run: Vec<_> = self.steps.iter().skip(unsent).take(TOGETHER).cloned().collect();
            let (Some((first, _)), Some((end, _))) = (run.first(), run.last()) else { return Ok(()) };
            match bus.append_run(stream, self.reached, &run).await? {
                Placed::There => self.reached = *end,
                Placed::LastIs(last) if last < *first => self.reached = last,
                Placed::LastIs(last) => {
                    // Perhaps they are there, and the answer was lost.
                    let found = bus.read_now(stream, first - 1, TOGETHER).await?;
                    if last > *end || !are_ours(&found, &run, last) {
                        return Err(MarketDataError::Published { step: last });
                    }
                    self.reached = last;
                }
            }
        }
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

/// Whether the stream has of a run what goes up to `last`, and nothing else.
fn are_ours(found: &Batch, run: &[(u64, Bytes)], last: u64) -> bool {
    let Batch::Messages(found) = found else { return false };
    let sent = run.iter().take_while(|(step, _)| *step <= last);
    found.iter().map(|message| (message.id, &message.bytes)).eq(sent.map(|(step, bytes)| (*step, bytes)))
}
