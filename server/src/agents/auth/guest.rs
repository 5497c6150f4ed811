//! Guests: users with a display name alone, who may register later and keep
//! their account.
//!
//! A guest has a text without an `@` where others have an address, so no
//! sign-in and no registration finds it: the session is the only way in. Does
//! not know what a guest trades.

use std::net::IpAddr;

use engine::id::AccountId;
use uuid::Uuid;

use super::name::{DisplayName, InvalidName};
use super::{Auth, AuthError, Email, Identity, password, random_token, run_to_completion};
use crate::store::users::{GuestRegistration, NewUser, User, UserAccount};

/// Text in place of an address, unique though two guests may share a name.
fn placeholder_email(name: &DisplayName, user: Uuid) -> String {
    let id = user.simple().to_string();
    format!("{} (guest {})", name.as_str().to_lowercase(), &id[..8])
}

impl Auth {
    /// Stores a guest, unless the venue has the most that it takes, and opens their
    /// account; ends after the account's commit.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn create_guest(&self, name: &str, address: IpAddr) -> Result<User, AuthError> {
        let name = DisplayName::parse(name).ok_or(InvalidName)?;
        self.count_registration(address)?;
        let auth = self.clone();
        run_to_completion(async move {
            let inner = &auth.inner;
            let id = Uuid::new_v4();
            let account = AccountId::derive(inner.venue, id);
            let new = NewUser {
                id,
                email: placeholder_email(&name, id),
                name: Some(name.into()),
                // Nobody ever learns this password.
                password_hash: inner.hasher.hash(random_token()?, Some(address)).await?,
                created_at: inner.clock.now(),
                venue: inner.venue,
                account,
            };
            if !inner.store.insert_guest(&new, inner.max_guests).await? {
                return Err(AuthError::TooManyGuests);
            }
            tracing::info!(event = "guest_registered", user = %id, "a guest registered");
            auth.open_account(UserAccount { user: id, account }).await?;
            let NewUser { email, name, .. } = new;
            Ok(User { id, email, name, account, owner: false })
        })
        .await
    }

    /// Gives a guest an address and a password; the account stays. Their
    /// sessions end.
    ///
    /// # Errors
    /// [`AuthError`]; nothing has changed then.
    pub async fn register_guest(
        &self,
        guest: &Identity,
        email: &str,
        password: String,
        address: IpAddr,
    ) -> Result<User, AuthError> {
        let email = Email::parse(email).ok_or(AuthError::InvalidEmail)?;
        password::check_length(&password)?;
        self.count_registration(address)?;
        self.check_strength(&password, email.as_str(), address).await?;
        let (auth, mut user) = (self.clone(), guest.user.clone());
        run_to_completion(async move {
            let inner = &auth.inner;
            let hash = inner.hasher.hash(password, Some(address)).await?;
            match inner.store.register_guest(user.id, email.as_str(), &hash).await? {
                GuestRegistration::EmailTaken => return Err(AuthError::EmailTaken),
                GuestRegistration::NotGuest => return Err(AuthError::NotGuest),
                GuestRegistration::Registered(deleted) => inner.sessions.announce_deleted(deleted).await,
            }
            tracing::info!(event = "guest_kept", user = %user.id, "a guest registered with an address");
            user.email = email.as_str().to_owned();
            Ok(user)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_no_address() {
        let name = placeholder_email(&DisplayName::parse("Ada").unwrap(), Uuid::from_u128(7));
        assert_eq!(name, "ada (guest 00000000)");
        assert_eq!(Email::parse(&name), None);
    }
}
