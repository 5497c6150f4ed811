//! Sessions: list and revoke a user's own, count those of all.
//!
//! Does not know who signs in.

use protocol::rest::SessionEntry;
use uuid::Uuid;

use super::{Auth, AuthError, Identity, run_to_completion};
use crate::store::StoreError;
use crate::store::users::ActiveUser;

impl Auth {
    /// Users with a session active in the last `micros`, the latest first: the
    /// first `limit` of them and their number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn active_users(&self, micros: i64, limit: u32) -> Result<(Vec<ActiveUser>, u64), StoreError> {
        let since = self.inner.clock.now().plus_micros(-micros);
        self.inner.store.active_users(self.inner.venue, since, limit).await
    }

    /// The user's sessions that have not ended, `current` first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sessions_of(
        &self,
        user: Uuid,
        is_guest: bool,
        current: Uuid,
    ) -> Result<Vec<SessionEntry>, AuthError> {
        Ok(self.sessions().list(user, is_guest, current).await?)
    }

    /// Ends the caller's session with the public id `id`; `false` if they have
    /// no such session.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_session(&self, caller: &Identity, id: Uuid) -> Result<bool, AuthError> {
        match self.sessions().find(caller.user.id, id).await? {
            Some(key) => Ok(self.sessions().end(key).await?),
            None => Ok(false),
        }
    }

    /// Ends every session of the caller but the one of this request.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_other_sessions(&self, caller: &Identity) -> Result<(), AuthError> {
        let (auth, user, current) = (self.clone(), caller.user.id, caller.session.hash());
        run_to_completion(async move {
            let deleted = auth.inner.store.delete_sessions_of(user, Some(current.0)).await?;
            auth.sessions().announce_deleted(deleted).await;
            Ok(())
        })
        .await
    }
}
