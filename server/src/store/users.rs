//! Users and their accounts, guests, and the venue's owner.
//!
//! Does not know how a password is checked.

mod resets;
mod sessions;

pub use sessions::{ActiveUser, SessionRow, UserSession};

use engine::id::{AccountId, VenueId};
use engine::time::WallTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::sessions::{Hash, hashes};
use super::copying::Schema;
use super::{Store, StoreError, on_backend};

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
}

fn accounts(rows: Vec<(Uuid, Uuid)>) -> Vec<UserAccount> {
    rows.into_iter().map(|(user, account)| UserAccount { user, account: AccountId(account) }).collect()
}
