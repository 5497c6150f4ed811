//! One batch in the making: read what waits and decide it.
//!
//! Does not know when to load again or how to halt.

use std::panic::{AssertUnwindSafe, catch_unwind};

use engine::id::Seq;
use engine::order::Reject;
use protocol::bus::MarketStep;
use uuid::Uuid;

use super::agent::{COMMANDS, Ended, Life};
use super::sequencer::{Decision, Sequencer};
use crate::bus::decode::{bury, decode_or_bury};
use crate::bus::messages::CommandMessage;
use crate::bus::{Batch, BusError, Message};
use crate::store::journal::NewEntry;

/// Steps that one batch takes at most.
const STEPS: usize = 64;

/// A batch in the making.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) entries: Vec<NewEntry>,
    pub(super) answers: Vec<(Uuid, Answer)>,
    /// How many commands it has looked at, the unreadable and late included.
    pub(super) commands: usize,
}

impl Pending {
    /// Whether nothing has come yet.
    pub(super) fn is_empty(&self) -> bool {
        self.commands == 0 && self.entries.is_empty()
    }

    /// Whether more may come.
    pub(super) fn has_room(&self) -> bool {
        self.commands < COMMANDS && self.entries.len() < COMMANDS
    }
}

/// Where a command's answer is.
pub(super) enum Answer {
    /// The batch's own entry at this index.
    Entry(usize),
    /// An entry made by an earlier copy.
    Repeat(Seq),
    Refused(Reject),
}

impl Life {
    /// Commands after `after`, and where the cursor is to go when some were
    /// lost.
    pub(super) async fn waiting_commands(
        &self,
        cursor: &mut u64,
        after: u64,
    ) -> Result<Vec<Message>, BusError> {
        match self.deps.bus.read_now(&self.deps.streams.command, after, COMMANDS).await? {
            Batch::Messages(messages) => Ok(messages),
            Batch::Trimmed { through } => {
                // Their senders were told `pending` and will ask.
                tracing::error!(
                    event = "commands_lost",
                    through,
                    "Commands were trimmed before they were read."
                );
                *cursor = through.max(*cursor);
                Ok(Vec::new())
            }
        }
    }

    /// Steps after the last one that was looked at.
    pub(super) async fn waiting_steps(&self, cursor: &mut u64) -> Result<Vec<Message>, BusError> {
        match self.deps.bus.read_now(&self.deps.streams.marketdata, *cursor, STEPS).await? {
            Batch::Messages(mut messages) => {
                // Those that were sent together came together; the rest is next.
                messages.truncate(STEPS);
                Ok(messages)
            }
            Batch::Trimmed { through } => {
                tracing::error!(event = "steps_lost", through, "Steps were trimmed before they were read.");
                *cursor = through;
                Ok(Vec::new())
            }
        }
    }

    pub(super) async fn decide(
        &mut self,
        sequencer: &mut Sequencer,
        message: Message,
        pending: &mut Pending,
    ) -> Result<(), Ended> {
        let (bus, stream) = (&self.deps.bus, &self.deps.streams.command);
        pending.commands += 1;
        if self.poisoned.contains(&message.id) {
            bury(bus, self.row.id, stream, &message, "the venue failed on it").await;
            return Ok(());
        }
        let read = decode_or_bury::<CommandMessage>(bus, self.row.id, stream, &message).await;
        let Some(command) = read else { return Ok(()) };
        if self.deps.clock.now() > command.valid_until {
            // No answer: its sender has stopped waiting, and an earlier copy
            // may have been accepted, so `too_late` could be untrue.
            metrics::counter!("tickhall_commands_too_late_total").increment(1);
            return Ok(());
        }
        // A bug met by one command must not stop everybody: memory is dropped,
        // and the command with it.
        let decided = catch_unwind(AssertUnwindSafe(|| sequencer.command(&command.command)));
        let answer = match decided {
            Ok(Decision::Applied(entry)) => {
                pending.entries.push(*entry);
                Answer::Entry(pending.entries.len() - 1)
            }
            Ok(Decision::Repeat(seq)) => Answer::Repeat(seq),
            Ok(Decision::Refused(reject)) => {
                metrics::counter!("tickhall_refusals_total", "code" => reject.code()).increment(1);
                Answer::Refused(reject)
            }
            Err(_) => {
                self.poisoned.insert(message.id);
                return Err(Ended::Again(format!("the venue failed on command {}", message.id)));
            }
        };
        pending.answers.push((command.correlation, answer));
        Ok(())
    }

    pub(super) async fn take_step(
        &self,
        sequencer: &mut Sequencer,
        message: &Message,
        pending: &mut Pending,
    ) -> Result<(), Ended> {
        let (bus, stream) = (&self.deps.bus, &self.deps.streams.marketdata);
        let Some(step) = decode_or_bury::<MarketStep>(bus, self.row.id, stream, message).await else {
            return Ok(());
        };
        if step.header.step <= sequencer.venue.step() {
            // Published again after the bus lost it: it has been applied.
            return Ok(());
        }
        let applied = catch_unwind(AssertUnwindSafe(|| sequencer.step(&step)));
        match applied.map_err(|_| Ended::ForGood(format!("the venue failed on step {}", message.id)))? {
            Ok(entry) => pending.entries.push(entry),
            Err(error) => bury(bus, self.row.id, stream, message, &error.to_string()).await,
        }
        Ok(())
    }
}
