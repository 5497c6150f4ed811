//! The money transaction, on a thread of its own: a reader that is dropped, or
//! a shutdown, never leaves one half done.
//!
//! Also the seam through which a test makes commits fail. Does not know what is
//! committed.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::store::journal::CommitBatch;
use crate::store::{Store, StoreError};

/// What happens to a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What should.
    None,
    /// Nothing is written.
    Fails,
    /// It is written, and the sequencer is told that it failed.
    Unknown,
}

/// Chooses a fault by the number of the commit since the agent started.
pub type Faults = Arc<dyn Fn(u64) -> Fault + Send + Sync>;

/// Every commit does what it should.
pub fn no_faults() -> Faults {
    Arc::new(|_| Fault::None)
}

/// A commit on its way; it goes on when this is dropped.
pub(super) struct Commit {
    task: Option<JoinHandle<Result<(), StoreError>>>,
    fault: Fault,
}

impl Commit {
    /// Sends `batch` to the store.
    pub(super) fn begin(store: &Store, batch: Arc<CommitBatch>, fault: Fault) -> Self {
        let (store, runtime) = (store.clone(), Handle::current());
        // Its statements are waited for on a thread that nobody else keeps busy.
        let write = move || runtime.block_on(store.commit(&batch));
        Self { task: (fault != Fault::Fails).then(|| spawn_blocking(write)), fault }
    }

    /// Waits for its end, which there is one of. Safe to drop while it waits.
    ///
    /// # Errors
    /// The store's; whatever it is, the outcome is unknown.
    pub(super) async fn ended(&mut self) -> Result<(), StoreError> {
        let failed = || StoreError::Corrupt("a test made this commit fail".to_owned());
        let Some(task) = &mut self.task else { return Err(failed()) };
        match task.await {
            Ok(Ok(())) if self.fault == Fault::Unknown => Err(failed()),
            Ok(result) => result,
            Err(error) => Err(StoreError::Corrupt(format!("the commit's task ended: {error}"))),
        }
    }
}
