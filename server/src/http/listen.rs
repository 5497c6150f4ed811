//! Connections: whoever is let in has so long to say what they want.
//!
//! A client that sends its request a byte at a time, or none at all, holds a
//! connection for as long as it likes otherwise. Does not know what is asked.

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

use crate::shutdown::Shutdown;

/// How long what has begun may take to end: a client that is slow on purpose
/// would hold the process up otherwise.
const ENDING: Duration = Duration::from_secs(5);

/// What the system may hold back of what a client does not read: left to
/// itself it takes megabytes for each.
const HELD_BACK: usize = 256 * 1024;

/// Pause after the system let nobody in: it has run out of something.
const AGAIN: Duration = Duration::from_millis(100);

/// Answers on `listener` until `shutdown`, then lets what has begun end. A request's
/// head must be there within `patience`, and the next one's after an answer.
pub async fn listen(listener: TcpListener, router: Router, patience: Duration, shutdown: Shutdown) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                connections.spawn(serve(stream, peer, router.clone(), patience, shutdown.clone()));
            }
            Err(error) => {
                tracing::warn!(event = "connection_refused", %error, "a connection was not accepted");
                pause(AGAIN).await;
            }
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(ENDING, ended).await.is_err() {
        connections.shutdown().await;
    }
}

/// Serves one connection. What is wrong with it is its client's affair.
async fn serve(stream: TcpStream, peer: SocketAddr, router: Router, patience: Duration, shutdown: Shutdown) {
    // An answer is not held back for more to come.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_send_buffer_size(HELD_BACK);
    let service = service_fn(move |request| answered(router.clone(), request, peer));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let done = tokio::select! {
        done = connection.as_mut() => done,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    drop(done);
}

async fn answered(
    router: Router,
    mut request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<axum::response::Response, Infallible> {
    request.extensions_mut().insert(ConnectInfo(peer));
    router.oneshot(request.map(Body::new)).await
}

#[expect(clippy::disallowed_methods, reason = "nothing announces that the system has room again")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}
