//! Following the journal: the execution stream while it is complete, the store
//! where the stream has a gap.
//!
//! Does not know what its entries change.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use engine::id::{Seq, VenueId};
use engine::venue::Outcome;
use protocol::bus::ExecutionBatch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::bus::decode::{Unreadable, dead_letter, decode_shared};
use crate::bus::{Batch, Bus, BusError, Message, StreamNames};
use crate::store::journal::{EntryKind, JournalRow};
use crate::store::{Store, StoreError};

/// Messages of one read of the stream.
const READ_MAX_MESSAGES: usize = 256;

/// Rows of one read of the journal.
const PAGE_MAX_ROWS: u32 = 1_000;

/// Silence of the stream after which the journal is read: whatever became of the
/// stream, a follower is not further behind than this.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(5);

/// Errors of following the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A published batch cannot be decoded, or is not what its id says. It is a dead
    /// letter now, and the next read takes its entries from the journal.
    #[error("message {id} of the execution stream cannot be read")]
    UnreadableExecution {
        /// The message.
        id: u64,
    },
}

/// An entry read from the journal, or a compacted run of steps merged into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// The first entry of a run; else the entry itself.
    pub first_seq: Seq,
    /// The outcome; of a run, its last marks, changed books and date.
    pub outcome: Outcome,
    /// True for a compacted run.
    pub is_range: bool,
}

impl StoredEntry {
    fn new(row: &JournalRow) -> Result<Self, StoreError> {
        Ok(Self { first_seq: row.first_seq, outcome: row.outcome()?, is_range: row.kind == EntryKind::Range })
    }
}

/// The next entries, right after those before.
#[derive(Clone, Debug)]
pub enum JournalBatch {
    /// A batch as trading published it, with the books it changed.
    Published {
        /// The message.
        batch: Arc<ExecutionBatch>,
        /// Entries at its start that were delivered before.
        delivered: usize,
    },
    /// Entries that the stream lacks.
    Stored(Vec<StoredEntry>),
}

impl JournalBatch {
    /// The new outcomes, in order; each with the first entry that it covers.
    pub fn outcomes(&self) -> impl Iterator<Item = (Seq, &Outcome)> {
        let (published, stored) = match self {
            Self::Published { batch, delivered } => (&batch.entries[*delivered..], &[][..]),
            Self::Stored(entries) => (&[][..], entries.as_slice()),
        };
        let published = published.iter().map(|entry| (entry.outcome.seq, &entry.outcome));
        published.chain(stored.iter().map(|entry| (entry.first_seq, &entry.outcome)))
    }
}

/// A consumer's position in the journal. Delivers every entry after it once, in
/// order and without gaps.
#[derive(Debug)]
pub struct Follower {
    venue: VenueId,
    store: Store,
    bus: Bus,
    stream: String,
    /// The last delivered entry.
    through: Seq,
    /// The last message read. Ids are the last sequence number of the message.
    cursor: u64,
    /// Messages that were read and not delivered.
    unread: VecDeque<Message>,
    /// True if the stream lacks the next entry.
    has_gap: bool,
    /// Time of the last message, or of the last read of the journal.
    read_at: Instant,
    /// A page of the journal that is being read; kept when its reader is dropped.
    page: Option<JoinHandle<Result<Vec<JournalRow>, StoreError>>>,
}

impl Follower {
    /// A follower of the entries after `through`.
    pub fn new(venue: VenueId, store: Store, bus: Bus, streams: &StreamNames, through: Seq) -> Self {
        Self {
            venue,
            store,
            bus,
            stream: streams.execution.clone(),
            through,
            cursor: through.0,
            unread: VecDeque::new(),
            has_gap: false,
            read_at: Instant::now(),
            page: None,
        }
    }

    /// The last delivered entry.
    pub fn through(&self) -> Seq {
        self.through
    }

    /// Waits for the next entries. Cancel-safe.
    ///
    /// # Errors
    /// [`JournalError`]; the next call continues where this one failed.
    pub async fn next(&mut self) -> Result<JournalBatch, JournalError> {
        loop {
            if let Some(batch) = self.try_next_read().await? {
                return Ok(batch);
            }
            tokio::select! {
                read = self.bus.read_after(&self.stream, self.cursor, READ_MAX_MESSAGES) => {
                    self.accept(read?);
                }
                () = sleep_until(self.read_at + SILENCE_TIMEOUT) => {
                    self.read_at = Instant::now();
                    (self.cursor, self.has_gap) = (self.through.0, true);
                }
            }
        }
    }

    /// The next entries, if there are any now. Cancel-safe.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn try_next(&mut self) -> Result<Option<JournalBatch>, JournalError> {
        if let Some(batch) = self.try_next_read().await? {
            return Ok(Some(batch));
        }
        let read = self.bus.read_now(&self.stream, self.cursor, READ_MAX_MESSAGES).await?;
        self.accept(read);
        self.try_next_read().await
    }

    /// The next entries, if they have been read already.
    pub fn next_buffered(&mut self) -> Option<JournalBatch> {
        self.decode_next().ok().flatten()
    }

    /// The next page of the journal, whatever the stream has; `None` at its end.
    /// Cancel-safe.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_stored(&mut self) -> Result<Option<JournalBatch>, StoreError> {
        let page = self.page.get_or_insert_with(|| {
            let (store, venue, through) = (self.store.clone(), self.venue, self.through);
            tokio::spawn(async move { store.journal_after(venue, through, PAGE_MAX_ROWS).await })
        });
        let rows = page.await;
        self.page = None;
        let rows =
            rows.map_err(|error| StoreError::Interrupted(format!("reading the journal: {error}")))??;
        let Some(last) = rows.last() else { return Ok(None) };
        let entries = rows.iter().map(StoredEntry::new).collect::<Result<_, _>>()?;
        self.through = last.seq;
        self.cursor = self.cursor.max(last.seq.0);
        Ok(Some(JournalBatch::Stored(entries)))
    }

    /// Entries that need no further read of the stream.
    async fn try_next_read(&mut self) -> Result<Option<JournalBatch>, JournalError> {
        let mut is_at_end = false;
        loop {
            if self.has_gap {
                if let Some(batch) = self.next_stored().await? {
                    return Ok(Some(batch));
                }
                (self.has_gap, is_at_end) = (false, true);
            }
            match self.decode_next() {
                Ok(Some(batch)) => return Ok(Some(batch)),
                Ok(None) if !self.has_gap => return Ok(None),
                Ok(None) if is_at_end => {
                    let missing = self.through.next();
                    // A batch is published after its commit: this one is made up.
                    let reason = format!("the journal lacks entry {missing} before it");
                    self.discard_next(&reason).await;
                    return Err(StoreError::Corrupt(format!("the journal lacks entry {missing}")).into());
                }
                Ok(None) => {}
                Err(reason) => {
                    let Some(id) = self.unread.front().map(|message| message.id) else { return Ok(None) };
                    self.discard_next(&reason.to_string()).await;
                    return Err(JournalError::UnreadableExecution { id });
                }
            }
        }
    }

    /// Moves the next unread message to the dead-letter stream.
    async fn discard_next(&mut self, reason: &str) {
        let Some(message) = self.unread.front() else { return };
        dead_letter(&self.bus, self.venue, &self.stream, message, self.through.0, reason).await;
        // Those after it are read again.
        self.unread.clear();
        (self.cursor, self.has_gap) = (self.through.0, true);
    }

    /// The next unread message with new entries; `None` if there is none, or if the
    /// stream has a gap before it.
    fn decode_next(&mut self) -> Result<Option<JournalBatch>, Unreadable> {
        while !self.has_gap
            && let Some(message) = self.unread.front()
        {
            let batch = decode_shared::<ExecutionBatch>(&self.bus, self.venue, message)?;
            if batch.first_seq > self.through.next() {
                self.has_gap = true;
                break;
            }
            self.cursor = self.cursor.max(message.id);
            self.unread.pop_front();
            if let Some(delivered) = batch.entries.iter().position(|entry| entry.outcome.seq > self.through) {
                self.through = batch.through;
                return Ok(Some(JournalBatch::Published { batch, delivered }));
            }
        }
        Ok(None)
    }

    fn accept(&mut self, read: Batch) {
        self.read_at = Instant::now();
        match read {
            Batch::Messages(messages) => self.unread.extend(messages),
            Batch::Trimmed { through } => (self.cursor, self.has_gap) = (self.cursor.max(through), true),
        }
    }
}
