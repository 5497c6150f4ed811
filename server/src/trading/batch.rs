//! One batch: read what waits, decide it, commit it, answer and publish.
//!
//! Does not know when to load again or how to halt.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use engine::event::MarketStep;
use engine::id::Seq;
use engine::order::Reject;
use engine::venue::Outcome;
use tokio::time::Instant;
use uuid::Uuid;

use super::agent::{COMMANDS, Ended, Life};
use super::commit::commit;
use super::sequencer::{Decision, Sequencer};
use super::{NAME, pause, publish};
use crate::bus::decode::{bury, decode_or_bury};
use crate::bus::messages::{CommandMessage, CommandReply, Reply};
use crate::bus::{Batch, BusError, Message};
use crate::config::Acknowledge;
use crate::store::api::journal::{CommitBatch, Cursor, NewEntry};

/// Steps that one batch takes at most.
const STEPS: usize = 64;

/// How long answers run ahead of the commit when they are told to: the window
/// that a write-behind cache would have.
const WRITE_BEHIND: Duration = Duration::from_millis(25);

/// A batch in the making.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) entries: Vec<NewEntry>,
    pub(super) answers: Vec<(Uuid, Answer)>,
    pub(super) commands: Vec<Message>,
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
            Batch::Messages(messages) => Ok(messages),
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
        pending.commands.push(message.clone());
        if self.poisoned.contains(&message.id) {
            bury(bus, self.row.id, stream, &message, "the venue failed on it").await;
            return Ok(());
        }
        let read = decode_or_bury::<CommandMessage>(bus, self.row.id, stream, &message).await;
        let Some(command) = read else { return Ok(()) };
        if self.deps.clock.now() > command.valid_until {
            // No answer: its sender has stopped waiting, and an earlier copy
            // may have been accepted, so `too_late` could be untrue.
            metrics::counter!("tradefloor_commands_too_late_total").increment(1);
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
                metrics::counter!("tradefloor_refusals_total", "code" => reject.code()).increment(1);
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

    /// Commits, then answers and publishes in the order of the sequence.
    pub(super) async fn settle(
        &mut self,
        sequencer: &Sequencer,
        outbox: &mut publish::Outbox,
        pending: Pending,
        command_cursor: u64,
    ) -> Result<(), Ended> {
        let Pending { entries, answers, commands } = pending;
        let outcomes: Vec<Outcome> = entries.iter().map(|new| new.outcome.clone()).collect();
        let early = self.deps.settings.acknowledge == Acknowledge::BeforeCommit;
        if early {
            publish::replies(&self.deps, self.replies(&answers, &outcomes).await?).await;
            outbox.publish(&self.deps, &sequencer.venue, outcomes.clone()).await;
            pause(WRITE_BEHIND).await;
        }
        let cursor = (!commands.is_empty()).then(|| Cursor {
            consumer: NAME.to_owned(),
            stream: self.deps.streams.command.clone(),
            position: command_cursor,
        });
        self.commit(entries, cursor).await?;
        let trimmed = async {
            if !commands.is_empty() {
                self.trim(command_cursor).await;
            }
        };
        if early {
            trimmed.await;
        } else {
            // One after the other on their way, and waited for together.
            let answered = publish::replies(&self.deps, self.replies(&answers, &outcomes).await?);
            let published = outbox.publish(&self.deps, &sequencer.venue, outcomes);
            tokio::join!(answered, published, trimmed);
        }
        self.requeued.clear();
        Ok(())
    }

    async fn trim(&self, command_cursor: u64) {
        // What is not trimmed now is trimmed with the next.
        if let Err(error) = self.deps.bus.trim(&self.deps.streams.command, command_cursor).await {
            tracing::debug!(event = "commands_untrimmed", %error, "read commands are still on the stream");
        }
    }

    pub(super) async fn commit(
        &mut self,
        entries: Vec<NewEntry>,
        cursor: Option<Cursor>,
    ) -> Result<(), Ended> {
        self.commits += 1;
        let (count, began) = (entries.len() as u64, Instant::now());
        let batch = CommitBatch {
            venue: self.row.id,
            epoch: self.epoch,
            currency: self.row.config.currency.clone(),
            entries,
            cursor,
        };
        commit(&self.deps.store, batch, (self.deps.faults)(self.commits)).await?;
        self.written += 1;
        metrics::histogram!("tradefloor_commit_seconds").record(began.elapsed().as_secs_f64());
        metrics::counter!("tradefloor_journal_entries_total").increment(count);
        Ok(())
    }

    async fn replies(
        &self,
        answers: &[(Uuid, Answer)],
        outcomes: &[Outcome],
    ) -> Result<Vec<(Uuid, CommandReply)>, Ended> {
        let mut replies = Vec::with_capacity(answers.len());
        for (correlation, answer) in answers {
            let reply = match answer {
                Answer::Entry(index) => {
                    let outcome = outcomes[*index].clone();
                    CommandReply::Applied(Box::new(Reply { seq: outcome.seq, outcome, repeated: false }))
                }
                Answer::Repeat(seq) => {
                    let outcome = self.original(*seq, outcomes).await?;
                    CommandReply::Applied(Box::new(Reply { seq: *seq, outcome, repeated: true }))
                }
                Answer::Refused(reject) => CommandReply::Refused(reject.clone()),
            };
            replies.push((*correlation, reply));
        }
        Ok(replies)
    }

    /// The outcome that an earlier copy of a command had.
    async fn original(&self, seq: Seq, outcomes: &[Outcome]) -> Result<Outcome, Ended> {
        if let Some(outcome) = outcomes.iter().find(|outcome| outcome.seq == seq) {
            return Ok(outcome.clone());
        }
        let rows = self.deps.store.journal_after(self.row.id, Seq(seq.0.saturating_sub(1)), 1).await?;
        match rows.first() {
            Some(row) if row.seq == seq => Ok(row.outcome()?),
            _ => Err(Ended::ForGood(format!("the journal lacks entry {seq}"))),
        }
    }
}
