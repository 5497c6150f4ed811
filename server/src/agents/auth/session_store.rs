//! The session store of tower-sessions: a row in SQL for each session, with
//! copies in the cache that all gateways share.
//!
//! The row is the truth. Sign-in inserts it, sign-out deletes it, and activity
//! updates it only if it exists: a request in flight cannot restore a session
//! that has ended. Rows and copies hold hashes of ids, which sign nobody in.
//! Time is the injected clock's. Does not know passwords or pages.

use std::time::Duration;

use async_trait::async_trait;
use axum_login::AuthUser as _;
use axum_login::tower_sessions::SessionStore;
use axum_login::tower_sessions::cookie::time::OffsetDateTime;
use axum_login::tower_sessions::session::{Id, Record};
use axum_login::tower_sessions::session_store::{Error, Result};
use engine::id::{Digest, VenueId};
use engine::time::{MICROS_PER_SECOND, WallTime};
use protocol::rest::SessionEntry;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::session_cache::{CacheLookup, SessionCache};
use super::session_events::announce;
use super::{device, run_to_completion};
use crate::agents::context::AgentContext;
use crate::bus::Bus;
use crate::clock::WallClock;
use crate::config::SessionLimits;
use crate::store::users::{SessionRow, User, UserSession};
use crate::store::{Store, StoreError};

/// Key of axum-login's entry in a session's data.
pub(super) const LOGIN_KEY: &str = "login";

/// Key of the user agent in a new session's data.
pub(super) const DEVICE_KEY: &str = "device";

/// Activity is recorded no more often than this, or than a quarter of the idle
/// limit: a session that is looked up as often is always in time.
const TOUCH_INTERVAL_MICROS: i64 = 30 * MICROS_PER_SECOND;

/// Longest life of a guest's session: browsers keep no cookie for longer. Until
/// then only idleness ends it, because the account ends with it.
const GUEST_SESSION_MAX_DAYS: i64 = 400;

const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A session's name inside the server and in the store: the hash of its id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// Key of the session with id `id`, which its cookie holds.
    pub(super) fn of(id: &Id) -> Self {
        Self(Digest::of(&[&id.0.to_le_bytes()]).0)
    }

    pub(super) fn from_hash(hash: Digest) -> Self {
        Self(hash.0)
    }

    pub(super) fn hash(self) -> Digest {
        Digest(self.0)
    }

    /// Public id, for the session's user: half of the hash, which opens nothing.
    pub(super) fn public_id(self) -> Uuid {
        let mut half = [0; 16];
        half.copy_from_slice(&self.0[..16]);
        Uuid::from_bytes(half)
    }
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

/// axum-login's entry in a session's data.
#[derive(Serialize, Deserialize)]
struct Login {
    user_id: User,
    auth_hash: Vec<u8>,
}

/// Time limits of a session, in microseconds.
#[derive(Clone, Copy, Debug)]
struct Lifetime {
    /// Without activity.
    idle_micros: i64,
    /// Whatever its user does.
    absolute_micros: i64,
}

/// The sessions of one venue's users; cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    store: Store,
    cache: SessionCache,
    bus: Bus,
    /// Stream of ended sessions.
    stream: String,
    clock: WallClock,
    venue: VenueId,
    touch_micros: i64,
    registered: Lifetime,
    guest: Lifetime,
    /// Sessions that a user may have.
    max_per_user: u32,
}

impl Sessions {
    pub(super) fn new(context: &AgentContext, limits: SessionLimits, max_per_user: u32) -> Self {
        let micros = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX / 2) * MICROS_PER_SECOND;
        let idle_micros = micros(limits.idle_minutes * 60);
        Self {
            registered: Lifetime { idle_micros, absolute_micros: micros(limits.absolute_hours * 3_600) },
            guest: Lifetime {
                idle_micros: micros(limits.guest_days * 86_400),
                absolute_micros: GUEST_SESSION_MAX_DAYS * MICROS_PER_DAY,
            },
            max_per_user,
            cache: SessionCache::new(context.bus.cache(), context.venue),
            store: context.store.clone(),
            bus: context.bus.clone(),
            stream: context.streams.session.clone(),
            clock: context.clock.clone(),
            venue: context.venue,
            touch_micros: TOUCH_INTERVAL_MICROS.min(idle_micros / 4),
        }
    }

    fn lifetime(&self, is_guest: bool) -> Lifetime {
        if is_guest { self.guest } else { self.registered }
    }

    /// Seconds after which a session ends, whatever its user does.
    pub(super) fn absolute_seconds(&self, is_guest: bool) -> i64 {
        self.lifetime(is_guest).absolute_micros / MICROS_PER_SECOND
    }

    /// Days without activity after which a guest is removed.
    pub fn guest_days(&self) -> i64 {
        self.guest.idle_micros / MICROS_PER_DAY
    }

    /// Interval at which an open socket looks its session up.
    pub fn check_interval(&self) -> Duration {
        Duration::from_micros(self.touch_micros.unsigned_abs())
    }

    /// Returns the session unless it has ended. Counts as activity: an open
    /// socket calls this as long as it is open.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn active(&self, key: SessionKey) -> std::result::Result<Option<UserSession>, StoreError> {
        let read_at = Instant::now();
        let now = self.clock.now();
        let copy = match self.cache.get(key).await {
            CacheLookup::Ended => return Ok(None),
            CacheLookup::Hit(session, _)
                if idle_time(&session, now) < self.touch_micros && now < self.expires_at(&session) =>
            {
                return Ok(Some(session));
            }
            // The copy is due for an update or has expired: the row decides.
            CacheLookup::Hit(_, copy) => Some(copy),
            CacheLookup::Miss => None,
        };
        let Some(mut session) = self.store.session(self.venue, key.0).await? else { return Ok(None) };
        let idle_micros = self.lifetime(session.user.is_guest()).idle_micros;
        if now >= self.expires_at(&session) || idle_time(&session, now) >= idle_micros {
            self.store.delete_session(key.0).await?;
            self.cache.mark_ended(key).await;
            return Ok(None);
        }
        if idle_time(&session, now) >= self.touch_micros {
            if !self.store.touch_session(key.0, now).await? {
                return Ok(None);
            }
            session.last_seen_at = now;
        }
        match copy {
            Some(copy) => self.cache.replace(key, &copy, &session).await,
            None => self.cache.insert(key, &session, read_at).await,
        }
        Ok(Some(session))
    }

    /// End of a session that was last active at `seen`, if it stays idle.
    pub(super) fn idle_expiry(&self, is_guest: bool, seen: WallTime) -> WallTime {
        seen.plus_micros(self.lifetime(is_guest).idle_micros)
    }

    fn expires_at(&self, session: &UserSession) -> WallTime {
        session.created_at.plus_micros(self.lifetime(session.user.is_guest()).absolute_micros)
    }

    /// Makes `user` the venue's owner, also in copies made before.
    pub(super) async fn set_owner(&self, user: Uuid) {
        self.cache.set_owner(user).await;
    }

    /// Shows `user`'s new name in the copies of their sessions. A copy that another
    /// request makes at this very moment may show the old one until it expires.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn update_copies(&self, user: &User) -> std::result::Result<(), StoreError> {
        for row in self.store.sessions_of(user.id).await? {
            self.cache.update_user(SessionKey(row.hash), user).await;
        }
        Ok(())
    }

    /// The user's sessions that have not ended, `current` first, then by
    /// activity.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn list(
        &self,
        user: Uuid,
        is_guest: bool,
        current: Uuid,
    ) -> std::result::Result<Vec<SessionEntry>, StoreError> {
        let now = self.clock.now();
        let ended =
            |row: &SessionRow| now >= row.expires_at || now >= self.idle_expiry(is_guest, row.last_seen_at);
        let rows = self.store.sessions_of(user).await?.into_iter().filter(|row| !ended(row));
        let mut entries: Vec<_> = rows
            .map(|row| {
                let id = SessionKey(row.hash).public_id();
                SessionEntry {
                    session_id: id.to_string(),
                    current: id == current,
                    device: device::display_name(&row.device),
                    created_at: row.created_at,
                    last_seen_at: row.last_seen_at,
                    expires_at: row.expires_at,
                }
            })
            .collect();
        entries.sort_by_key(|entry| !entry.current);
        Ok(entries)
    }

    /// The user's session with the public id `id`.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn find(
        &self,
        user: Uuid,
        id: Uuid,
    ) -> std::result::Result<Option<SessionKey>, StoreError> {
        let rows = self.store.sessions_of(user).await?;
        Ok(rows.into_iter().map(|row| SessionKey(row.hash)).find(|key| key.public_id() == id))
    }

    /// Ends a session for good: its row, its copies, its sockets. `false` if it
    /// had ended before.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn end(&self, key: SessionKey) -> std::result::Result<bool, StoreError> {
        let sessions = self.clone();
        run_to_completion(async move {
            // The row first: a row read after this is not there to be copied.
            let existed = sessions.store.delete_session(key.0).await?;
            sessions.cache.mark_ended(key).await;
            if existed {
                announce(&sessions.bus, &sessions.stream, sessions.venue, key).await;
            }
            Ok(existed)
        })
        .await
    }

    /// Ends the copies and sockets of sessions whose rows were deleted.
    pub(super) async fn announce_deleted(&self, hashes: Vec<[u8; 32]>) {
        for key in hashes.into_iter().map(SessionKey) {
            self.cache.mark_ended(key).await;
            announce(&self.bus, &self.stream, self.venue, key).await;
        }
    }

    /// Deletes sessions that have ended by themselves.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn delete_expired(&self) -> std::result::Result<u64, StoreError> {
        let now = self.clock.now();
        let idle_before = |lifetime: Lifetime| now.plus_micros(-lifetime.idle_micros);
        self.store.delete_expired_sessions(idle_before(self.registered), idle_before(self.guest), now).await
    }
}

#[async_trait]
impl SessionStore for Sessions {
    /// Inserts the session of a user who has signed in; others are not stored. Ends
    /// the user's sessions beyond the limit, unused for longest.
    async fn create(&self, record: &mut Record) -> Result<()> {
        // A flushed record still carries the id of the session before.
        record.id = Id::default();
        let login = record.data.get(LOGIN_KEY).cloned().unwrap_or_default();
        let Login { user_id: user, .. } =
            serde_json::from_value(login).map_err(|error| Error::Encode(error.to_string()))?;
        let device = record.data.get(DEVICE_KEY).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (key, now, read_at) = (SessionKey::of(&record.id), self.clock.now(), Instant::now());
        let row = SessionRow {
            hash: key.0,
            device,
            created_at: now,
            last_seen_at: now,
            expires_at: now.plus_micros(self.lifetime(user.is_guest()).absolute_micros),
        };
        let sessions = self.clone();
        let inserted = run_to_completion(async move {
            let ended = sessions.store.insert_session(user.id, &row, sessions.max_per_user).await?;
            let session = UserSession { user, created_at: now, last_seen_at: now };
            sessions.cache.insert(key, &session, read_at).await;
            sessions.announce_deleted(ended).await;
            Ok(())
        });
        inserted.await.map_err(failed)
    }

    /// Records activity if it is due; never inserts. Nothing else of a session
    /// changes after the sign-in.
    async fn save(&self, record: &Record) -> Result<()> {
        self.active(SessionKey::of(&record.id)).await.map(|_| ()).map_err(failed)
    }

    /// Reads a session with its user: the cached copy, else one query. Counts as
    /// activity.
    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let session = self.active(SessionKey::of(id)).await.map_err(failed)?;
        Ok(session.map(|session| {
            let expires_at = self.expires_at(&session).0 / MICROS_PER_SECOND;
            let auth_hash = session.user.session_auth_hash().to_vec();
            Record {
                id: *id,
                data: [(LOGIN_KEY.to_owned(), json!(Login { user_id: session.user, auth_hash }))].into(),
                expiry_date: OffsetDateTime::from_unix_timestamp(expires_at)
                    .unwrap_or(OffsetDateTime::UNIX_EPOCH),
            }
        }))
    }

    /// Ends the session for good.
    async fn delete(&self, id: &Id) -> Result<()> {
        self.end(SessionKey::of(id)).await.map(|_| ()).map_err(failed)
    }
}

fn idle_time(session: &UserSession, now: WallTime) -> i64 {
    now.0 - session.last_seen_at.0
}

/// Logs what the client is not told.
fn failed(error: StoreError) -> Error {
    tracing::error!(event = "store_failed", %error, "the session store failed");
    Error::Backend(error.to_string())
}
