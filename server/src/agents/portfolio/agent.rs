//! The agent's task: follows the journal, publishes and stores valuations.
//!
//! Does not know how a position is valued.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::id::{AccountId, Digest, Seq, VenueId};
use engine::portfolio::Valuation;
use engine::time::{MICROS_PER_SECOND, VenueTime};
use engine::venue::{ConfigError, Venue, VenueConfig};
use protocol::bus::{ExecutionBatch, PortfolioMessage};

use super::books::Books;
use crate::bus::decode::{bury, decode_shared};
use crate::bus::{Batch, Bus, BusError, Parcel, StreamNames};
use crate::shutdown::Shutdown;
use crate::store::journal::Cursor;
use crate::store::valuations::ValuationRecord;
use crate::store::{Store, StoreError};
use crate::telemetry::Health;

/// The agent's name in health, logs and cursors.
const NAME: &str = "portfolio";

/// Journal rows read at a time.
const PAGE: u32 = 1_000;

/// Messages taken at a time; accounts are valued once for all of them.
const MESSAGES: usize = 64;

/// Valuations that travel together.
const TOGETHER: usize = 256;

/// Venue time after which what somebody's trade did is stored, at the latest.
const SOON_US: i64 = 5 * MICROS_PER_SECOND;

/// How long valuations that the bus did not take wait.
const AGAIN: Duration = Duration::from_millis(500);

/// State snapshots looked at for one that is whole.
const SNAPSHOTS: u32 = 2;

/// Everything that the agent uses.
#[derive(Clone, Debug)]
pub struct Deps {
    /// Whose market.
    pub venue: VenueId,
    /// Its configuration, as journalled.
    pub config: VenueConfig,
    /// Where it listens and publishes.
    pub bus: Bus,
    /// Names on the bus.
    pub streams: StreamNames,
    /// Where journal and valuations are.
    pub store: Store,
    /// Where it reports.
    pub health: Health,
    /// Venue seconds between two stored valuations of an account.
    pub snapshot_seconds: u64,
}

/// Why the agent stopped.
#[derive(Debug, thiserror::Error)]
pub enum PortfolioError {
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The venue's configuration cannot be listed.
    #[error("the venue's configuration: {0}")]
    Config(#[from] ConfigError),
    /// An execution cannot be read: going on would show wrong books.
    #[error("message {id} of the execution stream cannot be read")]
    UnreadableExecution {
        /// The message.
        id: u64,
    },
}

/// Runs until `shutdown`; what has not been stored by then is stored before it
/// returns.
///
/// # Errors
/// [`PortfolioError`]; running again starts from the store.
pub async fn run(deps: Deps, shutdown: Shutdown) -> Result<(), PortfolioError> {
    let stored = deps.store.history_cursor(deps.venue, NAME, &deps.streams.execution).await?;
    let books = load(&deps).await?;
    let mut agent = Agent {
        to_store: books.touched_after(Seq(stored)),
        traded: BTreeSet::new(),
        extremes: BTreeMap::new(),
        stored_at: None,
        some_stored_at: None,
        cursor: books.through().0,
        unsent: lost(&deps, &books).await?,
        books,
        deps,
    };
    agent.publish().await;
    let mut wipes = agent.deps.bus.wipes();
    loop {
        let (bus, stream) = (agent.deps.bus.clone(), agent.deps.streams.execution.clone());
        tokio::select! {
            () = shutdown.cancelled() => {
                return agent.store().await;
            }
            batch = bus.read_after(&stream, agent.cursor, MESSAGES) => {
                agent.take(batch?).await?;
                agent.publish().await;
                agent.store_when_due().await?;
            }
            Ok(()) = wipes.changed() => {
                agent.unsent = agent.books.accounts();
                agent.publish().await;
            }
            () = again(), if !agent.unsent.is_empty() => agent.publish().await,
        }
    }
}

/// Whose newest valuations a bus has to get: everybody's when it lacks one.
async fn lost(deps: &Deps, books: &Books) -> Result<BTreeSet<AccountId>, PortfolioError> {
    let everybody = books.accounts();
    let Some(one) = everybody.first() else { return Ok(everybody) };
    let known = deps.bus.get_latest(&deps.streams.portfolio(*one)).await?;
    Ok(if known.is_some() { BTreeSet::new() } else { everybody })
}

/// The books as of the journal's end: newest whole snapshot, then the entries
/// after it.
async fn load(deps: &Deps) -> Result<Books, PortfolioError> {
    let snapshots = deps.store.state_snapshots(deps.venue, SNAPSHOTS).await?;
    let whole = snapshots
        .iter()
        .filter(|snapshot| Digest::of(&[&snapshot.state]) == snapshot.state_hash)
        .find_map(|snapshot| Venue::restore(&snapshot.state).ok());
    let mut books = match whole {
        Some(venue) => Books::of_venue(&venue),
        None => Books::empty(&deps.config)?,
    };
    catch_up(deps, &mut books).await?;
    Ok(books)
}

/// Takes the journal's entries after the last one known.
async fn catch_up(deps: &Deps, books: &mut Books) -> Result<(), PortfolioError> {
    loop {
        let rows = deps.store.journal_after(deps.venue, books.through(), PAGE).await?;
        if rows.is_empty() {
            return Ok(());
        }
        for row in &rows {
            let gap = |gap| StoreError::Corrupt(format!("the journal has a gap: {gap}"));
            books.apply(row.first_seq, &row.outcome()?).map_err(gap)?;
        }
    }
}

struct Agent {
    deps: Deps,
    books: Books,
    cursor: u64,
    /// Accounts whose newest valuation is not on the bus.
    unsent: BTreeSet<AccountId>,
    /// Accounts that changed since they were last stored.
    to_store: BTreeSet<AccountId>,
    /// Those of them that opened, or whose cash moved.
    traded: BTreeSet<AccountId>,
    /// Their lowest and highest valuations since then.
    extremes: BTreeMap<AccountId, Extremes>,
    /// When everybody's were stored last, and anybody's.
    stored_at: Option<VenueTime>,
    some_stored_at: Option<VenueTime>,
}

/// Valuations that no later one has gone below, or above.
struct Extremes {
    low: Valued,
    high: Valued,
}

/// What an account was worth as of an entry.
#[derive(Clone)]
struct Valued {
    seq: Seq,
    time: VenueTime,
    valuation: Valuation,
}

impl Agent {
    /// Takes what was committed, each entry once.
    async fn take(&mut self, batch: Batch) -> Result<(), PortfolioError> {
        let messages = match batch {
            Batch::Messages(messages) => messages,
            Batch::Trimmed { through } => {
                catch_up(&self.deps, &mut self.books).await?;
                self.cursor = through.max(self.books.through().0);
                return Ok(());
            }
        };
        for message in messages {
            let read = decode_shared::<ExecutionBatch>(&self.deps.bus, self.deps.venue, &message);
            let batch = match read {
                Ok(batch) => batch,
                Err(reason) => {
                    let (bus, stream) = (&self.deps.bus, &self.deps.streams.execution);
                    bury(bus, self.deps.venue, stream, &message, &reason.to_string()).await;
                    return Err(PortfolioError::UnreadableExecution { id: message.id });
                }
            };
            for entry in &batch.entries {
                self.traded.extend(entry.outcome.balances.iter().map(|balance| balance.account));
                if self.books.apply(entry.outcome.seq, &entry.outcome).is_err() {
                    // The stream lacks entries; the journal has them all.
                    catch_up(&self.deps, &mut self.books).await?;
                }
            }
            self.cursor = message.id;
        }
        Ok(())
    }

    /// Publishes the valuation of every account that changed; what a bus that
    /// is away did not take is published later, at its newest.
    async fn publish(&mut self) {
        let (through, time) = (self.books.through(), self.books.time());
        let changed = self.books.take_changed();
        let valued = changed.iter().filter_map(|account| Some((*account, self.books.value(*account)?)));
        let mut valued: BTreeMap<AccountId, Valuation> = valued.collect();
        for (account, valuation) in &valued {
            self.extreme(*account, through, time, valuation);
        }
        metrics::counter!("tickhall_valuations_total").increment(changed.len() as u64);
        self.to_store.extend(changed.iter().copied());
        self.unsent.extend(changed);
        self.deps.health.report(NAME, through.0);
        metrics::gauge!("tickhall_portfolio_seq").set(through.0 as f64);
        let (bus, streams) = (&self.deps.bus, &self.deps.streams);
        if !bus.is_up() {
            return;
        }
        while !self.unsent.is_empty() {
            let some: Vec<AccountId> = self.unsent.iter().copied().take(TOGETHER).collect();
            let messages = some.iter().filter_map(|account| {
                let (venue, account) = (self.deps.venue, *account);
                let valuation = valued.remove(&account).or_else(|| self.books.value(account))?;
                let message = PortfolioMessage { v: 1, venue, account, through, time, valuation };
                Some((streams.portfolio(account), Parcel::of(message)))
            });
            let (keys, stream): (Vec<String>, Vec<Parcel>) = messages.unzip();
            let newest = keys.into_iter().zip(stream.iter().map(|message| message.bytes().clone())).collect();
            let sent = async {
                bus.put_all_latest(newest).await?;
                bus.append_all(&streams.risk, stream, usize::MAX).await
            };
            if let Err(error) = sent.await {
                tracing::warn!(event = "valuations_unsent", %error, "Valuations wait for the bus.");
                return;
            }
            some.iter().for_each(|account| {
                self.unsent.remove(account);
            });
        }
    }

    /// Keeps a valuation that is lower or higher than all since the last stored.
    fn extreme(&mut self, account: AccountId, seq: Seq, time: VenueTime, valuation: &Valuation) {
        let valued = || Valued { seq, time, valuation: valuation.clone() };
        let known =
            self.extremes.entry(account).or_insert_with(|| Extremes { low: valued(), high: valued() });
        if valuation.nav < known.low.valuation.nav {
            known.low = valued();
        }
        if valuation.nav > known.high.valuation.nav {
            known.high = valued();
        }
    }

    async fn store_when_due(&mut self) -> Result<(), PortfolioError> {
        let interval =
            i64::try_from(self.deps.snapshot_seconds).unwrap_or(i64::MAX).saturating_mul(MICROS_PER_SECOND);
        let now = self.books.time();
        let is_past = |at: Option<VenueTime>, wait: i64| at.is_none_or(|at| now.0 - at.0 >= wait);
        if is_past(self.stored_at, interval) && !self.to_store.is_empty() {
            return self.store().await;
        }
        if is_past(self.some_stored_at, SOON_US.min(interval)) && !self.traded.is_empty() {
            let traded = self.traded.clone();
            return self.store_some(traded).await;
        }
        Ok(())
    }

    /// Stores the valuations that changed, with the cursor.
    async fn store(&mut self) -> Result<(), PortfolioError> {
        let all = self.to_store.clone();
        self.store_some(all).await?;
        self.stored_at = Some(self.books.time());
        Ok(())
    }

    /// Stores the newest valuations of `accounts`, and the lowest and highest
    /// since they were last stored.
    async fn store_some(&mut self, accounts: BTreeSet<AccountId>) -> Result<(), PortfolioError> {
        let (seq, time) = (self.books.through(), self.books.time());
        let mut rows: BTreeMap<(AccountId, Seq), ValuationRecord> = BTreeMap::new();
        for account in &accounts {
            let extremes = self.extremes.get(account).into_iter();
            let passed = extremes.flat_map(|Extremes { low, high }| [low.clone(), high.clone()]);
            let newest = self.books.value(*account).map(|valuation| Valued { seq, time, valuation });
            rows.extend(
                passed.chain(newest).map(|valued| ((*account, valued.seq), record(*account, &valued))),
            );
        }
        let rows: Vec<_> = rows.into_values().collect();
        if !rows.is_empty() {
            let (consumer, stream) = (NAME.to_owned(), self.deps.streams.execution.clone());
            let cursor = Cursor { consumer, stream, position: seq.0 };
            self.deps.store.write_valuations(self.deps.venue, &rows, &cursor).await?;
        }
        for account in &accounts {
            self.to_store.remove(account);
            self.traded.remove(account);
            self.extremes.remove(account);
        }
        self.some_stored_at = Some(time);
        Ok(())
    }
}

/// Lets a bus that is away come back.
#[expect(clippy::disallowed_methods, reason = "nothing announces that an outage is over")]
async fn again() {
    tokio::time::sleep(AGAIN).await;
}

fn record(account: AccountId, valued: &Valued) -> ValuationRecord {
    let Valued { seq, time, ref valuation } = *valued;
    // Plain data with text keys always has a JSON form.
    let delta = serde_json::to_string(&valuation.delta).unwrap_or_default();
    let dv01 = serde_json::json!({
        "total": valuation.dv01,
        "by_instrument": valuation.dv01_by_instrument,
    });
    ValuationRecord {
        account,
        seq,
        time,
        nav: valuation.nav,
        cash: valuation.cash,
        unrealized_pnl: valuation.unrealized_pnl,
        realized_pnl: valuation.realized_pnl,
        delta_exposure: delta,
        dv01_exposure: dv01.to_string(),
        valuation: serde_json::to_string(valuation).unwrap_or_default(),
    }
}
