//! The money transaction, in a task of its own: a reader that is dropped, or a
//! shutdown, never leaves one half done.
//!
//! Also the seam through which a test makes commits fail. Does not know what is
//! committed.

use std::sync::Arc;

use crate::store::api::journal::CommitBatch;
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

/// Commits `batch`.
///
/// # Errors
/// The store's; whatever it is, the outcome is unknown.
pub(super) async fn commit(store: &Store, batch: CommitBatch, fault: Fault) -> Result<(), StoreError> {
    let failed = || StoreError::Corrupt("a test made this commit fail".to_owned());
    if fault == Fault::Fails {
        return Err(failed());
    }
    let store = store.clone();
    let done = tokio::spawn(async move { store.commit(&batch).await }).await;
    match done {
        Ok(Ok(())) if fault == Fault::Unknown => Err(failed()),
        Ok(result) => result,
        Err(error) => Err(StoreError::Corrupt(format!("the commit's task ended: {error}"))),
    }
}
