//! Forgotten passwords: whoever runs the site hands out a token, by word of
//! mouth or as a link, that sets a new one once and within an hour.
//!
//! No mail is sent from here, so nobody can ask for a token over the network.
//! Does not know how the token reaches its user.

use std::net::IpAddr;

use engine::id::Digest;
use engine::time::{MICROS_PER_SECOND, WallTime};

use super::own::whole;
use super::{Auth, AuthError, Email, password};
use crate::store::{Store, StoreError};

/// How long a token is good for.
const GOOD_FOR_MICROS: i64 = 3_600 * MICROS_PER_SECOND;

/// Makes the token that sets the password of the user with this address;
/// earlier ones are worth nothing then. `None` when nobody has the address.
///
/// # Errors
/// When the store or the system's randomness fails.
pub async fn grant(store: &Store, email: &str, now: WallTime) -> Result<Option<String>, StoreError> {
    let Some(email) = Email::parse(email) else { return Ok(None) };
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Corrupt(format!("no randomness: {error}")))?;
    let token = Digest(bytes).to_string();
    let until = now.plus_micros(GOOD_FOR_MICROS);
    Ok(store.set_reset(email.as_str(), hash(&token), until).await?.then_some(token))
}

impl Auth {
    /// Sets the password of the token's user and ends all their sessions.
    ///
    /// # Errors
    /// [`AuthError`]; the token is used up by success alone.
    pub async fn reset(&self, token: &str, password: String, address: IpAddr) -> Result<(), AuthError> {
        let now = self.deps.clock.now();
        let limited = |seconds| AuthError::RateLimited { seconds };
        self.resets.count(address, now).map_err(limited)?;
        let hash = hash(token);
        let user = self.deps.store.user_of_reset(hash, now).await?.ok_or(AuthError::InvalidToken)?;
        password::judge(&password, &user.email)?;
        let auth = self.clone();
        whole(async move {
            let set = auth.hasher.hash(password).await?;
            let ended = auth.deps.store.reset_password(hash, now, &set).await?;
            let ended = ended.ok_or(AuthError::InvalidToken)?;
            tracing::info!(event = "password_reset", user = %user.id, "a user set a new password");
            auth.forget(ended).await;
            Ok(())
        })
        .await
    }
}

fn hash(token: &str) -> [u8; 32] {
    Digest::of(&[token.as_bytes()]).0
}
