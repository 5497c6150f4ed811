//! The agent's task: drain what waits, decide, commit, answer, publish.
//!
//! Does not know how anything is decided or stored.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::id::{Digest, Seq};
use engine::venue::journal::{GENESIS, JournalEntry};
use engine::venue::{Input, RULES_VERSION, Venue};
use tokio::sync::watch;
use uuid::Uuid;

use super::batch::Pending;
use super::compaction::Compaction;
use super::load::{Loaded, load};
use super::publish::PublishError;
use super::sequencer::Sequencer;
use super::{Deps, NAME, TradingError, pause, publish};
use crate::bus::decode::decode_or_bury;
use crate::bus::messages::{CommandMessage, CommandReply, TradingStatus};
use crate::bus::{Batch, BusError, Message};
use crate::shutdown::Shutdown;
use crate::store::StoreError;
use crate::store::api::journal::{EntryKind, NewEntry, SnapshotRow, VenueRow};
use crate::store::api::lease::Lease;

/// Commands that one batch takes at most.
pub(super) const COMMANDS: usize = 256;

/// Pause before it loads again after store or bus failed; doubles up to
/// [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Runs the venue's sequencer until `shutdown`.
///
/// Stands by while another has the lease, then takes the writing over. A store
/// or bus that fails is tried again; a venue that does not add up halts and says
/// so to everybody.
///
/// # Errors
/// When it cannot start: no venue, a store that is away.
pub async fn run(deps: Deps, shutdown: Shutdown) -> Result<(), TradingError> {
    let row = deps.store.venue(deps.venue).await?.ok_or(TradingError::NoVenue(deps.venue))?;
    while let Some(lease) = lead(&deps, &shutdown).await? {
        if term(&deps, row.clone(), lease, &shutdown).await? == Over::ForGood {
            break;
        }
    }
    Ok(())
}

/// Waits for the lease; none when told to end meanwhile.
async fn lead(deps: &Deps, shutdown: &Shutdown) -> Result<Option<Lease>, TradingError> {
    if let Some(lease) = deps.store.try_lead(deps.venue).await? {
        return Ok(Some(lease));
    }
    tracing::info!(event = "sequencer_stands_by", "Another sequencer has the venue; this one waits.");
    deps.health.stand_by(NAME);
    tokio::select! {
        () = shutdown.cancelled() => Ok(None),
        lease = deps.store.lead(deps.venue) => {
            tracing::info!(event = "sequencer_takes_over", "The venue is this sequencer's now.");
            Ok(Some(lease?))
        }
    }
}

/// Whether a sequencer may come back after its term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// It was told to end.
    ForGood,
    /// Somebody else has taken over: it stands by again.
    ForNow,
}

/// Writes the journal until told to end or until somebody else does.
async fn term(deps: &Deps, row: VenueRow, lease: Lease, shutdown: &Shutdown) -> Result<Over, TradingError> {
    let deps = deps.clone();
    let epoch = deps.store.take_epoch(row.id, Uuid::new_v4()).await?;
    let mut life = Life {
        deps,
        row,
        lease,
        epoch,
        commits: 0,
        written: 0,
        requeued: Vec::new(),
        poisoned: BTreeSet::new(),
    };
    let mut wait = FIRST_WAIT;
    loop {
        let written = life.written;
        match life.work(shutdown).await {
            Ended::Asked => return Ok(Over::ForGood),
            Ended::Again(error) => {
                tracing::warn!(event = "sequencer_reloads", %error, "The sequencer forgets its memory and loads it again.");
                metrics::counter!("tradefloor_sequencer_reloads_total").increment(1);
                wait = if life.written > written { FIRST_WAIT } else { (wait * 2).min(LONGEST_WAIT) };
                if wait > FIRST_WAIT * 4 {
                    life.deps.health.fail(NAME, &error);
                    publish::status(&life.deps, &TradingStatus::Unavailable).await;
                }
                tokio::select! {
                    () = shutdown.cancelled() => return Ok(Over::ForGood),
                    () = pause(wait) => {}
                }
                if !life.lease.is_held() {
                    return Ok(Over::ForNow);
                }
            }
            Ended::Fenced => {
                // The venue is somebody else's now: not a word in its name.
                tracing::error!(event = "sequencer_fenced", "Another sequencer has taken the venue over.");
                life.deps.health.fail(NAME, "another sequencer has taken over");
                if !life.lease.is_shared() {
                    shutdown.cancelled().await;
                    return Ok(Over::ForGood);
                }
                return Ok(Over::ForNow);
            }
            Ended::ForGood(reason) => return life.halted(reason, shutdown).await.map(|()| Over::ForGood),
        }
    }
}

/// Why a stretch of work ended.
pub(super) enum Ended {
    /// It was told to end.
    Asked,
    /// Another sequencer writes this venue's journal.
    Fenced,
    /// Memory is worth nothing any more: load and go on.
    Again(String),
    /// Only a person can go on.
    ForGood(String),
}

impl From<TradingError> for Ended {
    fn from(error: TradingError) -> Self {
        match error {
            TradingError::Store(StoreError::Fenced) => Self::Fenced,
            TradingError::Fold(_) | TradingError::NoVenue(_) | TradingError::Config(_) => {
                Self::ForGood(error.to_string())
            }
            TradingError::Store(_) | TradingError::Bus(_) | TradingError::Random(_) => {
                Self::Again(error.to_string())
            }
        }
    }
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        TradingError::from(error).into()
    }
}

impl From<BusError> for Ended {
    fn from(error: BusError) -> Self {
        TradingError::from(error).into()
    }
}

/// What outlives a reload.
pub(super) struct Life {
    pub(super) deps: Deps,
    pub(super) row: VenueRow,
    pub(super) lease: Lease,
    pub(super) epoch: u64,
    pub(super) commits: u64,
    /// Commits that succeeded.
    pub(super) written: u64,
    /// Commands of a batch whose commit failed: looked at again, since the
    /// stored cursor may have moved past them unanswered. All are harmless to
    /// repeat.
    pub(super) requeued: Vec<Message>,
    /// Commands that made the venue panic: buried when met again.
    pub(super) poisoned: BTreeSet<u64>,
}

impl Life {
    /// Loads, then works until something fails.
    async fn work(&mut self, shutdown: &Shutdown) -> Ended {
        match self.try_work(shutdown).await {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }

    async fn try_work(&mut self, shutdown: &Shutdown) -> Result<std::convert::Infallible, Ended> {
        let Loaded { sequencer, mut command_cursor, mut snapshot } = load(&self.deps, &self.row).await?;
        let mut sequencer = match sequencer {
            Some(sequencer) => sequencer,
            None => self.open().await?,
        };
        self.deps.health.report(NAME, sequencer.venue.seq().0);
        let mut step_cursor = sequencer.venue.step();
        let mut compaction = Compaction::default();
        let (mut outbox, mut outage) = (publish::Outbox::default(), FIRST_WAIT);
        let mut wipes = self.deps.bus.wipes();
        loop {
            // Between batches alone: what is committed is also answered.
            if shutdown.is_cancelled() {
                return Err(Ended::Asked);
            }
            if !self.lease.is_held() {
                return Err(Ended::Again("the lease is lost".to_owned()));
            }
            if wipes.has_changed().unwrap_or(false) {
                wipes.mark_unchanged();
                outbox.doubt();
            }
            let gathered = async {
                if outbox.is_in_doubt() {
                    self.restore_bus(&sequencer, &mut outbox, command_cursor).await?;
                }
                Ok(self.gather(&mut command_cursor, &mut step_cursor).await?)
            };
            let (commands, steps) = match gathered.await {
                Ok(gathered) => gathered,
                Err(PublishError::Bus(error)) => {
                    // Nothing is in hand that the journal lacks: memory stays.
                    outbox.doubt();
                    self.sit_out(&error, &mut outage, shutdown).await;
                    continue;
                }
                Err(PublishError::Store(error)) => return Err(error.into()),
            };
            outage = FIRST_WAIT;
            let mut pending = Pending::default();
            for message in commands {
                command_cursor = command_cursor.max(message.id);
                self.decide(&mut sequencer, message, &mut pending).await?;
            }
            for message in steps {
                step_cursor = message.id;
                self.take_step(&mut sequencer, &message, &mut pending).await?;
            }
            if pending.commands.is_empty() && pending.entries.is_empty() {
                self.requeued.clear();
                if compaction.is_due() {
                    compaction.piece(&self.deps.store, self.row.id, self.epoch).await?;
                } else {
                    self.wait(command_cursor, step_cursor, &mut wipes, shutdown).await?;
                }
                continue;
            }
            self.settle(&sequencer, &mut outbox, pending, command_cursor).await?;
            self.deps.health.report(NAME, sequencer.venue.seq().0);
            if sequencer.venue.seq().0 >= snapshot.0 + self.deps.settings.snapshot_entries.max(1) {
                if let Some(second) = self.save_snapshot(&sequencer).await? {
                    compaction.allow(second);
                }
                snapshot = sequencer.venue.seq();
            }
            if compaction.is_due() {
                compaction.piece(&self.deps.store, self.row.id, self.epoch).await?;
            }
        }
    }

    /// Gives a bus that has lost something what it should have.
    async fn restore_bus(
        &self,
        sequencer: &Sequencer,
        outbox: &mut publish::Outbox,
        command_cursor: u64,
    ) -> Result<(), PublishError> {
        self.deps.bus.resume(&self.deps.streams.command, command_cursor).await?;
        outbox.catch_up(&self.deps, &sequencer.venue).await?;
        publish::status(&self.deps, &TradingStatus::Running).await;
        self.deps.health.report(NAME, sequencer.venue.seq().0);
        Ok(())
    }

    /// What waits to be decided. Commands are kept until they are answered,
    /// whatever happens on the way.
    async fn gather(
        &mut self,
        command_cursor: &mut u64,
        step_cursor: &mut u64,
    ) -> Result<(Vec<Message>, Vec<Message>), BusError> {
        let after = self.requeued.last().map_or(0, |message| message.id).max(*command_cursor);
        let (more, steps) =
            tokio::try_join!(self.waiting_commands(command_cursor, after), self.waiting_steps(step_cursor))?;
        self.requeued.extend(more);
        Ok((self.requeued.clone(), steps))
    }

    /// Rests while the bus is away.
    async fn sit_out(&self, error: &BusError, wait: &mut Duration, shutdown: &Shutdown) {
        tracing::warn!(event = "sequencer_waits", %error, "The sequencer waits for the bus.");
        if *wait > FIRST_WAIT * 4 {
            self.deps.health.fail(NAME, &error.to_string());
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = pause(*wait) => {}
        }
        *wait = (*wait * 2).min(LONGEST_WAIT);
    }

    /// Entry 1: configuration, rules and the commitment to the seed.
    async fn open(&mut self) -> Result<Sequencer, Ended> {
        let seed_commitment = self.row.seed_commitment;
        let (venue, outcome) =
            Venue::open(self.row.config.clone(), seed_commitment).map_err(TradingError::from)?;
        let input = Input::VenueOpened { config: Box::new(self.row.config.clone()), seed_commitment };
        let entry = JournalEntry::new(GENESIS, &input, &outcome);
        let sequencer = Sequencer { venue, head: entry.hash };
        let new = NewEntry { kind: EntryKind::Opened, entry, outcome, payload: None };
        self.commit(vec![new], None).await?;
        tracing::info!(event = "venue_opened", venue = %self.row.id, %seed_commitment, "The venue is open.");
        Ok(sequencer)
    }

    /// Waits until a command or a step is there, or the bus has been wiped.
    async fn wait(
        &self,
        command_cursor: u64,
        step_cursor: u64,
        wipes: &mut watch::Receiver<u64>,
        shutdown: &Shutdown,
    ) -> Result<(), Ended> {
        let (bus, streams) = (&self.deps.bus, &self.deps.streams);
        tokio::select! {
            () = shutdown.cancelled() => {}
            woken = bus.read_after(&streams.command, command_cursor, 1) => { woken?; }
            woken = bus.read_after(&streams.marketdata, step_cursor, 1) => { woken?; }
            // The flag stays up for whoever looks next.
            () = wiped(wipes) => {}
        }
        Ok(())
    }

    async fn save_snapshot(&self, sequencer: &Sequencer) -> Result<Option<Seq>, Ended> {
        let state = sequencer.venue.snapshot();
        let snapshot = SnapshotRow {
            seq: sequencer.venue.seq(),
            step: sequencer.venue.step(),
            rules_version: RULES_VERSION,
            state_hash: Digest::of(&[&state]),
            state,
            journal_hash: sequencer.head,
        };
        Ok(self.deps.store.save_snapshot(self.row.id, self.epoch, &snapshot).await?)
    }

    /// Tells everybody who asks, until the end, that nothing is decided here.
    async fn halted(&self, reason: String, shutdown: &Shutdown) -> Result<(), TradingError> {
        tracing::error!(event = "trading_halted", %reason, "Trading is halted.");
        metrics::gauge!("tradefloor_trading_halted").set(1.0);
        self.deps.health.fail(NAME, &format!("trading_halted: {reason}"));
        let status = TradingStatus::Halted { reason };
        publish::status(&self.deps, &status).await;
        let (bus, stream) = (&self.deps.bus, &self.deps.streams.command);
        let (mut cursor, mut wipes) = (0, bus.wipes());
        loop {
            let batch = tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                Ok(()) = wipes.changed() => {
                    publish::status(&self.deps, &status).await;
                    continue;
                }
                batch = bus.read_after(stream, cursor, COMMANDS) => batch?,
            };
            let messages = match batch {
                Batch::Messages(messages) => messages,
                Batch::Trimmed { through } => {
                    cursor = through;
                    continue;
                }
            };
            for message in messages {
                cursor = message.id;
                if let Some(command) =
                    decode_or_bury::<CommandMessage>(bus, self.row.id, stream, &message).await
                {
                    publish::replies(&self.deps, vec![(command.correlation, CommandReply::TradingHalted)])
                        .await;
                }
            }
        }
    }
}

/// Waits for a wipe that has not been seen; it stays unseen.
async fn wiped(wipes: &mut watch::Receiver<u64>) {
    match wipes.changed().await {
        Ok(()) => wipes.mark_changed(),
        // A bus without wipes.
        Err(_) => std::future::pending().await,
    }
}
