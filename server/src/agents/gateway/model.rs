//! The gateway's picture of the venue, kept by following what trading and
//! portfolio publish.
//!
//! It starts from trading's newest snapshot and the journal after it, goes on
//! with the execution stream, and refills from the journal wherever the stream
//! left a gap. Every read is one consistent cut. Does not decide anything.

mod encoded;
mod execution;
mod replica;
mod view;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use engine::book::BookSnapshot;
use engine::candle::Interval;
use engine::id::{AccountId, Seq, VenueId};
use engine::quote::QuotesSnapshot;
use engine::time::VenueTime;
use engine::venue::{Input, Venue};
use protocol::bus::{ExecutionBatch, PortfolioMessage};
use tokio::sync::watch;

use crate::bus::{Batch, Bus, BusError, StreamNames, decode};
use crate::shutdown::Shutdown;
use crate::store::history::CandleWindow;
use crate::store::journal::EntryKind;
use crate::store::{Store, StoreError};

pub(crate) use encoded::{Encoded, frame, parts, update};
pub(crate) use replica::{Followed, Stamped, VenueReplica};

/// Messages taken from a stream at once.
const READ: usize = 256;

/// Journal rows read at once.
const ROWS: u32 = 1_000;

/// Entries before a snapshot whose matches are shown again after a start.
const TAPE_ENTRIES: u64 = 1_000;

/// How long to wait for trading to publish its books at start-up, between two
/// looks.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long a reader waits for the model to reach an entry.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why following stopped.
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

/// The picture; clones share it.
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
    state: RwLock<Option<VenueReplica>>,
    /// The last entry of the newest consistent state.
    reached: watch::Sender<Seq>,
    /// Its version: most entries change nothing that anybody follows.
    changed: watch::Sender<u64>,
}

impl ReadModel {
    /// Empty until [`ReadModel::follow`] runs.
    pub(crate) fn new(venue: VenueId, store: Store, bus: Bus, streams: StreamNames) -> Self {
        let (reached, changed) = (watch::Sender::default(), watch::Sender::default());
        let state = RwLock::new(None);
        Self { shared: Arc::new(Shared { venue, store, bus, streams, state, reached, changed }) }
    }

    /// Reads one consistent cut; `None` before there is any.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&VenueReplica) -> T) -> Option<T> {
        let state = self.shared.state.read().unwrap_or_else(PoisonError::into_inner);
        state.as_ref().filter(|state| state.is_consistent()).map(look)
    }

    /// Wakes when a consistent cut has something new.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Wakes at every new consistent cut, also where time alone has moved.
    pub(crate) fn entries(&self) -> watch::Receiver<Seq> {
        self.shared.reached.subscribe()
    }

    /// Waits until the picture holds entry `seq`; `false` when that takes too
    /// long.
    pub(crate) async fn wait_for_seq(&self, seq: Seq) -> bool {
        self.until(|state| state.through >= seq).await
    }

    /// Waits a while until the picture holds `account`: whoever has just been
    /// let in may be ahead of it.
    pub(crate) async fn wait_for_account(&self, account: AccountId) {
        let known = |state: &VenueReplica| state.account(account).is_some();
        if self.read(known) == Some(false) {
            self.until(known).await;
        }
    }

    async fn until(&self, holds: impl Fn(&VenueReplica) -> bool) -> bool {
        let mut reached = self.entries();
        let there = async {
            while self.read(&holds) != Some(true) {
                if reached.changed().await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(PATIENCE, there).await.unwrap_or(false)
    }

    /// Follows the venue until `shutdown`; `progress` hears each entry reached.
    ///
    /// # Errors
    /// When store or bus fail: run it again.
    pub(crate) async fn follow(&self, shutdown: Shutdown, progress: impl Fn(Seq)) -> Result<(), FollowError> {
        let shared = &self.shared;
        let first = self.load().await?;
        let mut executions = first.0;
        let mut valuations = shared.bus.last_id(&shared.streams.risk).await?;
        self.take_newest_valuations().await?;
        self.wait_until_consistent(&shutdown).await?;
        loop {
            progress(Seq(executions));
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                batch = shared.bus.read_after(&shared.streams.execution, executions, READ) => {
                    executions = self.executions(batch?, executions, &shutdown).await?;
                }
                batch = shared.bus.read_after(&shared.streams.risk, valuations, READ) => {
                    valuations = self.valuations(batch?, valuations).await;
                }
            }
        }
    }

    async fn executions(
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
            let read = decode::decode_shared::<ExecutionBatch>(&shared.bus, shared.venue, &message);
            let applied = match read {
                Ok(batch) => self.change(|state| state.apply(&batch).is_ok()),
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

    async fn valuations(&self, batch: Batch, mut after: u64) -> u64 {
        let shared = &self.shared;
        match batch {
            // The next valuation of an account makes up for any that is gone.
            Batch::Trimmed { through } => after = through,
            Batch::Messages(messages) => {
                for message in messages {
                    after = message.id;
                    let (bus, stream) = (&shared.bus, &shared.streams.risk);
                    let read = decode::decode_or_dead_letter::<PortfolioMessage>(
                        bus,
                        shared.venue,
                        stream,
                        &message,
                    )
                    .await;
                    if let Some(valuation) = read {
                        self.change(|state| {
                            state.apply_portfolio(valuation);
                            true
                        });
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
        let version = self.peek(|state| state.version).unwrap_or_default();
        let snapshots = shared.store.state_snapshots(shared.venue, 2).await?;
        let restored = snapshots.iter().find_map(|snapshot| Venue::restore(&snapshot.state).ok());
        let venue = match restored {
            Some(venue) => venue,
            None => self.opened().await?,
        };
        let mut state = VenueReplica::new(&venue, version);
        // Beyond the older snapshot entries may be merged, without their tape.
        let whole = snapshots.last().map_or(0, |snapshot| snapshot.seq.0);
        let mut after = Seq(whole.max(venue.seq().0.saturating_sub(TAPE_ENTRIES)));
        while after < venue.seq() {
            let rows = shared.store.journal_after(shared.venue, after, ROWS).await?;
            let Some(last) = rows.last() else { break };
            after = last.seq;
            for row in rows.iter().filter(|row| row.seq <= venue.seq()) {
                state.recall(&row.outcome()?);
            }
        }
        *self.shared.state.write().unwrap_or_else(PoisonError::into_inner) = Some(state);
        self.refill().await?;
        self.take_day_opens(venue.config().t0).await?;
        Ok(self.through())
    }

    /// Where the day's prices began, which a snapshot does not say.
    async fn take_day_opens(&self, t0: VenueTime) -> Result<(), FollowError> {
        let shared = &self.shared;
        let now = self.peek(|state| (state.time, state.instruments.keys().copied().collect::<Vec<_>>()));
        let Some((time, instruments)) = now else { return Ok(()) };
        let today = Interval::D1.start(t0, time);
        for instrument in instruments {
            let newest = CandleWindow { instrument, interval: Interval::D1, from: None, to: None, limit: 1 };
            let candles = shared.store.candles(shared.venue, newest).await?;
            if let Some(day) = candles.iter().find(|candle| candle.start == today) {
                self.change(|state| state.opened_at(instrument, day.open));
            }
        }
        Ok(())
    }

    /// The venue as entry 1 left it.
    async fn opened(&self) -> Result<Venue, FollowError> {
        let shared = &self.shared;
        let missing = |what: &str| FollowError::Venue(format!("the venue's journal {what}"));
        let mut rows = shared.store.journal_after(shared.venue, Seq(0), 1).await?;
        if rows.is_empty() {
            // Trading is about to begin it, and says so.
            let begun = shared.bus.read_after(&shared.streams.execution, 0, 1);
            let _ = tokio::time::timeout(PATIENCE, begun).await;
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

    /// Takes from the journal everything after what is in.
    async fn refill(&self) -> Result<(), FollowError> {
        let shared = &self.shared;
        loop {
            let rows = shared.store.journal_after(shared.venue, self.through(), ROWS).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for row in &rows {
                let (outcome, dense) = (row.outcome()?, row.kind != EntryKind::Range);
                self.change(|state| {
                    state.refill(&outcome, dense);
                    true
                });
            }
        }
    }

    /// Waits until the newest published books fit the journal: trading puts
    /// them on the bus when it starts.
    async fn wait_until_consistent(&self, shutdown: &Shutdown) -> Result<(), FollowError> {
        loop {
            // A bus that is away comes back, and trading puts the books again.
            if let Err(error) = self.take_published_books().await {
                tracing::warn!(event = "books_unread", %error, "newest books cannot be read yet");
            }
            let Some(newest) = self.newest_book() else { return Ok(()) };
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
                () = look_again() => self.refill().await?,
            }
        }
    }

    async fn take_published_books(&self) -> Result<(), BusError> {
        let shared = &self.shared;
        let ids = self.peek(|state| state.instruments.keys().copied().collect::<Vec<_>>());
        let keys: Vec<_> = ids.unwrap_or_default().into_iter().map(|id| shared.streams.book(id)).collect();
        let found = shared.bus.get_all_latest(&keys).await?.into_iter().flatten();
        let (mut books, mut quotes) = (Vec::new(), Vec::new());
        for bytes in found {
            if let Ok(book) = decode::json::<BookSnapshot>(&bytes) {
                books.push(book);
            } else if let Ok(board) = decode::json::<QuotesSnapshot>(&bytes) {
                quotes.push(board);
            }
        }
        self.change(|state| {
            state.take_books(books, quotes);
            true
        });
        Ok(())
    }

    /// Everybody's newest valuation, so that the first picture is whole before
    /// anything moves.
    async fn take_newest_valuations(&self) -> Result<(), BusError> {
        let shared = &self.shared;
        let accounts = self.peek(|state| state.accounts.keys().copied().collect::<Vec<_>>());
        for some in accounts.unwrap_or_default().chunks(READ) {
            let keys: Vec<_> = some.iter().map(|account| shared.streams.portfolio(*account)).collect();
            for bytes in shared.bus.get_all_latest(&keys).await?.into_iter().flatten() {
                if let Ok(valuation) = decode::decode::<PortfolioMessage>(shared.venue, &bytes) {
                    self.change(|state| {
                        state.apply_portfolio(Arc::new(valuation));
                        true
                    });
                }
            }
        }
        Ok(())
    }

    fn through(&self) -> Seq {
        self.peek(|state| state.through).unwrap_or_default()
    }

    fn newest_book(&self) -> Option<Seq> {
        self.peek(VenueReplica::newest_book)
    }

    /// Reads the state even while it is being put together.
    fn peek<T>(&self, look: impl FnOnce(&VenueReplica) -> T) -> Option<T> {
        self.shared.state.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(look)
    }

    fn change(&self, change: impl FnOnce(&mut VenueReplica) -> bool) -> bool {
        let mut state = self.shared.state.write().unwrap_or_else(PoisonError::into_inner);
        state.as_mut().is_some_and(change)
    }

    fn announce(&self) {
        if let Some((through, version)) = self.read(|state| (state.through, state.version)) {
            self.shared.reached.send_replace(through);
            self.shared.changed.send_if_modified(|known| std::mem::replace(known, version) != version);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing announces that trading has put its books on the bus")]
async fn look_again() {
    tokio::time::sleep(LOOK_AGAIN).await;
}

#[cfg(test)]
mod tests;
