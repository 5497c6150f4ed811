//! Tokens that set a new password once.
//!
//! The store's methods; the SQL is in `store/resets.rs`. Does not know which
//! backend is open.

use engine::time::WallTime;

use super::users::UserRow;
use crate::store::{Store, StoreError, on_backend};

impl Store {
    /// Stores the hash of the token that may set the user's password until
    /// `expires_at`, in place of an earlier one; `false` if nobody has this
    /// address.
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

    /// The user whose password a token may set.
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

    /// Uses the token up: sets the password and deletes the user's sessions;
    /// returns their hashes, `None` if the token is used, expired or unknown.
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
