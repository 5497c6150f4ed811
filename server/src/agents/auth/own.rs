//! What users may see of their own sessions and do to them.
//!
//! Ending a session is three things: its row, its copies, its sockets. They
//! happen in a task of their own, so that a client that hangs up in between
//! leaves none of them undone. Does not know who signs in.

use engine::id::Digest;
use protocol::rest::SessionEntry;
use uuid::Uuid;

use super::{Auth, AuthError, SessionKey, SignedIn, ended};
use crate::store::StoreError;

impl Auth {
    /// The user's sessions that go on, `current` first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sessions_of(&self, user: Uuid, current: Uuid) -> Result<Vec<SessionEntry>, AuthError> {
        Ok(self.sessions.of(user, current).await?)
    }

    /// Ends the caller's session that they name by `id`; `false` when they have
    /// none of that name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_named(&self, caller: &SignedIn, id: Uuid) -> Result<bool, AuthError> {
        match self.sessions.named(caller.user, id).await? {
            Some(key) => self.end(key).await,
            None => Ok(false),
        }
    }

    /// Ends every session of the caller but the one that they ask with.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_others(&self, caller: &SignedIn) -> Result<(), AuthError> {
        let (auth, user, kept) = (self.clone(), caller.user, caller.session.hash());
        whole(async move {
            let ended = auth.deps.store.delete_sessions_of(user, Some(kept.0)).await?;
            auth.forget(ended).await;
            Ok(())
        })
        .await
    }

    /// Ends a session for good, here and elsewhere; `false` when it has ended
    /// before.
    pub(super) async fn end(&self, key: SessionKey) -> Result<bool, AuthError> {
        let auth = self.clone();
        whole(async move {
            let was_there = auth.sessions.end(key).await?;
            if was_there {
                ended::announce(&auth.deps, key).await;
            }
            Ok(was_there)
        })
        .await
    }

    /// Sessions whose rows have gone end everywhere else too.
    pub(super) async fn forget(&self, hashes: Vec<[u8; 32]>) {
        for key in hashes.into_iter().map(|hash| SessionKey::from_hash(Digest(hash))) {
            self.sessions.ended(key).await;
            ended::announce(&self.deps, key).await;
        }
    }
}

/// Runs to its end, whoever waits for it.
pub(super) async fn whole<T: Send + 'static>(
    work: impl Future<Output = Result<T, AuthError>> + Send + 'static,
) -> Result<T, AuthError> {
    tokio::spawn(work).await.map_err(|error| StoreError::Corrupt(error.to_string()))?
}
