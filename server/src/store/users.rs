//! Users, their accounts, sessions and password resets.
//!
//! Does not know how a password is checked.

use engine::id::{AccountId, VenueId};
use engine::time::WallTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::copying::Schema;
use super::{Store, StoreError, on_backend};

/// SHA-256 by which the store identifies a session or a token.
type Hash = [u8; 32];

/// A new user.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Id, drawn by the caller.
    pub id: Uuid,
    /// Address in lower case.
    pub email: String,
    /// Display name.
    pub name: Option<String>,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// Time of creation.
    pub created_at: WallTime,
    /// Venue of the user's account.
    pub venue: VenueId,
    /// The user's account in the venue.
    pub account: AccountId,
}

/// A user, as one venue sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Id, which never changes.
    pub id: Uuid,
    /// Address in lower case; a guest has a text without an `@`.
    pub email: String,
    /// Display name.
    pub name: Option<String>,
    /// The user's account in the venue.
    pub account: AccountId,
    /// True if the user owns the venue.
    pub owner: bool,
}

/// Columns of a [`User`].
type UserColumns = (Uuid, String, Option<String>, Uuid, i32);

impl From<UserColumns> for User {
    fn from((id, email, name, account, owner): UserColumns) -> Self {
        Self { id, email, name, account: AccountId(account), owner: owner == 1 }
    }
}

/// A user, as far as signing in needs.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct UserRow {
    /// Id.
    pub id: Uuid,
    /// Address in lower case.
    pub email: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
}

/// A user's account, opened or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserAccount {
    /// The user.
    pub user: Uuid,
    /// The account.
    pub account: AccountId,
}

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

/// Result of [`Store::register_guest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestRegistration {
    /// The guest has an address and a password now; these sessions ended.
    Registered(Vec<Hash>),
    /// The address belongs to another user.
    EmailTaken,
    /// There is no such guest, perhaps not any more.
    NotGuest,
}

impl Store {
    /// Stores a user and the id of their account; false if the address is taken.
    pub async fn insert_user(&self, user: &NewUser) -> Result<bool, StoreError> {
        on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::Main).await?;
            let added = sqlx::query(
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
            sqlx::query("INSERT INTO user_accounts (venue_id, user_id, account_id) VALUES ($1, $2, $3)")
                .bind(user.venue.0)
                .bind(user.id)
                .bind(user.account.0)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
        });
        Ok(true)
    }

    /// The user with this lower-case address.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<UserRow>, StoreError> {
        Ok(on_backend!(self, |backend| {
            sqlx::query_as("SELECT id, email, password_hash FROM users WHERE email = $1")
                .bind(email)
                .fetch_optional(&backend.main_readers)
                .await?
        }))
    }

    /// A user, as `venue` sees them.
    pub async fn user(&self, venue: VenueId, id: Uuid) -> Result<Option<User>, StoreError> {
        let row: Option<UserColumns> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT u.id, u.email, u.name, h.account_id,
                        CASE WHEN v.owner_user_id = u.id THEN 1 ELSE 0 END
                 FROM users u
                 JOIN user_accounts h ON h.user_id = u.id AND h.venue_id = $1
                 JOIN venues v ON v.venue_id = h.venue_id
                 WHERE u.id = $2",
            )
            .bind(venue.0)
            .bind(id)
            .fetch_optional(&backend.main_readers)
            .await?
        });
        Ok(row.map(User::from))
    }

    /// Gives a guest an address and a password, and ends their sessions.
    pub async fn register_guest(
        &self,
        user: Uuid,
        email: &str,
        password_hash: &str,
    ) -> Result<GuestRegistration, StoreError> {
        let ended: Vec<Vec<u8>> = on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::Main).await?;
            let taken: i64 = sqlx::query_scalar("SELECT count(*) FROM users WHERE email = $1")
                .bind(email)
                .fetch_one(&mut *transaction)
                .await?;
            if taken > 0 {
                return Ok(GuestRegistration::EmailTaken);
            }
            // A guest's address has no @.
            let registered = sqlx::query(
                "UPDATE users SET email = $2, password_hash = $3 WHERE id = $1 AND email NOT LIKE '%@%'",
            )
            .bind(user)
            .bind(email)
            .bind(password_hash)
            .execute(&mut *transaction)
            .await?;
            if registered.rows_affected() == 0 {
                return Ok(GuestRegistration::NotGuest);
            }
            let ended = sqlx::query_scalar("DELETE FROM sessions WHERE user_id = $1 RETURNING session_hash")
                .bind(user)
                .fetch_all(&mut *transaction)
                .await?;
            transaction.commit().await?;
            ended
        });
        hashes(ended).map(GuestRegistration::Registered)
    }

    /// Users' accounts in `venue` that are not open: all of them, or one user's.
    pub async fn unopened_accounts(
        &self,
        venue: VenueId,
        user: Option<Uuid>,
    ) -> Result<Vec<UserAccount>, StoreError> {
        let rows: Vec<(Uuid, Uuid)> = on_backend!(self, |backend| {
            sqlx::query_as(
                "SELECT h.user_id, h.account_id FROM user_accounts h
                 LEFT JOIN accounts a ON a.venue_id = h.venue_id AND a.account_id = h.account_id
                 WHERE h.venue_id = $1 AND a.account_id IS NULL AND ($2 IS NULL OR h.user_id = $2)",
            )
            .bind(venue.0)
            .bind(user)
            .fetch_all(&backend.main_readers)
            .await?
        });
        Ok(rows
            .into_iter()
            .map(|(user, account)| UserAccount { user, account: AccountId(account) })
            .collect())
    }

    /// Makes the user with this address the owner of `venue`; false if there is no
    /// such user.
    pub async fn set_owner(&self, venue: VenueId, email: &str) -> Result<bool, StoreError> {
        let updated = on_backend!(self, |backend| {
            sqlx::query(
                "UPDATE venues SET owner_user_id = (SELECT id FROM users WHERE email = $2), claim_token_hash = NULL
                 WHERE venue_id = $1 AND EXISTS (SELECT 1 FROM users WHERE email = $2)",
            )
            .bind(venue.0)
            .bind(email)
            .execute(&backend.main)
            .await?
            .rows_affected()
        });
        Ok(updated > 0)
    }

    /// Makes `user` the owner of `venue` and voids the claim token, if `token_hash`
    /// is the token's; false otherwise.
    pub async fn claim_venue(
        &self,
        venue: VenueId,
        token_hash: Hash,
        user: Uuid,
    ) -> Result<bool, StoreError> {
        let updated = on_backend!(self, |backend| {
            sqlx::query(
                "UPDATE venues SET owner_user_id = $3, claim_token_hash = NULL
                 WHERE venue_id = $1 AND claim_token_hash = $2",
            )
            .bind(venue.0)
            .bind(token_hash.as_slice())
            .bind(user)
            .execute(&backend.main)
            .await?
            .rows_affected()
        });
        Ok(updated > 0)
    }

    /// Starts a session of `user`.
    pub async fn insert_session(&self, user: Uuid, session: &SessionRow) -> Result<(), StoreError> {
        on_backend!(self, |backend| {
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
            .execute(&backend.main)
            .await?;
        });
        Ok(())
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

    /// Ends all sessions last active before `idle_before` or expired before `now`;
    /// their number.
    pub async fn delete_expired_sessions(
        &self,
        idle_before: WallTime,
        now: WallTime,
    ) -> Result<u64, StoreError> {
        Ok(on_backend!(self, |backend| {
            sqlx::query("DELETE FROM sessions WHERE last_seen_at < $1 OR expires_at < $2")
                .bind(idle_before.0)
                .bind(now.0)
                .execute(&backend.main)
                .await?
                .rows_affected()
        }))
    }

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

fn hash(bytes: Vec<u8>) -> Result<Hash, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt("a session's hash has the wrong length".to_owned()))
}

fn hashes(rows: Vec<Vec<u8>>) -> Result<Vec<Hash>, StoreError> {
    rows.into_iter().map(hash).collect()
}
