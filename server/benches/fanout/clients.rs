//! Clients in this process, so that only the server's work is counted.
//!
//! Know what an update is; do not know what it costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::id::InstrumentId;
use futures::{SinkExt as _, StreamExt as _};
use protocol::socket::{Frame, Item};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::market;

/// Frames received by all clients together.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// Ticks, or ticks and books: whatever was asked for.
    pub(crate) updates: AtomicU64,
    pub(crate) messages: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

/// All clients; they leave when this is dropped.
pub(crate) struct Clients {
    pub(crate) received: Arc<Received>,
    _all: JoinSet<()>,
}

/// New users, as the cookies of their sessions.
pub(crate) async fn register(address: &str, count: usize) -> Vec<String> {
    let client = reqwest::Client::new();
    let mut cookies = Vec::new();
    for number in 0..count {
        let body = json!({ "email": format!("u{number}@example.org"), "password": "correct horse battery" });
        let asked = client.post(format!("http://{address}/api/v1/auth/register"));
        let answer = asked.header("origin", format!("http://{address}")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        cookies.push(cookie.split(';').next().unwrap().to_owned());
    }
    cookies
}

impl Clients {
    /// One for each cookie; each follows `kinds` (`tick`, `book`) of everything
    /// that is listed.
    pub(crate) async fn follow(address: &str, cookies: &[String], kinds: &[&str]) -> Self {
        let venue = market::config().venue_id();
        let ids = (0..market::INSTRUMENTS).map(|number| InstrumentId::derive(venue, &market::symbol(number)));
        let channels: Vec<_> =
            ids.flat_map(|id| kinds.iter().map(move |kind| format!("{kind}:{id}"))).collect();
        let subscribe = json!({ "subscribe": { "channels": channels } }).to_string();
        let (received, mut all) = (Arc::new(Received::default()), JoinSet::new());
        for cookie in cookies {
            let url = format!("ws://{address}/api/v1/stream?encoding=postcard");
            let mut request = url.into_client_request().unwrap();
            request.headers_mut().insert("origin", format!("http://{address}").parse().unwrap());
            request.headers_mut().insert("cookie", cookie.parse().unwrap());
            let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
            socket.send(Message::text(subscribe.clone())).await.unwrap();
            let received = received.clone();
            all.spawn(async move {
                while let Some(Ok(message)) = socket.next().await {
                    let Message::Binary(bytes) = message else { continue };
                    match postcard::from_bytes(&bytes).unwrap() {
                        Frame::Update(update) => received.take(&update.items, bytes.len()),
                        Frame::Error(error) => panic!("{error:?}"),
                        Frame::Hello(_) | Frame::Pong { .. } => {}
                    }
                }
            });
        }
        Self { received, _all: all }
    }

    /// The same number of them at the peer, where a message is an update.
    pub(crate) async fn listen(address: &str, count: usize, message: usize) -> Self {
        let (received, mut all) = (Arc::new(Received::default()), JoinSet::new());
        for _ in 0..count {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let received = received.clone();
            all.spawn(async move {
                let (mut buffer, mut bytes) = (vec![0; 64 * 1024], 0);
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    bytes += read;
                    received.updates.fetch_add((bytes / message) as u64, Ordering::Relaxed);
                    received.messages.fetch_add((bytes / message) as u64, Ordering::Relaxed);
                    received.bytes.fetch_add(read as u64, Ordering::Relaxed);
                    bytes %= message;
                }
            });
        }
        Self { received, _all: all }
    }
}

impl Received {
    fn take(&self, items: &[Item], bytes: usize) {
        let updates = items.iter().filter(|item| matches!(item, Item::Tick(_) | Item::Book(_))).count();
        self.updates.fetch_add(updates as u64, Ordering::Relaxed);
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
