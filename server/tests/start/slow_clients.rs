//! Many clients that never read: each is cut off within five seconds of when
//! nothing more fits, and what waits for all of them together takes little
//! memory.

use std::collections::BTreeMap;
use std::net::SocketAddr;
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

/// What may wait for each of them: the write buffer, and an update in the making.
const EACH: u64 = 512 * 1024;

/// Memory that the process has in use, in bytes.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}

/// How long a client may hold things up.
const WITHIN: Duration = Duration::from_secs(5);

/// What the system tells of the server's end of each connection, by the port at
/// the client's: whether it is open, and how many bytes it holds back.
fn ends(server: &SocketAddr) -> BTreeMap<u16, (bool, u64)> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let port = |address: &str| u16::from_str_radix(address.split_once(':').unwrap().1, 16).unwrap();
    let ends = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<_> = line.split_whitespace().take(5).collect();
        let [_, here, there, state, queues] = fields[..] else { panic!("{line}") };
        let held = u64::from_str_radix(queues.split_once(':').unwrap().0, 16).unwrap();
        (port(here) == server.port()).then(|| (port(there), (state == "01", held)))
    });
    ends.collect()
}

/// When the system last took something for a client, and until when the server
/// was still there for it.
struct Held {
    bytes: u64,
    since: Instant,
    until: Option<Instant>,
}

/// Follows what is held back for each client.
fn look(server: &SocketAddr, held: &mut BTreeMap<u16, Held>) {
    let (now, ends) = (Instant::now(), ends(server));
    for (port, held) in held {
        match ends.get(port) {
            Some((true, bytes)) if *bytes != held.bytes => (held.bytes, held.since) = (*bytes, now),
            Some((true, _)) => {}
            Some((false, _)) | None => {
                held.until.get_or_insert(now);
            }
        }
    }
}

async fn cut_off(visitor: &Visitor) -> usize {
    let figures = visitor.get("/metrics").await.text;
    let line = figures.lines().find_map(|line| {
        line.strip_prefix("tickhall_sockets_closed_total{code=\"4008\"} ")
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
        let update = reading.next_update().await;
        items += update.items.len();
        if !update.more {
            break;
        }
    }
    assert!(items > 1_000, "{items} are too few to fill anything");
    drop(reading);

    let address: SocketAddr = server.url.trim_start_matches("http://").parse().unwrap();
    let (mut open, mut held) = (Vec::new(), BTreeMap::new());
    for _ in 0..CLIENTS {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let stream = socket.connect(address).await.unwrap();
        let port = stream.local_addr().unwrap().port();
        held.insert(port, Held { bytes: 0, since: Instant::now(), until: None });
        let mut request =
            format!("{}/api/v1/stream", server.url.replacen("http", "ws", 1)).into_client_request().unwrap();
        request.headers_mut().insert("origin", server.url.parse().unwrap());
        request.headers_mut().insert("cookie", user.cookie.as_deref().unwrap().parse().unwrap());
        open.push(client_async(request, stream).await.unwrap().0);
    }
    let before = resident(&server);
    let mut most = before;
    // Asking for everything again and again, at a rate that is allowed, fills
    // whatever the system holds back for a client that does not read.
    let mut asks = tokio::time::interval(Duration::from_millis(60));
    let all = async {
        while held.values().any(|held| held.until.is_none()) {
            asks.tick().await;
            for socket in &mut open {
                // One that the server has left takes nothing more.
                let sent = socket.send(subscribe.to_string().into());
                let _ = tokio::time::timeout(Duration::from_millis(1), sent).await;
                look(&address, &mut held);
            }
            most = most.max(resident(&server));
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("slow clients are kept");
    assert_eq!(cut_off(&user).await, CLIENTS);
    let waited = held.values().map(|held| held.until.unwrap() - held.since);
    let (longest, grew) = (waited.max().unwrap(), most.saturating_sub(before));
    let held = held.values().map(|held| held.bytes).max().unwrap() / 1_024;
    let each = grew / 1_024 / CLIENTS as u64;
    eprintln!("{CLIENTS} cut off within {longest:.2?}; {each} KiB each, and {held} with the system");
    assert!(longest < WITHIN, "{longest:?}");
    assert!(held > 0 && grew < CLIENTS as u64 * EACH, "{each} KiB each");
}
