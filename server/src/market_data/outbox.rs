//! Steps that are made and not yet journalled, so that a bus that lost them
//! gets them again.
//!
//! The stream is checked with every step: it must be where the step before left
//! it. Does not know what is in a step.

use std::collections::VecDeque;

use super::agent::MarketDataError;
use crate::bus::{Batch, Bus, Limits, Parcel, Placed};

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
        self.bytes += message.bytes().len();
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
            self.bytes -= message.bytes().len();
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
        while let Some((step, message)) = self.steps.iter().find(|(step, _)| *step > self.reached) {
            match bus.append_after(stream, self.reached, *step, message.clone()).await? {
                Placed::There => self.reached = *step,
                Placed::LastIs(last) if last < *step => self.reached = last,
                Placed::LastIs(last) => {
                    // Perhaps it is there, and the answer was lost.
                    let found = bus.read_now(stream, step - 1, 1).await?;
                    let is_ours = matches!(&found, Batch::Messages(found)
                        if found.first().is_some_and(|found| found.id == *step && found.bytes == *message.bytes()));
                    if !is_ours || last > *step {
                        return Err(MarketDataError::Published { step: last });
                    }
                    self.reached = last;
                }
            }
        }
        Ok(())
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
