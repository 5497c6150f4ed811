//! The gateway's read model of the venue, kept by following the streams of the
//! trading and portfolio agents.
//!
//! It starts from trading's newest snapshot and the journal after it, continues
//! with the execution stream, and refills from the journal wherever the stream
//! has a gap. Every read is consistent, as of one entry. Decides nothing.

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
use protocol::bus::{ExecutionBatch, PortfolioMessage};
use tokio::sync::watch;

use crate::bus::{Batch, Bus, BusError, StreamNames, decode};
use crate::shutdown::Shutdown;
use crate::store::history::CandleWindow;
use crate::store::journal::EntryKind;
use crate::store::{Store, StoreError};

pub(crate) use encoded::{Encoded, encode, encode_update, parts};
pub(crate) use view::{AccountItems, Stamped, VenueView};

/// Most messages taken from a stream at once, and keys read at once.
const BATCH_MAX_MESSAGES: usize = 256;

/// Most journal rows read at once.
const JOURNAL_PAGE_ROWS: u32 = 1_000;

/// Entries before a snapshot whose matches are shown again after a start.
const TAPE_HISTORY_ENTRIES: u64 = 1_000;

/// Delay between two looks for the books that trading publishes when it starts.
const BOOKS_RETRY_DELAY: Duration = Duration::from_millis(20);

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

    /// Follows the venue until `shutdown`; `progress` is told each entry reached.
    ///
    /// # Errors
    /// When store or bus fail: run it again.
    pub(crate) async fn follow(&self, shutdown: Shutdown, progress: impl Fn(Seq)) -> Result<(), FollowError> {
        let shared = &self.shared;
        let mut execution_id = self.load().await?.0;
        let mut valuation_id = shared.bus.last_id(&shared.streams.risk).await?;
        self.read_newest_valuations().await?;
        self.wait_until_consistent(&shutdown).await?;
        loop {
            progress(Seq(execution_id));
            let (execution, risk) = (&shared.streams.execution, &shared.streams.risk);
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                batch = shared.bus.read_after(execution, execution_id, BATCH_MAX_MESSAGES) => {
                    execution_id = self.apply_executions(batch?, execution_id, &shutdown).await?;
                }
                batch = shared.bus.read_after(risk, valuation_id, BATCH_MAX_MESSAGES) => {
                    valuation_id = self.apply_valuations(batch?, valuation_id).await;
                }
            }
        }
    }

    /// Applies what the execution stream had after message `after`; returns the
    /// last message applied.
    async fn apply_executions(
        &self,
        batch: Batch,
        mut after: u64,
        shutdown: &Shutdown,
    ) -> Result<u64, FollowError> {
        let shared = &self.shared;
        let messages = match batch {
            Batch::Messages(messages) => messages,
            Batch::Trimmed { .. } => {
                self.refill().await?;
                self.wait_until_consistent(shutdown).await?;
                return Ok(self.through().0.max(after));
            }
        };
        for message in messages {
            after = message.id;
            let decoded = decode::decode_shared::<ExecutionBatch>(&shared.bus, shared.venue, &message);
            let applied = match decoded {
                Ok(batch) => self.change(|view| view.apply(&batch)).is_some_and(|applied| applied.is_ok()),
                Err(reason) => {
                    let (bus, stream) = (&shared.bus, &shared.streams.execution);
                    decode::dead_letter(bus, shared.venue, stream, &message, &reason.to_string()).await;
                    false
                }
            };
            if !applied {
                self.refill().await?;
                self.wait_until_consistent(shutdown).await?;
            }
        }
        self.announce();
        Ok(after)
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
                    after = message.id;
                    let (bus, stream) = (&shared.bus, &shared.streams.risk);
                    let decoded = decode::decode_or_dead_letter::<PortfolioMessage>(
                        bus,
                        shared.venue,
                        stream,
                        &message,
                    )
                    .await;
                    if let Some(valuation) = decoded {
                        self.change(|view| view.apply_valuation(valuation));
                    }
                }
                self.announce();
            }
        }
        after
    }

    /// Starts from the newest snapshot that can be read, else from entry 1.
    async fn load(&self) -> Result<Seq, FollowError> {
        let shared = &self.shared;
        let version = self.peek(VenueView::version).unwrap_or_default();
        let snapshots = shared.store.state_snapshots(shared.venue, 2).await?;
        let restored = snapshots.iter().find_map(|snapshot| Venue::restore(&snapshot.state).ok());
        let venue = match restored {
            Some(venue) => venue,
            None => self.opened_venue().await?,
        };
        let mut view = VenueView::new(&venue, version);
        // Beyond the older snapshot entries may be compacted, without their tape.
        let dense_from = snapshots.last().map_or(0, |snapshot| snapshot.seq.0);
        let mut after = Seq(dense_from.max(venue.seq().0.saturating_sub(TAPE_HISTORY_ENTRIES)));
        while after < venue.seq() {
            let rows = shared.store.journal_after(shared.venue, after, JOURNAL_PAGE_ROWS).await?;
            let Some(last) = rows.last() else { break };
            after = last.seq;
            for row in rows.iter().filter(|row| row.seq <= venue.seq()) {
                view.recall(&row.outcome()?);
            }
        }
        *shared.view.write().unwrap_or_else(PoisonError::into_inner) = Some(view);
        self.refill().await?;
        self.read_day_opens(venue.config().t0).await?;
        Ok(self.through())
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

    /// Applies everything that the journal has after the last entry applied.
    async fn refill(&self) -> Result<(), FollowError> {
        let shared = &self.shared;
        loop {
            let rows = shared.store.journal_after(shared.venue, self.through(), JOURNAL_PAGE_ROWS).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                let (outcome, is_compacted) = (row.outcome()?, row.kind == EntryKind::Range);
                self.change(|view| view.refill(row.first_seq, &outcome, is_compacted)).transpose()?;
            }
        }
    }

    /// Waits until the newest published books fit the journal: trading publishes
    /// them when it starts.
    async fn wait_until_consistent(&self, shutdown: &Shutdown) -> Result<(), FollowError> {
        loop {
            // A bus that is away comes back, and trading publishes the books again.
            if let Err(error) = self.read_newest_books().await {
                tracing::warn!(event = "books_unread", %error, "newest books cannot be read yet");
            }
            let Some(newest) = self.peek(VenueView::newest_book) else { return Ok(()) };
            if newest > self.through() {
                self.refill().await?;
            }
            if self.read(|_| ()).is_some() {
                self.announce();
                return Ok(());
            }
            tracing::debug!(event = "books_awaited", through = self.through().0, "waiting for newest books");
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = books_retry_delay() => self.refill().await?,
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
            } else if let Ok(message) = decode::json::<QuotesSnapshot>(&bytes) {
                quotes.push(message);
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

    fn through(&self) -> Seq {
        self.peek(|view| view.market().through).unwrap_or_default()
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
            self.shared.version.send_if_modified(|known| std::mem::replace(known, version) != version);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing announces that trading has published its books")]
async fn books_retry_delay() {
    tokio::time::sleep(BOOKS_RETRY_DELAY).await;
}

#[cfg(test)]
mod tests;
