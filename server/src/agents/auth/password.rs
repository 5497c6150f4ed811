//! Passwords: the rules for new ones, and argon2id hashes on blocking threads.
//!
//! Threads are shared fairly: requests of one address wait for each other, so that
//! another's waits for at most one of theirs. Does not know users.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::http::ConcurrencyLimiter;

/// Shortest password.
const MIN_CHARACTERS: usize = 10;

/// Longest password: the client must not choose the hashing time.
const MAX_BYTES: usize = 1_024;

/// Characters at a password's beginning, and at its end, whose strength is estimated.
/// The estimate tries every reading of symbols as letters: of 100 symbols it takes a
/// second, of 16 about as long as a hash. Of long walks over the keyboard it counts more
/// guesses than a number holds.
const ESTIMATED_CHARACTERS: usize = 16;

/// Requests of one address that may wait for their turn: a class signs in at once.
const WAITING_PER_ADDRESS: usize = 128;

/// Requests that may wait for a thread, of all addresses: a flood of sign-ins is
/// refused, not queued.
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

/// Reason why a password is not hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many requests of the same address wait.
    #[error("too many passwords of this address wait to be checked")]
    AddressBusy,
    /// Too many requests wait.
    #[error("too many passwords wait to be checked")]
    Busy,
    /// The machine's fault, never the client's.
    #[error("a password could not be hashed: {0}")]
    Failed(String),
}

/// Hashes and verifies, as many at once as the machine has cores.
#[derive(Clone, Debug)]
pub(crate) struct Hasher {
    by_address: ConcurrencyLimiter<IpAddr>,
    threads: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// Hashes computed, and strengths estimated.
    hashes: Arc<AtomicU64>,
    estimates: Arc<AtomicU64>,
    /// Verified against if there is no user, so that both take as long.
    dummy: Arc<str>,
}

/// Checks the length of a new password, which costs nothing.
///
/// # Errors
/// [`Weakness::TooLong`], [`Weakness::TooShort`].
pub(crate) fn check_length(password: &str) -> Result<(), Weakness> {
    if password.len() > MAX_BYTES {
        return Err(Weakness::TooLong);
    }
    if password.chars().count() < MIN_CHARACTERS {
        return Err(Weakness::TooShort);
    }
    Ok(())
}

/// Estimates the strength of a new password, which is hard to guess if its beginning or
/// its end is; `email` counts as guessable.
fn estimate(password: &str, email: &str) -> Result<(), Weakness> {
    let characters: Vec<char> = password.chars().collect();
    let beginning = &characters[..ESTIMATED_CHARACTERS.min(characters.len())];
    let end = &characters[characters.len().saturating_sub(ESTIMATED_CHARACTERS)..];
    let local = email.split('@').next().unwrap_or_default();
    let is_hard = |part: &[char]| {
        let part: String = part.iter().collect();
        zxcvbn::zxcvbn(&part, &[email, local, "tickhall"]).score() >= zxcvbn::Score::Two
    };
    if is_hard(beginning) || is_hard(end) { Ok(()) } else { Err(Weakness::Guessable) }
}

impl Hasher {
    /// Makes a hasher and its dummy hash.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub(crate) fn new() -> Result<Self, HashError> {
        Self::with_threads(std::thread::available_parallelism().map_or(2, usize::from))
    }

    fn with_threads(threads: usize) -> Result<Self, HashError> {
        Ok(Self {
            by_address: ConcurrencyLimiter::new(threads, WAITING_PER_ADDRESS),
            threads: Arc::new(Semaphore::new(threads)),
            queue: Arc::new(Semaphore::new(MAX_WAITING)),
            hashes: Arc::default(),
            estimates: Arc::default(),
            dummy: hash(b"nobody has this password")?.into(),
        })
    }

    /// Number of hashes computed so far.
    pub(crate) fn hashes(&self) -> u64 {
        self.hashes.load(Ordering::Relaxed)
    }

    /// Number of strengths estimated so far.
    pub(crate) fn estimates(&self) -> u64 {
        self.estimates.load(Ordering::Relaxed)
    }

    /// Checks that a new password, whose length is right, cannot be guessed; `email`
    /// counts as guessable. The estimate takes milliseconds of the client's choice,
    /// so it waits like a hash.
    ///
    /// # Errors
    /// When too many wait or the server stops.
    pub(crate) async fn check_strength(
        &self,
        password: String,
        email: String,
        address: IpAddr,
    ) -> Result<Result<(), Weakness>, HashError> {
        let estimates = Arc::clone(&self.estimates);
        self.run(Some(address), move || {
            estimates.fetch_add(1, Ordering::Relaxed);
            estimate(&password, &email)
        })
        .await
    }

    /// The PHC string of a new password, for a client at `address` or none.
    ///
    /// # Errors
    /// When the system gives no randomness, too many wait, or the server stops.
    pub(crate) async fn hash(&self, password: String, address: Option<IpAddr>) -> Result<String, HashError> {
        let hashes = Arc::clone(&self.hashes);
        self.run(address, move || {
            count(&hashes);
            hash(password.as_bytes())
        })
        .await?
    }

    /// Returns true if `password` belongs to `stored`; false without a stored
    /// hash, after as much work.
    ///
    /// # Errors
    /// When too many wait or the server stops.
    pub(crate) async fn verify(
        &self,
        password: String,
        stored: Option<String>,
        address: IpAddr,
    ) -> Result<bool, HashError> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.to_string());
        let hashes = Arc::clone(&self.hashes);
        let matches = self
            .run(Some(address), move || {
                count(&hashes);
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
        address: Option<IpAddr>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let turn = match address {
            Some(address) => Some(self.by_address.acquire(address).await.ok_or(HashError::AddressBusy)?),
            None => None,
        };
        let waiting = self.queue.try_acquire().map_err(|_| HashError::Busy)?;
        let thread = Arc::clone(&self.threads).acquire_owned().await.map_err(failed)?;
        drop(waiting);
        // The work goes on if its caller hangs up, and so it keeps thread and turn.
        let work = move || {
            let _taken = (thread, turn);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(failed)
    }
}

fn failed(error: impl std::fmt::Display) -> HashError {
    HashError::Failed(error.to_string())
}

fn count(hashes: &AtomicU64) {
    hashes.fetch_add(1, Ordering::Relaxed);
    metrics::counter!("tickhall_password_hashes_total").increment(1);
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &[u8]) -> Result<String, HashError> {
    let hash = argon2()?.hash_password(password).map_err(failed)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_refused_by_name() {
        let (long, walk) = ("x7".repeat(513), "10".repeat(50));
        for (password, expected) in [
            ("", Err(Weakness::TooShort)),
            ("shortish9", Err(Weakness::TooShort)),
            ("password123", Err(Weakness::Guessable)),
            ("qwertyuiop", Err(Weakness::Guessable)),
            ("ada.lovelace", Err(Weakness::Guessable)),
            ("tickhall12", Err(Weakness::Guessable)),
            ("qwertyuiopqwertyuiop", Err(Weakness::Guessable)),
            (walk.as_str(), Err(Weakness::Guessable)),
            ("aaaaaaaaaaaaaaaaaaaa8Jk2mQ9zP4", Ok(())),
            (long.as_str(), Err(Weakness::TooLong)),
            ("correct horse battery", Ok(())),
            ("ünübersetzbar-9-Esel", Ok(())),
        ] {
            let checked =
                check_length(password).and_then(|()| estimate(password, "ada.lovelace@example.com"));
            assert_eq!(checked, expected, "{password:.30}");
        }
    }

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn a_strength_is_estimated_on_another_thread() {
        let hasher = Hasher::new().unwrap();
        // The most expensive text that is known: each of its characters stands for
        // several letters.
        let password = "!71|4@8({[<369$5+%20".repeat(5);
        let mut checked = Box::pin(hasher.check_strength(password, "a@b.example".to_owned(), ADDRESS));
        // This thread is the only one that runs tasks.
        assert!(futures::poll!(&mut checked).is_pending());
        assert_eq!(checked.await.unwrap(), Ok(()));
        assert_eq!((hasher.estimates(), hasher.hashes()), (1, 0));
    }

    #[tokio::test]
    async fn one_address_waits_for_itself_and_not_before_another() {
        let hasher = Hasher::with_threads(1).unwrap();
        let other = IpAddr::from([192, 0, 2, 1]);
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let run = |address| {
            let order = Arc::clone(&order);
            hasher.run(Some(address), move || order.lock().unwrap().push(address))
        };
        let mut flood: Vec<_> = (0..WAITING_PER_ADDRESS + 2).map(|_| Box::pin(run(ADDRESS))).collect();
        let mut refused = 0;
        for hash in &mut flood {
            if let std::task::Poll::Ready(result) = futures::poll!(hash) {
                assert!(matches!(result, Err(HashError::AddressBusy)));
                refused += 1;
            }
        }
        // One runs, and so many wait.
        assert_eq!(refused, 1);
        flood.pop();
        let (_, results) = futures::join!(run(other), futures::future::join_all(flood));
        assert!(results.iter().all(Result::is_ok));
        let order = order.lock().unwrap();
        assert_eq!((order[1], order.len()), (other, WAITING_PER_ADDRESS + 2));
    }

    #[tokio::test]
    async fn a_hash_verifies_its_own_password_alone() {
        let hasher = Hasher::new().unwrap();
        let hash = hasher.hash("correct horse battery".to_owned(), None).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify("correct horse battery".into(), Some(hash.clone()), ADDRESS).await.unwrap());
        assert!(!hasher.verify("correct horse".into(), Some(hash), ADDRESS).await.unwrap());
        assert!(!hasher.verify("nobody has this password".into(), None, ADDRESS).await.unwrap());
        assert_eq!(hasher.hashes(), 4);
    }
}
