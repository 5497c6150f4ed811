//! The owner whom the configuration names: appointed at the start, with a link that
//! sets the password.
//!
//! An address proves nothing, because no mail is sent: whoever starts the server
//! hands the link to the owner. Does not know what an owner may do.

use engine::id::AccountId;
use uuid::Uuid;

use super::reset::{TOKEN_LIFETIME_MICROS, token_hash};
use super::{Auth, AuthError, Email, random_token};
use crate::store::users::NewUser;

impl Auth {
    /// Makes the user with the configured address the venue's owner, whom it registers
    /// if there is none. Returns the token that sets their password; `None` without a
    /// configured address, and if they own the venue already.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn appoint_owner(&self) -> Result<Option<String>, AuthError> {
        let inner = &self.inner;
        let Some(email) = &inner.owner_email else { return Ok(None) };
        let email = Email::parse(email).ok_or(AuthError::InvalidEmail)?;
        let (id, now) = (Uuid::new_v4(), inner.clock.now());
        let owner = NewUser {
            id,
            email: email.as_str().to_owned(),
            name: None,
            // Nobody ever learns this password.
            password_hash: inner.hasher.hash(random_token()?, None).await?,
            created_at: now,
            venue: inner.venue,
            account: AccountId::derive(inner.venue, id),
        };
        let token = random_token()?;
        let expires_at = now.plus_micros(TOKEN_LIFETIME_MICROS);
        let Some(ended) = inner.store.appoint_owner(&owner, token_hash(&token), expires_at).await? else {
            return Ok(None);
        };
        inner.sessions.announce_deleted(ended).await;
        tracing::info!(event = "owner_appointed", "the venue has the configured owner");
        Ok(Some(token))
    }
}
