//! Passwords: the rules for new ones, and argon2id hashes on blocking threads.
//!
//! Does not know users.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

/// Shortest password.
const MIN_CHARACTERS: usize = 10;

/// Longest password: the client must not choose the hashing time.
const MAX_BYTES: usize = 1_024;

/// Characters whose strength is estimated: a guessable password is so from its
/// beginning, and the estimate's time grows with length.
const ESTIMATED_CHARACTERS: usize = 100;

/// Hashes that may wait for a thread: a flood of sign-ins is refused, not
/// queued.
const MAX_WAITING: usize = 256;

/// Memory in KiB, passes and lanes of every hash.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Reason why a new password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer than ten characters.
    #[error("The password must have at least 10 characters.")]
    TooShort,
    /// More than 1,024 bytes.
    #[error("The password may have 1,024 bytes.")]
    TooLong,
    /// Common, a pattern, or made of the e-mail address.
    #[error("The password is easy to guess. Add another word or two.")]
    Guessable,
}

impl Weakness {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::Guessable => "password_weak",
        }
    }
}

/// A failure to hash: the machine's fault, never the client's.
#[derive(Debug, thiserror::Error)]
#[error("a password could not be hashed: {0}")]
pub struct HashError(String);

/// Hashes and verifies, as many at once as the machine has cores.
#[derive(Clone, Debug)]
pub(crate) struct Hasher {
    threads: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// Verified against if there is no user, so that both take as long.
    dummy: Arc<str>,
}

/// Checks a new password; `email` counts as guessable. Takes about a
/// millisecond.
///
/// # Errors
/// The first [`Weakness`].
pub(crate) fn check_strength(password: &str, email: &str) -> Result<(), Weakness> {
    if password.len() > MAX_BYTES {
        return Err(Weakness::TooLong);
    }
    if password.chars().count() < MIN_CHARACTERS {
        return Err(Weakness::TooShort);
    }
    let estimated: String = password.chars().take(ESTIMATED_CHARACTERS).collect();
    let local = email.split('@').next().unwrap_or_default();
    let strength = zxcvbn::zxcvbn(&estimated, &[email, local, "tickhall"]);
    if strength.score() < zxcvbn::Score::Two { Err(Weakness::Guessable) } else { Ok(()) }
}

impl Hasher {
    /// Makes a hasher and its dummy hash.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub(crate) fn new() -> Result<Self, HashError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let dummy = hash(b"nobody has this password")?;
        let (threads, queue) = (Arc::new(Semaphore::new(cores)), Arc::new(Semaphore::new(MAX_WAITING)));
        Ok(Self { threads, queue, dummy: dummy.into() })
    }

    /// The PHC string of a new password.
    ///
    /// # Errors
    /// When the system gives no randomness, too many wait, or the server stops.
    pub(crate) async fn hash(&self, password: String) -> Result<String, HashError> {
        self.run(move || hash(password.as_bytes())).await?
    }

    /// Returns true if `password` belongs to `stored`; false without a stored
    /// hash, after as much work.
    ///
    /// # Errors
    /// When too many wait or the server stops.
    pub(crate) async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, HashError> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.to_string());
        let matches = self
            .run(move || {
                let parsed = PasswordHash::new(&stored);
                // More bytes than any password may have cannot be anyone's.
                let password = if password.len() > MAX_BYTES { "" } else { &password };
                parsed.is_ok_and(|hash| {
                    argon2().is_ok_and(|argon2| argon2.verify_password(password.as_bytes(), &hash).is_ok())
                })
            })
            .await?;
        Ok(exists && matches)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let _waiting = self.queue.try_acquire().map_err(|_| HashError("too many are waiting".to_owned()))?;
        let _thread = self.threads.acquire().await.map_err(|error| HashError(error.to_string()))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| HashError(error.to_string()))
    }
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.map_err(|error| HashError(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &[u8]) -> Result<String, HashError> {
    let hash = argon2()?.hash_password(password).map_err(|error| HashError(error.to_string()))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_refused_by_name() {
        let long = "x7".repeat(513);
        for (password, expected) in [
            ("", Err(Weakness::TooShort)),
            ("shortish9", Err(Weakness::TooShort)),
            ("password123", Err(Weakness::Guessable)),
            ("qwertyuiop", Err(Weakness::Guessable)),
            ("ada.lovelace", Err(Weakness::Guessable)),
            ("tickhall12", Err(Weakness::Guessable)),
            (long.as_str(), Err(Weakness::TooLong)),
            ("correct horse battery", Ok(())),
            ("ünübersetzbar-9-Esel", Ok(())),
        ] {
            assert_eq!(check_strength(password, "ada.lovelace@example.com"), expected, "{password:.30}");
        }
    }

    #[tokio::test]
    async fn a_hash_verifies_its_own_password_alone() {
        let hasher = Hasher::new().unwrap();
        let hash = hasher.hash("correct horse battery".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify("correct horse battery".into(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify("correct horse".into(), Some(hash)).await.unwrap());
        assert!(!hasher.verify("nobody has this password".into(), None).await.unwrap());
    }
}
