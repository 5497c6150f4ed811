//! The auth agent: who somebody is, and the sessions that say so.
//!
//! *Listens*: nothing; it is asked. *Publishes*: `OpenAccount` commands, and
//! [`SessionEnded`] at every sign-out. *Owns*: users and sessions. *Never*
//! writes money: what a new account holds, the venue decides.

mod email;
mod ended;
mod guest;
mod limiter;
mod own;
mod password;
mod reset;
mod routes;
mod session;

use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use engine::id::{AccountId, VenueId};
use engine::venue::Command;
use uuid::Uuid;

use crate::agents::trading::client::{SendError, SequencerClient};
use crate::bus::{Bus, StreamNames};
use crate::clock::WallClock;
use crate::config::Config;
use crate::shutdown::Shutdown;
use crate::store::users::{NewUser, UserAccount};
use crate::store::{Store, StoreError};
use crate::telemetry::Health;

pub use email::Email;
pub use ended::SessionEnded;
pub use limiter::Limiter;
pub use password::{HashError, Weakness};
pub use reset::grant as grant_reset;
pub use routes::routes;
pub use session::{SessionKey, Sessions, SignedIn};

/// How long an `OpenAccount` may wait for the sequencer.
const OPEN_WITHIN: Duration = Duration::from_secs(5);

/// How long to wait before accounts are opened that could not be.
const OPEN_AGAIN: Duration = Duration::from_secs(1);

/// How often sessions that ended by themselves are forgotten.
const SWEEP: Duration = Duration::from_secs(300);

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Not an address.
    #[error("That is not an e-mail address.")]
    InvalidEmail,
    /// Not a name for a guest.
    #[error("A name has 1 to 40 letters, digits, spaces, or - _ . '")]
    InvalidName,
    /// Has an address and a password already.
    #[error("This account is kept already.")]
    NotGuest,
    /// Another user's address.
    #[error("There is a user with this e-mail address.")]
    EmailTaken,
    /// Too short, too long or guessable.
    #[error(transparent)]
    Weak(#[from] Weakness),
    /// No such user, or another password: never told apart.
    #[error("The e-mail address or the password is wrong.")]
    InvalidCredentials,
    /// A reset's token that is used, too old or no token at all.
    #[error("This link was used already or is too old. Ask for another.")]
    InvalidToken,
    /// Too many tries.
    #[error("Too many tries. Wait {seconds} s.")]
    RateLimited {
        /// Seconds to wait.
        seconds: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A hash could not be made.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The account is not open yet: the user is stored, signing in tries again.
    #[error("The account could not be opened yet: {0}")]
    Account(#[from] SendError),
}

/// What auth is made of.
#[derive(Clone, Debug)]
pub struct Deps {
    /// Users and sessions.
    pub store: Store,
    /// Where sign-outs are announced.
    pub bus: Bus,
    /// Names on the bus.
    pub names: StreamNames,
    /// Where accounts are opened.
    pub sequencer: SequencerClient,
    /// Sessions and limits use the time on the wall.
    pub clock: WallClock,
    /// The market that new users get an account in.
    pub venue: VenueId,
    /// Where the agent reports.
    pub health: Health,
}

/// The agent; clones share it.
#[derive(Clone, Debug)]
pub struct Auth {
    deps: Deps,
    sessions: Sessions,
    hasher: password::Hasher,
    failures: Limiter<(String, IpAddr)>,
    failures_of_address: Limiter<IpAddr>,
    registrations: Limiter<IpAddr>,
    resets: Limiter<IpAddr>,
    owner_email: Option<String>,
}

/// A user who was let in, and the cookie that says so.
#[derive(Clone, Debug)]
pub struct Entered {
    /// Who.
    pub user: Uuid,
    /// The `Set-Cookie` header.
    pub cookie: HeaderValue,
}

impl Auth {
    /// Makes the agent.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(deps: Deps, config: &Config, secure: bool) -> Result<Self, HashError> {
        let sessions = Sessions::new(
            deps.store.clone(),
            deps.bus.cache(),
            deps.clock.clone(),
            deps.venue,
            config.session,
            secure,
        );
        Ok(Self {
            sessions,
            hasher: password::Hasher::new()?,
            failures: Limiter::new(config.limits.login_failures_per_minute),
            failures_of_address: Limiter::new(config.limits.login_failures_per_address_per_minute),
            resets: Limiter::new(config.limits.login_failures_per_minute),
            registrations: Limiter::new(config.limits.registrations_per_minute),
            owner_email: config.owner_email.as_ref().map(|email| email.to_lowercase()),
            deps,
        })
    }

    /// The sessions, for whoever must know who asks.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The way to the sequencer, for whoever mounts auth's routes beside its
    /// own.
    pub fn sequencer(&self) -> &SequencerClient {
        &self.deps.sequencer
    }

    /// Makes `user` the venue's owner when `token_hash` is its unused claim
    /// token's.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim_venue(&self, token_hash: [u8; 32], user: Uuid) -> Result<bool, StoreError> {
        let claimed = self.deps.store.claim_venue(self.deps.venue, token_hash, user).await?;
        if claimed {
            self.sessions.owns(user).await;
        }
        Ok(claimed)
    }

    /// Stores a user, opens their account and signs them in; ends after the
    /// account's commit.
    ///
    /// # Errors
    /// [`AuthError`]. After `Account` the user exists and can sign in.
    pub async fn register(
        &self,
        email: &str,
        password: String,
        address: IpAddr,
        headers: &HeaderMap,
    ) -> Result<Entered, AuthError> {
        let email = Email::parse(email).ok_or(AuthError::InvalidEmail)?;
        password::judge(&password, email.as_str())?;
        let limited = |seconds| AuthError::RateLimited { seconds };
        self.registrations.count(address, self.deps.clock.now()).map_err(limited)?;
        // A task of its own: a client that hangs up must not leave half a user.
        let (auth, user) = (self.clone(), Uuid::new_v4());
        let created = tokio::spawn(async move { auth.create(user, email, password).await });
        created.await.map_err(|error| StoreError::Corrupt(error.to_string()))??;
        self.enter(user, headers).await
    }

    /// Signs a user in, with a new session of their own.
    ///
    /// # Errors
    /// [`AuthError`]; unknown users and wrong passwords look and take the same.
    pub async fn sign_in(
        &self,
        email: &str,
        password: String,
        address: IpAddr,
        headers: &HeaderMap,
    ) -> Result<Entered, AuthError> {
        let name: String = email.chars().take(254).collect::<String>().to_lowercase();
        let key = (name, address);
        let limited = |seconds| AuthError::RateLimited { seconds };
        let now = self.deps.clock.now();
        self.failures.count(key.clone(), now).map_err(limited)?;
        // Whoever tries many accounts from one place, and no class that signs
        // in at once: who gets in does not count.
        self.failures_of_address.count(address, now).map_err(|seconds| {
            self.failures.take_back(&key);
            limited(seconds)
        })?;
        // What is no address is nobody's, after as much work.
        let found = match Email::parse(email) {
            Some(email) => self.deps.store.user_by_email(email.as_str()).await?,
            None => None,
        };
        let (user, hash) = found.map(|row| (row.id, row.password_hash)).unzip();
        let right = self.hasher.verify(password, hash).await?;
        let user = user.filter(|_| right).ok_or(AuthError::InvalidCredentials)?;
        self.failures.forgive(&key);
        self.failures_of_address.take_back(&address);
        self.open_accounts(Some(user)).await?;
        self.enter(user, headers).await
    }

    /// Ends the request's session for good and says so to whoever holds its
    /// sockets. The cookie that makes the browser forget it.
    ///
    /// # Errors
    /// When store or bus fail.
    pub async fn sign_out(&self, headers: &HeaderMap) -> Result<HeaderValue, AuthError> {
        self.leave(headers).await?;
        Ok(self.sessions.forget())
    }

    /// Gives a user a session of its own; the one that the request came with
    /// ends.
    async fn enter(&self, user: Uuid, headers: &HeaderMap) -> Result<Entered, AuthError> {
        self.leave(headers).await?;
        Ok(Entered { user, cookie: self.sessions.start(user, headers).await? })
    }

    async fn leave(&self, headers: &HeaderMap) -> Result<(), AuthError> {
        match self.sessions.key_of(headers) {
            Some(key) => self.end(key).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Stores a user under an id of the caller's choice and opens their
    /// account, as [`Auth::register`] does for strangers.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn enlist(&self, id: Uuid, email: &str, password: String) -> Result<AccountId, AuthError> {
        self.create(id, Email::parse(email).ok_or(AuthError::InvalidEmail)?, password).await
    }

    async fn create(&self, id: Uuid, email: Email, password: String) -> Result<AccountId, AuthError> {
        let account = AccountId::derive(self.deps.venue, id);
        let user = NewUser {
            id,
            email: email.as_str().to_owned(),
            name: None,
            password_hash: self.hasher.hash(password).await?,
            created_at: self.deps.clock.now(),
            venue: self.deps.venue,
            account,
        };
        if !self.deps.store.insert_user(&user).await? {
            return Err(AuthError::EmailTaken);
        }
        if self.owner_email.as_deref() == Some(email.as_str()) {
            self.deps.store.set_owner(self.deps.venue, email.as_str()).await?;
        }
        tracing::info!(event = "user_registered", user = %id, "a user registered");
        self.open(UserAccount { user: id, account }).await?;
        Ok(account)
    }

    /// Opens what was promised and is not open: everybody's, or one user's.
    async fn open_accounts(&self, user: Option<Uuid>) -> Result<(), AuthError> {
        for holder in self.deps.store.unopened_accounts(self.deps.venue, user).await? {
            self.open(holder).await?;
        }
        Ok(())
    }

    async fn open(&self, holder: UserAccount) -> Result<(), SendError> {
        let command = Command::OpenAccount { account: holder.account };
        self.deps.sequencer.send(command, OPEN_WITHIN).await.map(|_| ())
    }
}

/// Opens accounts that were promised before the start, then forgets sessions
/// that ended by themselves, until `shutdown`.
///
/// # Errors
/// When the store fails.
pub async fn run(auth: Auth, shutdown: Shutdown) -> Result<(), StoreError> {
    if let Some(email) = &auth.owner_email {
        auth.deps.store.set_owner(auth.deps.venue, email).await?;
    }
    while let Err(error) = auth.open_accounts(None).await {
        tracing::warn!(event = "accounts_unopened", %error, "accounts could not be opened yet");
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = pause(OPEN_AGAIN) => {}
        }
    }
    let mut sweeps = 0;
    loop {
        auth.sessions.sweep().await?;
        sweeps += 1;
        auth.deps.health.report("auth", sweeps);
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = pause(SWEEP) => {}
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "sessions end on the wall's time; nothing tells that trading is back"
)]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}
