//! Copies of sessions in memory that every gateway shares.
//!
//! A copy is a help and never the truth: it is made from the row, lives a short
//! while, and may be lost at any moment. A session that ended leaves a mark for
//! as long as somebody may still hold its row in hand, so that no copy comes
//! back. Does not know when a session ends.

use std::time::Duration;

use bytes::Bytes;
use engine::id::{AccountId, VenueId};
use engine::time::WallTime;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use super::SessionKey;
use crate::bus::Cache;
use crate::bus::decode::json;
use crate::store::users::SessionRow;

/// How long a copy lives.
const COPY: Duration = Duration::from_secs(60);

/// A row that was read longer ago than this is not copied any more.
const FRESH: Duration = Duration::from_secs(10);

/// How long the mark of an ended session stays: longer than a row stays fresh
/// and a request takes, and than a copy lives.
const MARK: Duration = Duration::from_secs(120);

/// What stands in the place of an ended session.
const ENDED: &[u8] = b"ended";

/// Pause before an end is marked again that could not be.
const AGAIN: Duration = Duration::from_millis(250);

/// Copies; clones share them.
#[derive(Clone, Debug)]
pub(super) struct Hot {
    cache: Cache,
    venue: VenueId,
}

/// What is known of a session without asking the store.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    /// The row, and the copy as it stands.
    Copy(SessionRow, Bytes),
    Ended,
}

#[derive(Serialize, Deserialize)]
struct Copied {
    v: u8,
    user: Uuid,
    email: String,
    #[serde(default)]
    name: Option<String>,
    account: AccountId,
    owner: bool,
    created_at: WallTime,
    last_seen_at: WallTime,
}

impl Hot {
    pub(super) fn new(cache: Cache, venue: VenueId) -> Self {
        Self { cache, venue }
    }

    /// What is known of the session.
    pub(super) async fn get(&self, key: SessionKey) -> Found {
        let mut found = match self.cache.get(&[self.name(key), self.owner_name()]).await {
            Ok(found) => found.into_iter(),
            // The store knows.
            Err(_) => return Found::Nothing,
        };
        let (copy, owner) = (found.next().flatten(), found.next().flatten());
        let Some(copy) = copy else { return Found::Nothing };
        if copy == ENDED {
            return Found::Ended;
        }
        match json::<Copied>(&copy) {
            Ok(read) if read.v == 1 => {
                let owns = owner.is_some_and(|owner| owner == read.user.to_string().as_bytes());
                let row = SessionRow {
                    user: read.user,
                    email: read.email,
                    name: read.name,
                    account: read.account,
                    owner: read.owner || owns,
                    created_at: read.created_at,
                    last_seen_at: read.last_seen_at,
                };
                Found::Copy(row, copy)
            }
            _ => Found::Nothing,
        }
    }

    /// Copies a row that was read at `read_at`, where nothing is known.
    pub(super) async fn remember(&self, key: SessionKey, row: &SessionRow, read_at: Instant) {
        if read_at.elapsed() < FRESH {
            // Without a copy the next request asks the store again.
            let _ = self.cache.put_new(&self.name(key), &written(row), COPY).await;
        }
    }

    /// Writes the copy anew if it is still `old`.
    pub(super) async fn replace(&self, key: SessionKey, old: &Bytes, row: &SessionRow) {
        let _ = self.cache.replace(&self.name(key), old, &written(row), COPY).await;
    }

    /// The session has ended: no copy says otherwise from now on. While the
    /// server is away this is tried again for as long as a copy could live.
    pub(super) async fn end(&self, key: SessionKey) {
        let cache = self.cache.clone();
        let name = self.name(key);
        if cache.put(&name, ENDED, MARK).await.is_ok() {
            return;
        }
        let until = Instant::now() + COPY + FRESH;
        tokio::spawn(async move {
            while Instant::now() < until && cache.put(&name, ENDED, MARK).await.is_err() {
                pause(AGAIN).await;
            }
        });
    }

    /// `user` owns the venue: copies that do not know yet are corrected for as
    /// long as they live.
    pub(super) async fn owns(&self, user: Uuid) {
        let _ = self.cache.put(&self.owner_name(), user.to_string().as_bytes(), MARK).await;
    }

    fn name(&self, key: SessionKey) -> String {
        format!("{{{}}}:session:{}", self.venue, key.hash())
    }

    fn owner_name(&self) -> String {
        format!("{{{}}}:owner", self.venue)
    }
}

fn written(row: &SessionRow) -> Vec<u8> {
    let SessionRow { user, email, name, account, owner, created_at, last_seen_at } = row.clone();
    let copied = Copied { v: 1, user, email, name, account, owner, created_at, last_seen_at };
    // Plain data with text keys always has a JSON form.
    serde_json::to_vec(&copied).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "nothing announces that an outage is over")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}

#[cfg(test)]
mod redis_tests {
    use engine::id::Digest;

    use super::*;
    use crate::bus::Bus;
    use crate::config::Config;

    /// Hot copies of two gateways over one server.
    async fn two() -> (testbed::Redis, Hot, Hot) {
        let server = testbed::Redis::start().unwrap();
        let config = Config { redis_url: Some(server.url()), ..Config::default() };
        let venue = VenueId::from_name("main");
        let one = Hot::new(Bus::open(&config).await.unwrap().cache(), venue);
        let other = Hot::new(Bus::open(&config).await.unwrap().cache(), venue);
        (server, one, other)
    }

    fn session() -> (SessionKey, SessionRow) {
        let row = SessionRow {
            user: Uuid::from_u128(1),
            email: "ann@example.org".to_owned(),
            name: Some("Ann".to_owned()),
            account: AccountId(Uuid::from_u128(2)),
            owner: false,
            created_at: WallTime(1),
            last_seen_at: WallTime(2),
        };
        (SessionKey::from_hash(Digest::of(&[b"one"])), row)
    }

    async fn copy(hot: &Hot, key: SessionKey) -> (SessionRow, Bytes) {
        match hot.get(key).await {
            Found::Copy(row, copy) => (row, copy),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_one_gateway_remembers_the_other_knows() {
        let (_server, one, other) = two().await;
        let (key, row) = session();
        assert!(matches!(other.get(key).await, Found::Nothing));
        one.remember(key, &row, Instant::now()).await;
        let (found, old) = copy(&other, key).await;
        assert_eq!((found.user, found.last_seen_at), (row.user, WallTime(2)));
        assert_eq!((&found.email, &found.name), (&row.email, &row.name));
        other.replace(key, &old, &SessionRow { last_seen_at: WallTime(9), ..row.clone() }).await;
        assert_eq!(copy(&one, key).await.0.last_seen_at, WallTime(9));
        one.owns(row.user).await;
        assert!(copy(&other, key).await.0.owner);
    }

    #[tokio::test]
    async fn a_row_read_before_the_sign_out_is_not_copied_after_it() {
        let (_server, one, other) = two().await;
        let (key, row) = session();
        let read_at = Instant::now();
        other.end(key).await;
        one.remember(key, &row, read_at).await;
        assert!(matches!(one.get(key).await, Found::Ended));
    }

    #[tokio::test]
    async fn activity_after_the_sign_out_brings_nothing_back() {
        let (_server, one, other) = two().await;
        let (key, row) = session();
        one.remember(key, &row, Instant::now()).await;
        let (row, old) = copy(&one, key).await;
        other.end(key).await;
        one.replace(key, &old, &row).await;
        assert!(matches!(one.get(key).await, Found::Ended));
    }

    #[tokio::test]
    async fn a_row_that_was_held_for_too_long_is_not_copied() {
        let (_server, one, other) = two().await;
        let (key, row) = session();
        one.remember(key, &row, Instant::now() - FRESH).await;
        assert!(matches!(other.get(key).await, Found::Nothing));
    }

    #[tokio::test]
    async fn an_end_that_could_not_be_marked_is_marked_when_the_server_is_back() {
        let (mut server, one, other) = two().await;
        let (key, row) = session();
        server.kill();
        one.end(key).await;
        assert!(matches!(one.get(key).await, Found::Nothing), "the store decides");
        server.restart().unwrap();
        while !matches!(other.get(key).await, Found::Ended) {
            tokio::task::yield_now().await;
        }
        one.remember(key, &row, Instant::now()).await;
        assert!(matches!(one.get(key).await, Found::Ended));
    }
}
