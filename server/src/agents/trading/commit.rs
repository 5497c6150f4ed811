//! The money transaction, on its own thread: neither a dropped future nor a
//! shutdown leaves it half done.
//!
//! Does not know what is committed.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::store::journal::CommitBatch;
use crate::store::{Store, StoreError};

/// Fault that a test injects into a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The commit runs normally.
    None,
    /// Nothing is written.
    Fails,
    /// The batch is written, but the sequencer gets an error.
    Unknown,
}

/// Chooses a fault by the number of the commit since the agent started.
pub type Faults = Arc<dyn Fn(u64) -> Fault + Send + Sync>;

/// Every commit runs normally.
pub fn no_faults() -> Faults {
    Arc::new(|_| Fault::None)
}

/// A running commit; it continues when this is dropped.
pub(super) struct Commit {
    task: Option<JoinHandle<Result<(), StoreError>>>,
    fault: Fault,
}

impl Commit {
    pub(super) fn start(store: &Store, batch: Arc<CommitBatch>, fault: Fault) -> Self {
        let (store, runtime) = (store.clone(), Handle::current());
        // Its statements are awaited on a thread without other tasks.
        let write = move || runtime.block_on(store.commit(&batch));
        Self { task: (fault != Fault::Fails).then(|| spawn_blocking(write)), fault }
    }

    /// Waits for the commit to finish; call once. Cancel-safe.
    ///
    /// # Errors
    /// The store's; whatever it is, the outcome is unknown.
    pub(super) async fn finished(&mut self) -> Result<(), StoreError> {
        let failed = || StoreError::Interrupted("a test made this commit fail".to_owned());
        let Some(task) = &mut self.task else { return Err(failed()) };
        match task.await {
            Ok(Ok(())) if self.fault == Fault::Unknown => Err(failed()),
            Ok(result) => result,
            Err(error) => Err(StoreError::Interrupted(format!("the commit: {error}"))),
        }
    }
}
