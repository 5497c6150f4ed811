//! The agent's loop: follows the journal, publishes and stores valuations.
//!
//! Does not know how a position is valued.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::id::{AccountId, Seq};
use engine::portfolio::Valuation;
use engine::time::{MICROS_PER_SECOND, VenueTime};
use engine::venue::{ConfigError, VenueConfig};
use protocol::bus::{PortfolioMessage, VERSION};

use super::books::Books;
use super::thinning::ValuationLimits;
use crate::agents::context::AgentContext;
use crate::bus::{BusError, Payload};
use crate::clock;
use crate::journal::{Follower, JournalBatch, JournalError};
use crate::store::StoreError;
use crate::store::journal::Cursor;
use crate::store::snapshots::SnapshotRow;
use crate::store::valuations::{NavPoint, ValuationRecord};

/// The agent's name in health, logs and cursors.
const NAME: &str = "portfolio";

/// Valuations that are published together.
const BATCH_MAX_MESSAGES: usize = 256;

/// Longest venue time before the effect of a trade is stored.
const TRADE_STORE_INTERVAL_US: i64 = 5 * MICROS_PER_SECOND;

/// Delay before unsent valuations are published again.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// State snapshots to try, newest first.
const MAX_SNAPSHOTS: u32 = 2;

/// Stored valuations of one read.
const PAGE_MAX_ROWS: u32 = 10_000;

/// Settings of the agent.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The venue's configuration, as journalled.
    pub config: VenueConfig,
    /// Venue seconds between two stored valuations of an account.
    pub snapshot_seconds: u64,
    /// Stored valuations of an account, about; older ones are thinned.
    pub max_valuations: u64,
}

/// Errors of the agent.
#[derive(Debug, thiserror::Error)]
pub enum PortfolioError {
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Entries are unknown: continuing would publish wrong figures.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The venue's configuration is invalid.
    #[error("the venue's configuration: {0}")]
    Config(#[from] ConfigError),
}

/// Runs until the shutdown; unstored valuations are stored before it returns.
///
/// # Errors
/// [`PortfolioError`]; running again starts from the store.
pub async fn run(context: AgentContext, settings: Settings) -> Result<(), PortfolioError> {
    let AgentContext { venue, store, bus, streams, shutdown, .. } = context.clone();
    let stored = store.history_cursor(venue, NAME, &streams.execution).await?;
    let mut books = snapshot(&context, &settings.config).await?;
    let mut journal = Follower::new(venue, store.clone(), bus.clone(), &streams, books.through());
    while let Some(batch) = journal.next_stored().await? {
        apply(&mut books, &batch)?;
    }
    let mut agent = PortfolioAgent {
        to_store: books.touched_after(Seq(stored)),
        traded: BTreeSet::new(),
        extremes: BTreeMap::new(),
        stored_rows: store.valuation_counts(venue).await?.into_iter().collect(),
        stored_at: None,
        trades_stored_at: None,
        unsent: missing_on_bus(&context, &books).await?,
        books,
        context,
        settings,
    };
    agent.publish().await;
    agent.thin_all().await?;
    let mut data_loss = bus.data_loss_epoch();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return agent.store_all().await,
            batch = journal.next() => {
                // Accounts are valued once for everything that was read.
                let mut next = Some(batch?);
                while let Some(batch) = next {
                    agent.apply(&batch)?;
                    next = journal.next_buffered();
                }
                agent.publish().await;
                agent.store_when_due().await?;
            }
            Ok(()) = data_loss.changed() => {
                agent.unsent = agent.books.accounts();
                agent.publish().await;
            }
            () = clock::sleep(RETRY_DELAY), if !agent.unsent.is_empty() => agent.publish().await,
        }
    }
}

/// Accounts whose newest valuations the bus lacks: all of them if it lacks one.
async fn missing_on_bus(
    context: &AgentContext,
    books: &Books,
) -> Result<BTreeSet<AccountId>, PortfolioError> {
    let accounts = books.accounts();
    let Some(one) = accounts.first() else { return Ok(accounts) };
    let newest = context.bus.get_latest(&context.streams.portfolio(*one)).await?;
    Ok(if newest.is_some() { BTreeSet::new() } else { accounts })
}

/// The books as of the newest intact state snapshot.
async fn snapshot(context: &AgentContext, config: &VenueConfig) -> Result<Books, PortfolioError> {
    let snapshots = context.store.state_snapshots(context.venue, MAX_SNAPSHOTS).await?;
    Ok(match snapshots.iter().find_map(SnapshotRow::restore) {
        Some(venue) => Books::of_venue(&venue),
        None => Books::empty(config)?,
    })
}

fn apply(books: &mut Books, batch: &JournalBatch) -> Result<(), StoreError> {
    batch.outcomes().try_for_each(|(first, outcome)| {
        let corrupt = |gap| StoreError::Corrupt(format!("the journal has a gap: {gap}"));
        books.apply(first, outcome).map_err(corrupt)
    })
}

struct PortfolioAgent {
    context: AgentContext,
    settings: Settings,
    books: Books,
    /// Accounts whose newest valuation is not on the bus.
    unsent: BTreeSet<AccountId>,
    /// Accounts that changed since they were last stored.
    to_store: BTreeSet<AccountId>,
    /// Those of them that were opened, or whose cash changed.
    traded: BTreeSet<AccountId>,
    /// Their lowest and highest valuations since then.
    extremes: BTreeMap<AccountId, Extremes>,
    /// Numbers of stored valuations, at most: one that was stored twice counts twice.
    stored_rows: BTreeMap<AccountId, u64>,
    /// Time of the last store of all accounts, and of traded ones.
    stored_at: Option<VenueTime>,
    trades_stored_at: Option<VenueTime>,
}

/// An account's valuations with the lowest and the highest NAV.
struct Extremes {
    low: Valued,
    high: Valued,
}

/// An account's valuation as of an entry.
#[derive(Clone)]
struct Valued {
    seq: Seq,
    time: VenueTime,
    valuation: Valuation,
}

impl PortfolioAgent {
    fn apply(&mut self, batch: &JournalBatch) -> Result<(), StoreError> {
        let balances = batch.outcomes().flat_map(|(_, outcome)| &outcome.balances);
        self.traded.extend(balances.map(|balance| balance.account));
        apply(&mut self.books, batch)
    }

    /// Publishes the valuation of every account that changed, and removes that of every
    /// account that was closed; while the bus is unreachable only the newest one later.
    async fn publish(&mut self) {
        let (through, time) = (self.books.through(), self.books.time());
        let changed = self.books.take_changed();
        let valued = changed.iter().filter_map(|account| Some((*account, self.books.value(*account)?)));
        let mut valued: BTreeMap<AccountId, Valuation> = valued.collect();
        for (account, valuation) in &valued {
            self.update_extremes(*account, through, time, valuation);
        }
        metrics::counter!("tickhall_valuations_total").increment(changed.len() as u64);
        self.to_store.extend(changed.iter().copied());
        self.unsent.extend(changed);
        self.context.health.report(NAME, through.0);
        metrics::gauge!("tickhall_portfolio_seq").set(through.0 as f64);
        let (bus, streams) = (&self.context.bus, &self.context.streams);
        if !bus.is_up() {
            return;
        }
        while !self.unsent.is_empty() {
            let batch: Vec<AccountId> = self.unsent.iter().copied().take(BATCH_MAX_MESSAGES).collect();
            let messages = batch.iter().filter_map(|account| {
                let (venue, account) = (self.context.venue, *account);
                let valuation = valued.remove(&account).or_else(|| self.books.value(account))?;
                let message = PortfolioMessage { v: VERSION, venue, account, through, time, valuation };
                Some((streams.portfolio(account), Payload::new(message)))
            });
            let (keys, stream): (Vec<String>, Vec<Payload>) = messages.unzip();
            let closed = batch.iter().filter(|account| !self.books.contains(**account));
            let closed: Vec<String> = closed.map(|account| streams.portfolio(*account)).collect();
            let newest = keys.into_iter().zip(stream.iter().map(|message| message.bytes().clone())).collect();
            let sent = async {
                bus.put_all_latest(newest).await?;
                bus.remove_all_latest(&closed).await?;
                bus.append_all(&streams.risk, stream, usize::MAX).await
            };
            if let Err(error) = sent.await {
                tracing::warn!(event = "valuations_unsent", %error, "Valuations wait for the bus.");
                return;
            }
            batch.iter().for_each(|account| {
                self.unsent.remove(account);
            });
        }
    }

    /// Records a valuation that is lower or higher than all since the last store.
    fn update_extremes(&mut self, account: AccountId, seq: Seq, time: VenueTime, valuation: &Valuation) {
        let valued = || Valued { seq, time, valuation: valuation.clone() };
        let extremes =
            self.extremes.entry(account).or_insert_with(|| Extremes { low: valued(), high: valued() });
        if valuation.nav < extremes.low.valuation.nav {
            extremes.low = valued();
        }
        if valuation.nav > extremes.high.valuation.nav {
            extremes.high = valued();
        }
    }

    async fn store_when_due(&mut self) -> Result<(), PortfolioError> {
        let interval = i64::try_from(self.settings.snapshot_seconds)
            .unwrap_or(i64::MAX)
            .saturating_mul(MICROS_PER_SECOND);
        let now = self.books.time();
        let is_past = |at: Option<VenueTime>, wait: i64| at.is_none_or(|at| now.0 - at.0 >= wait);
        if is_past(self.stored_at, interval) && !self.to_store.is_empty() {
            return self.store_all().await;
        }
        if is_past(self.trades_stored_at, TRADE_STORE_INTERVAL_US.min(interval)) && !self.traded.is_empty() {
            let traded = self.traded.clone();
            return self.store_accounts(traded).await;
        }
        Ok(())
    }

    /// Stores all changed valuations, with the cursor.
    async fn store_all(&mut self) -> Result<(), PortfolioError> {
        let all = self.to_store.clone();
        self.store_accounts(all).await?;
        self.stored_at = Some(self.books.time());
        Ok(())
    }

    /// Stores the newest valuations of `accounts`, and the lowest and highest
    /// since they were last stored.
    async fn store_accounts(&mut self, accounts: BTreeSet<AccountId>) -> Result<(), PortfolioError> {
        let (seq, time) = (self.books.through(), self.books.time());
        let mut rows: BTreeMap<(AccountId, Seq), ValuationRecord> = BTreeMap::new();
        for account in &accounts {
            let extremes = self.extremes.get(account).into_iter();
            let passed = extremes.flat_map(|Extremes { low, high }| [low.clone(), high.clone()]);
            let newest = self.books.value(*account).map(|valuation| Valued { seq, time, valuation });
            let row = |valued: Valued, text: fn(&Valuation) -> String| {
                ((*account, valued.seq), record(*account, &valued, text(&valued.valuation)))
            };
            // Only their NAV is of interest.
            rows.extend(passed.map(|valued| row(valued, |_| "{}".to_owned())));
            // Plain data with text keys always has a JSON form.
            rows.extend(
                newest.map(|valued| row(valued, |all| serde_json::to_string(all).unwrap_or_default())),
            );
        }
        let rows: Vec<_> = rows.into_values().collect();
        if !rows.is_empty() {
            let (consumer, stream) = (NAME.to_owned(), self.context.streams.execution.clone());
            let cursor = Cursor { consumer, stream, position: seq.0 };
            self.context.store.write_valuations(self.context.venue, &rows, &cursor).await?;
        }
        for row in &rows {
            *self.stored_rows.entry(row.account).or_default() += 1;
        }
        self.thin(&accounts).await?;
        for account in &accounts {
            self.to_store.remove(account);
            self.traded.remove(account);
            self.extremes.remove(account);
        }
        self.trades_stored_at = Some(time);
        Ok(())
    }

    /// Thins the stored valuations of every account that has too many.
    async fn thin_all(&mut self) -> Result<(), StoreError> {
        let accounts: BTreeSet<AccountId> = self.stored_rows.keys().copied().collect();
        self.thin(&accounts).await
    }

    /// Thins the stored valuations of those of `accounts` that have too many.
    async fn thin(&mut self, accounts: &BTreeSet<AccountId>) -> Result<(), StoreError> {
        let Settings { config, max_valuations, .. } = &self.settings;
        let limits = ValuationLimits {
            max_rows: usize::try_from(*max_valuations).unwrap_or(usize::MAX),
            paid_in: config.starting_balance.to_cents(),
            t0: config.t0,
        };
        let (store, venue) = (&self.context.store, self.context.venue);
        for account in accounts {
            let Some(rows) = self.stored_rows.get_mut(account).filter(|rows| **rows > *max_valuations) else {
                continue;
            };
            let mut points = Vec::new();
            loop {
                let after = points.last().map_or(Seq(0), |point: &NavPoint| point.seq);
                let page = store.nav_points(venue, *account, after, PAGE_MAX_ROWS).await?;
                let is_last = page.len() < PAGE_MAX_ROWS as usize;
                points.extend(page);
                if is_last {
                    break;
                }
            }
            let redundant = limits.redundant(&points, self.books.begun(*account));
            store.delete_valuations(venue, *account, &redundant).await?;
            *rows = (points.len() - redundant.len()) as u64;
        }
        Ok(())
    }
}

fn record(account: AccountId, valued: &Valued, text: String) -> ValuationRecord {
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
        valuation: text,
    }
}
