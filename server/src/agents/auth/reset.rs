//! Password resets: an operator hands out a token, as a link or in person, that
//! sets a new password once and within an hour.
//!
//! No mail is sent, so nobody can ask for a token over the network. Does not
//! know how a token reaches its user.

use std::net::IpAddr;

use engine::id::Digest;
use engine::time::{MICROS_PER_SECOND, WallTime};

use super::{Auth, AuthError, Email, password, random_token, run_to_completion};
use crate::store::{Store, StoreError};

/// Validity of a token.
pub(super) const TOKEN_LIFETIME_MICROS: i64 = 3_600 * MICROS_PER_SECOND;

/// Makes a token that sets the password of the user with this address; earlier
/// ones are void. `None` if nobody has the address.
///
/// # Errors
/// When the store or the system's randomness fails.
pub async fn grant(store: &Store, email: &str, now: WallTime) -> Result<Option<String>, StoreError> {
    let Some(email) = Email::parse(email) else { return Ok(None) };
    let token = random_token()?;
    let expires_at = now.plus_micros(TOKEN_LIFETIME_MICROS);
    Ok(store.set_reset(email.as_str(), token_hash(&token), expires_at).await?.then_some(token))
}

impl Auth {
    /// Sets the password of the token's user and ends all their sessions.
    ///
    /// # Errors
    /// [`AuthError`]; only success uses the token up.
    pub async fn reset(&self, token: &str, password: String, address: IpAddr) -> Result<(), AuthError> {
        let now = self.inner.clock.now();
        self.inner.resets.check(&address).map_err(|seconds| AuthError::RateLimited { seconds })?;
        let token_hash = token_hash(token);
        let user = self.inner.store.user_of_reset(token_hash, now).await?.ok_or(AuthError::InvalidToken)?;
        password::check_length(&password)?;
        self.check_strength(&password, &user.email, address).await?;
        let auth = self.clone();
        run_to_completion(async move {
            let inner = &auth.inner;
            let password_hash = inner.hasher.hash(password, Some(address)).await?;
            let deleted = inner.store.reset_password(token_hash, now, &password_hash).await?;
            inner.sessions.announce_deleted(deleted.ok_or(AuthError::InvalidToken)?).await;
            // The limit is on guesses.
            inner.resets.refund(&address);
            tracing::info!(event = "password_reset", user = %user.id, "a user set a new password");
            Ok(())
        })
        .await
    }
}

/// SHA-256 by which the store identifies a token.
pub(super) fn token_hash(token: &str) -> [u8; 32] {
    Digest::of(&[token.as_bytes()]).0
}
