//! Sessions, and who has active ones.
//!
//! Does not know how long a session may last.

use engine::id::{AccountId, VenueId};
use engine::time::WallTime;
use uuid::Uuid;

use super::User;
use crate::store::copying::Schema;
use crate::store::{Store, StoreError, on_backend};

/// SHA-256 by which the store identifies a session or a token.
pub(super) type Hash = [u8; 32];

/// A session with its user, as one venue sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSession {
    /// The user.
    pub user: User,
    /// Time of sign-in.
    pub created_at: WallTime,
    /// Time of the last activity.
    pub last_seen_at: WallTime,
}

/// A session without its user.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// SHA-256 of the session's id.
    pub hash: Hash,
    /// User agent that signed in.
    pub device: String,
    /// Time of sign-in.
    pub created_at: WallTime,
    /// Time of the last activity.
    pub last_seen_at: WallTime,
    /// Time at which it ends regardless of activity.
    pub expires_at: WallTime,
}

/// A user with sessions that were active lately.
#[derive(Clone, Debug)]
pub struct ActiveUser {
    /// The user.
    pub user: Uuid,
    /// Address in lower case; a guest has a text without an `@`.
    pub email: String,
    /// Display name.
    pub name: Option<String>,
    /// The user's account in the venue.
    pub account: AccountId,
    /// Active sessions.
    pub sessions: u32,
    /// Time of the last activity.
    pub last_seen_at: WallTime,
}

impl Store {
    /// Starts a session of `user`, who may have `max` sessions. Ends those beyond,
    /// unused for longest, and returns their hashes.
    pub async fn insert_session(
        &self,
        user: Uuid,
        session: &SessionRow,
        max: u32,
    ) -> Result<Vec<Hash>, StoreError> {
        hashes(on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::Main).await?;
            sqlx::query(
                "INSERT INTO sessions (session_hash, user_id, device, created_at, last_seen_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(session.hash.as_slice())
            .bind(user)
            .bind(&session.device)
            .bind(session.created_at.0)
            .bind(session.last_seen_at.0)
            .bind(session.expires_at.0)
            .execute(&mut *transaction)
            .await?;
            let ended: Vec<Vec<u8>> = sqlx::query_scalar(
                "DELETE FROM sessions WHERE user_id = $1 AND session_hash <> $2 AND session_hash NOT IN (
                     SELECT session_hash FROM sessions WHERE user_id = $1 AND session_hash <> $2
                     ORDER BY last_seen_at DESC, created_at DESC, session_hash LIMIT $3
                 )
                 RETURNING session_hash",
            )
            .bind(user)
            .bind(session.hash.as_slice())
            .bind(i64::from(max) - 1)
            .fetch_all(&mut *transaction)
            .await?;
            transaction.commit().await?;
            ended
        }))
    }

    /// The user's sessions, most recently active first.
    pub async fn sessions_of(&self, user: Uuid) -> Result<Vec<SessionRow>, StoreError> {
        type Columns = (Vec<u8>, String, i64, i64, i64);
        let rows: Vec<Columns> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT session_hash, device, created_at, last_seen_at, expires_at FROM sessions
                 WHERE user_id = $1 ORDER BY last_seen_at DESC, created_at DESC, session_hash",
            )
            .bind(user)
            .fetch_all(&backend.main_readers)
            .await?
        });
        rows.into_iter()
            .map(|(session_hash, device, created_at, last_seen_at, expires_at)| {
                Ok(SessionRow {
                    hash: hash(session_hash)?,
                    device,
                    created_at: WallTime(created_at),
                    last_seen_at: WallTime(last_seen_at),
                    expires_at: WallTime(expires_at),
                })
            })
            .collect()
    }

    /// Users of `venue` with sessions active since `since`, the latest first: the
    /// first `limit` of them and their number.
    pub async fn active_users(
        &self,
        venue: VenueId,
        since: WallTime,
        limit: u32,
    ) -> Result<(Vec<ActiveUser>, u64), StoreError> {
        type Columns = (Uuid, String, Option<String>, Uuid, i64, i64, i64);
        let rows: Vec<Columns> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT u.id, u.email, u.name, h.account_id, count(*), max(s.last_seen_at), count(*) OVER ()
                 FROM sessions s
                 JOIN users u ON u.id = s.user_id
                 JOIN user_accounts h ON h.user_id = u.id AND h.venue_id = $1
                 WHERE s.last_seen_at >= $2
                 GROUP BY u.id, u.email, u.name, h.account_id
                 ORDER BY 6 DESC, u.id
                 LIMIT $3",
            )
            .bind(venue.0)
            .bind(since.0)
            .bind(i64::from(limit))
            .fetch_all(&backend.main_readers)
            .await?
        });
        let total = rows.first().map_or(0, |row| row.6.unsigned_abs());
        let user = |(user, email, name, account, sessions, last_seen_at, _): Columns| ActiveUser {
            user,
            email,
            name,
            account: AccountId(account),
            sessions: u32::try_from(sessions).unwrap_or(u32::MAX),
            last_seen_at: WallTime(last_seen_at),
        };
        Ok((rows.into_iter().map(user).collect(), total))
    }

    /// A session and its user, as `venue` sees them.
    pub async fn session(&self, venue: VenueId, hash: Hash) -> Result<Option<UserSession>, StoreError> {
        type Columns = (Uuid, String, Option<String>, Uuid, i32, i64, i64);
        let row: Option<Columns> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT s.user_id, u.email, u.name, h.account_id,
                        CASE WHEN v.owner_user_id = s.user_id THEN 1 ELSE 0 END,
                        s.created_at, s.last_seen_at
                 FROM sessions s
                 JOIN users u ON u.id = s.user_id
                 JOIN user_accounts h ON h.user_id = s.user_id AND h.venue_id = $1
                 JOIN venues v ON v.venue_id = h.venue_id
                 WHERE s.session_hash = $2",
            )
            .bind(venue.0)
            .bind(hash.as_slice())
            .fetch_optional(&backend.main_readers)
            .await?
        });
        Ok(row.map(|(id, email, name, account, owner, created_at, last_seen_at)| UserSession {
            user: (id, email, name, account, owner).into(),
            created_at: WallTime(created_at),
            last_seen_at: WallTime(last_seen_at),
        }))
    }

    /// Records activity; false if there is no such session any more.
    pub async fn touch_session(&self, hash: Hash, now: WallTime) -> Result<bool, StoreError> {
        // An update, not an upsert: a session that ended must not come back.
        let updated = on_backend!(self, |backend| {
            sqlx::query("UPDATE sessions SET last_seen_at = $2 WHERE session_hash = $1")
                .bind(hash.as_slice())
                .bind(now.0)
                .execute(&backend.main)
                .await?
                .rows_affected()
        });
        Ok(updated > 0)
    }

    /// Ends a session; false if there was none.
    pub async fn delete_session(&self, hash: Hash) -> Result<bool, StoreError> {
        let deleted = on_backend!(self, |backend| {
            sqlx::query("DELETE FROM sessions WHERE session_hash = $1")
                .bind(hash.as_slice())
                .execute(&backend.main)
                .await?
                .rows_affected()
        });
        Ok(deleted > 0)
    }

    /// Ends all sessions of the user except `current`; the hashes of those that ended.
    pub async fn delete_sessions_of(
        &self,
        user: Uuid,
        current: Option<Hash>,
    ) -> Result<Vec<Hash>, StoreError> {
        // No session has an empty hash.
        let current = current.as_ref().map_or(&[][..], Hash::as_slice);
        hashes(on_backend!(self, |backend| {
            sqlx::query_scalar(
                "DELETE FROM sessions WHERE user_id = $1 AND session_hash <> $2 RETURNING session_hash",
            )
            .bind(user)
            .bind(current)
            .fetch_all(&backend.main)
            .await?
        }))
    }

    /// Ends all sessions that expired before `now`, those of registered users last
    /// active before `idle_before`, and those of guests last active before
    /// `guest_idle_before`, which is earlier; their number.
    pub async fn delete_expired_sessions(
        &self,
        idle_before: WallTime,
        guest_idle_before: WallTime,
        now: WallTime,
    ) -> Result<u64, StoreError> {
        Ok(on_backend!(self, |backend| {
            sqlx::query(
                "DELETE FROM sessions WHERE expires_at < $3 OR last_seen_at < $2
                 OR (last_seen_at < $1 AND user_id IN (SELECT id FROM users WHERE email LIKE '%@%'))",
            )
            .bind(idle_before.0)
            .bind(guest_idle_before.0)
            .bind(now.0)
            .execute(&backend.main)
            .await?
            .rows_affected()
        }))
    }
}

fn hash(bytes: Vec<u8>) -> Result<Hash, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt("a session's hash has the wrong length".to_owned()))
}

pub(super) fn hashes(rows: Vec<Vec<u8>>) -> Result<Vec<Hash>, StoreError> {
    rows.into_iter().map(hash).collect()
}
