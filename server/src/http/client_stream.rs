//! The byte stream of a connection, with limits of a client that does not read
//! or that sends too much.
//!
//! Does not know HTTP or WebSockets.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_io_timeout::TimeoutStream;

use super::connection_limit::ConnectionSlot;

/// Interval of a [`ReadLimit`].
const LIMIT_INTERVAL: Duration = Duration::from_secs(1);

/// Limit of the bytes that a connection may receive in a second, unlimited at
/// first: an extension of the connection's requests. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct ReadLimit {
    /// 0 for no limit.
    bytes_per_second: Arc<AtomicU64>,
}

impl ReadLimit {
    /// Limits what the connection receives from now on; beyond the limit its reader
    /// gets [`ReadLimitExceeded`] once, and then nothing any more.
    pub fn set(&self, bytes_per_second: u64) {
        self.bytes_per_second.store(bytes_per_second, Ordering::Relaxed);
    }
}

/// Error of a read beyond the [`ReadLimit`], inside an [`io::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client sends too many bytes in a second")]
pub struct ReadLimitExceeded;

impl ReadLimitExceeded {
    /// Returns true if `error` holds one.
    pub fn is_in(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

/// Bytes received since the start of an interval.
#[derive(Debug)]
struct ReadWindow {
    started_at: Instant,
    bytes: u64,
}

impl ReadWindow {
    /// Adds bytes received at `now`; returns true if they exceed `limit`.
    fn add(&mut self, bytes: usize, limit: u64, now: Instant) -> bool {
        if now.duration_since(self.started_at) >= LIMIT_INTERVAL {
            (self.started_at, self.bytes) = (now, 0);
        }
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.bytes > limit
    }
}

/// A client's TCP stream. A write that the client does not read within the answer
/// timeout fails, and the connection is reset then: nothing waits for the client.
#[derive(Debug)]
pub(super) struct ClientStream {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    read_limit: ReadLimit,
    window: ReadWindow,
    is_limit_exceeded: bool,
    _slot: ConnectionSlot,
}

impl ClientStream {
    pub(super) fn new(
        stream: TcpStream,
        answer_timeout: Duration,
        read_limit: ReadLimit,
        slot: ConnectionSlot,
    ) -> Self {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(answer_timeout));
        let window = ReadWindow { started_at: Instant::now(), bytes: 0 };
        Self { stream: Box::pin(stream), read_limit, window, is_limit_exceeded: false, _slot: slot }
    }

    /// Passes the result of a write on. After a timeout the system forgets what the
    /// client has not read as soon as the connection is closed.
    fn written(&self, result: io::Result<usize>) -> io::Result<usize> {
        if result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            let _ = SockRef::from(self.stream.get_ref()).set_linger(Some(Duration::ZERO));
            metrics::counter!("tickhall_connections_unread_total").increment(1);
        }
        result
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_limit_exceeded {
            // The reader closes the connection after a timeout of its own.
            return Poll::Pending;
        }
        let before = buf.filled().len();
        ready!(this.stream.as_mut().poll_read(cx, buf))?;
        let limit = this.read_limit.bytes_per_second.load(Ordering::Relaxed);
        if limit > 0 && this.window.add(buf.filled().len() - before, limit, Instant::now()) {
            this.is_limit_exceeded = true;
            return Poll::Ready(Err(io::Error::other(ReadLimitExceeded)));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = ready!(this.stream.as_mut().poll_write(cx, bytes));
        Poll::Ready(this.written(result))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = ready!(this.stream.as_mut().poll_write_vectored(cx, slices));
        Poll::Ready(this.written(result))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream.as_mut().poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::http::connection_limit::ConnectionLimit;

    /// The server's stream with its limit, and the client's end.
    async fn connected(answer_timeout: Duration) -> (ClientStream, ReadLimit, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let (limit, slot) = (ReadLimit::default(), ConnectionLimit::new(1, 1).acquire(None).unwrap());
        (ClientStream::new(stream, answer_timeout, limit.clone(), slot), limit, client)
    }

    // The paused clock advances to the timeout as soon as nothing else happens.
    #[tokio::test(start_paused = true)]
    async fn a_write_that_nobody_reads_times_out() {
        let (mut stream, _, mut client) = connected(Duration::from_secs(30)).await;
        let chunk = vec![0; 1 << 20];
        let error = loop {
            // Until the buffers of both ends are full.
            if let Err(error) = stream.write_all(&chunk).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(stream);
        // Reset: what waited for the client does not wait on.
        let error = client.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_beyond_the_limit_of_a_second_are_an_error_once_it_is_set() {
        let (mut stream, limit, mut client) = connected(Duration::from_secs(60)).await;
        let mut received = vec![0; 4_096];
        client.write_all(&[1; 4_096]).await.unwrap();
        stream.read_exact(&mut received).await.unwrap();
        limit.set(1_000);
        client.write_all(&[1; 1_000]).await.unwrap();
        stream.read_exact(&mut received[..1_000]).await.unwrap();
        client.write_all(&[1]).await.unwrap();
        let error = stream.read(&mut received).await.unwrap_err();
        assert!(ReadLimitExceeded::is_in(&error), "{error}");
        // It can still be written to, as a close frame is.
        stream.write_all(b"goodbye").await.unwrap();
        client.read_exact(&mut received[..7]).await.unwrap();
    }

    #[test]
    fn a_window_starts_anew_after_a_second() {
        let now = Instant::now();
        let mut window = ReadWindow { started_at: now, bytes: 0 };
        assert!(!window.add(10, 10, now));
        assert!(window.add(1, 10, now + Duration::from_millis(999)));
        assert!(!window.add(10, 10, now + LIMIT_INTERVAL));
    }
}
