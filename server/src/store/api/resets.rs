//! Tokens that set a new password once.
//!
//! The store's methods; the SQL is in `store/resets.rs`. Does not know which
//! backend answers.

use engine::time::WallTime;

use super::users::UserRow;
use crate::store::{Store, StoreError, on_backend};

impl Store {
    /// Keeps the hash of the one token that sets the user's password until
    /// `expires_at`; `false` when nobody has this address.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_reset(
        &self,
        email: &str,
        token_hash: [u8; 32],
        expires_at: WallTime,
    ) -> Result<bool, StoreError> {
        on_backend!(self, backend => backend.set_reset(email, token_hash, expires_at).await)
    }

    /// Whose password a token would set.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_of_reset(
        &self,
        token_hash: [u8; 32],
        now: WallTime,
    ) -> Result<Option<UserRow>, StoreError> {
        on_backend!(self, backend => backend.user_of_reset(token_hash, now).await)
    }

    /// Uses the token up: sets the password and ends the user's sessions, which
    /// are returned. `None` for a token that is used, too old or no token.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reset_password(
        &self,
        token_hash: [u8; 32],
        now: WallTime,
        password_hash: &str,
    ) -> Result<Option<Vec<[u8; 32]>>, StoreError> {
        on_backend!(self, backend => backend.reset_password(token_hash, now, password_hash).await)
    }
}
