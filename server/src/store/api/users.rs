//! Users, their accounts and sessions.
//!
//! Rows and the store's methods; the SQL is in `store/users.rs`. Does not know
//! which backend answers.

use engine::id::{AccountId, VenueId};
use engine::time::WallTime;
use uuid::Uuid;

use crate::store::{Store, StoreError, on_backend};

/// A user to be.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Drawn by the caller.
    pub id: Uuid,
    /// In lower case.
    pub email: String,
    /// What they call themselves.
    pub name: Option<String>,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// When.
    pub created_at: WallTime,
    /// In which venue they get an account.
    pub venue: VenueId,
    /// Which account that will be.
    pub account: AccountId,
}

/// A user as far as signing in needs to know.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// Who.
    pub id: Uuid,
    /// In lower case.
    pub email: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
}

/// A user's account, opened or not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who.
    pub user: Uuid,
    /// Whose it is.
    pub account: AccountId,
}

/// A session with its user, as one venue sees them.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// Who.
    pub user: Uuid,
    /// In lower case.
    pub email: String,
    /// What they call themselves.
    pub name: Option<String>,
    /// Their account in the venue.
    pub account: AccountId,
    /// Whether the venue is theirs.
    pub owner: bool,
    /// When they signed in.
    pub created_at: WallTime,
    /// When they were last active.
    pub last_seen_at: WallTime,
}

/// A session as its user may see it.
#[derive(Clone, Debug)]
pub struct OwnSession {
    /// What the store knows it by.
    pub hash: [u8; 32],
    /// What signed in, as it called itself.
    pub device: String,
    /// When they signed in.
    pub created_at: WallTime,
    /// When they were last active.
    pub last_seen_at: WallTime,
    /// When it ends whatever they do.
    pub expires_at: WallTime,
}

/// What became of a guest's wish to stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CandleHistory {
    /// They have address and password now; these sessions of theirs are over.
    Ended(Vec<[u8; 32]>),
    /// The address is another user's.
    Taken,
    /// There is no such guest: perhaps not any more.
    NoGuest,
}

impl Store {
    /// Gives a guest an address and a password, and ends their sessions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_guest(
        &self,
        user: Uuid,
        email: &str,
        password_hash: &str,
    ) -> Result<CandleHistory, StoreError> {
        on_backend!(self, backend => backend.keep_guest(user, email, password_hash).await)
    }

    /// Stores a user and the name of their account. `false` when the address
    /// is taken.
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

    /// The named accounts in `venue` that are not open: everybody's, or one
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

    /// Starts a session of `user`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_session(&self, user: Uuid, session: &OwnSession) -> Result<(), StoreError> {
        on_backend!(self, backend => backend.insert_session(user, session).await)
    }

    /// The user's sessions, active ones first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_of(&self, user: Uuid) -> Result<Vec<OwnSession>, StoreError> {
        on_backend!(self, backend => backend.sessions_of(user).await)
    }

    /// Ends every session of the user but `kept`; what they were known by.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_sessions_of(
        &self,
        user: Uuid,
        kept: Option<[u8; 32]>,
    ) -> Result<Vec<[u8; 32]>, StoreError> {
        on_backend!(self, backend => backend.delete_sessions_of(user, kept).await)
    }

    /// A session and its user's account in `venue`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(&self, venue: VenueId, hash: [u8; 32]) -> Result<Option<SessionRow>, StoreError> {
        on_backend!(self, backend => backend.session(venue, hash).await)
    }

    /// Notes activity; `false` when there is no such session any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_session(&self, hash: [u8; 32], now: WallTime) -> Result<bool, StoreError> {
        on_backend!(self, backend => backend.touch_session(hash, now).await)
    }

    /// Ends a session; `false` when there was none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_session(&self, hash: [u8; 32]) -> Result<bool, StoreError> {
        on_backend!(self, backend => backend.delete_session(hash).await)
    }

    /// Ends every session that was last active before `idle_before` or expired
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

    /// Makes the user with this address the owner of `venue`; `false` when
    /// there is no such user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_owner(&self, venue: VenueId, email: &str) -> Result<bool, StoreError> {
        on_backend!(self, backend => backend.set_owner(venue, email).await)
    }

    /// Makes `user` the owner of `venue` when `token_hash` is its unused claim
    /// token's; the token is used up then.
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
