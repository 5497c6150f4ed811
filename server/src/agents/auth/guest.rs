//! Guests: users with a display name alone, who may register later and keep
//! their account.
//!
//! A guest has a text without an `@` where others have an address, so no
//! sign-in and no registration finds it: the session is the only way in. Does
//! not know what a guest trades.

use std::net::IpAddr;

use engine::id::AccountId;
use uuid::Uuid;

use super::{Auth, AuthError, Email, Identity, password, random_token, run_to_completion};
use crate::store::users::{GuestRegistration, NewUser, User, UserAccount};

/// Longest display name.
const NAME_MAX_CHARACTERS: usize = 40;

/// A guest's display name, with single spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
struct GuestName(String);

impl GuestName {
    /// Parses a name; `None` if it cannot be one.
    fn parse(text: &str) -> Option<Self> {
        let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let readable = |c: char| c.is_alphanumeric() || " -_.'".contains(c);
        let fits = (1..=NAME_MAX_CHARACTERS).contains(&name.chars().count());
        (fits && name.chars().all(readable) && name.chars().any(char::is_alphanumeric)).then_some(Self(name))
    }

    /// Text in place of an address, unique though two guests may share a name.
    fn placeholder_email(&self, user: Uuid) -> String {
        let id = user.simple().to_string();
        format!("{} (guest {})", self.0.to_lowercase(), &id[..8])
    }
}

impl Auth {
    /// Stores a guest and opens their account; ends after the account's commit.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn create_guest(&self, name: &str, address: IpAddr) -> Result<User, AuthError> {
        let name = GuestName::parse(name).ok_or(AuthError::InvalidName)?;
        self.count_registration(address)?;
        let auth = self.clone();
        run_to_completion(async move {
            let inner = &auth.inner;
            let id = Uuid::new_v4();
            let account = AccountId::derive(inner.venue, id);
            let new = NewUser {
                id,
                email: name.placeholder_email(id),
                name: Some(name.0),
                // Nobody ever learns this password.
                password_hash: inner.hasher.hash(random_token()?, Some(address)).await?,
                created_at: inner.clock.now(),
                venue: inner.venue,
                account,
            };
            if !inner.store.insert_user(&new).await? {
                return Err(AuthError::InvalidName);
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
            user.owner |= auth.set_configured_owner(&email).await?;
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
    fn names_are_parsed_or_refused() {
        for (text, name) in [("Ada", "Ada"), ("  Zoë   O'Neil ", "Zoë O'Neil"), ("李雷", "李雷"), ("7", "7")]
        {
            assert_eq!(GuestName::parse(text), Some(GuestName(name.to_owned())), "{text}");
        }
        let long = "a".repeat(41);
        for text in ["", "   ", "a@b.example", "<b>", "a\u{0}b", "...", "a\u{202e}b", long.as_str()] {
            assert_eq!(GuestName::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_placeholder_is_no_address() {
        let name = GuestName::parse("Ada").unwrap().placeholder_email(Uuid::from_u128(7));
        assert_eq!(name, "ada (guest 00000000)");
        assert_eq!(Email::parse(&name), None);
    }
}
