//! The auth agent: users, and the sessions that identify them.
//!
//! *Listens*: nothing; it serves requests. *Publishes*: `OpenAccount` and
//! `CloseAccount` commands, and [`SessionEnded`] at every sign-out. *Owns*: users
//! and sessions. *Never* writes money: the venue decides what a new account holds.

mod backend;
mod device;
mod email;
mod guest;
mod guest_removal;
mod name;
mod owner;
mod password;
mod profile;
mod reset;
mod routes;
mod session_admin;
mod session_cache;
mod session_events;
mod session_layer;
mod session_store;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum_login::tower_sessions::session;
use engine::id::{AccountId, Digest, VenueId};
use engine::venue::Command;
use uuid::Uuid;

use crate::agents::context::AgentContext;
use crate::clock::{self, WallClock};
use crate::config::Config;
use crate::http::RateLimiter;
use crate::sequencer_client::{SendError, SequencerClient};
use crate::shutdown::Shutdown;
use crate::store::users::{NewUser, User, UserAccount};
use crate::store::{Store, StoreError};
use crate::telemetry::Health;
use name::{DisplayName, InvalidName};
use session_layer::SessionCookie;

pub use backend::{Credentials, VenueRole};
pub use email::Email;
pub use password::{HashError, Weakness};
pub use reset::grant as grant_reset;
pub use routes::routes;
pub use session_events::SessionEnded;
pub use session_layer::{Identity, with_sessions};
pub use session_store::{SessionKey, Sessions};

/// A request's session, and its user if one is signed in.
pub type AuthSession = axum_login::AuthSession<Auth>;

const OPEN_ACCOUNT_TIMEOUT: Duration = Duration::from_secs(5);

/// Pause between attempts to open accounts at the start.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Interval at which ended sessions are deleted and guests removed.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(300);

/// Reason why a request of a user is refused.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Not an address.
    #[error("That is not an e-mail address.")]
    InvalidEmail,
    /// Not a display name.
    #[error(transparent)]
    InvalidName(#[from] InvalidName),
    /// The venue has the most guests that it takes.
    #[error("The venue has no room for another guest. Register with an e-mail address.")]
    TooManyGuests,
    /// The user has an address and a password already.
    #[error("This account has an e-mail address already.")]
    NotGuest,
    /// Another user's address.
    #[error("There is a user with this e-mail address.")]
    EmailTaken,
    /// Too short, too long or guessable.
    #[error(transparent)]
    Weak(#[from] Weakness),
    /// An unknown user or a wrong password, which are never told apart.
    #[error("The e-mail address or the password is wrong.")]
    InvalidCredentials,
    /// The present password is wrong.
    #[error("The present password is wrong.")]
    WrongPassword,
    /// A guest has no password.
    #[error("A guest has no password. Save the account first.")]
    NoPassword,
    /// A reset's token that is used, expired or unknown.
    #[error("This link was used already or is too old. Ask for another.")]
    InvalidToken,
    /// Too many attempts.
    #[error("Too many tries. Wait {seconds} s.")]
    RateLimited {
        /// Seconds to wait.
        seconds: u64,
    },
    /// Nobody is signed in.
    #[error("Sign in first.")]
    NotSignedIn,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The session could not be read or written.
    #[error(transparent)]
    Session(#[from] session::Error),
    /// A password could not be checked or hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The account is not open yet: the user is stored, signing in tries again.
    #[error("The account could not be opened yet: {0}")]
    Account(#[from] SendError),
}

impl From<axum_login::Error<Auth>> for AuthError {
    fn from(error: axum_login::Error<Auth>) -> Self {
        match error {
            axum_login::Error::Session(error) => error.into(),
            axum_login::Error::Backend(error) => error,
        }
    }
}

/// The agent, and the backend of axum-login; clones share it.
#[derive(Clone, Debug)]
pub struct Auth {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    sequencer: SequencerClient,
    clock: WallClock,
    venue: VenueId,
    health: Health,
    shutdown: Shutdown,
    sessions: Sessions,
    cookie: SessionCookie,
    hasher: password::Hasher,
    failures: RateLimiter<(String, IpAddr)>,
    failures_of_address: RateLimiter<IpAddr>,
    registrations: RateLimiter<IpAddr>,
    resets: RateLimiter<IpAddr>,
    owner_email: Option<String>,
    max_guests: u32,
}

impl Auth {
    /// Creates the agent, which opens accounts through `sequencer`; `secure` if the
    /// site is served over https.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(
        context: AgentContext,
        sequencer: SequencerClient,
        config: &Config,
        secure: bool,
    ) -> Result<Self, HashError> {
        let (limits, clock) = (&config.limits, || context.clock.clone());
        let inner = Inner {
            sessions: Sessions::new(&context, config.session, limits.sessions_per_user),
            cookie: SessionCookie { secure },
            hasher: password::Hasher::new()?,
            failures: RateLimiter::strict_per_minute(limits.login_failures_per_minute, clock()),
            failures_of_address: RateLimiter::per_minute(
                limits.login_failures_per_address_per_minute,
                clock(),
            ),
            resets: RateLimiter::strict_per_minute(limits.login_failures_per_minute, clock()),
            registrations: RateLimiter::per_minute(limits.registrations_per_minute, clock()),
            max_guests: limits.guests,
            owner_email: config.owner_email.as_ref().map(|email| email.to_lowercase()),
            store: context.store,
            sequencer,
            clock: context.clock,
            venue: context.venue,
            health: context.health,
            shutdown: context.shutdown,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The session store.
    pub fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }

    /// Name of the cookie that identifies a session.
    pub fn cookie_name(&self) -> &'static str {
        self.inner.cookie.name()
    }

    /// The client of the sequencer.
    pub fn sequencer(&self) -> &SequencerClient {
        &self.inner.sequencer
    }

    /// Makes `user` the venue's owner if `token_hash` is that of its unused
    /// claim token.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim_venue(&self, token_hash: [u8; 32], user: Uuid) -> Result<bool, StoreError> {
        let claimed = self.inner.store.claim_venue(self.inner.venue, token_hash, user).await?;
        if claimed {
            self.inner.sessions.set_owner(user).await;
        }
        Ok(claimed)
    }

    /// Stores a user, with a display name unless that is blank, and opens their
    /// account; ends after the account's commit.
    ///
    /// # Errors
    /// [`AuthError`]. After `Account` the user exists and can sign in.
    pub async fn register(
        &self,
        Credentials { email, password, address }: Credentials,
        name: &str,
    ) -> Result<User, AuthError> {
        let email = Email::parse(&email).ok_or(AuthError::InvalidEmail)?;
        let name = DisplayName::parse_optional(name)?;
        password::check_length(&password)?;
        self.count_registration(address)?;
        self.check_strength(&password, email.as_str(), address).await?;
        let auth = self.clone();
        run_to_completion(
            async move { auth.create(Uuid::new_v4(), email, name, password, Some(address)).await },
        )
        .await
    }

    /// Checks that a new password cannot be guessed; its length is right. Comes after
    /// the limits, because it takes time.
    async fn check_strength(&self, password: &str, email: &str, address: IpAddr) -> Result<(), AuthError> {
        let hasher = &self.inner.hasher;
        Ok(hasher.check_strength(password.to_owned(), email.to_owned(), address).await??)
    }

    /// Number of passwords that were hashed so far.
    pub fn password_hashes(&self) -> u64 {
        self.inner.hasher.hashes()
    }

    /// Number of new passwords whose strength was estimated so far.
    pub fn password_estimates(&self) -> u64 {
        self.inner.hasher.estimates()
    }

    /// Stores a user with an id of the caller's choice and opens their account,
    /// without the limits of [`Auth::register`].
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn create_user(&self, id: Uuid, email: &str, password: String) -> Result<User, AuthError> {
        self.create(id, Email::parse(email).ok_or(AuthError::InvalidEmail)?, None, password, None).await
    }

    async fn create(
        &self,
        id: Uuid,
        email: Email,
        name: Option<DisplayName>,
        password: String,
        address: Option<IpAddr>,
    ) -> Result<User, AuthError> {
        let inner = &self.inner;
        let account = AccountId::derive(inner.venue, id);
        let new = NewUser {
            id,
            email: email.as_str().to_owned(),
            name: name.map(String::from),
            password_hash: inner.hasher.hash(password, address).await?,
            created_at: inner.clock.now(),
            venue: inner.venue,
            account,
        };
        if !inner.store.insert_user(&new).await? {
            return Err(AuthError::EmailTaken);
        }
        tracing::info!(event = "user_registered", user = %id, "a user registered");
        self.open_account(UserAccount { user: id, account }).await?;
        Ok(User { id, email: new.email, name: new.name, account, owner: false })
    }

    fn count_registration(&self, address: IpAddr) -> Result<(), AuthError> {
        let limited = |seconds| AuthError::RateLimited { seconds };
        self.inner.registrations.check(&address).map_err(limited)
    }

    /// Deletes sessions that have ended by themselves, and removes the guests who have
    /// none left.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn clean_up(&self) -> Result<(), StoreError> {
        self.inner.sessions.delete_expired().await?;
        self.remove_guests().await
    }

    /// Opens accounts that are stored but not open: all, or one user's.
    async fn open_accounts(&self, user: Option<Uuid>) -> Result<(), AuthError> {
        for holder in self.inner.store.unopened_accounts(self.inner.venue, user).await? {
            self.open_account(holder).await?;
        }
        Ok(())
    }

    async fn open_account(&self, holder: UserAccount) -> Result<(), SendError> {
        let command = Command::OpenAccount { account: holder.account };
        self.inner.sequencer.send(command, OPEN_ACCOUNT_TIMEOUT).await.map(|_| ())
    }
}

/// Opens accounts that were stored before the start, then deletes sessions that
/// have ended by themselves and removes the guests whom that leaves without one,
/// until `shutdown`.
///
/// # Errors
/// When the store fails.
pub async fn run(auth: Auth) -> Result<(), StoreError> {
    let inner = &auth.inner;
    while let Err(error) = auth.open_accounts(None).await {
        tracing::warn!(event = "accounts_unopened", %error, "accounts could not be opened yet");
        tokio::select! {
            () = inner.shutdown.cancelled() => return Ok(()),
            () = clock::sleep(RETRY_DELAY) => {}
        }
    }
    let mut cleanups = 0;
    loop {
        auth.clean_up().await?;
        cleanups += 1;
        inner.health.report("auth", cleanups);
        tokio::select! {
            () = inner.shutdown.cancelled() => return Ok(()),
            () = clock::sleep(CLEANUP_INTERVAL) => {}
        }
    }
}

/// Runs `work` in a task of its own: a client that hangs up does not leave it
/// half done.
async fn run_to_completion<T, E>(work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    tokio::spawn(work).await.map_err(|error| StoreError::Interrupted(error.to_string()))?
}

/// 256 bits of the system's randomness, in hexadecimal.
fn random_token() -> Result<String, StoreError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Interrupted(format!("no randomness: {error}")))?;
    Ok(Digest(bytes).to_string())
}
