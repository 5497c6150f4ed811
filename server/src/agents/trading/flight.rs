//! A decided batch on its way: to disk, then to everybody.
//!
//! While it is being written its answers are put into words and the next batch
//! is decided; they leave when it has landed, one batch after the other. Does
//! not know how anything was decided.

use std::sync::Arc;

use engine::id::Seq;
use engine::venue::Outcome;
use tokio::time::Instant;
use uuid::Uuid;

use super::agent::{Ended, Life};
use super::batch::{Answer, Pending};
use super::commit::Commit;
use super::publish::{self, Outbox, Publication};
use super::sequencer::Sequencer;
use super::{NAME, pause};
use crate::bus::Parcel;
use crate::bus::messages::{CommandReply, Reply};
use crate::config::Acknowledge;
use crate::store::StoreError;
use crate::store::journal::{CommitBatch, Cursor, NewEntry};

/// How long answers run ahead of the commit when they are told to: the window
/// that a write-behind cache would have.
const WRITE_BEHIND: std::time::Duration = std::time::Duration::from_millis(25);

/// Answers that are not in words yet, and the batch that they are about.
type Unsaid = (Vec<(Uuid, Answer)>, Arc<CommitBatch>);

/// A batch that is being written.
pub(super) struct Flight {
    commit: Commit,
    began: Instant,
    entries: u64,
    /// How many of the kept commands it decides: the oldest.
    commands: usize,
    command_cursor: u64,
    /// Its last entry, or the last one before it when it has none.
    through: Seq,
    /// What there is to say, and what it is about.
    unsaid: Option<Unsaid>,
    cargo: Cargo,
}

/// What leaves when the batch is written.
#[derive(Default)]
struct Cargo {
    replies: Vec<Ready>,
    publication: Option<Publication>,
}

/// An answer.
enum Ready {
    Told(Parcel),
    /// What an earlier batch came to, which is in the journal.
    Repeated(Uuid, Seq),
}

impl Flight {
    /// Waits for the end of its commit. Safe to drop while it waits.
    pub(super) async fn landed(&mut self) -> Result<(), StoreError> {
        self.commit.ended().await
    }
}

impl Life {
    /// Begins to write a batch; `sequencer` is as of its end, and everything
    /// before it is written.
    pub(super) async fn launch(
        &mut self,
        sequencer: &Sequencer,
        outbox: &mut Outbox,
        pending: Pending,
        command_cursor: u64,
    ) -> Result<Flight, Ended> {
        let Pending { entries, answers, commands } = pending;
        let cursor = (commands > 0).then(|| Cursor {
            consumer: NAME.to_owned(),
            stream: self.deps.streams.command.clone(),
            position: command_cursor,
        });
        let (count, through) = (entries.len() as u64, sequencer.venue.seq());
        let batch = Arc::new(self.batch(entries, cursor));
        let mut unsaid = Some((answers, batch.clone()));
        if self.deps.settings.acknowledge == Acknowledge::BeforeCommit {
            let cargo = self.cargo(sequencer, &mut unsaid);
            self.deliver(cargo, outbox, None).await?;
            pause(WRITE_BEHIND).await;
        }
        let (began, commit) = (Instant::now(), self.begin(batch));
        let cargo = Cargo::default();
        Ok(Flight { commit, began, entries: count, commands, command_cursor, through, unsaid, cargo })
    }

    /// Puts into words what leaves when the batch is written; `sequencer` is
    /// still as of its end.
    pub(super) fn load(&self, sequencer: &Sequencer, flight: &mut Flight) {
        if flight.unsaid.is_some() {
            flight.cargo = self.cargo(sequencer, &mut flight.unsaid);
        }
    }

    fn batch(&self, entries: Vec<NewEntry>, cursor: Option<Cursor>) -> CommitBatch {
        let (venue, currency) = (self.row.id, self.row.config.currency.clone());
        CommitBatch { venue, epoch: self.epoch, currency, entries, cursor }
    }

    fn begin(&mut self, batch: Arc<CommitBatch>) -> Commit {
        self.commits += 1;
        Commit::begin(&self.deps.store, batch, (self.deps.faults)(self.commits))
    }

    /// Writes entries that nobody asked for.
    pub(super) async fn commit(&mut self, entries: Vec<NewEntry>) -> Result<(), Ended> {
        let batch = Arc::new(self.batch(entries, None));
        self.begin(batch).ended().await?;
        self.written += 1;
        Ok(())
    }

    /// Answers and publishes a batch that is written.
    pub(super) async fn arrive(&mut self, flight: Flight, outbox: &mut Outbox) -> Result<(), Ended> {
        let Flight { began, entries, commands, command_cursor, through, cargo, .. } = flight;
        self.written += 1;
        metrics::histogram!("tickhall_commit_seconds").record(began.elapsed().as_secs_f64());
        metrics::counter!("tickhall_journal_entries_total").increment(entries);
        self.deliver(cargo, outbox, (commands > 0).then_some(command_cursor)).await?;
        self.requeued.drain(..commands.min(self.requeued.len()));
        self.deps.health.report(NAME, through.0);
        Ok(())
    }

    /// Answers, publishes, and forgets commands up to `read`.
    async fn deliver(&self, cargo: Cargo, outbox: &mut Outbox, read: Option<u64>) -> Result<(), Ended> {
        let mut replies = Vec::with_capacity(cargo.replies.len());
        for ready in cargo.replies {
            replies.push(match ready {
                Ready::Told(told) => told,
                Ready::Repeated(correlation, seq) => self.tell(correlation, &self.original(seq).await?, true),
            });
        }
        // One after the other on their way, and waited for together.
        let answered = publish::replies(&self.deps, replies);
        let published = async {
            if let Some(publication) = cargo.publication {
                outbox.publish(&self.deps, publication).await;
            }
        };
        let trimmed = async {
            if let Some(command_cursor) = read {
                self.trim(command_cursor).await;
            }
        };
        tokio::join!(answered, published, trimmed);
        Ok(())
    }

    async fn trim(&self, command_cursor: u64) {
        // What is not trimmed now is trimmed with the next.
        if let Err(error) = self.deps.bus.trim(&self.deps.streams.command, command_cursor).await {
            tracing::debug!(event = "commands_untrimmed", %error, "read commands are still on the stream");
        }
    }

    fn cargo(&self, sequencer: &Sequencer, unsaid: &mut Option<Unsaid>) -> Cargo {
        let Some((answers, batch)) = unsaid.take() else { return Cargo::default() };
        let entries = &batch.entries;
        let outcomes = || entries.iter().map(|new| &new.outcome);
        let told = |(correlation, answer): &(Uuid, Answer)| match answer {
            Answer::Entry(index) => Ready::Told(self.tell(*correlation, &entries[*index].outcome, false)),
            Answer::Repeat(seq) => match outcomes().find(|outcome| outcome.seq == *seq) {
                Some(outcome) => Ready::Told(self.tell(*correlation, outcome, true)),
                None => Ready::Repeated(*correlation, *seq),
            },
            Answer::Refused(reject) => {
                Ready::Told(publish::reply(&self.deps, *correlation, CommandReply::Refused(reject.clone())))
            }
        };
        let books = outcomes().flat_map(|outcome| outcome.books.iter().copied()).collect();
        Cargo {
            replies: answers.iter().map(told).collect(),
            publication: Publication::of(&self.deps, &sequencer.venue, outcomes(), &books),
        }
    }

    fn tell(&self, correlation: Uuid, outcome: &Outcome, repeated: bool) -> Parcel {
        let reply = CommandReply::Applied(Box::new(Reply::of(outcome, repeated)));
        publish::reply(&self.deps, correlation, reply)
    }

    /// The outcome that an earlier copy of a command had.
    async fn original(&self, seq: Seq) -> Result<Outcome, Ended> {
        let rows = self.deps.store.journal_after(self.row.id, Seq(seq.0.saturating_sub(1)), 1).await?;
        match rows.first() {
            Some(row) if row.seq == seq => Ok(row.outcome()?),
            _ => Err(Ended::ForGood(format!("the journal lacks entry {seq}"))),
        }
    }
}
