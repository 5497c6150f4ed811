//! axum-login's backend: authentication by e-mail address and password, and
//! the permissions of roles.
//!
//! Does not know sessions or cookies.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;

use axum_login::{AuthUser, AuthnBackend, AuthzBackend};
use protocol::caller::Permission;

use super::{Auth, AuthError, Email};
use crate::store::users::{User, UserRow};

/// A sign-in attempt.
#[derive(Clone)]
pub struct Credentials {
    /// As the client sent it.
    pub email: String,
    /// As the client sent it.
    pub password: String,
    /// Address of the client; failures are limited by it.
    pub address: IpAddr,
}

/// Roles in a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenueRole {
    /// Every user.
    Trader,
    /// The venue's owner, an instructor.
    Owner,
}

impl VenueRole {
    /// Permissions of the role.
    pub fn permissions(self) -> HashSet<Permission> {
        match self {
            Self::Trader => HashSet::from([Permission::Trade]),
            Self::Owner => HashSet::from([Permission::Trade, Permission::ControlVenue]),
        }
    }
}

/// The user is its own id: the session store reads users with their sessions,
/// in one query or from one copy, so that nothing is left to look up.
impl AuthUser for User {
    type Id = Self;

    fn id(&self) -> Self {
        self.clone()
    }

    /// Compares nothing: whatever changes a password deletes the user's
    /// sessions in the same transaction.
    fn session_auth_hash(&self) -> &[u8] {
        self.id.as_bytes()
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

impl AuthnBackend for Auth {
    type User = User;
    type Credentials = Credentials;
    type Error = AuthError;

    /// Checks a user's password and opens accounts of theirs that are not open
    /// yet.
    async fn authenticate(&self, credentials: Credentials) -> Result<Option<User>, AuthError> {
        let Credentials { email, password, address } = credentials;
        let Some(row) = self.verify_password(&email, password, address).await? else { return Ok(None) };
        self.open_accounts(Some(row.id)).await?;
        Ok(self.inner.store.user(self.inner.venue, row.id).await?)
    }

    async fn get_user(&self, user: &User) -> Result<Option<User>, AuthError> {
        Ok(Some(user.clone()))
    }
}

impl Auth {
    /// Checks a password, after counting the attempt against the limits on failures.
    /// `None` if address and password do not belong together: unknown users and wrong
    /// passwords give the same answer after the same time.
    pub(super) async fn verify_password(
        &self,
        email: &str,
        password: String,
        address: IpAddr,
    ) -> Result<Option<UserRow>, AuthError> {
        let inner = &self.inner;
        let name: String = email.chars().take(Email::MAX_BYTES).collect::<String>().to_lowercase();
        let key = (name, address);
        let limited = |seconds| AuthError::RateLimited { seconds };
        // Limits attempts at many accounts from one address, and no class that
        // signs in at once: successes do not count. First, so that an address invents
        // no more names than it may try.
        inner.failures_of_address.check(&address).map_err(limited)?;
        inner.failures.check(&key).map_err(|seconds| {
            inner.failures_of_address.refund(&address);
            limited(seconds)
        })?;
        // A malformed address is nobody's, after as much work.
        let row = match Email::parse(email) {
            Some(email) => inner.store.user_by_email(email.as_str()).await?,
            None => None,
        };
        let hash = row.as_ref().map(|row| row.password_hash.clone());
        let matches = inner.hasher.verify(password, hash, address).await.inspect_err(|_| {
            // Nothing was tried.
            inner.failures.refund(&key);
            inner.failures_of_address.refund(&address);
        })?;
        let Some(row) = row.filter(|_| matches) else { return Ok(None) };
        inner.failures.reset(&key);
        inner.failures_of_address.refund(&address);
        Ok(Some(row))
    }
}

impl AuthzBackend for Auth {
    type Permission = Permission;

    async fn get_user_permissions(&self, user: &User) -> Result<HashSet<Permission>, AuthError> {
        Ok(if user.owner { VenueRole::Owner } else { VenueRole::Trader }.permissions())
    }
}
