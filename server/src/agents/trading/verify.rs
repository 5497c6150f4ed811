//! Verification of a venue's store: folds the whole journal and compares the hash
//! chain, every outcome, the ledger, the projections and the snapshots.
//!
//! The store is as of one instant: nothing may write to it meanwhile, unless it was
//! opened with [`Store::open_snapshot`]. Does not repair anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use engine::id::{AccountId, Digest, InstrumentId, OrderId, Seq, VenueId};
use engine::venue::{AccountChange, Asset, Balance, Fill, Outcome, Posting, VenueConfig};

use super::TradingError;
use super::fold::{Fold, FoldError};
use super::load::PAGE_MAX_ROWS;
use crate::store::Store;
use crate::store::journal::{EntryKind, JournalRow, VenueRow};
use crate::store::projections::{AccountRow, FillRow, OrderRow, PositionRow, UNKNOWN_REASON};
use crate::store::snapshots::{RETAINED_SNAPSHOTS, SnapshotRow};

/// Source of the steps while the journal is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// Simulated again from the seed, which also proves that the market is that of
    /// the committed seed.
    FromSeed,
    /// The stored payloads, of which none may have been pruned.
    Stored,
}

/// Figures of a verified venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The venue.
    pub venue: VenueId,
    /// The newest entry.
    pub seq: Seq,
    /// The last applied step.
    pub step: u64,
    /// Number of accounts.
    pub accounts: u64,
    /// Number of orders.
    pub orders: u64,
    /// Number of fills, one for each user's side.
    pub trades: u64,
    /// Number of ledger postings.
    pub postings: u64,
    /// SHA-256 of the whole state.
    pub state_hash: Digest,
    /// The chain's hash at the newest entry.
    pub journal_hash: Digest,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "verified: {} entries, {} steps, {} accounts, {} orders, {} trades, {} postings; books balance; \
             state {}, journal {}",
            self.seq,
            self.step,
            self.accounts,
            self.orders,
            self.trades,
            self.postings,
            self.state_hash,
            self.journal_hash
        )
    }
}

/// Folds a venue's journal and compares the store with it.
///
/// # Errors
/// [`TradingError::Fold`]: the first difference.
pub async fn verify(store: &Store, venue: VenueId, steps: Steps) -> Result<Report, TradingError> {
    let row = store.venue(venue).await?.ok_or(TradingError::NoVenue(venue))?;
    let snapshots = store.state_snapshots(venue, u32::MAX).await?;
    let mut fold = start(&row, steps)?;
    let mut expected = Expected::default();
    loop {
        let rows = store.journal_after(venue, fold.seq(), PAGE_MAX_ROWS).await?;
        let Some(last) = rows.last() else { break };
        let (after, through) = (fold.seq(), last.seq);
        let page = apply(&mut fold, &mut expected, &rows, &snapshots)?;
        compare_page(store, venue, after, through, page).await?;
        tokio::task::yield_now().await;
    }
    check_snapshots(&expected, &snapshots)?;
    finish(store, &row, fold, expected).await
}

/// Replays the journal from the seed without the projections; returns the venue's
/// newest entry and the hash of its state.
///
/// # Errors
/// [`TradingError::Fold`]: the first entry with another outcome.
pub async fn replay(store: &Store, venue: VenueId) -> Result<(Seq, Digest), TradingError> {
    let row = store.venue(venue).await?.ok_or(TradingError::NoVenue(venue))?;
    let mut fold = start(&row, Steps::FromSeed)?;
    loop {
        let rows = store.journal_after(venue, fold.seq(), PAGE_MAX_ROWS).await?;
        if rows.is_empty() {
            let hash = fold.venue().map_or(Digest([0; 32]), engine::venue::Venue::state_hash);
            return Ok((fold.seq(), hash));
        }
        rows.iter().try_for_each(|journal_row| fold.apply(journal_row, |_| {}))?;
        tokio::task::yield_now().await;
    }
}

fn start(row: &VenueRow, steps: Steps) -> Result<Fold, TradingError> {
    match steps {
        Steps::FromSeed => Ok(Fold::from_seed(&row.config, row.seed()?)?),
        Steps::Stored => Ok(Fold::from_payloads()),
    }
}

/// Expected projections as of the last folded row.
#[derive(Default)]
struct Expected {
    balances: BTreeMap<AccountId, (Balance, Seq)>,
    positions: BTreeMap<(AccountId, InstrumentId), PositionRow>,
    orders: BTreeMap<Seq, OrderRow>,
    accepted_at: BTreeMap<OrderId, Seq>,
    /// Entries with a state snapshot.
    snapshots: BTreeSet<Seq>,
    /// The last step without its payload.
    pruned: Option<Seq>,
    trades: u64,
    postings: u64,
}

/// Expected rows of the entries of one page.
#[derive(Default)]
struct Page {
    trades: Vec<FillRow>,
    postings: Vec<(Seq, u64, Posting)>,
}

fn apply(
    fold: &mut Fold,
    expected: &mut Expected,
    rows: &[JournalRow],
    snapshots: &[SnapshotRow],
) -> Result<Page, FoldError> {
    let mut page = Page::default();
    for row in rows {
        let mut unbalanced = None;
        fold.apply(row, |outcome| {
            if !balances(outcome) {
                unbalanced.get_or_insert(outcome.seq);
            }
            expected.take(outcome, &mut page);
        })?;
        if let Some(seq) = unbalanced {
            let what = "the entry's postings do not sum to zero".to_owned();
            return Err(FoldError::Books { seq, what });
        }
        if let Some(snapshot) = snapshots.iter().find(|snapshot| snapshot.seq == row.seq) {
            let same = fold.venue().is_some_and(|venue| venue.snapshot() == snapshot.state)
                && Digest::of(&[&snapshot.state]) == snapshot.state_hash
                && snapshot.journal_hash == fold.head();
            if !same {
                return Err(FoldError::Snapshot(row.seq));
            }
            expected.snapshots.insert(row.seq);
        }
        let is_step = matches!(row.kind, EntryKind::Step | EntryKind::Range);
        if is_step && row.payload.is_none() {
            expected.pruned = Some(row.seq);
        }
    }
    Ok(page)
}

/// Checks that every snapshot is of an entry, and that both are there on which pruned
/// payloads depend.
fn check_snapshots(expected: &Expected, snapshots: &[SnapshotRow]) -> Result<(), FoldError> {
    if let Some(stray) = snapshots.iter().find(|snapshot| !expected.snapshots.contains(&snapshot.seq)) {
        return Err(FoldError::Snapshot(stray.seq));
    }
    let Some(pruned) = expected.pruned else { return Ok(()) };
    match expected.snapshots.range(pruned..).count() {
        found if found < RETAINED_SNAPSHOTS => Err(FoldError::MissingSnapshot { pruned, found }),
        _ => Ok(()),
    }
}

/// Returns true if the entry's postings sum to zero for each asset.
fn balances(outcome: &Outcome) -> bool {
    let mut sums: BTreeMap<Asset, i128> = BTreeMap::new();
    for posting in &outcome.postings {
        *sums.entry(posting.asset).or_default() += i128::from(posting.amount);
    }
    sums.values().all(|sum| *sum == 0)
}

impl Expected {
    fn take(&mut self, outcome: &Outcome, page: &mut Page) {
        for balance in &outcome.balances {
            self.balances.insert(balance.account, (*balance, outcome.seq));
        }
        for state in &outcome.positions {
            let position = &state.position;
            let row = PositionRow {
                account: state.account,
                instrument: state.instrument,
                lots: position.lots.0,
                trade_cash: position.trade_cash,
                fees: position.fees,
                basis: position.basis.to_money(),
            };
            self.positions.insert((state.account, state.instrument), row);
        }
        for event in &outcome.events {
            let Some(order) = event.change.order() else { continue };
            let mut cancel_reason = None;
            match &event.change {
                AccountChange::OrderAccepted(_) => {
                    self.accepted_at.insert(order.id, outcome.seq);
                }
                AccountChange::OrderFilled { fill, .. } => {
                    self.trades += 1;
                    page.trades.push(trade_row(outcome.seq, event.account, event.account_seq, fill));
                }
                AccountChange::OrderCancelled { reason, .. } => {
                    cancel_reason = Some(reason.as_str().to_owned());
                }
                _ => {}
            }
            let seq = self.accepted_at.get(&order.id).copied().unwrap_or(outcome.seq);
            let row = OrderRow {
                order: order.id,
                account: event.account,
                client_order_id: order.client_order_id.to_string(),
                seq,
                quantity: order.quantity.0,
                limit: order.price.limit().map(|ticks| ticks.0),
                filled: order.filled.0,
                notional: order.notional,
                fee: order.fee,
                status: order.status.as_str().to_owned(),
                cancel_reason,
            };
            self.orders.insert(seq, row);
        }
        for (index, posting) in (0..).zip(&outcome.postings) {
            self.postings += 1;
            page.postings.push((outcome.seq, index, *posting));
        }
    }
}

fn trade_row(seq: Seq, account: AccountId, account_seq: u64, fill: &Fill) -> FillRow {
    FillRow {
        seq,
        account,
        account_seq,
        trade: fill.trade,
        order: fill.order,
        lots: fill.lots.0,
        price: fill.price.0,
        notional: fill.notional,
        fee: fill.fee,
    }
}

fn differs(table: &'static str, what: impl Into<String>) -> TradingError {
    FoldError::Projection { table, what: what.into() }.into()
}

/// Compares trades and postings of the page's entries.
async fn compare_page(
    store: &Store,
    venue: VenueId,
    after: Seq,
    through: Seq,
    mut page: Page,
) -> Result<(), TradingError> {
    page.trades.sort();
    let mut trades = store.fill_rows(venue, after, through).await?;
    trades.sort();
    if let Some((found, wanted)) = first_difference(&trades, &page.trades) {
        return Err(differs("trades", difference(found, wanted, |trade| format!("entry {}", trade.seq))));
    }
    let ledger = store.ledger_rows(venue, after, through).await?;
    let found: Vec<_> = ledger.iter().map(|row| (row.seq, row.index, row.posting)).collect();
    if let Some((found, wanted)) = first_difference(&found, &page.postings) {
        let name = |(seq, index, _): &(Seq, u64, Posting)| format!("entry {seq}, posting {index}");
        return Err(differs("ledger", difference(found, wanted, name)));
    }
    Ok(())
}

/// The first elements in which two lists differ.
fn first_difference<'a, T: PartialEq>(
    found: &'a [T],
    wanted: &'a [T],
) -> Option<(Option<&'a T>, Option<&'a T>)> {
    (0..found.len().max(wanted.len()))
        .map(|at| (found.get(at), wanted.get(at)))
        .find(|(found, wanted)| found != wanted)
}

fn difference<T>(found: Option<&T>, wanted: Option<&T>, name: impl Fn(&T) -> String) -> String {
    match (found, wanted) {
        (Some(found), Some(wanted)) => {
            format!("{} instead of {}, or with other values", name(found), name(wanted))
        }
        (Some(found), None) => format!("{} is not in the journal", name(found)),
        (None, Some(wanted)) => format!("{} is missing", name(wanted)),
        (None, None) => String::new(),
    }
}

/// Compares accounts, positions, orders and the venue's own sums.
async fn finish(
    store: &Store,
    row: &VenueRow,
    fold: Fold,
    expected: Expected,
) -> Result<Report, TradingError> {
    let venue = row.id;
    let Some(state) = fold.venue() else {
        return Err(FoldError::Gap(Seq(1)).into());
    };
    let committed = state.seed_commitment();
    let stored = row.seed.map(|seed| VenueConfig::commit_to_seed(&seed, &row.salt));
    if row.seed_commitment != committed || stored.is_some_and(|stored| stored != committed) {
        return Err(FoldError::Commitment.into());
    }
    state.check_books().map_err(|what| FoldError::Books { seq: fold.seq(), what })?;

    let accounts: Vec<_> = expected
        .balances
        .values()
        .map(|(balance, seq)| AccountRow {
            account: balance.account,
            cash: balance.cash,
            reserved: balance.reserved,
            account_seq: balance.account_seq,
            seq: *seq,
        })
        .collect();
    let found = store.account_rows(venue).await?;
    if let Some((found, wanted)) = first_difference(&found, &accounts) {
        return Err(differs("accounts", difference(found, wanted, |row| row.account.to_string())));
    }
    let positions: Vec<_> = expected.positions.into_values().collect();
    let found = store.position_rows(venue).await?;
    if let Some((found, wanted)) = first_difference(&found, &positions) {
        let name = |row: &PositionRow| format!("{} in {}", row.account, row.instrument);
        return Err(differs("positions", difference(found, wanted, name)));
    }
    let orders = expected.orders.len() as u64;
    let mut wanted = expected.orders.into_values();
    let mut after = Seq(0);
    loop {
        let found = store.order_rows(venue, after, PAGE_MAX_ROWS).await?;
        let Some(last) = found.last() else { break };
        after = last.seq;
        let mut page: Vec<_> = wanted.by_ref().take(found.len()).collect();
        // Why an order was cancelled before reasons were stored, the journal alone tells.
        for (found, wanted) in found.iter().zip(&mut page) {
            if found.cancel_reason.as_deref() == Some(UNKNOWN_REASON) && wanted.cancel_reason.is_some() {
                wanted.cancel_reason.clone_from(&found.cancel_reason);
            }
        }
        if let Some((found, wanted)) = first_difference(&found, &page) {
            return Err(differs("orders", difference(found, wanted, |row| row.order.to_string())));
        }
    }
    if let Some(missing) = wanted.next() {
        return Err(differs("orders", format!("{} is missing", missing.order)));
    }
    let counts = store.projection_counts(venue).await?;
    if counts != (expected.trades, expected.postings) {
        let what = format!(
            "{} trades and {} postings, the journal says {} and {}",
            counts.0, counts.1, expected.trades, expected.postings
        );
        return Err(differs("trades or ledger", what));
    }
    Ok(Report {
        venue,
        seq: fold.seq(),
        step: state.step(),
        accounts: accounts.len() as u64,
        orders,
        trades: expected.trades,
        postings: expected.postings,
        state_hash: state.state_hash(),
        journal_hash: fold.head(),
    })
}
