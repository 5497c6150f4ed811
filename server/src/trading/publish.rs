//! What leaves after a commit: answers, the batch on the execution stream, the
//! newest books and the status.
//!
//! The journal is the outbox: at start-up what the execution stream lacks is
//! published from it. Nothing here can undo a commit, so failures are logged
//! and the next start publishes again. Does not know what was decided.

use std::collections::BTreeSet;

use engine::event::{ExecutionBatch, PublishedEntry};
use engine::id::{InstrumentId, Seq};
use engine::venue::{Outcome, Venue};
use uuid::Uuid;

use super::Deps;
use crate::bus::BusError;
use crate::bus::decode::encode;
use crate::bus::messages::{CommandReply, ReplyMessage, TradingStatus, VERSION};
use crate::store::StoreError;
use crate::store::api::journal::EntryKind;

/// Entries of the journal's end that are published again when the stream lacks
/// them; who is further behind refills from the journal.
const REPUBLISHED: u64 = 256;

/// Answers one command.
pub(super) async fn reply(deps: &Deps, correlation: Uuid, reply: CommandReply) {
    let message = ReplyMessage { v: VERSION, venue: deps.venue, correlation, reply };
    let sent = deps.bus.append_auto(&deps.streams.reply, encode(&message), usize::MAX).await;
    if let Err(error) = sent {
        tracing::error!(event = "reply_lost", %error, "An answer could not be sent; its sender will ask again.");
    }
}

/// Publishes committed entries; `venue` is as of the last of them.
pub(super) async fn entries(deps: &Deps, venue: &Venue, outcomes: Vec<Outcome>) {
    let books: BTreeSet<InstrumentId> =
        outcomes.iter().flat_map(|outcome| outcome.books.iter().copied()).collect();
    send(deps, venue, outcomes, &books).await;
}

async fn send(deps: &Deps, venue: &Venue, outcomes: Vec<Outcome>, books: &BTreeSet<InstrumentId>) {
    let (Some(first), Some(last)) = (outcomes.first(), outcomes.last()) else { return };
    let batch = ExecutionBatch {
        v: VERSION,
        venue: deps.venue,
        first_seq: first.seq,
        through: last.seq,
        books: books.iter().map(|id| venue.book_message(*id)).collect(),
        entries: outcomes.into_iter().map(|outcome| PublishedEntry { outcome }).collect(),
    };
    // Newest books first: whoever is woken by the batch finds them.
    for book in &batch.books {
        let bytes = serde_json::to_vec(book).unwrap_or_default();
        if let Err(error) = deps.bus.put_latest(&deps.streams.book(book.instrument), bytes).await {
            tracing::warn!(event = "book_not_cached", %error, "A newest book could not be cached.");
        }
    }
    let sent = deps.bus.append(&deps.streams.execution, batch.through.0, encode(&batch)).await;
    if let Err(error) = sent {
        tracing::error!(event = "publish_failed", %error, through = batch.through.0, "A batch could not be published.");
    }
}

/// Publishes the journal's end if the execution stream lacks it, with every
/// book.
///
/// # Errors
/// When journal or stream cannot be read.
pub(super) async fn missing(deps: &Deps, venue: &Venue) -> Result<(), PublishError> {
    let published = deps.bus.last_id(&deps.streams.execution).await?;
    let head = venue.seq();
    let from = Seq(published.max(head.0.saturating_sub(REPUBLISHED)));
    let rows = deps.store.journal_after(deps.venue, from, REPUBLISHED as u32).await?;
    // A range is not an entry: readers get it from the journal.
    let begin = rows.iter().rposition(|row| row.kind == EntryKind::Range).map_or(0, |range| range + 1);
    let outcomes: Result<Vec<_>, _> = rows[begin..].iter().map(|row| row.outcome()).collect();
    let all = venue.instruments().keys().copied().collect();
    send(deps, venue, outcomes?, &all).await;
    Ok(())
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
