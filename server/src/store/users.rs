//! Users, their accounts and sessions.
//!
//! Compiled for each backend. Does not know who asks.

use engine::id::{AccountId, VenueId};
use engine::time::WallTime;
use sqlx::Row as _;
use uuid::Uuid;

use super::{Backend, Db, dialect};
use crate::store::StoreError;
use crate::store::api::users::{CandleHistory, Holder, NewUser, OwnSession, SessionRow, UserRow};

impl Backend {
    pub(in crate::store) async fn insert_user(&self, user: &NewUser) -> Result<bool, StoreError> {
        let mut transaction = self.main.begin_with(dialect::BEGIN_WRITE).await?;
        let added = sqlx::query::<Db>(
            "INSERT INTO users (id, email, password_hash, created_at, name) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (email) DO NOTHING",
        )
        .bind(user.id)
        .bind(&user.email)
        .bind(&user.password_hash)
        .bind(user.created_at.0)
        .bind(user.name.as_deref())
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query::<Db>("INSERT INTO user_accounts (venue_id, user_id, account_id) VALUES ($1, $2, $3)")
            .bind(user.venue.0)
            .bind(user.id)
            .bind(user.account.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn user_by_email(&self, email: &str) -> Result<Option<UserRow>, StoreError> {
        let row = sqlx::query::<Db>("SELECT id, email, password_hash FROM users WHERE email = $1")
            .bind(email)
            .fetch_optional(&self.main_readers)
            .await?;
        row.as_ref().map(user).transpose()
    }

    pub(in crate::store) async fn keep_guest(
        &self,
        user: Uuid,
        email: &str,
        password_hash: &str,
    ) -> Result<CandleHistory, StoreError> {
        let mut transaction = self.main.begin_with(dialect::BEGIN_WRITE).await?;
        let taken: i64 = sqlx::query_scalar::<Db, _>("SELECT count(*) FROM users WHERE email = $1")
            .bind(email)
            .fetch_one(&mut *transaction)
            .await?;
        if taken > 0 {
            return Ok(CandleHistory::Taken);
        }
        // A guest has no address, so no @.
        let kept = sqlx::query::<Db>(
            "UPDATE users SET email = $2, password_hash = $3 WHERE id = $1 AND email NOT LIKE '%@%'",
        )
        .bind(user)
        .bind(email)
        .bind(password_hash)
        .execute(&mut *transaction)
        .await?;
        if kept.rows_affected() == 0 {
            return Ok(CandleHistory::NoGuest);
        }
        let ended: Vec<Vec<u8>> =
            sqlx::query_scalar::<Db, _>("DELETE FROM sessions WHERE user_id = $1 RETURNING session_hash")
                .bind(user)
                .fetch_all(&mut *transaction)
                .await?;
        transaction.commit().await?;
        ended.iter().map(|hash| hash_of(hash)).collect::<Result<_, _>>().map(CandleHistory::Ended)
    }

    pub(in crate::store) async fn unopened_accounts(
        &self,
        venue: VenueId,
        user: Option<Uuid>,
    ) -> Result<Vec<Holder>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT h.user_id, h.account_id FROM user_accounts h
             LEFT JOIN accounts a ON a.venue_id = h.venue_id AND a.account_id = h.account_id
             WHERE h.venue_id = $1 AND a.account_id IS NULL AND ($2 IS NULL OR h.user_id = $2)",
        )
        .bind(venue.0)
        .bind(user)
        .fetch_all(&self.main_readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Holder { user: row.try_get("user_id")?, account: AccountId(row.try_get("account_id")?) })
            })
            .collect()
    }

    pub(in crate::store) async fn insert_session(
        &self,
        user: Uuid,
        session: &OwnSession,
    ) -> Result<(), StoreError> {
        sqlx::query::<Db>(
            "INSERT INTO sessions (session_hash, user_id, data, created_at, last_seen_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(session.hash.as_slice())
        .bind(user)
        .bind(session.device.as_bytes())
        .bind(session.created_at.0)
        .bind(session.last_seen_at.0)
        .bind(session.expires_at.0)
        .execute(&self.main)
        .await?;
        Ok(())
    }

    pub(in crate::store) async fn sessions_of(&self, user: Uuid) -> Result<Vec<OwnSession>, StoreError> {
        let rows = sqlx::query::<Db>(
            "SELECT session_hash, data, created_at, last_seen_at, expires_at FROM sessions
             WHERE user_id = $1 ORDER BY last_seen_at DESC, created_at DESC, session_hash",
        )
        .bind(user)
        .fetch_all(&self.main_readers)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(OwnSession {
                    hash: hash_of(row.try_get("session_hash")?)?,
                    device: String::from_utf8_lossy(row.try_get("data")?).into_owned(),
                    created_at: WallTime(row.try_get("created_at")?),
                    last_seen_at: WallTime(row.try_get("last_seen_at")?),
                    expires_at: WallTime(row.try_get("expires_at")?),
                })
            })
            .collect()
    }

    pub(in crate::store) async fn delete_sessions_of(
        &self,
        user: Uuid,
        kept: Option<[u8; 32]>,
    ) -> Result<Vec<[u8; 32]>, StoreError> {
        // Nothing has an empty hash.
        let kept = kept.as_ref().map_or(&[][..], <[u8; 32]>::as_slice);
        let gone: Vec<Vec<u8>> = sqlx::query_scalar::<Db, _>(
            "DELETE FROM sessions WHERE user_id = $1 AND session_hash <> $2 RETURNING session_hash",
        )
        .bind(user)
        .bind(kept)
        .fetch_all(&self.main)
        .await?;
        gone.iter().map(|hash| hash_of(hash)).collect()
    }

    pub(in crate::store) async fn session(
        &self,
        venue: VenueId,
        hash: [u8; 32],
    ) -> Result<Option<SessionRow>, StoreError> {
        let row = sqlx::query::<Db>(
            "SELECT s.user_id, s.created_at, s.last_seen_at, u.email, u.name, h.account_id,
                    CASE WHEN v.owner_user_id = s.user_id THEN 1 ELSE 0 END AS owner
             FROM sessions s
             JOIN users u ON u.id = s.user_id
             JOIN user_accounts h ON h.user_id = s.user_id AND h.venue_id = $1
             JOIN venues v ON v.venue_id = h.venue_id
             WHERE s.session_hash = $2",
        )
        .bind(venue.0)
        .bind(hash.as_slice())
        .fetch_optional(&self.main_readers)
        .await?;
        row.map(|row| {
            Ok(SessionRow {
                user: row.try_get("user_id")?,
                email: row.try_get("email")?,
                name: row.try_get("name")?,
                account: AccountId(row.try_get("account_id")?),
                owner: row.try_get::<i32, _>("owner")? == 1,
                created_at: WallTime(row.try_get("created_at")?),
                last_seen_at: WallTime(row.try_get("last_seen_at")?),
            })
        })
        .transpose()
    }

    pub(in crate::store) async fn touch_session(
        &self,
        hash: [u8; 32],
        now: WallTime,
    ) -> Result<bool, StoreError> {
        // An update, never an insert: what was signed out stays so.
        let touched = sqlx::query::<Db>("UPDATE sessions SET last_seen_at = $2 WHERE session_hash = $1")
            .bind(hash.as_slice())
            .bind(now.0)
            .execute(&self.main)
            .await?;
        Ok(touched.rows_affected() > 0)
    }

    pub(in crate::store) async fn delete_session(&self, hash: [u8; 32]) -> Result<bool, StoreError> {
        let deleted = sqlx::query::<Db>("DELETE FROM sessions WHERE session_hash = $1")
            .bind(hash.as_slice())
            .execute(&self.main)
            .await?;
        Ok(deleted.rows_affected() > 0)
    }

    pub(in crate::store) async fn delete_stale_sessions(
        &self,
        idle_before: WallTime,
        now: WallTime,
    ) -> Result<u64, StoreError> {
        let deleted = sqlx::query::<Db>("DELETE FROM sessions WHERE last_seen_at < $1 OR expires_at < $2")
            .bind(idle_before.0)
            .bind(now.0)
            .execute(&self.main)
            .await?;
        Ok(deleted.rows_affected())
    }

    pub(in crate::store) async fn set_owner(&self, venue: VenueId, email: &str) -> Result<bool, StoreError> {
        let set = sqlx::query::<Db>(
            "UPDATE venues SET owner_user_id = (SELECT id FROM users WHERE email = $2), claim_token_hash = NULL
             WHERE venue_id = $1 AND EXISTS (SELECT 1 FROM users WHERE email = $2)",
        )
        .bind(venue.0)
        .bind(email)
        .execute(&self.main)
        .await?;
        Ok(set.rows_affected() > 0)
    }

    pub(in crate::store) async fn claim_venue(
        &self,
        venue: VenueId,
        token_hash: [u8; 32],
        user: Uuid,
    ) -> Result<bool, StoreError> {
        let claimed = sqlx::query::<Db>(
            "UPDATE venues SET owner_user_id = $3, claim_token_hash = NULL
             WHERE venue_id = $1 AND claim_token_hash = $2",
        )
        .bind(venue.0)
        .bind(token_hash.as_slice())
        .bind(user)
        .execute(&self.main)
        .await?;
        Ok(claimed.rows_affected() > 0)
    }
}

/// A user's row: id, address, hash.
pub(super) fn user(row: &<Db as sqlx::Database>::Row) -> Result<UserRow, StoreError> {
    Ok(UserRow {
        id: row.try_get("id")?,
        email: row.try_get("email")?,
        password_hash: row.try_get("password_hash")?,
    })
}

pub(super) fn hash_of(bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt("a session's hash has the wrong length".to_owned()))
}
