//! The bus over Redis Streams.
//!
//! A message is an entry `id-0`, or part of one ([`packed_entry`]). Requests share
//! one connection that reconnects by itself; blocking reads have their own. The
//! key `…:trimmed` holds a stream's last trimmed id, and `…:aside` the stream
//! itself during a refused append. Does not know what the bytes mean.

mod cache;
mod connect;
mod health_probe;
mod packed_entry;
mod poller;
mod scripts;

use std::future::Future;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::redis::aio::ConnectionManager;
use ::redis::{ErrorKind, FromRedisValue, RedisError, RedisResult, ServerErrorKind, cmd, pipe};
use bytes::Bytes;
use tokio::sync::watch;

use super::decode_cache::DecodeCache;
use super::{AppendResult, Batch, BusError, MAX_MESSAGE_ID, Message, Payload, StreamLimits};
use crate::clock;
use crate::redact::redact_url;
use connect::describe;
use packed_entry::{Entry, PackedEntry, messages};
use poller::StreamPollers;

pub(super) use cache::RedisCache;

/// Limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The highest second part of an entry id: after every entry with the same first
/// part.
const MAX_ID_SUFFIX: u64 = u64::MAX;

/// Appends between two checks of a stream's bounds. An append of more than
/// 1/[`BOUND_CHECK_FRACTION`] of the byte limit counts several times, so that a
/// stream exceeds its limit by at most an eighth.
const BOUND_CHECK_APPENDS: u64 = 16;
const BOUND_CHECK_FRACTION: usize = 128;

/// Entries with too high an id that are removed at a time.
const READ_MAX_OUT_OF_LINE: usize = 64;

/// Delays between a consumer's read attempts while the server is unreachable.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(50);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Appends that wait for a consumer to remove an entry with too high an id, and the
/// delay between them.
const MAX_REFUSED_APPENDS: u32 = 4;
const REFUSED_APPEND_DELAY: Duration = Duration::from_millis(50);

/// Streams on a Redis server; clones share the connections.
#[derive(Clone, Debug)]
pub struct RedisBus {
    inner: Arc<Inner>,
}

struct Inner {
    /// The address without its password.
    redacted_url: String,
    connection: ConnectionManager,
    pollers: StreamPollers,
    limits: StreamLimits,
    appends: AtomicU64,
    decode_cache: DecodeCache,
    data_loss_epoch: watch::Sender<u64>,
    up: watch::Sender<bool>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisBus").field("url", &self.redacted_url).finish_non_exhaustive()
    }
}

impl Inner {
    /// Awaits a request for as long as the server answers health probes; fails at once
    /// while it does not.
    async fn while_up<T>(&self, request: impl Future<Output = RedisResult<T>>) -> Result<T, BusError> {
        let silent = || "the server does not answer".to_owned();
        if !*self.up.borrow() {
            return Err(BusError::Unavailable(silent()));
        }
        tokio::select! {
            biased;
            done = request => done.map_err(|error| failed(&error)),
            () = self.wait_until_down() => Err(BusError::Unanswered(silent())),
        }
    }

    async fn wait_until_down(&self) {
        // The sender lives as long as this.
        let _ = self.up.subscribe().wait_for(|up| !up).await;
    }
}

impl RedisBus {
    /// Connects to the server at `url`.
    ///
    /// # Errors
    /// [`BusError::Refused`].
    pub(super) async fn open(url: &str, limits: StreamLimits) -> Result<Self, BusError> {
        let redacted_url = redact_url(url);
        let (client, connection) = connect::connect(url, &redacted_url).await?;
        let inner = Arc::new(Inner {
            redacted_url,
            connection,
            pollers: StreamPollers::new(client),
            limits,
            appends: AtomicU64::new(0),
            decode_cache: DecodeCache::default(),
            data_loss_epoch: watch::Sender::default(),
            up: watch::Sender::new(true),
        });
        let refused = |error| BusError::Refused { url: inner.redacted_url.clone(), why: describe(&error) };
        let data_id = health_probe::data_id(&inner).await.map_err(refused)?;
        tokio::spawn(health_probe::run(Arc::downgrade(&inner), data_id));
        Ok(Self { inner })
    }

    pub(super) async fn append_after(
        &self,
        stream: &str,
        last: u64,
        ids: RangeInclusive<u64>,
        messages: &[(u64, Payload)],
    ) -> Result<AppendResult, BusError> {
        let (first, newest) = ids.into_inner();
        let entry = PackedEntry::new(messages);
        let size = entry.size();
        let (mut all, aside) = (pipe(), format!("{stream}:aside"));
        all.atomic();
        all.cmd("EVAL").arg(&*scripts::HIDE_UNLESS).arg(2).arg(stream).arg(&aside).arg(last).arg(first);
        let add = all.cmd("XADD").arg(stream);
        if last > 0 {
            // A stream that was put aside is not created anew.
            add.arg("NOMKSTREAM");
        }
        add.arg(format!("{newest}-0")).arg(entry);
        all.cmd("EVAL").arg(scripts::SHOW).arg(2).arg(stream).arg(&aside).ignore();
        let mut connection = self.inner.connection.clone();
        let done: (Option<u64>, Option<String>) =
            self.inner.while_up(all.query_async(&mut connection)).await?;
        if let (Some(found), _) = done {
            return Ok(AppendResult::LastIdIs(found));
        }
        let part = (self.inner.limits.bytes / BOUND_CHECK_FRACTION).max(1);
        self.bound(stream, size.div_ceil(part) as u64).await?;
        Ok(AppendResult::Appended)
    }

    pub(super) async fn append_auto(
        &self,
        stream: &str,
        messages: &[Payload],
        limit: usize,
    ) -> Result<u64, BusError> {
        let mut call = scripts::APPEND_AUTO.prepare_invoke();
        // Lua's numbers are exact here, and no stream holds as many messages.
        call.key(stream).arg(limit.min(u32::MAX as usize));
        for message in messages {
            call.arg(message.bytes().as_ref());
        }
        for attempt in 1..=MAX_REFUSED_APPENDS {
            let mut connection = self.inner.connection.clone();
            let id: Option<u64> = self.inner.while_up(call.invoke_async(&mut connection)).await?;
            match id.ok_or(BusError::Full)? {
                0 if attempt + 1 < MAX_REFUSED_APPENDS => clock::sleep(REFUSED_APPEND_DELAY).await,
                0 => self.remove_out_of_line(stream).await?,
                id => {
                    self.bound(stream, messages.len() as u64).await?;
                    return Ok(id);
                }
            }
        }
        Err(BusError::Unavailable(format!("the ids of {stream} are used up")))
    }

    /// Removes entries whose ids leave none for those that follow. A consumer would
    /// have moved them to the dead-letter stream by now.
    async fn remove_out_of_line(&self, stream: &str) -> Result<(), BusError> {
        let mut connection = self.inner.connection.clone();
        let mut range = cmd("XRANGE");
        range.arg(stream).arg(MAX_MESSAGE_ID).arg("+").arg("COUNT").arg(READ_MAX_OUT_OF_LINE);
        let found: Vec<Entry> = self.inner.while_up(range.query_async(&mut connection)).await?;
        for message in messages(found, 0) {
            tracing::error!(
                event = "message_removed",
                stream,
                id = message.id,
                "A message with too high an id was removed."
            );
            self.discard(stream, &message, 0).await?;
        }
        self.rewind(stream, 0).await
    }

    /// Trims `stream` to its limits, once every [`BOUND_CHECK_APPENDS`].
    async fn bound(&self, stream: &str, appended: u64) -> Result<(), BusError> {
        let before = self.inner.appends.fetch_add(appended, Ordering::Relaxed);
        if before / BOUND_CHECK_APPENDS == (before + appended) / BOUND_CHECK_APPENDS {
            return Ok(());
        }
        let StreamLimits { messages, bytes } = self.inner.limits;
        let mut connection = self.inner.connection.clone();
        let mut call = scripts::BOUND.prepare_invoke();
        call.key(stream).key(trimmed_key(stream)).arg(messages).arg(bytes);
        let done: Result<(), BusError> = self.inner.while_up(call.invoke_async(&mut connection)).await;
        // The append has succeeded; the next check trims.
        if let Err(error) = done {
            tracing::warn!(event = "stream_unbounded", stream, %error, "A stream could not be trimmed.");
        }
        Ok(())
    }

    pub(super) async fn read_after(&self, stream: &str, after: u64, max: usize) -> Result<Batch, BusError> {
        let poller = || self.inner.pollers.get(stream);
        let cached = || Some(poller().cached(after, max)).filter(|cached| !cached.is_empty());
        if let Some(cached) = cached() {
            return Ok(Batch::Messages(cached));
        }
        poller().wait(after, true).await;
        let mut delay = MIN_RETRY_DELAY;
        loop {
            if let Some(cached) = cached() {
                return Ok(Batch::Messages(cached));
            }
            match self.read(stream, after, max).await {
                Ok(batch) if batch.is_empty() => poller().wait(after, false).await,
                Ok(batch) => return Ok(batch),
                Err(error) if !is_transient(&error) => return Err(failed(&error)),
                Err(_) => {
                    clock::sleep(delay).await;
                    delay = (delay * 2).min(MAX_RETRY_DELAY);
                }
            }
        }
    }

    pub(super) async fn read_now(&self, stream: &str, after: u64, max: usize) -> Result<Batch, BusError> {
        let mut found = self.inner.pollers.get(stream).cached(after, max);
        let (from, left) = (found.last().map_or(after, |last| last.id), max - found.len());
        if left == 0 {
            return Ok(Batch::Messages(found));
        }
        match self.inner.while_up(self.read(stream, from, left)).await? {
            Batch::Trimmed { through } if found.is_empty() => return Ok(Batch::Trimmed { through }),
            // The next read reports it.
            Batch::Trimmed { .. } => {}
            Batch::Messages(more) => found.extend(more),
        }
        Ok(Batch::Messages(found))
    }

    async fn read(&self, stream: &str, after: u64, max: usize) -> RedisResult<Batch> {
        // The trim point is read last: a concurrent trim is reported even though
        // its messages were read, and the consumer refills.
        let (entries, trimmed): (Vec<Entry>, Option<u64>) = self
            .with_retry(|mut connection| {
                let mut both = pipe();
                both.cmd("XRANGE").arg(stream).arg(format!("({after}-{MAX_ID_SUFFIX}")).arg("+");
                both.arg("COUNT").arg(max).cmd("GET").arg(trimmed_key(stream));
                async move { both.query_async(&mut connection).await }
            })
            .await?;
        if let Some(through) = trimmed.filter(|through| *through > after)
            // Nothing beyond the end has been there.
            && through <= self.read_last_id(stream).await?
        {
            return Ok(Batch::Trimmed { through });
        }
        Ok(Batch::Messages(messages(entries, after)))
    }

    async fn read_last_id(&self, stream: &str) -> RedisResult<u64> {
        self.with_retry(|mut connection| async move {
            scripts::LAST_ID.prepare_invoke().key(stream).invoke_async(&mut connection).await
        })
        .await
    }

    pub(super) async fn last_id(&self, stream: &str) -> Result<u64, BusError> {
        let last = self.inner.while_up(self.read_last_id(stream)).await?;
        if last < MAX_MESSAGE_ID {
            return Ok(last);
        }
        // Its readers have still to move what is there.
        let newest = self.with_retry(|mut connection| async move {
            let mut range = cmd("XREVRANGE");
            range.arg(stream).arg(MAX_MESSAGE_ID - 1).arg("-").arg("COUNT").arg(1);
            range.query_async::<Vec<Entry>>(&mut connection).await
        });
        let newest = messages(self.inner.while_up(newest).await?, 0);
        Ok(newest.last().map_or(0, |newest| newest.id))
    }

    pub(super) async fn discard(
        &self,
        stream: &str,
        message: &Message,
        floor: u64,
    ) -> Result<bool, BusError> {
        let (id, floor, content) = (message.id.to_string(), floor.to_string(), message.bytes());
        let arguments = [id.as_bytes(), floor.as_bytes(), &content];
        let removed = self.script(&scripts::DISCARD, stream, &arguments).await;
        if removed.is_ok() {
            self.inner.pollers.get(stream).forget(message.id);
        }
        removed
    }

    pub(super) async fn rewind(&self, stream: &str, floor: u64) -> Result<(), BusError> {
        self.script(&scripts::DISCARD, stream, &[b"", floor.to_string().as_bytes()]).await
    }

    pub(super) async fn resume(&self, stream: &str, id: u64) -> Result<(), BusError> {
        self.script(&scripts::RESUME, stream, &[id.to_string().as_bytes()]).await
    }

    pub(super) async fn trim(&self, stream: &str, through: u64) -> Result<(), BusError> {
        self.script(&scripts::TRIM, stream, &[through.to_string().as_bytes()]).await
    }

    async fn script<T: FromRedisValue>(
        &self,
        script: &::redis::Script,
        stream: &str,
        arguments: &[&[u8]],
    ) -> Result<T, BusError> {
        let done = self.with_retry(|mut connection| {
            let mut call = script.prepare_invoke();
            call.key(stream).key(trimmed_key(stream)).arg(arguments);
            async move { call.invoke_async(&mut connection).await }
        });
        self.inner.while_up(done).await
    }

    pub(super) async fn put_latest(&self, values: &[(String, Bytes)]) -> Result<(), BusError> {
        let mut set = cmd("MSET");
        for (key, bytes) in values {
            set.arg(key).arg(bytes.as_ref());
        }
        let set = Arc::new(set);
        let done = self.with_retry(|mut connection| {
            let set = set.clone();
            async move { set.exec_async(&mut connection).await }
        });
        self.inner.while_up(done).await
    }

    pub(super) async fn remove_latest(&self, keys: &[String]) -> Result<(), BusError> {
        let mut remove = cmd("UNLINK");
        remove.arg(keys);
        let done = self.with_retry(|mut connection| {
            let remove = remove.clone();
            async move { remove.exec_async(&mut connection).await }
        });
        done.await.map_err(|error| failed(&error))
    }

    pub(super) async fn get_latest(&self, keys: &[String]) -> Result<Vec<Option<Bytes>>, BusError> {
        let mut get = cmd("MGET");
        get.arg(keys);
        let found = self.with_retry(|mut connection| {
            let get = get.clone();
            async move { get.query_async(&mut connection).await }
        });
        self.inner.while_up(found).await
    }

    pub(super) fn data_loss_epoch(&self) -> watch::Receiver<u64> {
        self.inner.data_loss_epoch.subscribe()
    }

    pub(super) fn is_up(&self) -> bool {
        *self.inner.up.borrow()
    }

    pub(super) async fn wait_until_down(&self) {
        self.inner.wait_until_down().await;
    }

    pub(super) fn decode_cache(&self) -> &DecodeCache {
        &self.inner.decode_cache
    }

    pub(super) fn cache(&self) -> RedisCache {
        RedisCache::new(self.inner.clone())
    }

    /// Sends an idempotent request, and once more when its connection broke: a new
    /// connection may be ready already.
    async fn with_retry<T, F: Future<Output = RedisResult<T>>>(
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

/// Returns true if the request may succeed later.
fn is_transient(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, TryAgain};
    error.is_io_error()
        || matches!(
            error.kind(),
            ErrorKind::Parse | ErrorKind::Server(BusyLoading | ClusterDown | MasterDown | TryAgain)
        )
}

fn failed(error: &RedisError) -> BusError {
    // Only a refused connection proves that nothing was sent.
    if error.is_io_error() && !error.is_connection_refusal() {
        BusError::Unanswered(describe(error))
    } else {
        BusError::Unavailable(describe(error))
    }
}
