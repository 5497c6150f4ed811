//! Output after a commit: replies, the batch on the execution stream, newest books
//! and the status.
//!
//! The journal is the outbox: entries that the execution stream lacks, at start,
//! after an outage or a data loss, are published from it. A failure to publish
//! never undoes a commit; it is repeated. Does not know how entries are decided.

use std::collections::BTreeSet;

use bytes::Bytes;
use engine::id::{InstrumentId, Seq};
use engine::venue::{Outcome, Venue};
use protocol::bus::{CommandReply, ExecutionBatch, PublishedEntry, ReplyMessage, SequencerStatus, VERSION};
use uuid::Uuid;

use super::TradingError;
use crate::agents::context::AgentContext;
use crate::bus::decode::remove_unreadable;
use crate::bus::{AppendResult, BusError, Payload};
use crate::store::journal::EntryKind;

/// Newest entries of the journal that are published again when the stream lacks
/// them; a consumer further behind refills from the journal.
const REPUBLISHED_ENTRIES: u64 = 256;

/// Sends replies to commands, in order.
pub(super) async fn replies(context: &AgentContext, replies: impl IntoIterator<Item = (Uuid, CommandReply)>) {
    let venue = context.venue;
    let message = |(correlation, reply)| Payload::new(ReplyMessage { v: VERSION, venue, correlation, reply });
    let messages = replies.into_iter().map(message).collect();
    if let Err(error) = context.bus.append_all(&context.streams.reply, messages, usize::MAX).await {
        tracing::error!(event = "replies_lost", %error, "Replies could not be sent; their senders will ask again.");
    }
}

/// A batch for the execution stream, with the newest books as of its end.
pub(super) struct Publication {
    through: Seq,
    batch: Payload,
    newest_values: Vec<(String, Bytes)>,
}

impl Publication {
    /// Publication of consecutive entries; `venue` is as of the last one. `None`
    /// without entries.
    pub(super) fn new<'a>(
        context: &AgentContext,
        venue: &Venue,
        outcomes: impl IntoIterator<Item = &'a Outcome>,
        books: &BTreeSet<InstrumentId>,
    ) -> Option<Self> {
        let entries: Vec<_> = outcomes.into_iter().map(published).collect();
        let (first, last) = (entries.first()?.outcome.seq, entries.last()?.outcome.seq);
        let with_book = books.iter().filter(|id| venue.board(**id).is_none());
        let batch = ExecutionBatch {
            v: VERSION,
            venue: context.venue,
            first_seq: first,
            through: last,
            books: with_book.map(|id| venue.book_snapshot(*id)).collect(),
            quotes: books.iter().filter_map(|id| venue.quotes_snapshot(*id)).collect(),
            entries,
        };
        let newest_values = newest_values(context, venue, books);
        Some(Self { through: last, batch: Payload::new(batch), newest_values })
    }
}

/// The entry without its answer, which only the sender needs, and without its
/// postings, which are in the ledger.
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

/// Keeps the execution stream complete.
#[derive(Debug, Default)]
pub(super) struct ExecutionPublisher {
    /// The stream's last id; `None` when it must be read.
    last_id: Option<u64>,
}

impl ExecutionPublisher {
    /// Marks the stream's state as unknown.
    pub(super) fn invalidate(&mut self) {
        self.last_id = None;
    }

    /// Returns true if [`Self::catch_up`] is needed.
    pub(super) fn is_invalid(&self) -> bool {
        self.last_id.is_none()
    }

    /// Publishes committed entries. After a failure [`Self::catch_up`] does.
    pub(super) async fn publish(&mut self, context: &AgentContext, publication: Publication) {
        let (Some(last_id), through) = (self.last_id, publication.through) else { return };
        match send(context, last_id, publication).await {
            Ok(AppendResult::Appended) => self.last_id = Some(through.0),
            Ok(AppendResult::LastIdIs(last)) => {
                tracing::warn!(
                    event = "executions_differ",
                    last,
                    "The execution stream is not as it was left."
                );
                self.invalidate();
            }
            Err(error) => {
                tracing::error!(event = "publish_failed", %error, through = through.0, "A batch could not be published yet.");
                self.invalidate();
            }
        }
    }

    /// Publishes the newest journal entries that the stream lacks, and every newest
    /// value.
    ///
    /// # Errors
    /// [`TradingError::Bus`], [`TradingError::Store`].
    pub(super) async fn catch_up(
        &mut self,
        context: &AgentContext,
        venue: &Venue,
    ) -> Result<(), TradingError> {
        let head = venue.seq().0;
        let mut last_id = context.bus.last_id(&context.streams.execution).await?;
        if last_id > head {
            last_id = remove_beyond(context, head).await?;
        }
        let all = venue.instruments().keys().copied().collect();
        context.bus.put_all_latest(newest_values(context, venue, &all)).await?;
        while last_id < head {
            let from = Seq(last_id.max(head.saturating_sub(REPUBLISHED_ENTRIES)));
            let rows = context.store.journal_after(context.venue, from, REPUBLISHED_ENTRIES as u32).await?;
            // A compacted range is not one entry: consumers read it from the journal.
            let start =
                rows.iter().rposition(|row| row.kind == EntryKind::Range).map_or(0, |range| range + 1);
            let outcomes: Vec<Outcome> =
                rows[start..].iter().map(|row| row.outcome()).collect::<Result<_, _>>()?;
            let Some(publication) = Publication::new(context, venue, &outcomes, &all) else { break };
            match send(context, last_id, publication).await? {
                AppendResult::Appended => last_id = head,
                AppendResult::LastIdIs(last) if last > head => last_id = remove_beyond(context, head).await?,
                AppendResult::LastIdIs(last) => last_id = last,
            }
        }
        self.last_id = Some(last_id);
        Ok(())
    }
}

/// Removes from the execution stream what no sequencer has published after `head`;
/// returns its last id, which is higher than `head` only if another one leads.
async fn remove_beyond(context: &AgentContext, head: u64) -> Result<u64, BusError> {
    let AgentContext { venue, bus, streams, .. } = context;
    remove_unreadable::<ExecutionBatch>(bus, *venue, &streams.execution, head).await?;
    bus.rewind(&streams.execution, head).await?;
    bus.last_id(&streams.execution).await
}

/// Appends a batch if `last_id` is the stream's last id. Newest books come first:
/// a consumer that is woken by the batch finds them.
async fn send(
    context: &AgentContext,
    last_id: u64,
    publication: Publication,
) -> Result<AppendResult, BusError> {
    let Publication { through, batch, newest_values } = publication;
    context.bus.put_all_latest(newest_values).await?;
    context.bus.append_after(&context.streams.execution, last_id, &[(through.0, batch)]).await
}

/// Keys and values of the newest books, or of the newest quotes of instruments
/// without a book.
fn newest_values(
    context: &AgentContext,
    venue: &Venue,
    books: &BTreeSet<InstrumentId>,
) -> Vec<(String, Bytes)> {
    let values = books.iter().map(|id| {
        let newest = match venue.quotes_snapshot(*id) {
            Some(quotes) => serde_json::to_vec(&quotes),
            None => serde_json::to_vec(&venue.book_snapshot(*id)),
        };
        (context.streams.book(*id), newest.unwrap_or_default().into())
    });
    values.collect()
}

/// Publishes the sequencer's status.
pub(super) async fn status(context: &AgentContext, status: &SequencerStatus) {
    let bytes = serde_json::to_vec(status).unwrap_or_default();
    if let Err(error) = context.bus.put_latest(&context.streams.trading_status, bytes).await {
        tracing::warn!(event = "status_not_cached", %error, "The status could not be published.");
    }
}
