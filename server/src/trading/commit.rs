//! The money transaction, on a thread of its own: a reader that is dropped, or
//! a shutdown, never leaves one half done.
//!
//! Also the seam through which a test makes commits fail. Does not know what is
//! committed.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

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
    let (store, runtime) = (store.clone(), Handle::current());
    // Its statements are waited for on a thread that nobody else keeps busy.
    let done = spawn_blocking(move || runtime.block_on(store.commit(&batch))).await;
    match done {
        Ok(Ok(())) if fault == Fault::Unknown => Err(failed()),
        Ok(result) => result,
        Err(error) => Err(StoreError::Corrupt(format!("the commit's task ended: {error}"))),
    }
}
