//! The agent's task: to lead, to load, to work, and to begin again when that
//! fails.
//!
//! Does not know how anything is decided or stored.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::id::{Digest, Seq};
use engine::venue::journal::{GENESIS, JournalEntry};
use engine::venue::{Input, Venue};
use uuid::Uuid;

use super::sequencer::Sequencer;
use super::{Deps, NAME, TradingError, pause, publish};
use crate::bus::decode::decode_or_bury;
use crate::bus::messages::{CommandMessage, CommandReply, TradingStatus};
use crate::bus::{Batch, BusError, Message};
use crate::shutdown::Shutdown;
use crate::store::StoreError;
use crate::store::journal::{EntryKind, NewEntry, VenueRow};
use crate::store::lease::Lease;
use crate::store::snapshots::SnapshotRow;

/// Commands that one batch takes at most.
pub(super) const COMMANDS: usize = 256;

/// Pause before it loads again after store or bus failed; doubles up to
/// [`LONGEST_WAIT`].
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(50);
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(2);

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
    if let Some(lease) = deps.store.try_acquire_lease(deps.venue).await? {
        return Ok(Some(lease));
    }
    tracing::info!(event = "sequencer_stands_by", "Another sequencer has the venue; this one waits.");
    deps.health.stand_by(NAME);
    tokio::select! {
        () = shutdown.cancelled() => Ok(None),
        lease = deps.store.acquire_lease(deps.venue) => {
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
                metrics::counter!("tickhall_sequencer_reloads_total").increment(1);
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
    /// Commands that are not answered. After a commit that failed they are
    /// looked at again, since the stored cursor may have moved past them. All
    /// are harmless to repeat.
    pub(super) requeued: Vec<Message>,
    /// Commands that made the venue panic: buried when met again.
    pub(super) poisoned: BTreeSet<u64>,
}

impl Life {
    /// Entry 1: configuration, rules and the commitment to the seed.
    pub(super) async fn open(&mut self) -> Result<Sequencer, Ended> {
        let seed_commitment = self.row.seed_commitment;
        let (venue, outcome) =
            Venue::open(self.row.config.clone(), seed_commitment).map_err(TradingError::from)?;
        let input = Input::VenueOpened { config: Box::new(self.row.config.clone()), seed_commitment };
        let entry = JournalEntry::new(GENESIS, &input, &outcome);
        let sequencer = Sequencer { venue, head: entry.hash };
        let new = NewEntry { kind: EntryKind::Opened, entry, outcome, payload: None };
        self.commit(vec![new]).await?;
        tracing::info!(event = "venue_opened", venue = %self.row.id, %seed_commitment, "The venue is open.");
        Ok(sequencer)
    }

    pub(super) async fn save_snapshot(&self, sequencer: &Sequencer) -> Result<Option<Seq>, Ended> {
        let state = sequencer.venue.snapshot();
        let snapshot = SnapshotRow {
            seq: sequencer.venue.seq(),
            step: sequencer.venue.step(),
            rules_version: sequencer.venue.rules_version(),
            state_hash: Digest::of(&[&state]),
            state,
            journal_hash: sequencer.head,
        };
        Ok(self.deps.store.save_snapshot(self.row.id, self.epoch, &snapshot).await?)
    }

    /// Tells everybody who asks, until the end, that nothing is decided here.
    async fn halted(&self, reason: String, shutdown: &Shutdown) -> Result<(), TradingError> {
        tracing::error!(event = "trading_halted", %reason, "Trading is halted.");
        metrics::gauge!("tickhall_trading_halted").set(1.0);
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
                    let halted = publish::reply(&self.deps, command.correlation, CommandReply::TradingHalted);
                    publish::replies(&self.deps, vec![halted]).await;
                }
            }
        }
    }
}
