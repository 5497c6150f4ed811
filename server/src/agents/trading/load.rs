//! Loading the sequencer's state: the newest state snapshot, then the journal's
//! tail, decided again and compared. If snapshots or payloads are missing or damaged,
//! the whole journal instead, with steps from the seed.
//!
//! Does not know why the state is loaded.

use engine::id::Seq;
use engine::money::Money;
use engine::venue::Venue;

use super::fold::{Fold, FoldError};
use super::sequencer::Sequencer;
use super::{NAME, TradingError};
use crate::agents::context::AgentContext;
use crate::store::journal::VenueRow;

/// Rows of one read of the journal.
pub(super) const PAGE_MAX_ROWS: u32 = 1_024;

/// Snapshots to try, newest first.
const MAX_SNAPSHOTS: u32 = 2;

/// The loaded state.
pub(super) struct Loaded {
    /// `None` before entry 1.
    pub(super) sequencer: Option<Sequencer>,
    /// The last command in the journal's transactions.
    pub(super) command_cursor: u64,
    /// The entry of the newest snapshot.
    pub(super) snapshot: Seq,
}

/// Loads the venue as of the journal's end.
///
/// # Errors
/// [`TradingError::Fold`] when journal, snapshot and rules disagree: trading
/// must halt. Other errors may be transient.
pub(super) async fn load(context: &AgentContext, row: &VenueRow) -> Result<Loaded, TradingError> {
    let store = &context.store;
    let mut fold = None;
    let mut newest = Seq(0);
    for snapshot in store.state_snapshots(row.id, MAX_SNAPSHOTS).await? {
        newest = newest.max(snapshot.seq);
        if let Some(venue) = snapshot.restore() {
            fold = Some(Fold::from_snapshot(venue, snapshot.journal_hash));
            break;
        }
        tracing::error!(
            event = "snapshot_damaged",
            seq = snapshot.seq.0,
            "A state snapshot is damaged and was skipped."
        );
    }
    let fold = fold.unwrap_or_else(Fold::from_payloads);
    let fold = match fold_rest(context, fold).await {
        Err(TradingError::Fold(error)) if error.is_cured_by_seed() => {
            tracing::error!(
                event = "payloads_redrawn",
                %error,
                "All steps are drawn from the seed again, because snapshots or payloads are missing."
            );
            newest = Seq(0);
            fold_rest(context, Fold::from_seed_alone(&row.config, row.seed()?)?).await?
        }
        folded => folded?,
    };
    let command_cursor = store.cursor(row.id, NAME, &context.streams.command).await?;
    let (venue, head) = fold.into_parts();
    let Some(venue) = venue else {
        return Ok(Loaded { sequencer: None, command_cursor, snapshot: newest });
    };
    venue.check_books().map_err(|what| FoldError::Books { seq: venue.seq(), what })?;
    compare_accounts(context, &venue).await?;
    Ok(Loaded { sequencer: Some(Sequencer { venue, head }), command_cursor, snapshot: newest })
}

/// Applies the rest of the journal.
async fn fold_rest(context: &AgentContext, mut fold: Fold) -> Result<Fold, TradingError> {
    loop {
        let rows = context.store.journal_after(context.venue, fold.seq(), PAGE_MAX_ROWS).await?;
        if rows.is_empty() {
            return Ok(fold);
        }
        for journal_row in &rows {
            fold.apply(journal_row, |_| {})?;
        }
        tokio::task::yield_now().await;
    }
}

/// Compares cash in the projection with the venue's: the cheap part of `verify`. The
/// row of a closed account stays, empty.
async fn compare_accounts(context: &AgentContext, venue: &Venue) -> Result<(), TradingError> {
    let rows = context.store.account_rows(context.venue).await?;
    let differs = |what: String| FoldError::Projection { table: "accounts", what };
    let open = rows.iter().filter(|row| venue.account(row.account).is_some()).count();
    if open != venue.accounts().len() {
        let what = format!("{open} rows, {} accounts", venue.accounts().len());
        return Err(differs(what).into());
    }
    for row in rows {
        match venue.account(row.account) {
            Some(account) if (account.cash, account.reserved) == (row.cash, row.reserved) => {}
            Some(account) => {
                let what = format!("{} has {}, the journal says {}", row.account, row.cash, account.cash);
                return Err(differs(what).into());
            }
            None if (row.cash, row.reserved) == (Money::ZERO, Money::ZERO) => {}
            None => return Err(differs(format!("{} is not in the journal", row.account)).into()),
        }
    }
    Ok(())
}
