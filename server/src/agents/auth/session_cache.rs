//! Copies of sessions in the cache that all gateways share.
//!
//! A copy is made from the row, expires soon and may be lost at any moment.
//! An ended session leaves a marker for longer than a row read before its end
//! may still be copied, so that no copy returns. Does not know when a session
//! ends.

use std::time::Duration;

use bytes::Bytes;
use engine::id::VenueId;
use engine::time::WallTime;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use super::session_store::SessionKey;
use crate::bus::Cache;
use crate::bus::decode::json;
use crate::clock;
use crate::store::users::{User, UserSession};

/// Lifetime of a copy.
const COPY_TTL: Duration = Duration::from_secs(60);

/// A row that was read longer ago is not copied any more.
const ROW_MAX_AGE: Duration = Duration::from_secs(10);

/// Lifetime of an ended session's marker: more than a copy's, and more than a
/// row's age and a request's duration together.
const MARKER_TTL: Duration = Duration::from_secs(120);

/// Value of an ended session.
const ENDED_MARKER: &[u8] = b"ended";

/// Pause between attempts to write a marker.
const RETRY_DELAY: Duration = Duration::from_millis(250);

/// Version of [`CachedSession`].
const VERSION: u8 = 1;

/// Copies of sessions; clones share them.
#[derive(Clone, Debug)]
pub(super) struct SessionCache {
    cache: Cache,
    venue: VenueId,
}

/// Result of looking a session up without the store.
#[derive(Debug)]
pub(super) enum CacheLookup {
    Miss,
    /// The session, and the copy as stored.
    Hit(UserSession, Bytes),
    Ended,
}

#[derive(Serialize, Deserialize)]
struct CachedSession {
    v: u8,
    user: User,
    created_at: WallTime,
    last_seen_at: WallTime,
}

impl SessionCache {
    pub(super) fn new(cache: Cache, venue: VenueId) -> Self {
        Self { cache, venue }
    }

    /// Looks a session up.
    pub(super) async fn get(&self, key: SessionKey) -> CacheLookup {
        let found = self.cache.get(&[self.session_key(key), self.owner_key()]).await;
        // While the cache is down, the store decides.
        let mut found = found.unwrap_or_default().into_iter();
        let (copy, owner) = (found.next().flatten(), found.next().flatten());
        let Some(copy) = copy else { return CacheLookup::Miss };
        if copy == ENDED_MARKER {
            return CacheLookup::Ended;
        }
        let Ok(CachedSession { v: VERSION, mut user, created_at, last_seen_at }) = json(&copy) else {
            return CacheLookup::Miss;
        };
        user.owner |= owner.is_some_and(|owner| owner == user.id.to_string().as_bytes());
        CacheLookup::Hit(UserSession { user, created_at, last_seen_at }, copy)
    }

    /// Copies a row that was read at `read_at`, if there is no entry.
    pub(super) async fn insert(&self, key: SessionKey, session: &UserSession, read_at: Instant) {
        if read_at.elapsed() < ROW_MAX_AGE {
            // Without a copy the next request reads the row again.
            let _ = self.cache.put_new(&self.session_key(key), &encode(session), COPY_TTL).await;
        }
    }

    /// Replaces the copy if it is still `old`.
    pub(super) async fn replace(&self, key: SessionKey, old: &Bytes, session: &UserSession) {
        let _ = self.cache.replace(&self.session_key(key), old, &encode(session), COPY_TTL).await;
    }

    /// Replaces the user in the copy, if there is one.
    pub(super) async fn update_user(&self, key: SessionKey, user: &User) {
        if let CacheLookup::Hit(session, copy) = self.get(key).await {
            let session = UserSession { user: user.clone(), ..session };
            self.replace(key, &copy, &session).await;
        }
    }

    /// Marks the session as ended. While the cache is down, this is tried again
    /// for as long as a copy could live.
    pub(super) async fn mark_ended(&self, key: SessionKey) {
        let cache = self.cache.clone();
        let key = self.session_key(key);
        if cache.put(&key, ENDED_MARKER, MARKER_TTL).await.is_ok() {
            return;
        }
        let until = Instant::now() + COPY_TTL + ROW_MAX_AGE;
        tokio::spawn(async move {
            while Instant::now() < until && cache.put(&key, ENDED_MARKER, MARKER_TTL).await.is_err() {
                clock::sleep(RETRY_DELAY).await;
            }
        });
    }

    /// Makes `user` the venue's owner in copies made before, for as long as
    /// they live.
    pub(super) async fn set_owner(&self, user: Uuid) {
        let _ = self.cache.put(&self.owner_key(), user.to_string().as_bytes(), MARKER_TTL).await;
    }

    fn session_key(&self, key: SessionKey) -> String {
        format!("{{{}}}:session:{}", self.venue, key.hash())
    }

    fn owner_key(&self) -> String {
        format!("{{{}}}:owner", self.venue)
    }
}

fn encode(session: &UserSession) -> Vec<u8> {
    let UserSession { user, created_at, last_seen_at } = session.clone();
    // Plain data with text keys always has a JSON form.
    serde_json::to_vec(&CachedSession { v: VERSION, user, created_at, last_seen_at }).unwrap_or_default()
}

#[cfg(test)]
mod redis_tests {
    use engine::id::{AccountId, Digest};

    use super::*;
    use crate::bus::{Bus, StreamLimits};

    /// Caches of two gateways over one server.
    async fn two() -> (testbed::Redis, SessionCache, SessionCache) {
        let server = testbed::Redis::start().unwrap();
        let (url, limits) = (server.url(), StreamLimits::default());
        let venue = VenueId::from_name("main");
        let one = SessionCache::new(Bus::open(Some(&url), limits).await.unwrap().cache(), venue);
        let other = SessionCache::new(Bus::open(Some(&url), limits).await.unwrap().cache(), venue);
        (server, one, other)
    }

    fn session() -> (SessionKey, UserSession) {
        let user = User {
            id: Uuid::from_u128(1),
            email: "ann@example.org".to_owned(),
            name: Some("Ann".to_owned()),
            account: AccountId(Uuid::from_u128(2)),
            owner: false,
        };
        let row = UserSession { user, created_at: WallTime(1), last_seen_at: WallTime(2) };
        (SessionKey::from_hash(Digest::of(&[b"one"])), row)
    }

    async fn hit(cache: &SessionCache, key: SessionKey) -> (UserSession, Bytes) {
        match cache.get(key).await {
            CacheLookup::Hit(row, copy) => (row, copy),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn copies_are_shared_by_gateways() {
        let (_server, one, other) = two().await;
        let (key, row) = session();
        assert!(matches!(other.get(key).await, CacheLookup::Miss));
        one.insert(key, &row, Instant::now()).await;
        let (found, old) = hit(&other, key).await;
        assert_eq!(found, row);
        other.replace(key, &old, &UserSession { last_seen_at: WallTime(9), ..row.clone() }).await;
        assert_eq!(hit(&one, key).await.0.last_seen_at, WallTime(9));
        one.set_owner(row.user.id).await;
        assert!(hit(&other, key).await.0.user.owner);
    }

    #[tokio::test]
    async fn a_row_read_before_the_sign_out_is_not_copied_after_it() {
        let (_server, one, other) = two().await;
        let (key, row) = session();
        let read_at = Instant::now();
        other.mark_ended(key).await;
        one.insert(key, &row, read_at).await;
        assert!(matches!(one.get(key).await, CacheLookup::Ended));
    }

    #[tokio::test]
    async fn activity_after_the_sign_out_restores_nothing() {
        let (_server, one, other) = two().await;
        let (key, row) = session();
        one.insert(key, &row, Instant::now()).await;
        let (row, old) = hit(&one, key).await;
        other.mark_ended(key).await;
        one.replace(key, &old, &row).await;
        assert!(matches!(one.get(key).await, CacheLookup::Ended));
    }

    #[tokio::test]
    async fn a_row_read_too_long_ago_is_not_copied() {
        let (_server, one, other) = two().await;
        let (key, row) = session();
        one.insert(key, &row, Instant::now() - ROW_MAX_AGE).await;
        assert!(matches!(other.get(key).await, CacheLookup::Miss));
    }

    #[tokio::test]
    async fn an_end_during_an_outage_is_marked_after_it() {
        let (mut server, one, other) = two().await;
        let (key, row) = session();
        server.kill();
        one.mark_ended(key).await;
        assert!(matches!(one.get(key).await, CacheLookup::Miss), "the store decides");
        server.restart().unwrap();
        while !matches!(other.get(key).await, CacheLookup::Ended) {
            tokio::task::yield_now().await;
        }
        one.insert(key, &row, Instant::now()).await;
        assert!(matches!(one.get(key).await, CacheLookup::Ended));
    }
}
