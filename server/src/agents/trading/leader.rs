//! Leadership of a venue: acquires the lease, runs the pipeline, and again after
//! each failure, until the lease is lost or the venue halts.
//!
//! Does not know how commands are decided, stored or published.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use engine::id::{Digest, Seq};
use engine::venue::journal::{GENESIS, JournalEntry};
use engine::venue::{Input, Venue};
use protocol::bus::{CommandMessage, CommandReply, SequencerStatus};
use uuid::Uuid;

use super::commit::Commit;
use super::pipeline;
use super::sequencer::{BATCH_MAX_ENTRIES, Sequencer};
use super::{NAME, Settings, TradingError, publish};
use crate::agents::context::AgentContext;
use crate::bus::decode::decode_or_dead_letter;
use crate::bus::{Batch, BusError, Message};
use crate::clock;
use crate::store::StoreError;
use crate::store::journal::{CommitBatch, Cursor, EntryKind, NewEntry, VenueRow};
use crate::store::lease::Lease;
use crate::store::snapshots::SnapshotRow;

/// Delays before a reload, or a retry while the bus is unreachable; each is twice
/// the one before.
pub(super) const MIN_RETRY_DELAY: Duration = Duration::from_millis(50);
pub(super) const MAX_RETRY_DELAY: Duration = Duration::from_secs(2);

/// Above this delay the agent reports a failure.
pub(super) const REPORTED_RETRY_DELAY: Duration = Duration::from_millis(200);

/// Runs the venue's sequencer until the shutdown.
///
/// Stands by while another sequencer has the lease, then takes over. Failures of
/// store and bus are retried; a venue whose books do not balance halts and refuses
/// every command.
///
/// # Errors
/// When it cannot start: no venue, no store.
pub async fn run(context: AgentContext, settings: Settings) -> Result<(), TradingError> {
    let row = context.store.venue(context.venue).await?.ok_or(TradingError::NoVenue(context.venue))?;
    while let Some(lease) = acquire_lease(&context).await? {
        let epoch = context.store.take_epoch(row.id, Uuid::new_v4()).await?;
        let (context, settings, row) = (context.clone(), settings.clone(), row.clone());
        let mut leader = Leader {
            context,
            settings,
            row,
            lease,
            epoch,
            commits: 0,
            committed: 0,
            unanswered: Vec::new(),
            poisoned: BTreeSet::new(),
        };
        if leader.run_term().await? == TermOutcome::ShutDown {
            break;
        }
    }
    Ok(())
}

/// Waits for the lease; `None` at a shutdown.
async fn acquire_lease(context: &AgentContext) -> Result<Option<Lease>, TradingError> {
    if let Some(lease) = context.store.try_acquire_lease(context.venue).await? {
        return Ok(Some(lease));
    }
    tracing::info!(event = "sequencer_stands_by", "Another sequencer has the lease; this one waits.");
    context.health.stand_by(NAME);
    tokio::select! {
        () = context.shutdown.cancelled() => Ok(None),
        lease = context.store.acquire_lease(context.venue) => {
            tracing::info!(event = "sequencer_takes_over", "This sequencer has the lease now.");
            Ok(Some(lease?))
        }
    }
}

/// Result of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TermOutcome {
    ShutDown,
    /// Another sequencer leads: this one stands by again.
    LeaseLost,
}

/// Reasons why a pipeline stopped.
pub(super) enum StopReason {
    ShutDown,
    /// Another sequencer writes this venue's journal.
    Fenced,
    /// The state in memory may be wrong: it is loaded again.
    Reload(String),
    /// The venue is inconsistent: only a person can resolve it.
    Halt(String),
}

impl From<TradingError> for StopReason {
    fn from(error: TradingError) -> Self {
        match error {
            TradingError::Store(StoreError::Fenced) => Self::Fenced,
            TradingError::Fold(_) | TradingError::NoVenue(_) | TradingError::Config(_) => {
                Self::Halt(error.to_string())
            }
            TradingError::Store(_) | TradingError::Bus(_) | TradingError::Random(_) => {
                Self::Reload(error.to_string())
            }
        }
    }
}

impl From<StoreError> for StopReason {
    fn from(error: StoreError) -> Self {
        TradingError::from(error).into()
    }
}

impl From<BusError> for StopReason {
    fn from(error: BusError) -> Self {
        TradingError::from(error).into()
    }
}

/// The leading sequencer: everything that outlives a reload.
pub(super) struct Leader {
    pub(super) context: AgentContext,
    pub(super) settings: Settings,
    pub(super) row: VenueRow,
    pub(super) lease: Lease,
    pub(super) epoch: u64,
    /// Commits started.
    commits: u64,
    /// Commits that succeeded.
    pub(super) committed: u64,
    /// Commands without a reply, oldest first. They are decided again after a
    /// reload, because a commit that failed may have moved the stored cursor past
    /// them. All are idempotent.
    pub(super) unanswered: Vec<Message>,
    /// Commands that made the venue panic: dead letters when they are read again.
    pub(super) poisoned: BTreeSet<u64>,
}

impl Leader {
    /// Runs pipelines until a shutdown or until another sequencer leads.
    async fn run_term(&mut self) -> Result<TermOutcome, TradingError> {
        let mut delay = MIN_RETRY_DELAY;
        loop {
            let committed = self.committed;
            match pipeline::run(self).await {
                StopReason::ShutDown => return Ok(TermOutcome::ShutDown),
                StopReason::Reload(error) => {
                    tracing::warn!(event = "sequencer_reloads", %error, "The sequencer reloads its state from the journal.");
                    metrics::counter!("tickhall_sequencer_reloads_total").increment(1);
                    let is_progress = self.committed > committed;
                    delay = if is_progress { MIN_RETRY_DELAY } else { (delay * 2).min(MAX_RETRY_DELAY) };
                    if delay > REPORTED_RETRY_DELAY {
                        self.context.health.fail(NAME, &error);
                        publish::status(&self.context, &SequencerStatus::Unavailable).await;
                    }
                    tokio::select! {
                        () = self.context.shutdown.cancelled() => return Ok(TermOutcome::ShutDown),
                        () = clock::sleep(delay) => {}
                    }
                    if !self.lease.is_held() {
                        return Ok(TermOutcome::LeaseLost);
                    }
                }
                StopReason::Fenced => {
                    // The other sequencer publishes the status now.
                    tracing::error!(event = "sequencer_fenced", "Another sequencer writes the journal.");
                    self.context.health.fail(NAME, "another sequencer has taken over");
                    if !self.lease.is_shared() {
                        self.context.shutdown.cancelled().await;
                        return Ok(TermOutcome::ShutDown);
                    }
                    return Ok(TermOutcome::LeaseLost);
                }
                StopReason::Halt(reason) => {
                    self.refuse_commands(reason).await?;
                    return Ok(TermOutcome::ShutDown);
                }
            }
        }
    }

    /// Commits entry 1: configuration, rules and the commitment to the seed.
    pub(super) async fn open_venue(&mut self) -> Result<Sequencer, StopReason> {
        let seed_commitment = self.row.seed_commitment;
        let (venue, outcome) =
            Venue::open(self.row.config.clone(), seed_commitment).map_err(TradingError::from)?;
        let input = Input::VenueOpened { config: Box::new(self.row.config.clone()), seed_commitment };
        let entry = JournalEntry::new(GENESIS, &input, &outcome);
        let sequencer = Sequencer { venue, head: entry.hash };
        let new = NewEntry { kind: EntryKind::Opened, entry, outcome, payload: None };
        let batch = self.commit_batch(vec![new], None);
        self.start_commit(Arc::new(batch)).finished().await?;
        self.committed += 1;
        tracing::info!(event = "venue_opened", venue = %self.row.id, %seed_commitment, "The venue is open.");
        Ok(sequencer)
    }

    /// A transaction of `entries`; `cursor` is the last command that they decide.
    pub(super) fn commit_batch(&self, entries: Vec<NewEntry>, cursor: Option<u64>) -> CommitBatch {
        let cursor = cursor.map(|position| Cursor {
            consumer: NAME.to_owned(),
            stream: self.context.streams.command.clone(),
            position,
        });
        let (venue, currency) = (self.row.id, self.row.config.currency.clone());
        CommitBatch { venue, epoch: self.epoch, currency, entries, cursor }
    }

    pub(super) fn start_commit(&mut self, batch: Arc<CommitBatch>) -> Commit {
        self.commits += 1;
        Commit::start(&self.context.store, batch, (self.settings.faults)(self.commits))
    }

    /// Stores the state; returns the entry of the snapshot before, below which
    /// journal rows may be compacted.
    pub(super) async fn save_snapshot(&self, sequencer: &Sequencer) -> Result<Option<Seq>, StoreError> {
        let state = sequencer.venue.snapshot();
        let snapshot = SnapshotRow {
            seq: sequencer.venue.seq(),
            step: sequencer.venue.step(),
            rules_version: sequencer.venue.rules_version(),
            state_hash: Digest::of(&[&state]),
            state,
            journal_hash: sequencer.head,
        };
        self.context.store.save_snapshot(self.row.id, self.epoch, &snapshot).await
    }

    /// Replies `TradingHalted` to every command until the shutdown.
    async fn refuse_commands(&self, reason: String) -> Result<(), TradingError> {
        tracing::error!(event = "trading_halted", %reason, "Trading is halted.");
        metrics::gauge!("tickhall_trading_halted").set(1.0);
        let AgentContext { bus, streams, health, shutdown, .. } = &self.context;
        health.fail(NAME, &format!("trading_halted: {reason}"));
        let status = SequencerStatus::Halted { reason };
        publish::status(&self.context, &status).await;
        let (mut cursor, mut data_loss) = (0, bus.data_loss_epoch());
        loop {
            let batch = tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                Ok(()) = data_loss.changed() => {
                    publish::status(&self.context, &status).await;
                    continue;
                }
                batch = bus.read_after(&streams.command, cursor, BATCH_MAX_ENTRIES) => batch?,
            };
            let messages = match batch {
                Batch::Messages(messages) => messages,
                Batch::Trimmed { through } => {
                    cursor = through;
                    continue;
                }
            };
            let mut replies = Vec::new();
            for message in messages {
                let (venue, stream) = (self.row.id, &streams.command);
                let command = decode_or_dead_letter::<CommandMessage>(bus, venue, stream, &message, cursor);
                if let Some(command) = command.await {
                    cursor = message.id;
                    replies.push((command.correlation, CommandReply::TradingHalted));
                }
            }
            publish::replies(&self.context, replies).await;
        }
    }
}
