//! Users, their accounts and sessions.
//!
//! Rows and the store's methods; the SQL is in `store/users.rs`. Does not know
//! which backend is open.

use engine::id::{AccountId, VenueId};
use engine::time::WallTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::store::{Store, StoreError, on_backend};

/// A user to store.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Chosen by the caller.
    pub id: Uuid,
    /// In lower case.
    pub email: String,
    /// Display name.
    pub name: Option<String>,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// Time of the registration.
    pub created_at: WallTime,
    /// Venue in which they get an account.
    pub venue: VenueId,
    /// Account to open there.
    pub account: AccountId,
}

/// A user, as one venue sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never changes.
    pub id: Uuid,
    /// In lower case; a guest has none, and a text without an `@`.
    pub email: String,
    /// Display name.
    pub name: Option<String>,
    /// Their account in the venue.
    pub account: AccountId,
    /// True if they own the venue.
    pub owner: bool,
}

/// The part of a user that signing in checks.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// The user.
    pub id: Uuid,
    /// In lower case.
    pub email: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
}

/// A user's account, opened or not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The user.
    pub user: Uuid,
    /// Their account.
    pub account: AccountId,
}

/// A session with its user, as one venue sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSession {
    /// The user.
    pub user: User,
    /// Time of the sign-in.
    pub created_at: WallTime,
    /// Time of the last activity.
    pub last_seen_at: WallTime,
}

/// A session's row without its user.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// SHA-256 of the session's id.
    pub hash: [u8; 32],
    /// User agent that signed in.
    pub device: String,
    /// Time of the sign-in.
    pub created_at: WallTime,
    /// Time of the last activity.
    pub last_seen_at: WallTime,
    /// End of the session, whatever its user does.
    pub expires_at: WallTime,
}

/// Result of [`Store::upgrade_guest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestUpgrade {
    /// The guest has address and password now; hashes of their sessions, which
    /// were deleted.
    Done(Vec<[u8; 32]>),
    /// Another user has the address.
    EmailTaken,
    /// No guest has this id.
    NotGuest,
}

impl Store {
    /// Gives a guest an address and a password, and deletes their sessions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn upgrade_guest(
        &self,
        user: Uuid,
        email: &str,
        password_hash: &str,
    ) -> Result<GuestUpgrade, StoreError> {
        on_backend!(self, backend => backend.upgrade_guest(user, email, password_hash).await)
    }

    /// Stores a user and the id of their account; `false` if the address is
    /// taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_user(&self, user: &NewUser) -> Result<bool, StoreError> {
        on_backend!(self, backend => backend.insert_user(user).await)
    }

    /// The user with this address, in lower case.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<UserRow>, StoreError> {
        on_backend!(self, backend => backend.user_by_email(email).await)
    }

    /// A user, as `venue` sees them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user(&self, venue: VenueId, id: Uuid) -> Result<Option<User>, StoreError> {
        on_backend!(self, backend => backend.user(venue, id).await)
    }

    /// Accounts in `venue` that are stored but not open yet: all, or one
    /// user's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unopened_accounts(
        &self,
        venue: VenueId,
        user: Option<Uuid>,
    ) -> Result<Vec<Holder>, StoreError> {
        on_backend!(self, backend => backend.unopened_accounts(venue, user).await)
    }

    /// Stores a session of `user`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_session(&self, user: Uuid, session: &SessionRow) -> Result<(), StoreError> {
        on_backend!(self, backend => backend.insert_session(user, session).await)
    }

    /// The user's sessions, the latest activity first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_of(&self, user: Uuid) -> Result<Vec<SessionRow>, StoreError> {
        on_backend!(self, backend => backend.sessions_of(user).await)
    }

    /// Deletes every session of the user but `except`; returns their hashes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_sessions_of(
        &self,
        user: Uuid,
        except: Option<[u8; 32]>,
    ) -> Result<Vec<[u8; 32]>, StoreError> {
        on_backend!(self, backend => backend.delete_sessions_of(user, except).await)
    }

    /// A session and its user, as `venue` sees them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, venue: VenueId, hash: [u8; 32]) -> Result<Option<UserSession>, StoreError> {
        on_backend!(self, backend => backend.session(venue, hash).await)
    }

    /// Records activity; `false` if the session does not exist, which is not
    /// restored.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_session(&self, hash: [u8; 32], now: WallTime) -> Result<bool, StoreError> {
        on_backend!(self, backend => backend.touch_session(hash, now).await)
    }

    /// Deletes a session; `false` if it does not exist.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_session(&self, hash: [u8; 32]) -> Result<bool, StoreError> {
        on_backend!(self, backend => backend.delete_session(hash).await)
    }

    /// Deletes every session that was last active before `idle_before` or expired
    /// before `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_stale_sessions(
        &self,
        idle_before: WallTime,
        now: WallTime,
    ) -> Result<u64, StoreError> {
        on_backend!(self, backend => backend.delete_stale_sessions(idle_before, now).await)
    }

    /// Makes the user with this address the owner of `venue`; `false` if there
    /// is no such user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_owner(&self, venue: VenueId, email: &str) -> Result<bool, StoreError> {
        on_backend!(self, backend => backend.set_owner(venue, email).await)
    }

    /// Makes `user` the owner of `venue` if `token_hash` is that of its unused
    /// claim token, which is used up then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_venue(
        &self,
        venue: VenueId,
        token_hash: [u8; 32],
        user: Uuid,
    ) -> Result<bool, StoreError> {
        on_backend!(self, backend => backend.claim_venue(venue, token_hash, user).await)
    }
}
