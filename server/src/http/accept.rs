//! Accept loop: serves connections, each with a time limit for request heads.
//!
//! A client that sends its request a byte at a time, or none at all, would hold
//! a connection for ever otherwise. Does not know what is served.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

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

/// Serves `router` on `listener` until `shutdown`, then drains running requests.
/// A request's head must arrive within `head_timeout` of the connection or of
/// the answer before it.
pub async fn serve(listener: TcpListener, router: Router, head_timeout: Duration, shutdown: Shutdown) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (router, shutdown) = (router.clone(), shutdown.clone());
                connections.spawn(serve_connection(stream, peer, router, head_timeout, shutdown));
            }
            Err(error) => {
                tracing::warn!(event = "connection_refused", %error, "a connection was not accepted");
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

/// Serves one connection. Its errors are the client's affair.
async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    head_timeout: Duration,
    shutdown: Shutdown,
) {
    // Small answers leave at once.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);
    let service = service_fn(move |request| respond(router.clone(), request, peer));
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
    peer: SocketAddr,
) -> Result<axum::response::Response, Infallible> {
    request.extensions_mut().insert(ConnectInfo(peer));
    router.oneshot(request.map(Body::new)).await
}
