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

impl User {
    /// Returns true for a user without an e-mail address.
    pub fn is_guest(&self) -> bool {
        !self.email.contains('@')
    }
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

/// Result of inserting a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Insertion {
    Inserted,
    EmailTaken,
    TooManyGuests,
}

impl Store {
    /// Stores a user and the id of their account; false if the address is taken.
    pub async fn insert_user(&self, user: &NewUser) -> Result<bool, StoreError> {
        Ok(self.insert(user, None).await? == Insertion::Inserted)
    }

    /// Stores a guest and the id of their account; false if there are `max_guests`
    /// already. Concurrent calls on PostgreSQL may exceed the limit by their number.
    pub async fn insert_guest(&self, guest: &NewUser, max_guests: u32) -> Result<bool, StoreError> {
        Ok(self.insert(guest, Some(max_guests)).await? == Insertion::Inserted)
    }

    async fn insert(&self, user: &NewUser, max_guests: Option<u32>) -> Result<Insertion, StoreError> {
        on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::Main).await?;
            if let Some(max_guests) = max_guests {
                let guests: i64 = sqlx::query_scalar("SELECT count(*) FROM users WHERE email NOT LIKE '%@%'")
                    .fetch_one(&mut *transaction)
                    .await?;
                if guests >= i64::from(max_guests) {
                    return Ok(Insertion::TooManyGuests);
                }
            }
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
                return Ok(Insertion::EmailTaken);
            }
            sqlx::query("INSERT INTO user_accounts (venue_id, user_id, account_id) VALUES ($1, $2, $3)")
                .bind(user.venue.0)
                .bind(user.id)
                .bind(user.account.0)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
        });
        Ok(Insertion::Inserted)
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
            // A guest's address has no @. The account of one who is being removed may
            // be closed already.
            let registered = sqlx::query(
                "UPDATE users SET email = $2, password_hash = $3
                 WHERE id = $1 AND email NOT LIKE '%@%' AND removal_at IS NULL",
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

    /// Marks guests as being removed, at most `limit`: those created before
    /// `created_before` without a session, who can never come back. Owners of a venue
    /// stay. Returns all who are marked, at most `limit`, with their accounts in `venue`.
    pub async fn begin_guest_removals(
        &self,
        venue: VenueId,
        created_before: WallTime,
        now: WallTime,
        limit: u32,
    ) -> Result<Vec<UserAccount>, StoreError> {
        let rows: Vec<(Uuid, Uuid)> = on_backend!(self, |backend| {
            // The outer conditions hold for the rows as they are when they are locked.
            sqlx::query(
                "UPDATE users SET removal_at = $1
                 WHERE email NOT LIKE '%@%' AND removal_at IS NULL
                   AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = users.id)
                   AND id IN (
                       SELECT u.id FROM users u
                       WHERE u.email NOT LIKE '%@%' AND u.removal_at IS NULL AND u.created_at < $2
                         AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = u.id)
                         AND NOT EXISTS (SELECT 1 FROM venues v WHERE v.owner_user_id = u.id)
                       ORDER BY u.created_at LIMIT $3
                   )",
            )
            .bind(now.0)
            .bind(created_before.0)
            .bind(i64::from(limit))
            .execute(&backend.main)
            .await?;
            sqlx::query_as(
                "SELECT u.id, h.account_id FROM users u
                 JOIN user_accounts h ON h.user_id = u.id AND h.venue_id = $1
                 WHERE u.email NOT LIKE '%@%' AND u.removal_at IS NOT NULL
                 ORDER BY u.created_at LIMIT $2",
            )
            .bind(venue.0)
            .bind(i64::from(limit))
            .fetch_all(&backend.main_readers)
            .await?
        });
        Ok(accounts(rows))
    }

    /// Ends the removal of a guest whose account in `venue` is closed: deletes them,
    /// unless they have an account in another venue. Harmless if they are gone.
    pub async fn delete_guest(&self, venue: VenueId, guest: Uuid) -> Result<(), StoreError> {
        on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::Main).await?;
            sqlx::query(
                "DELETE FROM user_accounts WHERE venue_id = $1 AND user_id = $2
                 AND EXISTS (SELECT 1 FROM users u WHERE u.id = $2 AND u.removal_at IS NOT NULL)",
            )
            .bind(venue.0)
            .bind(guest)
            .execute(&mut *transaction)
            .await?;
            sqlx::query(
                "DELETE FROM users WHERE id = $1 AND removal_at IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM user_accounts h WHERE h.user_id = $1)",
            )
            .bind(guest)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
        });
        Ok(())
    }

    /// Sets a user's display name; false if there is no such user.
    pub async fn set_user_name(&self, user: Uuid, name: Option<&str>) -> Result<bool, StoreError> {
        let updated = on_backend!(self, |backend| {
            sqlx::query("UPDATE users SET name = $2 WHERE id = $1")
                .bind(user)
                .bind(name)
                .execute(&backend.main)
                .await?
                .rows_affected()
        });
        Ok(updated > 0)
    }

    /// Replaces a user's password hash `old`, voids their reset token and ends all
    /// their sessions but `current`, whose hashes it returns. `None` if the password
    /// is another one meanwhile.
    pub async fn change_password(
        &self,
        user: Uuid,
        old: &str,
        new: &str,
        current: Hash,
    ) -> Result<Option<Vec<Hash>>, StoreError> {
        let ended: Vec<Vec<u8>> = on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::Main).await?;
            let changed =
                sqlx::query("UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2")
                    .bind(user)
                    .bind(old)
                    .bind(new)
                    .execute(&mut *transaction)
                    .await?;
            if changed.rows_affected() == 0 {
                return Ok(None);
            }
            sqlx::query("DELETE FROM password_resets WHERE user_id = $1")
                .bind(user)
                .execute(&mut *transaction)
                .await?;
            let ended = sqlx::query_scalar(
                "DELETE FROM sessions WHERE user_id = $1 AND session_hash <> $2 RETURNING session_hash",
            )
            .bind(user)
            .bind(current.as_slice())
            .fetch_all(&mut *transaction)
            .await?;
            transaction.commit().await?;
            ended
        });
        hashes(ended).map(Some)
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
        Ok(accounts(rows))
    }

    /// Makes the user with the address of `owner` the owner of its venue; inserts them
    /// if there is no such user. Only the bearer of the reset token may sign in as them
    /// then: an earlier password is replaced, and their sessions end, whose hashes it
    /// returns. `None` if they own the venue already; nothing changes then.
    pub async fn appoint_owner(
        &self,
        owner: &NewUser,
        token_hash: Hash,
        expires_at: WallTime,
    ) -> Result<Option<Vec<Hash>>, StoreError> {
        let ended: Vec<Vec<u8>> = on_backend!(self, |backend| {
            let mut transaction = backend.begin(Schema::Main).await?;
            let owns: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM venues v JOIN users u ON u.id = v.owner_user_id
                 WHERE v.venue_id = $1 AND u.email = $2",
            )
            .bind(owner.venue.0)
            .bind(&owner.email)
            .fetch_one(&mut *transaction)
            .await?;
            if owns > 0 {
                return Ok(None);
            }
            let user: Uuid = sqlx::query_scalar(
                "INSERT INTO users (id, email, password_hash, created_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash RETURNING id",
            )
            .bind(owner.id)
            .bind(&owner.email)
            .bind(&owner.password_hash)
            .bind(owner.created_at.0)
            .fetch_one(&mut *transaction)
            .await?;
            if user == owner.id {
                sqlx::query("INSERT INTO user_accounts (venue_id, user_id, account_id) VALUES ($1, $2, $3)")
                    .bind(owner.venue.0)
                    .bind(owner.id)
                    .bind(owner.account.0)
                    .execute(&mut *transaction)
                    .await?;
            }
            sqlx::query("UPDATE venues SET owner_user_id = $2, claim_token_hash = NULL WHERE venue_id = $1")
                .bind(owner.venue.0)
                .bind(user)
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "INSERT INTO password_resets (user_id, token_hash, expires_at) VALUES ($1, $2, $3)
                 ON CONFLICT (user_id) DO UPDATE
                 SET token_hash = excluded.token_hash, expires_at = excluded.expires_at",
            )
            .bind(user)
            .bind(token_hash.as_slice())
            .bind(expires_at.0)
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

fn accounts(rows: Vec<(Uuid, Uuid)>) -> Vec<UserAccount> {
    rows.into_iter().map(|(user, account)| UserAccount { user, account: AccountId(account) }).collect()
}

fn hash(bytes: Vec<u8>) -> Result<Hash, StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt("a session's hash has the wrong length".to_owned()))
}

fn hashes(rows: Vec<Vec<u8>>) -> Result<Vec<Hash>, StoreError> {
    rows.into_iter().map(hash).collect()
}
