//! Tokens that set a new password once.
//!
//! Compiled for each backend. Does not know how they reach their users.

use engine::time::WallTime;
use uuid::Uuid;

use super::{Backend, Db, dialect};
use crate::store::StoreError;
use crate::store::api::users::UserRow;

impl Backend {
    pub(in crate::store) async fn set_reset(
        &self,
        email: &str,
        token_hash: [u8; 32],
        expires_at: WallTime,
    ) -> Result<bool, StoreError> {
        // One token a user: a new one replaces an older one.
        let set = sqlx::query::<Db>(
            "INSERT INTO password_resets (user_id, token_hash, expires_at)
             SELECT id, $2, $3 FROM users WHERE email = $1
             ON CONFLICT (user_id) DO UPDATE
             SET token_hash = excluded.token_hash, expires_at = excluded.expires_at",
        )
        .bind(email)
        .bind(token_hash.as_slice())
        .bind(expires_at.0)
        .execute(&self.main)
        .await?;
        Ok(set.rows_affected() > 0)
    }

    pub(in crate::store) async fn user_of_reset(
        &self,
        token_hash: [u8; 32],
        now: WallTime,
    ) -> Result<Option<UserRow>, StoreError> {
        let row = sqlx::query::<Db>(
            "SELECT u.id, u.email, u.password_hash FROM password_resets r JOIN users u ON u.id = r.user_id
             WHERE r.token_hash = $1 AND r.expires_at > $2",
        )
        .bind(token_hash.as_slice())
        .bind(now.0)
        .fetch_optional(&self.main_readers)
        .await?;
        row.as_ref().map(super::users::user_row).transpose()
    }

    pub(in crate::store) async fn reset_password(
        &self,
        token_hash: [u8; 32],
        now: WallTime,
        password_hash: &str,
    ) -> Result<Option<Vec<[u8; 32]>>, StoreError> {
        let mut transaction = self.main.begin_with(dialect::BEGIN_WRITE).await?;
        // Of concurrent resets with one token, the one that deletes the row wins.
        let user: Option<Uuid> = sqlx::query_scalar::<Db, _>(
            "DELETE FROM password_resets WHERE token_hash = $1 AND expires_at > $2 RETURNING user_id",
        )
        .bind(token_hash.as_slice())
        .bind(now.0)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(user) = user else { return Ok(None) };
        sqlx::query::<Db>("UPDATE users SET password_hash = $2 WHERE id = $1")
            .bind(user)
            .bind(password_hash)
            .execute(&mut *transaction)
            .await?;
        let ended: Vec<Vec<u8>> =
            sqlx::query_scalar::<Db, _>("DELETE FROM sessions WHERE user_id = $1 RETURNING session_hash")
                .bind(user)
                .fetch_all(&mut *transaction)
                .await?;
        transaction.commit().await?;
        ended.iter().map(|hash| super::users::hash_of(hash)).collect::<Result<_, _>>().map(Some)
    }
}
