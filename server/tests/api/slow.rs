//! Slow clients: time limits of requests and sockets.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::raw;
use crate::support::site::{PASSWORD, Site};
use crate::support::trading_fixture::TEST_TIMEOUT;

/// A site with time limits of one second.
async fn impatient_site() -> Site {
    Site::with(|config| {
        config.limits.request_seconds = 1;
        config.limits.socket_silence_seconds = 1;
    })
    .await
}

/// Sends `text` and nothing more; everything that the server sends until it hangs up.
async fn exchange(site: &Site, text: &str) -> String {
    String::from_utf8(raw::exchange(site.address(), text.as_bytes()).await).unwrap()
}

#[tokio::test]
async fn a_request_that_does_not_arrive_in_time_is_refused() {
    let site = impatient_site().await;
    for head in ["", "GET / HTTP/1.1\r\nhost: x\r\nx-slow:", "GET /health HTTP/1.1\r\n"] {
        assert_eq!(exchange(&site, head).await, "", "{head:?}");
    }
    let origin = &site.base;
    let host = origin.trim_start_matches("http://");
    for (path, kind) in [
        ("/api/v1/auth/login", "application/json"),
        ("/login", "application/x-www-form-urlencoded"),
        ("/api/ui/orders", "application/octet-stream"),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\ncontent-type: {kind}\r\n\
             content-length: 100\r\n\r\n{{"
        );
        let answer = exchange(&site, &head).await;
        assert!(
            answer.starts_with("HTTP/1.1 408 ") && answer.contains("request_timeout"),
            "{path}: {answer}"
        );
    }
    // A quick client is answered, and may stay for the next request.
    let kept = exchange(&site, "GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(kept.starts_with("HTTP/1.1 200 "), "{kept}");
    site.close().await;
}

#[tokio::test]
async fn an_unfinished_request_does_not_delay_shutdown() {
    let mut site = Site::with(|config| config.limits.request_seconds = 300).await;
    let mut stream = TcpStream::connect(site.base.trim_start_matches("http://")).await.unwrap();
    let head = "POST /login HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // It has begun: the server waits for the body.
    let mut asked = [0; 12];
    stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100");
    let stopped = tokio::time::timeout(Duration::from_secs(30), site.stop()).await;
    stopped.expect("the server waits for a client that is slow on purpose");
    site.close().await;
}

#[tokio::test]
async fn a_socket_that_answers_no_ping_is_closed_and_one_that_does_stays_open() {
    let site = impatient_site().await;
    let (user, other) = (site.user("ada").await, site.user("bob").await);
    let mut awake = other.follow("", &["account".to_owned()]).await;
    // Nothing is read from it, so no ping is answered.
    let mut silent = user.follow("", &[]).await;
    let closed = async {
        loop {
            let figures = site.visitor().get("/metrics").await.text;
            if figures.contains("tickhall_sockets_closed_total{code=\"4012\"}") {
                break;
            }
            // Reading what comes answers the pings.
            awake.say(&json!({ "ping": { "nonce": 1 } })).await;
            while !matches!(awake.frame().await, protocol::socket::Frame::Pong { .. }) {}
            tokio::time::timeout(Duration::from_millis(100), awake.next()).await.ok();
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, closed).await.expect("the silent client stays connected");
    assert_eq!(silent.closed().await, 4012);
    awake.say(&json!({ "ping": { "nonce": 7 } })).await;
    while !matches!(awake.frame().await, protocol::socket::Frame::Pong { nonce: 7, .. }) {}
    site.close().await;
}

/// Opcode and payload of each of a server's frames, which are not masked.
fn frames(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut frames = Vec::new();
    while let [first, length, rest @ ..] = bytes {
        let (length, rest) = match (length, rest) {
            (126, [high, low, rest @ ..]) => (usize::from(*high) << 8 | usize::from(*low), rest),
            (length, rest) => (usize::from(*length), rest),
        };
        let (payload, rest) = rest.split_at(length);
        frames.push((first & 0xf, payload));
        bytes = rest;
    }
    frames
}

#[tokio::test]
async fn a_socket_is_closed_when_its_silence_is_as_long_as_it_may_be() {
    let site = impatient_site().await;
    let user = site.user("ada").await;
    let handshake = format!(
        "GET /api/v1/stream HTTP/1.1\r\nhost: {}\r\norigin: {}\r\ncookie: {}\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        site.address(),
        site.base,
        user.cookie.clone().unwrap()
    );
    // It never answers a ping.
    let answer = raw::exchange(site.address(), handshake.as_bytes()).await;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer[..end]));
    let frames = frames(&answer[end + 4..]);
    // One ping after a third of the time and one after two thirds; then it is over.
    let pings = frames.iter().filter(|(opcode, _)| *opcode == 9).count();
    let closes: Vec<_> = frames.iter().filter(|(opcode, _)| *opcode == 8).collect();
    assert_eq!((pings, closes.len()), (2, 1), "{frames:?}");
    assert_eq!(u16::from_be_bytes([closes[0].1[0], closes[0].1[1]]), 4012);
    site.close().await;
}

#[tokio::test]
async fn an_open_socket_counts_as_activity() {
    let site = impatient_site().await;
    let user = site.user("ada").await;
    let mut socket = user.follow("", &["account".to_owned()]).await;
    let reading = tokio::spawn(async move { socket.closed().await });
    // 3 × 20 minutes without a request: the idle limit is 30.
    for _ in 0..3 {
        site.clock.advance_micros(20 * 60_000_000);
        let now = site.clock.now().0.to_string();
        let noted = async {
            while site.text("SELECT CAST(max(last_seen_at) AS TEXT) FROM sessions").await != now {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(TEST_TIMEOUT, noted).await.expect("the socket does not count as activity");
    }
    assert_eq!(user.get("/api/v1/session").await.status, 200);
    // Nor does it keep the session beyond its twelve hours.
    site.clock.advance_micros(12 * 3_600_000_000);
    assert_eq!(tokio::time::timeout(TEST_TIMEOUT, reading).await.unwrap().unwrap(), 4001);
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(site.visitor().post("/api/v1/auth/login", &body).await.status, 200);
    site.close().await;
}
