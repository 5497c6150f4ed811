//! Guests: whoever chooses a name may trade at once, and keep what they have
//! by naming an address and a password later.
//!
//! A guest is a user whose name stands where others have an address. It holds
//! no `@`, so it is nobody's address: no sign-in and no registration finds it,
//! and the session is the only way in. Does not know what a guest trades.

use std::net::IpAddr;

use axum::http::HeaderMap;
use engine::id::{AccountId, Digest};
use uuid::Uuid;

use super::own::whole;
use super::{Auth, AuthError, Email, Entered, SignedIn, password};
use crate::store::StoreError;
use crate::store::users::{GuestRegistration, NewUser, UserAccount};

/// Longest name, in characters.
const MAX_NAME: usize = 40;

/// A guest's name, readable, as they wrote it but for spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GuestName(String);

impl GuestName {
    /// Reads a name; `None` for what cannot be one.
    fn parse(text: &str) -> Option<Self> {
        let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let readable = |c: char| c.is_alphanumeric() || " -_.'".contains(c);
        let fits = (1..=MAX_NAME).contains(&name.chars().count());
        (fits && name.chars().all(readable) && name.chars().any(char::is_alphanumeric)).then_some(Self(name))
    }

    /// What stands where others have an address: two guests may have one name.
    fn of(&self, user: Uuid) -> String {
        let id = user.simple().to_string();
        format!("{} (guest {})", self.0.to_lowercase(), &id[..8])
    }
}

impl Auth {
    /// Makes a guest, opens their account and signs them in; ends after the
    /// account's commit.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn try_it(
        &self,
        name: &str,
        address: IpAddr,
        headers: &HeaderMap,
    ) -> Result<Entered, AuthError> {
        let name = GuestName::parse(name).ok_or(AuthError::InvalidName)?;
        let limited = |seconds| AuthError::RateLimited { seconds };
        self.registrations.count(address, self.deps.clock.now()).map_err(limited)?;
        let auth = self.clone();
        let user = whole(async move {
            let id = Uuid::new_v4();
            let account = AccountId::derive(auth.deps.venue, id);
            let user = NewUser {
                id,
                email: name.of(id),
                name: Some(name.0),
                password_hash: auth.hasher.hash(nobodys()?).await?,
                created_at: auth.deps.clock.now(),
                venue: auth.deps.venue,
                account,
            };
            if !auth.deps.store.insert_user(&user).await? {
                return Err(AuthError::InvalidName);
            }
            tracing::info!(event = "guest_registered", user = %id, "a guest came in");
            auth.open(UserAccount { user: id, account }).await?;
            Ok(id)
        });
        self.enter(user.await?, headers).await
    }

    /// Makes a guest a user like any other: the same account, from now on with
    /// an address and a password. Their sessions end; a new one begins.
    ///
    /// # Errors
    /// [`AuthError`]; nothing has changed then.
    pub async fn keep(
        &self,
        guest: &SignedIn,
        email: &str,
        password: String,
        address: IpAddr,
        headers: &HeaderMap,
    ) -> Result<Entered, AuthError> {
        let email = Email::parse(email).ok_or(AuthError::InvalidEmail)?;
        password::judge(&password, email.as_str())?;
        let limited = |seconds| AuthError::RateLimited { seconds };
        self.registrations.count(address, self.deps.clock.now()).map_err(limited)?;
        let (auth, user) = (self.clone(), guest.user);
        whole(async move {
            let hash = auth.hasher.hash(password).await?;
            match auth.deps.store.register_guest(user, email.as_str(), &hash).await? {
                GuestRegistration::EmailTaken => return Err(AuthError::EmailTaken),
                GuestRegistration::NotGuest => return Err(AuthError::NotGuest),
                GuestRegistration::Registered(sessions) => auth.forget(sessions).await,
            }
            tracing::info!(event = "guest_kept", user = %user, "a guest keeps their account");
            if auth.owner_email.as_deref() == Some(email.as_str()) {
                auth.deps.store.set_owner(auth.deps.venue, email.as_str()).await?;
            }
            Ok(())
        })
        .await?;
        self.enter(guest.user, headers).await
    }
}

/// A password that nobody ever learns.
fn nobodys() -> Result<String, StoreError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Corrupt(format!("no randomness: {error}")))?;
    Ok(Digest(bytes).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_or_refused() {
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
    fn a_guests_name_is_nobodys_address() {
        let name = GuestName::parse("Ada").unwrap().of(Uuid::from_u128(7));
        assert_eq!(name, "ada (guest 00000000)");
        assert_eq!(Email::parse(&name), None);
    }
}
