//! What leaves after a commit: answers, the batch on the execution stream, the
//! newest books and the status.
//!
//! The journal is the outbox: what the execution stream lacks, at start-up,
//! after an outage or because it was wiped, is published from it. Nothing here
//! can undo a commit, so what fails is done again. Does not know what was
//! decided.

use std::collections::BTreeSet;

use bytes::Bytes;
use engine::id::{InstrumentId, Seq};
use engine::venue::{Outcome, Venue};
use protocol::bus::{ExecutionBatch, PublishedEntry};
use uuid::Uuid;

use super::Deps;
use crate::bus::messages::{CommandReply, ReplyMessage, TradingStatus, VERSION};
use crate::bus::{BusError, Parcel, Placed};
use crate::store::StoreError;
use crate::store::journal::EntryKind;

/// Entries of the journal's end that are published again when the stream lacks
/// them; who is further behind refills from the journal.
const REPUBLISHED: u64 = 256;

/// An answer on its way.
pub(super) fn reply(deps: &Deps, correlation: Uuid, reply: CommandReply) -> Parcel {
    Parcel::of(ReplyMessage { v: VERSION, venue: deps.venue, correlation, reply })
}

/// Answers commands, in order.
pub(super) async fn replies(deps: &Deps, messages: Vec<Parcel>) {
    if let Err(error) = deps.bus.append_all(&deps.streams.reply, messages, usize::MAX).await {
        tracing::error!(event = "replies_lost", %error, "Answers could not be sent; their senders will ask again.");
    }
}

/// A batch ready to leave, with what is newest as of its end.
pub(super) struct Publication {
    through: Seq,
    batch: Parcel,
    newest: Vec<(String, Bytes)>,
}

impl Publication {
    /// Of entries that follow each other; `venue` is as of the last of them.
    /// `None` without any.
    pub(super) fn of<'a>(
        deps: &Deps,
        venue: &Venue,
        outcomes: impl IntoIterator<Item = &'a Outcome>,
        books: &BTreeSet<InstrumentId>,
    ) -> Option<Self> {
        let entries: Vec<_> = outcomes.into_iter().map(published).collect();
        let (first, last) = (entries.first()?.outcome.seq, entries.last()?.outcome.seq);
        let on_books = books.iter().filter(|id| venue.board(**id).is_none());
        let batch = ExecutionBatch {
            v: VERSION,
            venue: deps.venue,
            first_seq: first,
            through: last,
            books: on_books.map(|id| venue.book_snapshot(*id)).collect(),
            quotes: books.iter().filter_map(|id| venue.quotes_snapshot(*id)).collect(),
            entries,
        };
        Some(Self { through: last, batch: Parcel::of(batch), newest: newest(deps, venue, books) })
    }
}

/// What others follow of an entry: the answer has gone to whoever asked, the
/// postings are in the ledger, and both in the journal.
fn published(outcome: &Outcome) -> PublishedEntry {
    let Outcome { seq, time, step, new_date, .. } = *outcome;
    let outcome = Outcome {
        seq,
        time,
        step,
        new_date,
        answer: None,
        events: outcome.events.clone(),
        balances: outcome.balances.clone(),
        positions: outcome.positions.clone(),
        postings: Vec::new(),
        marks: outcome.marks.clone(),
        tape: outcome.tape.clone(),
        books: outcome.books.clone(),
    };
    PublishedEntry { outcome }
}

/// What the execution stream has, so that it gets what it lacks.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// The stream's last id; `None` when that must be looked up.
    reached: Option<u64>,
}

impl Outbox {
    /// Something happened to the bus: what the stream has must be looked up.
    pub(super) fn doubt(&mut self) {
        self.reached = None;
    }

    /// Whether the stream has to be looked at.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.reached.is_none()
    }

    /// Publishes committed entries. What does not get there now gets there with
    /// [`Self::catch_up`].
    pub(super) async fn publish(&mut self, deps: &Deps, publication: Publication) {
        let (Some(reached), through) = (self.reached, publication.through) else { return };
        match send(deps, reached, publication).await {
            Ok(Placed::There) => self.reached = Some(through.0),
            Ok(Placed::LastIs(last)) if last >= through.0 => self.reached = Some(last),
            Ok(Placed::LastIs(last)) => {
                tracing::warn!(event = "executions_lost", last, "the execution stream has lost batches");
                self.doubt();
            }
            Err(error) => {
                tracing::error!(event = "publish_failed", %error, through = through.0, "A batch could not be published yet.");
                self.doubt();
            }
        }
    }

    /// Publishes the journal's end as far as the stream lacks it, and puts
    /// every newest value again.
    ///
    /// # Errors
    /// When journal or stream cannot be reached.
    pub(super) async fn catch_up(&mut self, deps: &Deps, venue: &Venue) -> Result<(), PublishError> {
        let head = venue.seq().0;
        let mut reached = deps.bus.last_id(&deps.streams.execution).await?;
        let all = venue.instruments().keys().copied().collect();
        deps.bus.put_all_latest(newest(deps, venue, &all)).await?;
        while reached < head {
            let from = Seq(reached.max(head.saturating_sub(REPUBLISHED)));
            let rows = deps.store.journal_after(deps.venue, from, REPUBLISHED as u32).await?;
            // A range is not an entry: readers get it from the journal.
            let begin =
                rows.iter().rposition(|row| row.kind == EntryKind::Range).map_or(0, |range| range + 1);
            let outcomes: Vec<Outcome> =
                rows[begin..].iter().map(|row| row.outcome()).collect::<Result<_, _>>()?;
            let Some(publication) = Publication::of(deps, venue, &outcomes, &all) else { break };
            match send(deps, reached, publication).await? {
                Placed::There => reached = head,
                Placed::LastIs(last) => reached = last,
            }
        }
        self.reached = Some(reached);
        Ok(())
    }
}

/// Appends a batch if the stream has reached `reached`, newest books first:
/// whoever is woken by the batch finds them.
async fn send(deps: &Deps, reached: u64, publication: Publication) -> Result<Placed, BusError> {
    let Publication { through, batch, newest } = publication;
    deps.bus.put_all_latest(newest).await?;
    deps.bus.append_after(&deps.streams.execution, reached, &[(through.0, batch)]).await
}

/// Newest books, or quotes of what has none, under their names.
fn newest(deps: &Deps, venue: &Venue, books: &BTreeSet<InstrumentId>) -> Vec<(String, Bytes)> {
    let values = books.iter().map(|id| {
        let newest = match venue.quotes_snapshot(*id) {
            Some(quotes) => serde_json::to_vec(&quotes),
            None => serde_json::to_vec(&venue.book_snapshot(*id)),
        };
        (deps.streams.book(*id), newest.unwrap_or_default().into())
    });
    values.collect()
}

/// Why the journal's end could not be published.
#[derive(Debug, thiserror::Error)]
pub(super) enum PublishError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Says what the sequencer can do now.
pub(super) async fn status(deps: &Deps, status: &TradingStatus) {
    let bytes = serde_json::to_vec(status).unwrap_or_default();
    if let Err(error) = deps.bus.put_latest(&deps.streams.trading_status, bytes).await {
        tracing::warn!(event = "status_not_cached", %error, "The status could not be cached.");
    }
}
