//! Many clients that never read: each is cut off soon after nothing more fits,
//! and what waits for all of them together takes little memory. Does not see
//! when the system's own buffers are full, so it cannot time five seconds.

use std::time::{Duration, Instant};

use futures::SinkExt as _;
use serde_json::json;
use tokio::net::TcpSocket;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::process::Server;
use crate::support::desk::PATIENCE;
use crate::support::site::{OWNER, PASSWORD, Visitor};

/// How many do not read.
const CLIENTS: usize = 40;

/// What may wait for each of them: the write buffer, and a cut in the making.
const EACH: u64 = 512 * 1024;

/// Memory that the process has in use, in bytes.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}

async fn cut_off(visitor: &Visitor) -> usize {
    let figures = visitor.get("/metrics").await.text;
    let line = figures.lines().find_map(|line| {
        line.strip_prefix("tradefloor_sockets_closed_total{code=\"4008\"} ")
            .and_then(|count| count.parse().ok())
    });
    line.unwrap_or_default()
}

#[tokio::test]
async fn clients_that_never_read_are_cut_off_in_time_and_cost_little() {
    let folder = tempfile::tempdir().unwrap();
    let limits = ["limits.sockets_per_user=100", "limits.requests_per_second=100000"];
    let more = ["--owner-email", OWNER, "--idle", "run", "--set", limits[0], "--set", limits[1]];
    let server = Server::start(folder.path(), &more);
    let client = reqwest::Client::new();
    let mut user = Visitor { client, base: server.url.clone(), cookie: None };
    let body = json!({ "email": OWNER, "password": PASSWORD });
    assert_eq!(user.post("/api/v1/auth/register", &body).await.status, 201);
    let steps = user.post("/api/v1/venue/clock", &json!({ "step": { "steps": 3_000 } })).await;
    assert_eq!(steps.status, 200, "{}", steps.text);
    let listed = user.get("/api/v1/instruments").await.json();
    let ids = listed.as_array().unwrap().iter().map(|entry| entry["instrument_id"].as_str().unwrap());
    let kinds = ["book", "tick", "tape"];
    let channels: Vec<_> = ids.flat_map(|id| kinds.map(|kind| format!("{kind}:{id}"))).collect();
    let subscribe = json!({ "subscribe": { "channels": channels } });

    // Whoever reads gets it all, in parts: everything is encoded by now.
    let mut reading = user.follow("", &channels).await;
    let mut items = 0;
    loop {
        let cut = reading.cut().await;
        items += cut.items.len();
        if !cut.more {
            break;
        }
    }
    assert!(items > 1_000, "{items} are too few to fill anything");
    drop(reading);

    let mut open = Vec::new();
    for _ in 0..CLIENTS {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let address = server.url.trim_start_matches("http://").parse().unwrap();
        let stream = socket.connect(address).await.unwrap();
        let mut request =
            format!("{}/api/v1/stream", server.url.replacen("http", "ws", 1)).into_client_request().unwrap();
        request.headers_mut().insert("origin", server.url.parse().unwrap());
        request.headers_mut().insert("cookie", user.cookie.as_deref().unwrap().parse().unwrap());
        open.push(client_async(request, stream).await.unwrap().0);
    }
    let (before, asked) = (resident(&server), Instant::now());
    let mut most = before;
    // Asking for everything again and again, at a rate that is allowed, fills
    // whatever the system holds back for a client that does not read.
    let mut asks = tokio::time::interval(Duration::from_millis(60));
    let all = async {
        while cut_off(&user).await < CLIENTS {
            asks.tick().await;
            for socket in &mut open {
                // One that the server has left takes nothing more.
                let sent = socket.send(subscribe.to_string().into());
                let _ = tokio::time::timeout(Duration::from_millis(1), sent).await;
            }
            most = most.max(resident(&server));
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("slow clients are kept");
    let (took, grew) = (asked.elapsed(), most.saturating_sub(before));
    eprintln!("{CLIENTS} cut off after {took:.1?}; {} KiB each", grew / 1_024 / CLIENTS as u64);
    // Five seconds from when nothing more fits, which takes a moment.
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(grew < CLIENTS as u64 * EACH, "{} KiB each", grew / 1_024 / CLIENTS as u64);
}
