//! Sessions: who a cookie belongs to.
//!
//! A session is a row that sign-in inserts and sign-out deletes, and nothing
//! else ever writes it whole: a request in flight cannot bring a session back,
//! and every sign-in has an id of its own. The store holds hashes of ids, so a
//! copy of it signs nobody in. Several gateways share hot copies in Redis; the
//! row is the truth. Does not know pages or orders.

mod device;
mod hot;

use std::time::Duration;

use axum::http::header::{COOKIE, HeaderMap, HeaderValue};
use engine::id::{AccountId, Digest, VenueId};
use engine::time::{MICROS_PER_SECOND, WallTime};
use protocol::rest::SessionEntry;
use tokio::time::Instant;
use uuid::Uuid;

use crate::bus::Cache;
use crate::clock::WallClock;
use crate::config::SessionLimits;
use crate::store::users::{OwnSession, SessionRow};
use crate::store::{Store, StoreError};
use hot::{Found, Hot};

/// Activity is noted no more often than this, or than a quarter of the time
/// that a session may be idle: whoever asks as often is always in time.
const TOUCH_MICROS: i64 = 30 * MICROS_PER_SECOND;

/// A session's name in the store and inside the server: the hash of the id
/// that its cookie holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// The session that the store knows by `hash`.
    pub(super) fn from_hash(hash: Digest) -> Self {
        Self(hash.0)
    }

    /// What the store knows it by.
    pub(super) fn hash(self) -> Digest {
        Digest(self.0)
    }

    /// What its user may name it by: half of the hash, which opens nothing.
    pub(super) fn id(self) -> Uuid {
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

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Their session.
    pub session: SessionKey,
    /// Who.
    pub user: Uuid,
    /// In lower case.
    pub email: String,
    /// What they call themselves.
    pub name: Option<String>,
    /// Their account in the venue.
    pub account: AccountId,
    /// Whether the venue is theirs.
    pub owner: bool,
    /// When the session ends whatever they do.
    pub expires_at: WallTime,
}

/// The sessions of one venue's users; cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    store: Store,
    hot: Hot,
    clock: WallClock,
    venue: VenueId,
    idle_micros: i64,
    touch_micros: i64,
    absolute_micros: i64,
    secure: bool,
}

impl Sessions {
    /// Sessions in `store`, hot copies in `cache`; `secure` when the site is
    /// served over https.
    pub fn new(
        store: Store,
        cache: Cache,
        clock: WallClock,
        venue: VenueId,
        limits: SessionLimits,
        secure: bool,
    ) -> Self {
        let micros = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX / 2) * MICROS_PER_SECOND;
        let idle_micros = micros(limits.idle_minutes * 60);
        Self {
            hot: Hot::new(cache, venue),
            store,
            clock,
            venue,
            idle_micros,
            touch_micros: TOUCH_MICROS.min(idle_micros / 4),
            absolute_micros: micros(limits.absolute_hours * 3_600),
            secure,
        }
    }

    /// The cookie's name: browsers let a `__Host-` cookie be set over https
    /// alone, for this very host and the whole of it.
    pub fn cookie_name(&self) -> &'static str {
        if self.secure { "__Host-tickhall" } else { "tickhall" }
    }

    /// Starts a session of `user` for whatever sent `request`, and gives its
    /// cookie.
    ///
    /// # Errors
    /// When the store or the system's randomness fails.
    pub async fn start(&self, user: Uuid, request: &HeaderMap) -> Result<HeaderValue, StoreError> {
        let mut id = [0; 32];
        getrandom::fill(&mut id).map_err(|error| StoreError::Corrupt(format!("no randomness: {error}")))?;
        let id = Digest(id).to_string();
        let now = self.clock.now();
        let session = OwnSession {
            hash: key(&id).0,
            device: device::called(request),
            created_at: now,
            last_seen_at: now,
            expires_at: now.plus_micros(self.absolute_micros),
        };
        self.store.insert_session(user, &session).await?;
        Ok(self.cookie(&id, self.absolute_micros / MICROS_PER_SECOND))
    }

    /// Who the request's cookie belongs to, if to anyone still. Counts as
    /// activity.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, request: &HeaderMap) -> Result<Option<SignedIn>, StoreError> {
        match self.key_of(request) {
            Some(key) => self.active(key).await,
            None => Ok(None),
        }
    }

    /// How often an open socket asks whether its session goes on.
    pub fn look_every(&self) -> Duration {
        Duration::from_micros(self.touch_micros.unsigned_abs())
    }

    /// The session `key`, if it goes on. Counts as activity: an open socket
    /// asks this as long as it is open.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn active(&self, key: SessionKey) -> Result<Option<SignedIn>, StoreError> {
        let read_at = Instant::now();
        let now = self.clock.now();
        let copy = match self.hot.get(key).await {
            Found::Ended => return Ok(None),
            Found::Copy(row, _) if idle(&row, now) < self.touch_micros && now < self.expires_at(&row) => {
                return Ok(Some(self.signed_in(key, row)));
            }
            // A copy that has not heard of activity for a while decides nothing.
            Found::Copy(_, copy) => Some(copy),
            Found::Nothing => None,
        };
        let Some(mut row) = self.store.session(self.venue, key.0).await? else { return Ok(None) };
        if now >= self.expires_at(&row) || idle(&row, now) >= self.idle_micros {
            self.store.delete_session(key.0).await?;
            self.hot.end(key).await;
            return Ok(None);
        }
        if idle(&row, now) >= self.touch_micros {
            if !self.store.touch_session(key.0, now).await? {
                return Ok(None);
            }
            row.last_seen_at = now;
        }
        match copy {
            Some(copy) => self.hot.replace(key, &copy, &row).await,
            None => self.hot.remember(key, &row, read_at).await,
        }
        Ok(Some(self.signed_in(key, row)))
    }

    /// When a session that was last active at `seen` ends of idleness.
    pub(super) fn idle_end(&self, seen: WallTime) -> WallTime {
        seen.plus_micros(self.idle_micros)
    }

    fn expires_at(&self, row: &SessionRow) -> WallTime {
        row.created_at.plus_micros(self.absolute_micros)
    }

    fn signed_in(&self, session: SessionKey, row: SessionRow) -> SignedIn {
        let expires_at = self.expires_at(&row);
        let SessionRow { user, email, name, account, owner, .. } = row;
        SignedIn { session, user, email, name, account, owner, expires_at }
    }

    /// `user` owns the venue from now on, also in copies that say otherwise.
    pub(super) async fn owns(&self, user: Uuid) {
        self.hot.owns(user).await;
    }

    /// The user's sessions that go on, `current` first, then by activity.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, user: Uuid, current: Uuid) -> Result<Vec<SessionEntry>, StoreError> {
        let now = self.clock.now();
        let goes_on =
            |row: &OwnSession| now < row.expires_at && now.0 - row.last_seen_at.0 < self.idle_micros;
        let rows = self.store.sessions_of(user).await?.into_iter().filter(goes_on);
        let mut entries: Vec<_> = rows
            .map(|row| {
                let id = SessionKey(row.hash).id();
                SessionEntry {
                    session_id: id.to_string(),
                    current: id == current,
                    device: device::named(&row.device),
                    created_at: row.created_at,
                    last_seen_at: row.last_seen_at,
                    expires_at: row.expires_at,
                }
            })
            .collect();
        entries.sort_by_key(|entry| !entry.current);
        Ok(entries)
    }

    /// The user's session that they name by `id`.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn named(&self, user: Uuid, id: Uuid) -> Result<Option<SessionKey>, StoreError> {
        let rows = self.store.sessions_of(user).await?;
        Ok(rows.into_iter().map(|row| SessionKey(row.hash)).find(|key| key.id() == id))
    }

    /// Ends a session for good; `false` when it has ended before.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn end(&self, key: SessionKey) -> Result<bool, StoreError> {
        // The row first: whoever reads it after this finds nothing to copy.
        let was_there = self.store.delete_session(key.0).await?;
        self.hot.end(key).await;
        Ok(was_there)
    }

    /// The session's row has gone: its copies go too.
    pub(super) async fn ended(&self, key: SessionKey) {
        self.hot.end(key).await;
    }

    /// Forgets sessions that can no longer be used.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        self.store.delete_stale_sessions(now.plus_micros(-self.idle_micros), now).await
    }

    /// The cookie that makes a browser forget its session.
    pub fn forget(&self) -> HeaderValue {
        self.cookie("", 0)
    }

    /// The session that the request's cookie names, whether it goes on or not.
    pub(super) fn key_of(&self, request: &HeaderMap) -> Option<SessionKey> {
        let name = self.cookie_name();
        let pairs = request.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
        let id = pairs
            .flat_map(|pairs| pairs.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))?;
        (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| key(id))
    }

    fn cookie(&self, id: &str, seconds: i64) -> HeaderValue {
        let name = self.cookie_name();
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!("{name}={id}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
    }
}

fn idle(row: &SessionRow, now: WallTime) -> i64 {
    now.0 - row.last_seen_at.0
}

fn key(id: &str) -> SessionKey {
    SessionKey(Digest::of(&[id.as_bytes()]).0)
}
