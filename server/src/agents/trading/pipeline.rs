//! The sequencer's loop.
//!
//! Commands and steps are read from the bus and decided in memory, batch by batch.
//! One batch is being committed while the next is decided. After the commit it is
//! released, in order: its replies are sent and its entries published.
//!
//! There is no undo: an error drops the pipeline with everything it decided, and
//! the leader runs a new one from the journal. This module does not know why it was
//! started again, or how a venue halts.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use engine::id::Seq;
use engine::venue::Outcome;
use protocol::bus::{AppliedCommand, CommandMessage, CommandReply, MarketStep, SequencerStatus};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::commit::Commit;
use super::compaction::Compaction;
use super::leader::{Leader, MAX_RETRY_DELAY, MIN_RETRY_DELAY, REPORTED_RETRY_DELAY, StopReason};
use super::load::{Loaded, load};
use super::publish::{self, ExecutionPublisher, Publication};
use super::sequencer::{BATCH_MAX_ENTRIES, PendingBatch, PendingReply, Sequencer};
use super::{NAME, TradingError};
use crate::agents::context::AgentContext;
use crate::bus::decode::{dead_letter, decode_or_dead_letter};
use crate::bus::{Batch, BusError, Message};
use crate::clock;
use crate::config::Acknowledge;
use crate::store::StoreError;
use crate::store::journal::CommitBatch;

/// Steps that one read of the stream adds to a batch.
const READ_MAX_STEPS: usize = 64;

/// Silence after which steps are read from the last decided one again: the stream may
/// have been made anew.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(5);

/// Time from replies to commit with [`Acknowledge::BeforeCommit`], for tests alone: a
/// kill in this window loses acknowledged orders.
const WRITE_BEHIND_DELAY: Duration = Duration::from_millis(25);

/// Loads the venue and works until something fails or the leader is told to end.
pub(super) async fn run(leader: &mut Leader) -> StopReason {
    let mut pipeline = match Pipeline::load(leader).await {
        Ok(pipeline) => pipeline,
        Err(reason) => return reason,
    };
    let Err(reason) = pipeline.run().await;
    if let Some(in_flight) = &mut pipeline.in_flight {
        // The next load must not overlap with the commit, and finds its result.
        let _ = in_flight.commit.finished().await;
    }
    reason
}

/// The state of the loop, which is dropped after a failure.
struct Pipeline<'a> {
    leader: &'a mut Leader,
    /// As of the last decision.
    sequencer: Sequencer,
    /// Id of the last command that was decided.
    command_cursor: u64,
    /// Position in the stream of steps: the last decided step, whose id is its number,
    /// or the last trimmed one.
    step_cursor: u64,
    /// Time of the last step that was read, or of the last reset of its position.
    steps_read_at: Instant,
    /// Commands left unanswered before a reload: decided again, before new ones.
    redecided: Vec<Message>,
    /// The batch that is being decided.
    pending: PendingBatch,
    /// The batch that is being committed, right before the pending one.
    in_flight: Option<InFlightCommit>,
    publisher: ExecutionPublisher,
    /// The entry of the newest snapshot.
    snapshot: Seq,
    compaction: Compaction,
    /// Delay before the next retry while the bus is unreachable.
    retry_delay: Duration,
    data_loss: watch::Receiver<u64>,
}

/// A batch that is being committed, and its output.
struct InFlightCommit {
    commit: Commit,
    started: Instant,
    batch: Arc<CommitBatch>,
    /// Commands in the batch: the oldest unanswered ones.
    commands: usize,
    command_cursor: u64,
    /// Its last entry, or the last one before it when it has none.
    through: Seq,
    output: PendingOutput,
}

/// Output of a batch that is released after its commit.
#[derive(Default)]
struct PendingOutput {
    replies: Vec<PendingReply>,
    publication: Option<Publication>,
}

impl<'a> Pipeline<'a> {
    /// Loads the venue as of the journal's end, or opens it if the journal is empty.
    async fn load(leader: &'a mut Leader) -> Result<Self, StopReason> {
        let Loaded { sequencer, command_cursor, snapshot } = load(&leader.context, &leader.row).await?;
        let sequencer = match sequencer {
            Some(sequencer) => sequencer,
            None => leader.open_venue().await?,
        };
        leader.context.health.report(NAME, sequencer.venue.seq().0);
        Ok(Self {
            step_cursor: sequencer.venue.step(),
            steps_read_at: Instant::now(),
            sequencer,
            command_cursor,
            redecided: leader.unanswered.clone(),
            pending: PendingBatch::default(),
            in_flight: None,
            publisher: ExecutionPublisher::default(),
            snapshot,
            compaction: Compaction::default(),
            retry_delay: MIN_RETRY_DELAY,
            data_loss: leader.context.bus.data_loss_epoch(),
            leader,
        })
    }

    async fn run(&mut self) -> Result<Infallible, StopReason> {
        let is_local = self.leader.context.bus.is_local();
        loop {
            self.maintain().await?;
            match self.read().await {
                Ok((commands, steps)) => {
                    self.retry_delay = MIN_RETRY_DELAY;
                    self.decide(commands, steps).await?;
                }
                Err(TradingError::Bus(error)) => {
                    // The state in memory stays valid: the bus is refilled from it and the journal.
                    self.publisher.invalidate();
                    self.wait_for_bus(&error).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            if self.in_flight.is_none() {
                if self.compaction.is_due() {
                    let Leader { context, row, epoch, .. } = &*self.leader;
                    self.compaction.piece(&context.store, row.id, *epoch).await?;
                }
                if self.pending.is_empty() {
                    self.leader.unanswered.clear();
                    if !self.compaction.is_due() {
                        self.wait_for_input().await?;
                    }
                    continue;
                }
                self.start_commit().await?;
                self.prepare_publication();
            }
            // A remote bus is not awaited during a commit: it is read again when the commit is done.
            let wakes_on_input = is_local && !self.pending.is_full();
            let Self { leader, in_flight, data_loss, command_cursor, step_cursor, .. } = self;
            tokio::select! {
                result = commit_finished(in_flight) => {
                    let committed = result?;
                    if !is_local && !self.publisher.is_invalid() {
                        // An error now is an error again at the next read.
                        let (commands, steps) = self.read().await.unwrap_or_default();
                        self.decide(commands, steps).await?;
                    }
                    self.release_and_commit_next(committed, !self.compaction.is_due()).await?;
                }
                input = wait_for_input(&leader.context, *command_cursor, *step_cursor, data_loss), if wakes_on_input => {
                    input?;
                }
            }
        }
    }

    /// Handles data loss, shutdown, loss of the lease and due snapshots. Each first
    /// drains the pipeline, so that every decision is committed and released.
    async fn maintain(&mut self) -> Result<(), StopReason> {
        if self.data_loss.has_changed().unwrap_or(false) {
            self.data_loss.mark_unchanged();
            self.publisher.invalidate();
            self.reset_step_cursor();
        } else if self.steps_read_at.elapsed() >= SILENCE_TIMEOUT {
            self.reset_step_cursor();
        }
        let Leader { context, lease, settings, .. } = &*self.leader;
        let (is_ending, is_leading) = (context.shutdown.is_cancelled(), lease.is_held());
        let new_entries = self.sequencer.venue.seq().0.saturating_sub(self.snapshot.0);
        let is_snapshot_due = new_entries >= settings.snapshot_entries.max(1);
        if is_ending || !is_leading || is_snapshot_due || self.publisher.is_invalid() {
            self.drain().await?;
        }
        if !is_leading {
            return Err(StopReason::Reload("the lease is lost".to_owned()));
        }
        if is_snapshot_due {
            if let Some(previous) = self.leader.save_snapshot(&self.sequencer).await? {
                self.compaction.allow(previous);
            }
            self.snapshot = self.sequencer.venue.seq();
        }
        if is_ending { Err(StopReason::ShutDown) } else { Ok(()) }
    }

    /// Reads commands and steps to decide. After a load, a failed publication or a data
    /// loss, first brings the bus up to date. Commands stay unanswered until their replies are released, whatever
    /// fails in between.
    async fn read(&mut self) -> Result<(Vec<Message>, Vec<Message>), TradingError> {
        if self.publisher.is_invalid() {
            self.restore_bus().await?;
        }
        if self.pending.is_full() {
            return Ok((Vec::new(), Vec::new()));
        }
        let AgentContext { bus, streams, .. } = &self.leader.context;
        let newest = self.leader.unanswered.last().map_or(0, |message| message.id);
        let (read_commands, read_steps) = tokio::try_join!(
            bus.read_now(&streams.command, newest.max(self.command_cursor), BATCH_MAX_ENTRIES),
            bus.read_now(&streams.market_data, self.step_cursor, READ_MAX_STEPS),
        )?;
        let mut commands = std::mem::take(&mut self.redecided);
        match read_commands {
            Batch::Messages(messages) => {
                self.leader.unanswered.extend(messages.iter().cloned());
                commands.extend(messages);
            }
            Batch::Trimmed { through } => {
                // Their senders were told `pending` and will ask.
                tracing::error!(
                    event = "commands_lost",
                    through,
                    "Commands were trimmed before they were read."
                );
                self.command_cursor = through.max(self.command_cursor);
            }
        }
        let steps = match read_steps {
            Batch::Messages(mut messages) => {
                // Steps that were appended together are read together.
                messages.truncate(READ_MAX_STEPS);
                messages
            }
            Batch::Trimmed { through } => {
                tracing::error!(event = "steps_lost", through, "Steps were trimmed before they were read.");
                self.step_cursor = through;
                Vec::new()
            }
        };
        Ok((commands, steps))
    }

    /// Publishes what the bus lacks after a load, a failed publication or a data loss.
    async fn restore_bus(&mut self) -> Result<(), TradingError> {
        let (context, venue) = (&self.leader.context, &self.sequencer.venue);
        context.bus.resume(&context.streams.command, self.command_cursor).await?;
        self.publisher.catch_up(context, venue).await?;
        publish::status(context, &SequencerStatus::Running).await;
        context.health.report(NAME, venue.seq().0);
        Ok(())
    }

    /// Decides commands and steps, after the pending ones.
    async fn decide(&mut self, commands: Vec<Message>, steps: Vec<Message>) -> Result<(), StopReason> {
        for message in commands {
            self.decide_command(&message).await?;
        }
        for message in steps {
            self.apply_step(&message).await?;
            // Whatever id a refused step had, the next one is read from here.
            self.reset_step_cursor();
        }
        Ok(())
    }

    /// Reads steps from the last decided one on.
    fn reset_step_cursor(&mut self) {
        (self.step_cursor, self.steps_read_at) = (self.sequencer.venue.step(), Instant::now());
    }

    async fn decide_command(&mut self, message: &Message) -> Result<(), StopReason> {
        let Leader { context, poisoned, unanswered, .. } = &mut *self.leader;
        let AgentContext { venue, bus, streams, clock, .. } = &*context;
        let (stream, id) = (&streams.command, message.id);
        if poisoned.contains(&id) {
            dead_letter(bus, *venue, stream, message, id, "the venue failed on it").await;
            self.command_cursor = self.command_cursor.max(id);
            self.pending.commands += 1;
            return Ok(());
        }
        let position = self.command_cursor;
        let decoded = decode_or_dead_letter::<CommandMessage>(bus, *venue, stream, message, position).await;
        let Some(command) = decoded else {
            // As if it had never been there: neither counted nor passed.
            unanswered.retain(|unanswered| unanswered.id != id);
            return Ok(());
        };
        self.command_cursor = self.command_cursor.max(id);
        self.pending.commands += 1;
        if clock.now() > command.valid_until {
            // No reply: its sender has stopped waiting, and an earlier copy may have
            // been accepted, so `too_late` could be untrue.
            metrics::counter!("tickhall_commands_too_late_total").increment(1);
            return Ok(());
        }
        // A command that makes the venue panic must not stop all others: the state is
        // reloaded, and the command becomes a dead letter.
        let (sequencer, pending) = (&mut self.sequencer, &mut self.pending);
        let decided = catch_unwind(AssertUnwindSafe(|| {
            sequencer.decide_command(command.correlation, &command.command, pending);
        }));
        decided.map_err(|_| {
            poisoned.insert(message.id);
            StopReason::Reload(format!("the venue failed on command {}", message.id))
        })
    }

    async fn apply_step(&mut self, message: &Message) -> Result<(), StopReason> {
        let AgentContext { venue, bus, streams, .. } = &self.leader.context;
        let (stream, position) = (&streams.market_data, self.sequencer.venue.step());
        let decoded = decode_or_dead_letter::<MarketStep>(bus, *venue, stream, message, position).await;
        let Some(step) = decoded else { return Ok(()) };
        if step.header.step <= position {
            // Published again after a data loss: it has been applied.
            return Ok(());
        }
        let (sequencer, pending) = (&mut self.sequencer, &mut self.pending);
        let applied = catch_unwind(AssertUnwindSafe(|| sequencer.apply_step(&step, pending)));
        // Unlike a command, a step that makes the venue panic cannot be skipped.
        let failed = |_| StopReason::Halt(format!("the venue failed on step {}", message.id));
        if let Err(error) = applied.map_err(failed)? {
            dead_letter(bus, *venue, stream, message, position, &error.to_string()).await;
        }
        Ok(())
    }

    /// Starts to commit the pending batch, once the one before is committed.
    async fn start_commit(&mut self) -> Result<(), StopReason> {
        let PendingBatch { entries, replies, commands } = std::mem::take(&mut self.pending);
        let cursor = (commands > 0).then_some(self.command_cursor);
        let batch = Arc::new(self.leader.commit_batch(entries, cursor));
        let mut output = PendingOutput { replies, publication: None };
        if self.leader.settings.acknowledge == Acknowledge::BeforeCommit {
            output.publication = self.publication(&batch);
            self.release(std::mem::take(&mut output), None).await?;
            clock::sleep(WRITE_BEHIND_DELAY).await;
        }
        self.in_flight = Some(InFlightCommit {
            started: Instant::now(),
            commit: self.leader.start_commit(batch.clone()),
            batch,
            commands,
            command_cursor: self.command_cursor,
            through: self.sequencer.venue.seq(),
            output,
        });
        Ok(())
    }

    /// Makes the publication of the batch in flight while it is being committed,
    /// before anything else is decided.
    fn prepare_publication(&mut self) {
        if self.leader.settings.acknowledge == Acknowledge::BeforeCommit {
            return;
        }
        let publication = self.in_flight.as_ref().and_then(|in_flight| self.publication(&in_flight.batch));
        if let Some(in_flight) = &mut self.in_flight {
            in_flight.output.publication = publication;
        }
    }

    fn publication(&self, batch: &CommitBatch) -> Option<Publication> {
        let outcomes = || batch.entries.iter().map(|new| &new.outcome);
        let books = outcomes().flat_map(|outcome| outcome.books.iter().copied()).collect();
        Publication::new(&self.leader.context, &self.sequencer.venue, outcomes(), &books)
    }

    /// Releases a committed batch. The pending batch's commit starts first, unless a
    /// compaction piece is due: the disk does not wait for the bus.
    async fn release_and_commit_next(
        &mut self,
        committed: InFlightCommit,
        may_commit: bool,
    ) -> Result<(), StopReason> {
        let commits_next = may_commit && !self.pending.is_empty();
        if commits_next {
            self.start_commit().await?;
        }
        self.finish_commit(committed).await?;
        if commits_next {
            self.prepare_publication();
        }
        Ok(())
    }

    /// Releases the output of a committed batch.
    async fn finish_commit(&mut self, committed: InFlightCommit) -> Result<(), StopReason> {
        let InFlightCommit { started, batch, commands, command_cursor, through, output, .. } = committed;
        self.leader.committed += 1;
        metrics::histogram!("tickhall_commit_seconds").record(started.elapsed().as_secs_f64());
        metrics::counter!("tickhall_journal_entries_total").increment(batch.entries.len() as u64);
        self.release(output, (commands > 0).then_some(command_cursor)).await?;
        let unanswered = &mut self.leader.unanswered;
        unanswered.drain(..commands.min(unanswered.len()));
        self.leader.context.health.report(NAME, through.0);
        Ok(())
    }

    /// Sends replies, publishes entries, and trims commands through `trim_through`.
    async fn release(&mut self, output: PendingOutput, trim_through: Option<u64>) -> Result<(), StopReason> {
        let mut replies = Vec::with_capacity(output.replies.len());
        for reply in output.replies {
            replies.push(match reply {
                PendingReply::Ready { correlation, reply } => (correlation, reply),
                PendingReply::Stored { correlation, seq } => {
                    let applied = AppliedCommand::new(&self.stored_outcome(seq).await?, true);
                    (correlation, CommandReply::Applied(Box::new(applied)))
                }
            });
        }
        let Self { leader, publisher, .. } = self;
        let context = &leader.context;
        // Concurrent: none waits for the bus's answer to another.
        let replied = publish::replies(context, replies);
        let published = async {
            if let Some(publication) = output.publication {
                publisher.publish(context, publication).await;
            }
        };
        let trimmed = async {
            if let Some(through) = trim_through
                && let Err(error) = context.bus.trim(&context.streams.command, through).await
            {
                // The next trim includes these.
                tracing::debug!(event = "commands_untrimmed", %error, "Decided commands are still on the stream.");
            }
        };
        tokio::join!(replied, published, trimmed);
        Ok(())
    }

    /// The outcome of a committed entry.
    async fn stored_outcome(&self, seq: Seq) -> Result<Outcome, StopReason> {
        let Leader { context, row, .. } = &*self.leader;
        let rows = context.store.journal_after(row.id, Seq(seq.0.saturating_sub(1)), 1).await?;
        match rows.first() {
            Some(row) if row.seq == seq => Ok(row.outcome()?),
            _ => Err(StopReason::Halt(format!("the journal lacks entry {seq}"))),
        }
    }

    /// Waits until every decision is committed and released.
    async fn drain(&mut self) -> Result<(), StopReason> {
        loop {
            if self.in_flight.is_some() {
                let committed = commit_finished(&mut self.in_flight).await?;
                self.release_and_commit_next(committed, true).await?;
            } else if self.pending.is_empty() {
                return Ok(());
            } else {
                self.start_commit().await?;
                self.prepare_publication();
            }
        }
    }

    /// Delays the next retry while the bus is unreachable.
    async fn wait_for_bus(&mut self, error: &BusError) {
        tracing::warn!(event = "sequencer_waits", %error, "The sequencer waits for the bus.");
        let AgentContext { health, shutdown, .. } = &self.leader.context;
        if self.retry_delay > REPORTED_RETRY_DELAY {
            health.fail(NAME, &error.to_string());
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = clock::sleep(self.retry_delay) => {}
        }
        self.retry_delay = (self.retry_delay * 2).min(MAX_RETRY_DELAY);
    }

    async fn wait_for_input(&mut self) -> Result<(), BusError> {
        let context = &self.leader.context;
        tokio::select! {
            input = wait_for_input(context, self.command_cursor, self.step_cursor, &mut self.data_loss) => input,
            () = sleep_until(self.steps_read_at + SILENCE_TIMEOUT) => Ok(()),
        }
    }
}

/// Waits for a command or step, a data loss or the shutdown.
async fn wait_for_input(
    context: &AgentContext,
    command_cursor: u64,
    step_cursor: u64,
    data_loss: &mut watch::Receiver<u64>,
) -> Result<(), BusError> {
    let AgentContext { bus, streams, shutdown, .. } = context;
    tokio::select! {
        () = shutdown.cancelled() => {}
        read = bus.read_after(&streams.command, command_cursor, 1) => { read?; }
        read = bus.read_after(&streams.market_data, step_cursor, 1) => { read?; }
        // Stays marked as changed until it is handled.
        Ok(()) = data_loss.changed() => data_loss.mark_changed(),
    }
    Ok(())
}

/// Waits for the in-flight commit; pending forever if there is none. Cancel-safe.
async fn commit_finished(in_flight: &mut Option<InFlightCommit>) -> Result<InFlightCommit, StoreError> {
    let Some(commit) = in_flight else { return std::future::pending().await };
    let result = commit.commit.finished().await;
    let committed = in_flight.take();
    result?;
    committed.ok_or_else(|| StoreError::Interrupted("no commit was in flight".to_owned()))
}
