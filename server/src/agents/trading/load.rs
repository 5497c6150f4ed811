//! How the sequencer comes back: the newest state snapshot, then the journal's
//! tail, decided again and compared.
//!
//! Does not know what went wrong before.

use engine::id::{Digest, Seq};
use engine::venue::Venue;

use super::fold::{Fold, FoldError};
use super::sequencer::Sequencer;
use super::{Deps, NAME, TradingError};
use crate::store::journal::VenueRow;

/// Rows that are read at once.
pub(super) const PAGE: u32 = 1_024;

/// Snapshots to try, newest first.
const SNAPSHOTS: u32 = 2;

/// What was loaded.
pub(super) struct Loaded {
    /// `None` before entry 1.
    pub(super) sequencer: Option<Sequencer>,
    /// The command stream has been read to here.
    pub(super) command_cursor: u64,
    /// The newest snapshot's entry.
    pub(super) snapshot: Seq,
}

/// Loads the venue as of the journal's end.
///
/// # Errors
/// [`TradingError::Fold`] when journal, snapshot and rules disagree: trading
/// must halt. Anything else may pass.
pub(super) async fn load(deps: &Deps, row: &VenueRow) -> Result<Loaded, TradingError> {
    let store = &deps.store;
    let mut fold = None;
    let mut newest = Seq(0);
    for snapshot in store.state_snapshots(row.id, SNAPSHOTS).await? {
        newest = newest.max(snapshot.seq);
        let whole = Digest::of(&[&snapshot.state]) == snapshot.state_hash;
        match Venue::restore(&snapshot.state) {
            Ok(venue) if whole && venue.seq() == snapshot.seq => {
                fold = Some(Fold::from_snapshot(venue, snapshot.journal_hash));
                break;
            }
            _ => tracing::error!(
                event = "snapshot_damaged",
                seq = snapshot.seq.0,
                "A state snapshot is damaged and was passed over."
            ),
        }
    }
    let mut fold = match fold {
        Some(fold) => fold,
        None => whole_journal(row, newest > Seq(0))?,
    };
    loop {
        let rows = store.journal_after(row.id, fold.seq(), PAGE).await?;
        if rows.is_empty() {
            break;
        }
        for journal_row in &rows {
            fold.apply(journal_row, |_| {})?;
        }
        tokio::task::yield_now().await;
    }
    let command_cursor = store.cursor(row.id, NAME, &deps.streams.command).await?;
    let (venue, head) = fold.into_parts();
    let Some(venue) = venue else {
        return Ok(Loaded { sequencer: None, command_cursor, snapshot: newest });
    };
    venue.check_books().map_err(|what| FoldError::Books { seq: venue.seq(), what })?;
    compare_accounts(deps, &venue).await?;
    Ok(Loaded { sequencer: Some(Sequencer { venue, head }), command_cursor, snapshot: newest })
}

/// From entry 1; with the seed once a snapshot has let payloads be pruned.
fn whole_journal(row: &VenueRow, pruned: bool) -> Result<Fold, TradingError> {
    Ok(if pruned { Fold::from_seed(&row.config, row.seed()?)? } else { Fold::from_payloads() })
}

/// Cash in the projection is the venue's: the cheap half of `verify`.
async fn compare_accounts(deps: &Deps, venue: &Venue) -> Result<(), TradingError> {
    let rows = deps.store.account_rows(deps.venue).await?;
    let differs = |what: String| FoldError::Projection { table: "accounts", what };
    if rows.len() != venue.accounts().len() {
        let what = format!("{} rows, {} accounts", rows.len(), venue.accounts().len());
        return Err(differs(what).into());
    }
    for row in rows {
        match venue.account(row.account) {
            Some(account) if (account.cash, account.reserved) == (row.cash, row.reserved) => {}
            Some(account) => {
                let what = format!("{} has {}, the journal says {}", row.account, row.cash, account.cash);
                return Err(differs(what).into());
            }
            None => return Err(differs(format!("{} is not in the journal", row.account)).into()),
        }
    }
    Ok(())
}
