//! The bus over Redis Streams.
//!
//! A message is an entry `id-0`, or part of one ([`entry`]). Requests share one
//! connection that comes back by itself; blocking reads have connections of
//! their own. Beside a stream lies `…:trimmed`, the last id that it has
//! forgotten, and within a transaction `…:aside`. Does not know what the bytes mean.

mod cache;
mod connect;
mod entry;
mod pulse;
mod scripts;
mod waiting;

use std::future::Future;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::redis::aio::ConnectionManager;
use ::redis::{ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, cmd, pipe};
use bytes::Bytes;
use tokio::sync::watch;

use super::shared::Decoded;
use super::{Appended, Batch, BusError, Limits, Parcel, Placed};
use crate::config::redacted;
use connect::say;
use entry::{Entry, Together, messages};
use waiting::Watchers;

pub(super) use cache::RedisCache;

/// No connection takes longer to make.
const CONNECT: Duration = Duration::from_secs(1);

/// The highest second half of an id: after every entry with that first half.
const LAST_OF_A_KIND: u64 = u64::MAX;

/// Appends between two looks at whether a stream has grown too long. One of more
/// than this part of what a stream may hold counts several times, so that none
/// grows by more than an eighth between two looks.
const BOUND_EVERY: u64 = 16;
const PART: usize = 128;

/// Pauses of a reader while the server is away.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Streams on a Redis server; clones share the connections.
#[derive(Clone, Debug)]
pub struct RedisBus {
    inner: Arc<Inner>,
}

struct Inner {
    shown: String,
    connection: ConnectionManager,
    watchers: Watchers,
    limits: Limits,
    appends: AtomicU64,
    decoded: Decoded,
    wipes: watch::Sender<u64>,
    up: watch::Sender<bool>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisBus").field("url", &self.shown).finish_non_exhaustive()
    }
}

impl RedisBus {
    /// Connects to the server at `url`.
    ///
    /// # Errors
    /// [`BusError::Refused`].
    pub(super) async fn open(url: &str, limits: Limits) -> Result<Self, BusError> {
        let shown = redacted(url);
        let (client, connection) = connect::connect(url, &shown).await?;
        let inner = Arc::new(Inner {
            shown,
            connection,
            watchers: Watchers::new(client),
            limits,
            appends: AtomicU64::new(0),
            decoded: Decoded::default(),
            wipes: watch::Sender::default(),
            up: watch::Sender::new(true),
        });
        let life = pulse::look(&inner)
            .await
            .map_err(|error| BusError::Refused { url: inner.shown.clone(), why: say(&error) })?;
        tokio::spawn(pulse::watch(Arc::downgrade(&inner), life));
        Ok(Self { inner })
    }

    pub(super) async fn append(&self, stream: &str, id: u64, bytes: &Bytes) -> Result<Appended, BusError> {
        let mut add = cmd("XADD");
        add.arg(stream).arg(format!("{id}-0")).arg("m").arg(bytes.as_ref());
        let add = Arc::new(add);
        let added = self.twice(|mut connection| {
            let add = add.clone();
            async move { add.exec_async(&mut connection).await }
        });
        match added.await {
            Ok(()) => {}
            Err(error) if is_reached(&error) => return Ok(Appended::Duplicate),
            Err(error) => return Err(failed(&error)),
        }
        self.bound(stream, 1).await?;
        Ok(Appended::New)
    }

    pub(super) async fn append_after(
        &self,
        stream: &str,
        last: u64,
        ids: RangeInclusive<u64>,
        messages: &[(u64, Parcel)],
    ) -> Result<Placed, BusError> {
        let (first, newest) = ids.into_inner();
        let together = Together::of(messages);
        let size = together.size();
        let (mut all, aside) = (pipe(), format!("{stream}:aside"));
        all.atomic();
        all.cmd("EVAL").arg(&*scripts::HIDE_UNLESS).arg(2).arg(stream).arg(&aside).arg(last).arg(first);
        let add = all.cmd("XADD").arg(stream);
        if last > 0 {
            // What is hidden is not made anew.
            add.arg("NOMKSTREAM");
        }
        add.arg(format!("{newest}-0")).arg(together);
        all.cmd("EVAL").arg(scripts::SHOW).arg(2).arg(stream).arg(&aside).ignore();
        let mut connection = self.inner.connection.clone();
        let done: RedisResult<(Option<u64>, Option<String>)> = all.query_async(&mut connection).await;
        if let (Some(found), _) = done.map_err(|error| failed(&error))? {
            return Ok(Placed::LastIs(found));
        }
        let part = (self.inner.limits.bytes / PART).max(1);
        self.bound(stream, size.div_ceil(part) as u64).await?;
        Ok(Placed::There)
    }

    pub(super) async fn append_auto(
        &self,
        stream: &str,
        messages: &[Parcel],
        limit: usize,
    ) -> Result<u64, BusError> {
        let mut connection = self.inner.connection.clone();
        let mut call = scripts::APPEND_AUTO.prepare_invoke();
        // Above this Lua counts inexactly, and no stream holds as much.
        call.key(stream).arg(limit.min(u32::MAX as usize));
        for message in messages {
            call.arg(message.bytes().as_ref());
        }
        let id: Option<u64> =
            call.invoke_async(&mut connection).await.map_err(|error: RedisError| failed(&error))?;
        let id = id.ok_or(BusError::Full)?;
        self.bound(stream, messages.len() as u64).await?;
        Ok(id)
    }

    /// Looks from time to time whether `stream` has grown too long.
    async fn bound(&self, stream: &str, appended: u64) -> Result<(), BusError> {
        let before = self.inner.appends.fetch_add(appended, Ordering::Relaxed);
        if before / BOUND_EVERY == (before + appended) / BOUND_EVERY {
            return Ok(());
        }
        let Limits { messages, bytes } = self.inner.limits;
        let mut connection = self.inner.connection.clone();
        let mut call = scripts::BOUND.prepare_invoke();
        call.key(stream).key(trimmed_key(stream)).arg(messages).arg(bytes);
        let done: RedisResult<()> = call.invoke_async(&mut connection).await;
        // The append was done; what is too much goes next time.
        if let Err(error) = done {
            tracing::warn!(event = "stream_unbounded", stream, %error, "a stream could not be shortened");
        }
        Ok(())
    }

    pub(super) async fn read_after(&self, stream: &str, after: u64, max: usize) -> Result<Batch, BusError> {
        let (watchers, mut wait) = (&self.inner.watchers, FIRST_WAIT);
        let known = || Some(watchers.known(stream, after, max)).filter(|known| !known.is_empty());
        if let Some(known) = known() {
            return Ok(Batch::Messages(known));
        }
        // Whatever comes next is brought: nothing needs to be asked.
        watchers.wait_if_watched(stream, after).await;
        loop {
            if let Some(known) = known() {
                return Ok(Batch::Messages(known));
            }
            match self.read(stream, after, max).await {
                Ok(batch) if batch.is_empty() => watchers.wait(stream, after).await,
                Ok(batch) => return Ok(batch),
                Err(error) if !may_pass(&error) => return Err(failed(&error)),
                Err(_) => {
                    pause(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    pub(super) async fn read_now(&self, stream: &str, after: u64, max: usize) -> Result<Batch, BusError> {
        let mut known = self.inner.watchers.known(stream, after, max);
        let (from, left) = (known.last().map_or(after, |last| last.id), max - known.len());
        if left == 0 {
            return Ok(Batch::Messages(known));
        }
        match self.read(stream, from, left).await.map_err(|error| failed(&error))? {
            // What is gone is told to whoever has taken what is known.
            Batch::Trimmed { through } if known.is_empty() => return Ok(Batch::Trimmed { through }),
            Batch::Trimmed { .. } => {}
            Batch::Messages(more) => known.extend(more),
        }
        Ok(Batch::Messages(known))
    }

    async fn read(&self, stream: &str, after: u64, max: usize) -> RedisResult<Batch> {
        // What goes in between is told, though it was read: the reader refills.
        let (entries, trimmed): (Vec<Entry>, Option<u64>) = self
            .twice(|mut connection| {
                let mut both = pipe();
                both.cmd("XRANGE").arg(stream).arg(format!("({after}-{LAST_OF_A_KIND}")).arg("+");
                both.arg("COUNT").arg(max).cmd("GET").arg(trimmed_key(stream));
                async move { both.query_async(&mut connection).await }
            })
            .await?;
        if let Some(through) = trimmed.filter(|through| *through > after) {
            return Ok(Batch::Trimmed { through });
        }
        Ok(Batch::Messages(messages(entries, after)))
    }

    pub(super) async fn last_id(&self, stream: &str) -> Result<u64, BusError> {
        self.script(&scripts::LAST_ID, stream, &[]).await
    }

    pub(super) async fn resume(&self, stream: &str, id: u64) -> Result<(), BusError> {
        self.script(&scripts::RESUME, stream, &[id]).await
    }

    pub(super) async fn trim(&self, stream: &str, through: u64) -> Result<(), BusError> {
        self.script(&scripts::TRIM, stream, &[through]).await
    }

    async fn script<T: FromRedisValue>(
        &self,
        script: &::redis::Script,
        stream: &str,
        arguments: &[u64],
    ) -> Result<T, BusError> {
        let done = self.twice(|mut connection| {
            let mut call = script.prepare_invoke();
            call.key(stream).key(trimmed_key(stream)).arg(arguments);
            async move { call.invoke_async(&mut connection).await }
        });
        done.await.map_err(|error| failed(&error))
    }

    pub(super) async fn put_latest(&self, values: &[(String, Bytes)]) -> Result<(), BusError> {
        let mut set = cmd("MSET");
        for (key, bytes) in values {
            set.arg(key).arg(bytes.as_ref());
        }
        let set = Arc::new(set);
        let done = self.twice(|mut connection| {
            let set = set.clone();
            async move { set.exec_async(&mut connection).await }
        });
        done.await.map_err(|error| failed(&error))
    }

    pub(super) async fn get_latest(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, BusError> {
        let mut get = cmd("MGET");
        get.arg(keys);
        let found = self.twice(|mut connection| {
            let get = get.clone();
            async move { get.query_async(&mut connection).await }
        });
        found.await.map_err(|error| failed(&error))
    }

    pub(super) fn wipes(&self) -> watch::Receiver<u64> {
        self.inner.wipes.subscribe()
    }

    pub(super) fn is_up(&self) -> bool {
        *self.inner.up.borrow()
    }

    pub(super) fn decoded(&self) -> &Decoded {
        &self.inner.decoded
    }

    pub(super) fn cache(&self) -> RedisCache {
        RedisCache::new(self.inner.connection.clone())
    }

    /// A request that may be repeated is repeated once when its connection
    /// broke: the next one may be there already.
    async fn twice<T, F: Future<Output = RedisResult<T>>>(
        &self,
        request: impl Fn(ConnectionManager) -> F,
    ) -> RedisResult<T> {
        match request(self.inner.connection.clone()).await {
            Err(error) if error.is_io_error() && !error.is_timeout() => {
                request(self.inner.connection.clone()).await
            }
            done => done,
        }
    }
}

fn trimmed_key(stream: &str) -> String {
    format!("{stream}:trimmed")
}

/// Whether the stream had reached the id already.
fn is_reached(error: &RedisError) -> bool {
    let detail = error.detail().unwrap_or_default();
    detail.contains("equal or smaller") || detail.contains("must be greater than 0-0")
}

/// Whether waiting may help.
fn may_pass(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, TryAgain};
    error.is_io_error()
        || matches!(
            error.kind(),
            ErrorKind::Parse | ErrorKind::Server(BusyLoading | ClusterDown | MasterDown | TryAgain)
        )
}

fn failed(error: &RedisError) -> BusError {
    // Refused connections alone are known to have carried nothing.
    if error.is_io_error() && !error.is_connection_refusal() {
        BusError::Unanswered(say(error))
    } else {
        BusError::Unavailable(say(error))
    }
}

#[expect(clippy::disallowed_methods, reason = "nothing announces that an outage is over")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}
