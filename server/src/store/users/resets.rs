//! Tokens that set a password once.
//!
//! Does not know how they are made.

use engine::time::WallTime;
use uuid::Uuid;

use super::UserRow;
use super::sessions::{Hash, hashes};
use crate::store::copying::Schema;
use crate::store::{Store, StoreError, on_backend};

impl Store {
    /// Stores the hash of a token that may set the user's password until
    /// `expires_at`, instead of any earlier token; false if nobody has this address.
    pub async fn set_reset(
        &self,
        email: &str,
        token_hash: Hash,
        expires_at: WallTime,
    ) -> Result<bool, StoreError> {
        let written = on_backend!(self, |backend| {
            sqlx::query(
                "INSERT INTO password_resets (user_id, token_hash, expires_at)
                 SELECT id, $2, $3 FROM users WHERE email = $1
                 ON CONFLICT (user_id) DO UPDATE
                 SET token_hash = excluded.token_hash, expires_at = excluded.expires_at",
            )
            .bind(email)
            .bind(token_hash.as_slice())
            .bind(expires_at.0)
            .execute(&backend.main)
            .await?
            .rows_affected()
        });
        Ok(written > 0)
    }

    /// The user whose password a token may set.
    pub async fn user_of_reset(
        &self,
        token_hash: Hash,
        now: WallTime,
    ) -> Result<Option<UserRow>, StoreError> {
        Ok(on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT u.id, u.email, u.password_hash FROM password_resets r JOIN users u ON u.id = r.user_id
                 WHERE r.token_hash = $1 AND r.expires_at > $2",
            )
            .bind(token_hash.as_slice())
            .bind(now.0)
            .fetch_optional(&backend.main_readers)
            .await?
        }))
    }

    /// Uses a token: sets the password and ends the user's sessions, whose hashes it
    /// returns. `None` if the token was used, has expired or never existed.
    pub async fn reset_password(
        &self,
        token_hash: Hash,
        now: WallTime,
        password_hash: &str,
    ) -> Result<Option<Vec<Hash>>, StoreError> {
        let ended: Vec<Vec<u8>> = on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::Main).await?;
            // Only one of two concurrent uses finds the row to delete.
            let user: Option<Uuid> = sqlx::query_scalar(
                "DELETE FROM password_resets WHERE token_hash = $1 AND expires_at > $2 RETURNING user_id",
            )
            .bind(token_hash.as_slice())
            .bind(now.0)
            .fetch_optional(&mut *transaction)
            .await?;
            let Some(user) = user else { return Ok(None) };
            sqlx::query("UPDATE users SET password_hash = $2 WHERE id = $1")
                .bind(user)
                .bind(password_hash)
                .execute(&mut *transaction)
                .await?;
            let ended = sqlx::query_scalar("DELETE FROM sessions WHERE user_id = $1 RETURNING session_hash")
                .bind(user)
                .fetch_all(&mut *transaction)
                .await?;
            transaction.commit().await?;
            ended
        });
        hashes(ended).map(Some)
    }
}
