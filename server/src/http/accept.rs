//! Accept loop: serves connections, with limits of their number, of the time in
//! which a request's head arrives, and of the time in which an answer is read.
//!
//! A client that sends its request a byte at a time, or never reads the answer,
//! would hold a connection for ever otherwise. Does not know what is served.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use protocol::error::{ApiError, ErrorBody};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::ServiceExt as _;

use super::client_address::{ClientAddress, TrustedProxies};
use super::client_stream::{ClientStream, ReadLimit};
use super::connection_limit::{ConnectionLimit, ConnectionRefusal, ConnectionSlot};
use crate::clock;
use crate::shutdown::Shutdown;

/// Limit of running requests at shutdown: a client that is slow on purpose
/// would hold the process up otherwise.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Send buffer of a connection. The system's own default is megabytes for each
/// client that does not read.
const SEND_BUFFER_BYTES: usize = 256 * 1024;

/// Pause after a failed accept: the system has run out of something.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Interval of log lines about failed accepts: while one fails, each fails.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Limits of a listener's connections.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// Time in which a request's head must arrive, from the connection or the answer
    /// before it.
    pub head_timeout: Duration,
    /// Time in which a client must read some of an answer.
    pub answer_timeout: Duration,
    /// Open connections of one address that is no trusted proxy's.
    pub connections_per_address: usize,
    /// Proxies that tell a client's address.
    pub trusted_proxies: TrustedProxies,
}

/// Serves `router` on `listener` until `shutdown`, then drains running requests.
pub async fn serve(listener: TcpListener, router: Router, settings: ConnectionSettings, shutdown: Shutdown) {
    let settings = Arc::new(settings);
    let limit = ConnectionLimit::of_system(settings.connections_per_address);
    let mut failures = AcceptFailures::default();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let address = ClientAddress::from(peer.ip()).0;
                let counted = (!settings.trusted_proxies.contains(peer.ip())).then_some(address);
                match limit.acquire(counted) {
                    Ok(slot) => {
                        let (router, settings) = (router.clone(), Arc::clone(&settings));
                        let shutdown = shutdown.clone();
                        connections.spawn(serve_connection(stream, peer, slot, router, settings, shutdown));
                    }
                    Err(refusal) => refuse(&stream, refusal),
                }
            }
            Err(error) => {
                failures.note(&error);
                clock::sleep(RETRY_DELAY).await;
            }
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        connections.shutdown().await;
    }
}

/// Failed accepts, logged at intervals.
#[derive(Debug, Default)]
struct AcceptFailures {
    logged_at: Option<Instant>,
    unlogged: u64,
}

impl AcceptFailures {
    fn note(&mut self, error: &io::Error) {
        metrics::counter!("tickhall_connections_refused_total", "reason" => "system").increment(1);
        if let Some(failures) = self.due(Instant::now()) {
            tracing::warn!(event = "connection_refused", failures, %error, "connections were not accepted");
        }
    }

    /// Counts a failure at `now`; returns the number of those to log if a line is
    /// due.
    fn due(&mut self, now: Instant) -> Option<u64> {
        self.unlogged += 1;
        if self.logged_at.is_some_and(|at| now.duration_since(at) < LOG_INTERVAL) {
            return None;
        }
        self.logged_at = Some(now);
        Some(std::mem::take(&mut self.unlogged))
    }
}

/// Answers a connection that is one too many, without waiting for its request.
fn refuse(stream: &TcpStream, refusal: ConnectionRefusal) {
    static BY_ADDRESS: LazyLock<String> = LazyLock::new(|| {
        let message = "Too many connections from this address.";
        refusal_response(&ApiError::new(429, "rate_limited", message))
    });
    static BY_TOTAL: LazyLock<String> = LazyLock::new(|| refusal_response(&ApiError::unavailable()));
    let (response, reason) = match refusal {
        ConnectionRefusal::Address => (&BY_ADDRESS, "address"),
        ConnectionRefusal::Total => (&BY_TOTAL, "total"),
    };
    metrics::counter!("tickhall_connections_refused_total", "reason" => reason).increment(1);
    // A new connection's send buffer is empty.
    let _ = stream.try_write(response.as_bytes());
}

fn refusal_response(error: &ApiError) -> String {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let body = serde_json::to_string(&ErrorBody::from(error.clone())).unwrap_or_default();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nretry-after: 1\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Serves one connection. Its errors are the client's affair.
async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    slot: ConnectionSlot,
    router: Router,
    settings: Arc<ConnectionSettings>,
    shutdown: Shutdown,
) {
    // Small answers leave at once.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);
    let read_limit = ReadLimit::default();
    let stream = ClientStream::new(stream, settings.answer_timeout, read_limit.clone(), slot);
    let head_timeout = settings.head_timeout;
    let service = service_fn(move |request| {
        respond(router.clone(), request, peer.ip(), read_limit.clone(), Arc::clone(&settings))
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_timeout);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    drop(result);
}

async fn respond(
    router: Router,
    mut request: Request<Incoming>,
    peer: IpAddr,
    read_limit: ReadLimit,
    settings: Arc<ConnectionSettings>,
) -> Result<axum::response::Response, Infallible> {
    let client = settings.trusted_proxies.client_of(peer, request.headers());
    request.extensions_mut().insert(ClientAddress::from(client));
    request.extensions_mut().insert(read_limit);
    router.oneshot(request.map(Body::new)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_accepts_are_logged_at_intervals_with_their_number() {
        let (mut failures, now) = (AcceptFailures::default(), Instant::now());
        assert_eq!(failures.due(now), Some(1));
        for tenth in 1..100 {
            assert_eq!(failures.due(now + RETRY_DELAY * tenth), None);
        }
        // 99 since the last line, and this one.
        assert_eq!(failures.due(now + LOG_INTERVAL), Some(100));
    }

    #[test]
    fn a_refused_connection_gets_the_one_error_shape() {
        let response = refusal_response(&ApiError::new(429, "rate_limited", "Too many."));
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{head}");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"]["code"], "rate_limited");
    }
}
