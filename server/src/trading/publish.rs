//! What leaves after a commit: answers, the batch on the execution stream, the
//! newest books and the status.
//!
//! The journal is the outbox: what the execution stream lacks, at start-up,
//! after an outage or because it was wiped, is published from it. Nothing here
//! can undo a commit, so what fails is done again. Does not know what was
//! decided.

use std::collections::BTreeSet;

use engine::event::{ExecutionBatch, PublishedEntry};
use engine::id::{InstrumentId, Seq};
use engine::venue::{Outcome, Venue};
use uuid::Uuid;

use super::Deps;
use crate::bus::decode::encode;
use crate::bus::messages::{CommandReply, ReplyMessage, TradingStatus, VERSION};
use crate::bus::{BusError, Placed};
use crate::store::StoreError;
use crate::store::api::journal::EntryKind;

/// Entries of the journal's end that are published again when the stream lacks
/// them; who is further behind refills from the journal.
const REPUBLISHED: u64 = 256;

/// Answers commands, in order.
pub(super) async fn replies(deps: &Deps, replies: Vec<(Uuid, CommandReply)>) {
    let messages = replies.into_iter().map(|(correlation, reply)| {
        encode(&ReplyMessage { v: VERSION, venue: deps.venue, correlation, reply })
    });
    if let Err(error) = deps.bus.append_all(&deps.streams.reply, messages.collect(), usize::MAX).await {
        tracing::error!(event = "replies_lost", %error, "Answers could not be sent; their senders will ask again.");
    }
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

    /// Publishes committed entries; `venue` is as of the last of them. What
    /// does not get there now gets there with [`Self::catch_up`].
    pub(super) async fn publish(&mut self, deps: &Deps, venue: &Venue, outcomes: Vec<Outcome>) {
        let Some(reached) = self.reached else { return };
        let books = outcomes.iter().flat_map(|outcome| outcome.books.iter().copied()).collect();
        match send(deps, venue, reached, outcomes, &books).await {
            Ok(Placed::There) => self.reached = Some(venue.seq().0),
            Ok(Placed::LastIs(last)) if last >= venue.seq().0 => self.reached = Some(last),
            Ok(Placed::LastIs(last)) => {
                tracing::warn!(event = "executions_lost", last, "the execution stream has lost batches");
                self.doubt();
            }
            Err(error) => {
                tracing::error!(event = "publish_failed", %error, through = venue.seq().0, "A batch could not be published yet.");
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
        put_books(deps, venue, &all).await?;
        while reached < head {
            let from = Seq(reached.max(head.saturating_sub(REPUBLISHED)));
            let rows = deps.store.journal_after(deps.venue, from, REPUBLISHED as u32).await?;
            // A range is not an entry: readers get it from the journal.
            let begin =
                rows.iter().rposition(|row| row.kind == EntryKind::Range).map_or(0, |range| range + 1);
            let outcomes: Vec<Outcome> =
                rows[begin..].iter().map(|row| row.outcome()).collect::<Result<_, _>>()?;
            if outcomes.is_empty() {
                break;
            }
            match send(deps, venue, reached, outcomes, &all).await? {
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
async fn send(
    deps: &Deps,
    venue: &Venue,
    reached: u64,
    outcomes: Vec<Outcome>,
    books: &BTreeSet<InstrumentId>,
) -> Result<Placed, BusError> {
    let (Some(first), Some(last)) = (outcomes.first(), outcomes.last()) else {
        return Ok(Placed::LastIs(reached));
    };
    let on_books = books.iter().filter(|id| venue.board(**id).is_none());
    let batch = ExecutionBatch {
        v: VERSION,
        venue: deps.venue,
        first_seq: first.seq,
        through: last.seq,
        books: on_books.map(|id| venue.book_message(*id)).collect(),
        quotes: books.iter().filter_map(|id| venue.quotes_message(*id)).collect(),
        entries: outcomes.into_iter().map(|outcome| PublishedEntry { outcome }).collect(),
    };
    put_books(deps, venue, books).await?;
    deps.bus.append_after(&deps.streams.execution, reached, batch.through.0, encode(&batch)).await
}

/// Puts newest books, or quotes of what has none.
async fn put_books(deps: &Deps, venue: &Venue, books: &BTreeSet<InstrumentId>) -> Result<(), BusError> {
    let values = books.iter().map(|id| {
        let newest = match venue.quotes_message(*id) {
            Some(quotes) => serde_json::to_vec(&quotes),
            None => serde_json::to_vec(&venue.book_message(*id)),
        };
        (deps.streams.book(*id), newest.unwrap_or_default().into())
    });
    deps.bus.put_all_latest(values.collect()).await
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
