//! The gateway's read model of the venue, which follows the streams of the trading
//! and portfolio agents.
//!
//! It starts from trading's newest snapshot and follows the journal from there.
//! Every read is consistent, as of one entry. Decides nothing.

mod encoded;
mod view;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use engine::book::BookSnapshot;
use engine::candle::Interval;
use engine::id::{AccountId, Seq, VenueId};
use engine::quote::QuotesSnapshot;
use engine::replica::Gap;
use engine::time::VenueTime;
use engine::venue::{Input, Venue};
use protocol::bus::{ClockStatus, PortfolioMessage, SequencerStatus};
use protocol::socket::{ClockPhase, ClockUpdate};
use tokio::sync::watch;
use tokio::time::interval;

use crate::bus::{Batch, Bus, BusError, StreamNames, decode};
use crate::clock::sleep;
use crate::journal::{Follower, JournalBatch, JournalError};
use crate::shutdown::Shutdown;
use crate::store::history::{CANDLES_CONSUMER, CandleWindow};
use crate::store::journal::EntryKind;
use crate::store::snapshots::SnapshotRow;
use crate::store::{Store, StoreError};

pub(crate) use encoded::{Encoded, encode, encode_update, parts};
pub(crate) use view::{AccountItems, Stamped, VenueView};

/// Most messages taken from a stream at once, and keys read at once.
const BATCH_MAX_MESSAGES: usize = 256;

/// State snapshots to try, newest first.
const MAX_SNAPSHOTS: u32 = 2;

/// Entries before a snapshot whose matches are shown again after a start.
const TAPE_HISTORY_ENTRIES: u64 = 1_000;

/// Delay between two looks for the books that trading publishes when it starts:
/// nothing announces them.
const BOOKS_RETRY_DELAY: Duration = Duration::from_millis(20);

/// Time between two looks at what the clock and the sequencer last reported:
/// nothing announces all of it.
const STATUS_INTERVAL: Duration = Duration::from_millis(500);

/// Attempts to read candles and their journal position as of one transaction.
const MAX_CANDLE_READS: u32 = 10;

/// Longest that a reader waits for the model to reach an entry.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// The reason why following stopped.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The journal cannot be followed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The venue is not there yet, or its journal cannot be read.
    #[error("{0}")]
    Venue(String),
}

impl From<Gap> for FollowError {
    fn from(gap: Gap) -> Self {
        Self::Store(StoreError::Corrupt(format!("the journal has a gap: entry {gap}")))
    }
}

/// The read model; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct ReadModel {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    venue: VenueId,
    store: Store,
    bus: Bus,
    streams: StreamNames,
    view: RwLock<Option<VenueView>>,
    /// The last entry of the newest consistent view.
    through: watch::Sender<Seq>,
    /// Its version: most entries change nothing that can be subscribed to.
    version: watch::Sender<u64>,
}

impl ReadModel {
    /// Empty until [`ReadModel::follow`] runs.
    pub(crate) fn new(venue: VenueId, store: Store, bus: Bus, streams: StreamNames) -> Self {
        let (through, version) = (watch::Sender::default(), watch::Sender::default());
        let view = RwLock::new(None);
        Self { shared: Arc::new(Shared { venue, store, bus, streams, view, through, version }) }
    }

    /// Reads a consistent view; `None` while there is none.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&VenueView) -> T) -> Option<T> {
        let view = self.shared.view.read().unwrap_or_else(PoisonError::into_inner);
        view.as_ref().filter(|view| view.is_consistent()).map(read)
    }

    /// Changes with every consistent view that has something new.
    pub(crate) fn versions(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }

    /// Changes with every consistent view, also where only time has passed.
    pub(crate) fn entries(&self) -> watch::Receiver<Seq> {
        self.shared.through.subscribe()
    }

    /// Waits until the model has applied entry `seq`; false after
    /// [`READ_TIMEOUT`].
    pub(crate) async fn wait_for_seq(&self, seq: Seq) -> bool {
        self.wait_until(|view| view.market().through >= seq).await
    }

    /// Waits, at most [`READ_TIMEOUT`], until the model has `account`: a user who
    /// has just registered may be ahead of it.
    pub(crate) async fn wait_for_account(&self, account: AccountId) {
        let has_account = |view: &VenueView| view.account(account).is_ok();
        if self.read(has_account) == Some(false) {
            self.wait_until(has_account).await;
        }
    }

    async fn wait_until(&self, holds: impl Fn(&VenueView) -> bool) -> bool {
        let mut entries = self.entries();
        let reached = async {
            while self.read(&holds) != Some(true) {
                if entries.changed().await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(READ_TIMEOUT, reached).await.unwrap_or(false)
    }

    /// Follows the venue until `shutdown`; `progress` receives each entry reached.
    ///
    /// # Errors
    /// [`FollowError`]; running again starts from the store.
    pub(crate) async fn follow(&self, shutdown: Shutdown, progress: impl Fn(Seq)) -> Result<(), FollowError> {
        let shared = &self.shared;
        let mut journal = self.load().await?;
        let mut valuation_id = shared.bus.last_id(&shared.streams.risk).await?;
        self.read_newest_valuations().await?;
        self.wait_until_consistent(&mut journal, &shutdown).await?;
        let mut status_due = interval(STATUS_INTERVAL);
        status_due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            progress(journal.through());
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                _ = status_due.tick() => self.read_clock().await,
                batch = journal.next() => match batch {
                    Ok(batch) => self.apply_journal(batch, &mut journal, &shutdown).await?,
                    // The next batch comes from the store.
                    Err(JournalError::UnreadableExecution { .. }) => {}
                    Err(error) => return Err(error.into()),
                },
                batch = shared.bus.read_after(&shared.streams.risk, valuation_id, BATCH_MAX_MESSAGES) => {
                    valuation_id = self.apply_valuations(batch?, valuation_id).await;
                }
            }
        }
    }

    /// Applies `batch` and everything that was read with it.
    async fn apply_journal(
        &self,
        batch: JournalBatch,
        journal: &mut Follower,
        shutdown: &Shutdown,
    ) -> Result<(), FollowError> {
        let mut next = Some(batch);
        while let Some(batch) = next {
            match batch {
                JournalBatch::Published { batch, .. } => {
                    self.change(|view| view.apply(&batch)).transpose()?;
                }
                JournalBatch::Stored(entries) => {
                    self.change(|view| view.apply_stored(&entries)).transpose()?;
                    self.wait_until_consistent(journal, shutdown).await?;
                }
            }
            next = journal.next_buffered();
        }
        self.announce();
        Ok(())
    }

    /// Applies what the risk stream had after message `after`; returns the last
    /// message applied.
    async fn apply_valuations(&self, batch: Batch, mut after: u64) -> u64 {
        let shared = &self.shared;
        match batch {
            // The next valuation of an account makes up for those lost.
            Batch::Trimmed { through } => after = through,
            Batch::Messages(messages) => {
                for message in messages {
                    let (bus, stream) = (&shared.bus, &shared.streams.risk);
                    let decoded = decode::decode_or_dead_letter::<PortfolioMessage>(
                        bus,
                        shared.venue,
                        stream,
                        &message,
                        after,
                    )
                    .await;
                    if let Some(valuation) = decoded {
                        after = message.id;
                        self.change(|view| view.apply_valuation(valuation));
                    }
                }
                self.announce();
            }
        }
        after
    }

    /// Reads what the clock and the sequencer last reported. While the bus is away
    /// the last state stands.
    async fn read_clock(&self) {
        let Shared { venue, bus, streams, .. } = &*self.shared;
        let keys = [streams.clock_status.clone(), streams.trading_status.clone()];
        let Ok(newest) = bus.get_all_latest(&keys).await else { return };
        let [clock, trading] = newest.as_slice() else { return };
        let clock: Option<ClockStatus> = clock.as_ref().and_then(|bytes| decode::decode(*venue, bytes).ok());
        let trading: Option<SequencerStatus> = trading.as_ref().and_then(|bytes| decode::json(bytes).ok());
        let Some(ClockStatus { mode, speed_milli, .. }) = clock else { return };
        let phase = match trading {
            Some(SequencerStatus::Halted { .. }) => ClockPhase::Halted,
            _ => ClockPhase::from_mode(&mode).unwrap_or(ClockPhase::Running),
        };
        self.change(|view| view.set_clock(ClockUpdate { phase, speed_milli }));
        self.announce();
    }

    /// Starts from the newest snapshot that can be read, else from entry 1.
    async fn load(&self) -> Result<Follower, FollowError> {
        let Shared { venue: id, store, bus, streams, .. } = &*self.shared;
        let version = self.peek(VenueView::version).unwrap_or_default();
        let snapshots = store.state_snapshots(*id, MAX_SNAPSHOTS).await?;
        let restored = snapshots.iter().find_map(SnapshotRow::restore);
        let venue = match restored {
            Some(venue) => venue,
            None => self.opened_venue().await?,
        };
        let mut view = VenueView::new(&venue, version);
        let candles_through = self.read_candles(&mut view).await?;
        // Beyond the older snapshot entries may be compacted, without their tape.
        let dense_from = snapshots.last().map_or(0, |snapshot| snapshot.seq.0);
        let wanted_from = candles_through.0.min(venue.seq().0.saturating_sub(TAPE_HISTORY_ENTRIES));
        let mut journal =
            Follower::new(*id, store.clone(), bus.clone(), streams, Seq(dense_from.max(wanted_from)));
        while let Some(JournalBatch::Stored(entries)) = journal.next_stored().await? {
            view.apply_stored(&entries)?;
        }
        *self.shared.view.write().unwrap_or_else(PoisonError::into_inner) = Some(view);
        self.read_day_opens(venue.config().t0).await?;
        Ok(journal)
    }

    /// Reads the newest stored candles, which a snapshot does not contain, and
    /// returns the last entry that is in them.
    async fn read_candles(&self, view: &mut VenueView) -> Result<Seq, FollowError> {
        let Shared { venue, store, streams, .. } = &*self.shared;
        let cursor = || store.history_cursor(*venue, CANDLES_CONSUMER, &streams.execution);
        let mut through = cursor().await?;
        for _ in 0..MAX_CANDLE_READS {
            let mut newest = Vec::new();
            for instrument in view.instrument_ids() {
                for interval in Interval::ALL {
                    let window = CandleWindow { instrument, interval, from: None, to: None, limit: 1 };
                    let candles = store.candles(*venue, window).await?;
                    newest.extend(candles.into_iter().map(|candle| (instrument, interval, candle)));
                }
            }
            let before = std::mem::replace(&mut through, cursor().await?);
            // Both stand in one transaction, so an equal position means equal candles.
            if before == through {
                view.resume_candles(newest, Seq(through));
                return Ok(Seq(through));
            }
        }
        let message = "candles are written faster than they can be read";
        Err(FollowError::Venue(message.to_owned()))
    }

    /// Reads the day's first prices, which a snapshot does not contain.
    async fn read_day_opens(&self, t0: VenueTime) -> Result<(), FollowError> {
        let shared = &self.shared;
        let listed = self.peek(|view| (view.market().time, view.instrument_ids()));
        let Some((time, instruments)) = listed else { return Ok(()) };
        let today = Interval::D1.start(t0, time);
        for instrument in instruments {
            let newest = CandleWindow { instrument, interval: Interval::D1, from: None, to: None, limit: 1 };
            let candles = shared.store.candles(shared.venue, newest).await?;
            if let Some(day) = candles.iter().find(|candle| candle.start == today) {
                self.change(|view| view.set_day_open(instrument, day.open));
            }
        }
        Ok(())
    }

    /// The venue as entry 1 left it.
    async fn opened_venue(&self) -> Result<Venue, FollowError> {
        let shared = &self.shared;
        let missing = |what: &str| FollowError::Venue(format!("the venue's journal {what}"));
        let mut rows = shared.store.journal_after(shared.venue, Seq(0), 1).await?;
        if rows.is_empty() {
            // Trading is about to write and publish it.
            let opened = shared.bus.read_after(&shared.streams.execution, 0, 1);
            let _ = tokio::time::timeout(READ_TIMEOUT, opened).await;
            rows = shared.store.journal_after(shared.venue, Seq(0), 1).await?;
        }
        let first = rows.first().filter(|row| row.kind == EntryKind::Opened);
        let first = first.ok_or_else(|| missing("has not begun"))?;
        match first.entry().input() {
            Ok(Input::VenueOpened { config, seed_commitment }) => {
                let opened = Venue::open_with_rules(first.rules_version, *config, seed_commitment);
                opened.map(|(venue, _)| venue).map_err(|error| missing(&error.to_string()))
            }
            _ => Err(missing("does not begin with its opening")),
        }
    }

    /// Applies the rest of the stored journal.
    async fn refill(&self, journal: &mut Follower) -> Result<(), FollowError> {
        while let Some(JournalBatch::Stored(entries)) = journal.next_stored().await? {
            self.change(|view| view.apply_stored(&entries)).transpose()?;
        }
        Ok(())
    }

    /// Waits until the newest published books fit the journal: trading publishes
    /// them when it starts.
    async fn wait_until_consistent(
        &self,
        journal: &mut Follower,
        shutdown: &Shutdown,
    ) -> Result<(), FollowError> {
        loop {
            // A bus that is away comes back, and trading publishes the books again.
            if let Err(error) = self.read_newest_books().await {
                tracing::warn!(event = "books_unread", %error, "newest books cannot be read yet");
            }
            let Some(newest) = self.peek(VenueView::newest_book) else { return Ok(()) };
            if newest > journal.through() {
                self.refill(journal).await?;
            }
            if self.read(|_| ()).is_some() {
                self.announce();
                return Ok(());
            }
            tracing::debug!(
                event = "books_awaited",
                through = journal.through().0,
                "waiting for newest books"
            );
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = sleep(BOOKS_RETRY_DELAY) => self.refill(journal).await?,
            }
        }
    }

    async fn read_newest_books(&self) -> Result<(), BusError> {
        let shared = &self.shared;
        let ids = self.peek(VenueView::instrument_ids).unwrap_or_default();
        let keys: Vec<_> = ids.into_iter().map(|id| shared.streams.book(id)).collect();
        let (mut books, mut quotes) = (Vec::new(), Vec::new());
        for bytes in shared.bus.get_all_latest(&keys).await?.into_iter().flatten() {
            if let Ok(book) = decode::json::<BookSnapshot>(&bytes) {
                books.push(book);
            } else if let Ok(snapshot) = decode::json::<QuotesSnapshot>(&bytes) {
                quotes.push(snapshot);
            }
        }
        self.change(|view| view.set_books(books, quotes));
        Ok(())
    }

    /// Reads every account's newest valuation, so that the first view is complete
    /// before anything moves.
    async fn read_newest_valuations(&self) -> Result<(), BusError> {
        let shared = &self.shared;
        let accounts = self.peek(VenueView::account_ids).unwrap_or_default();
        for some in accounts.chunks(BATCH_MAX_MESSAGES) {
            let keys: Vec<_> = some.iter().map(|account| shared.streams.portfolio(*account)).collect();
            for bytes in shared.bus.get_all_latest(&keys).await?.into_iter().flatten() {
                if let Ok(valuation) = decode::decode::<PortfolioMessage>(shared.venue, &bytes) {
                    self.change(|view| view.apply_valuation(Arc::new(valuation)));
                }
            }
        }
        Ok(())
    }

    /// Reads the view even while it is inconsistent.
    fn peek<T>(&self, read: impl FnOnce(&VenueView) -> T) -> Option<T> {
        self.shared.view.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(read)
    }

    fn change<T>(&self, change: impl FnOnce(&mut VenueView) -> T) -> Option<T> {
        self.shared.view.write().unwrap_or_else(PoisonError::into_inner).as_mut().map(change)
    }

    fn announce(&self) {
        if let Some((through, version)) = self.read(|view| (view.market().through, view.version())) {
            self.shared.through.send_replace(through);
            self.shared
                .version
                .send_if_modified(|announced| std::mem::replace(announced, version) != version);
        }
    }
}

#[cfg(test)]
mod tests;
