//! Compaction of the journal: each run of steps that touched no account becomes
//! one range row, from which the seed gives the steps again.
//!
//! Runs piece by piece between commits, below the second-newest snapshot. Does not
//! know when it is due.

use engine::id::{Seq, VenueId};
use engine::venue::Input;
use engine::venue::journal::JournalEntry;

use super::fold::Merged;
use crate::store::journal::{EntryKind, JournalRow, LagRun, RangeBody};
use crate::store::{Store, StoreError};

/// Rows of one piece.
const PIECE_MAX_ROWS: u32 = 512;

/// Progress of the compaction.
#[derive(Debug, Default)]
pub(super) struct Compaction {
    /// The next piece starts after this entry, with the last run so far, which may
    /// continue.
    from: Seq,
    /// The last entry that may be compacted.
    through: Seq,
    due: bool,
}

impl Compaction {
    /// Allows compaction up to `through`.
    pub(super) fn allow(&mut self, through: Seq) {
        self.through = self.through.max(through);
        self.due = true;
    }

    /// Returns true if there may be rows to compact.
    pub(super) fn is_due(&self) -> bool {
        self.due
    }

    /// Compacts the next piece.
    pub(super) async fn piece(
        &mut self,
        store: &Store,
        venue: VenueId,
        epoch: u64,
    ) -> Result<(), StoreError> {
        let rows = store.untouched_rows(venue, self.from, self.through, PIECE_MAX_ROWS).await?;
        self.due = rows.len() == PIECE_MAX_ROWS as usize;
        for run in runs(rows)? {
            self.from = Seq(run.first.0.saturating_sub(1));
            if run.rows.len() > 1 {
                store.compact(venue, epoch, &run.into_range()).await?;
            }
        }
        Ok(())
    }
}

/// Consecutive rows that become one.
struct Run {
    first: Seq,
    rows: Vec<JournalRow>,
    body: RangeBody,
    next_step: u64,
}

/// Splits rows into runs with consecutive steps.
fn runs(rows: Vec<JournalRow>) -> Result<Vec<Run>, StoreError> {
    let mut runs: Vec<Run> = Vec::new();
    for row in rows {
        let body = body_of(&row)?;
        let steps: u64 = body.lags.iter().map(|run| run.steps).sum();
        match runs.last_mut() {
            Some(run) if run.continues_with(&row, &body) => run.push(row, body, steps),
            _ => runs.push(Run {
                first: row.first_seq,
                next_step: body.first_step + steps,
                rows: vec![row],
                body,
            }),
        }
    }
    Ok(runs)
}

impl Run {
    fn continues_with(&self, row: &JournalRow, body: &RangeBody) -> bool {
        self.rows
            .last()
            .is_some_and(|last| last.seq.next() == row.first_seq && last.rules_version == row.rules_version)
            && self.next_step == body.first_step
    }

    fn push(&mut self, row: JournalRow, body: RangeBody, steps: u64) {
        for run in body.lags {
            match self.body.lags.last_mut() {
                Some(last) if last.lag == run.lag => last.steps += run.steps,
                _ => self.body.lags.push(run),
            }
        }
        self.next_step += steps;
        self.rows.push(row);
    }

    fn into_range(self) -> JournalRow {
        let mut merged = Merged::default();
        let mut range = self.rows[0].clone();
        for row in &self.rows {
            // `body_of` has decoded every outcome before.
            if let Ok(outcome) = row.outcome() {
                merged.add(&outcome);
            }
            (range.seq, range.hash) = (row.seq, row.hash);
        }
        range.kind = EntryKind::Range;
        range.payload = None;
        // Writing plain data to a growing buffer cannot fail.
        range.input = postcard::to_allocvec(&self.body).unwrap_or_default();
        range.outcome = merged.outcome().bytes();
        range
    }
}

/// The range that holds the row's step header, or the row's range.
fn body_of(row: &JournalRow) -> Result<RangeBody, StoreError> {
    let damaged = || StoreError::Corrupt(format!("journal entry {} does not decode", row.seq));
    row.outcome()?;
    if row.kind == EntryKind::Range {
        return postcard::from_bytes(&row.input).map_err(|_| damaged());
    }
    let entry: JournalEntry = row.entry();
    match entry.input() {
        Ok(Input::Step(header)) => {
            let lag = row.seq.0.checked_sub(header.seen_seq.0).ok_or_else(damaged)?;
            Ok(RangeBody { first_step: header.step, lags: vec![LagRun { steps: 1, lag }] })
        }
        _ => Err(damaged()),
    }
}
