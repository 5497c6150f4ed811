//! Many clients that never read, sockets and answers: each is disconnected, and all
//! of them together take little memory and no descriptors from the others.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::SinkExt as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::process::Server;
use crate::support::site::{OWNER, Visitor};
use crate::support::trading_fixture::TEST_TIMEOUT;

/// Number of clients that never read.
const CLIENTS: usize = 40;

/// Most memory of each: the write buffer, and an update being encoded.
const CLIENT_MAX_BYTES: u64 = 512 * 1024;

/// Resident memory of the process, in bytes.
fn resident_bytes(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}

/// Most time between full buffers and the disconnect.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The server's end of each connection, by the client's port: open or not, and
/// the bytes in its send queue.
fn server_ends(server: &SocketAddr) -> BTreeMap<u16, (bool, u64)> {
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

/// Send queue of a client's connection: its length, its last change, and the time
/// of the disconnect.
struct SendQueue {
    bytes: u64,
    changed_at: Instant,
    disconnected_at: Option<Instant>,
}

/// Updates the send queue of each client.
fn observe(server: &SocketAddr, queues: &mut BTreeMap<u16, SendQueue>) {
    let (now, ends) = (Instant::now(), server_ends(server));
    for (port, queue) in queues {
        match ends.get(port) {
            Some((true, bytes)) if *bytes != queue.bytes => {
                (queue.bytes, queue.changed_at) = (*bytes, now);
            }
            Some((true, _)) => {}
            Some((false, _)) | None => {
                queue.disconnected_at.get_or_insert(now);
            }
        }
    }
}

/// Number of sockets that the server closed because they were too slow.
async fn closed_as_slow(visitor: &Visitor) -> usize {
    let figures = visitor.get("/metrics").await.text;
    let line = figures.lines().find_map(|line| {
        line.strip_prefix("tickhall_sockets_closed_total{code=\"4008\"} ")
            .and_then(|count| count.parse().ok())
    });
    line.unwrap_or_default()
}

#[tokio::test]
async fn clients_that_never_read_are_disconnected_in_time_and_cost_little() {
    let folder = tempfile::tempdir().unwrap();
    let limits = ["limits.sockets_per_user=100", "limits.requests_per_second=100000"];
    let more = ["--owner-email", OWNER, "--idle", "run", "--set", limits[0], "--set", limits[1]];
    let server = Server::start(folder.path(), &more);
    let mut user = server.owner().await;
    let steps = user.post("/api/v1/venue/clock", &json!({ "step": { "steps": 3_000 } })).await;
    assert_eq!(steps.status, 200, "{}", steps.text);
    let listed = user.get("/api/v1/instruments").await.json();
    let ids = listed.as_array().unwrap().iter().map(|entry| entry["instrument_id"].as_str().unwrap());
    let kinds = ["book", "tick", "tape"];
    let channels: Vec<_> = ids.flat_map(|id| kinds.map(|kind| format!("{kind}:{id}"))).collect();
    let subscribe = json!({ "subscribe": { "channels": channels } });

    // A client that reads gets all of it, in parts: everything is encoded by now.
    let mut reading = user.follow("", &channels).await;
    let mut items = 0;
    loop {
        let update = reading.next_update().await;
        items += update.items.len();
        if !update.more {
            break;
        }
    }
    assert!(items > 1_000, "{items} are too few to fill a buffer");
    drop(reading);

    let address: SocketAddr = server.url.trim_start_matches("http://").parse().unwrap();
    let (mut open, mut queues) = (Vec::new(), BTreeMap::new());
    for _ in 0..CLIENTS {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let stream = socket.connect(address).await.unwrap();
        let port = stream.local_addr().unwrap().port();
        queues.insert(port, SendQueue { bytes: 0, changed_at: Instant::now(), disconnected_at: None });
        let mut request =
            format!("{}/api/v1/stream", server.url.replacen("http", "ws", 1)).into_client_request().unwrap();
        request.headers_mut().insert("origin", server.url.parse().unwrap());
        request.headers_mut().insert("cookie", user.cookie.as_deref().unwrap().parse().unwrap());
        open.push(client_async(request, stream).await.unwrap().0);
    }
    let before = resident_bytes(&server);
    let mut peak = before;
    // Subscribing to everything again and again, at a rate that is allowed, fills
    // the send queue of a client that does not read.
    let mut interval = tokio::time::interval(Duration::from_millis(60));
    let all = async {
        while queues.values().any(|queue| queue.disconnected_at.is_none()) {
            interval.tick().await;
            for socket in &mut open {
                // A closed socket takes nothing more.
                let sent = socket.send(subscribe.to_string().into());
                let _ = tokio::time::timeout(Duration::from_millis(1), sent).await;
                observe(&address, &mut queues);
            }
            peak = peak.max(resident_bytes(&server));
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, all).await.expect("slow clients stay connected");
    assert_eq!(closed_as_slow(&user).await, CLIENTS);
    let waited = queues.values().map(|queue| queue.disconnected_at.unwrap() - queue.changed_at);
    let (longest, growth) = (waited.max().unwrap(), peak.saturating_sub(before));
    let queued = queues.values().map(|queue| queue.bytes).max().unwrap() / 1_024;
    let each = growth / 1_024 / CLIENTS as u64;
    eprintln!("{CLIENTS} disconnected within {longest:.2?}; {each} KiB each, {queued} KiB in send queues");
    assert!(longest < DISCONNECT_TIMEOUT, "{longest:?}");
    assert!(queued > 0 && growth < CLIENTS as u64 * CLIENT_MAX_BYTES, "{each} KiB each");
}

/// Connects a client with a small receive buffer that asks for more than the buffers
/// of both ends hold, and never reads.
async fn ask_and_never_read(server: &SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(*server).await.unwrap();
    let request = "GET /api/v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n";
    // The server may have refused it.
    let _ = stream.write_all(request.repeat(200).as_bytes()).await;
    stream
}

/// Waits until the server has closed the connections of all `clients`.
async fn until_closed(server: &SocketAddr, clients: &[TcpStream]) {
    let ports: Vec<u16> = clients.iter().map(|client| client.local_addr().unwrap().port()).collect();
    let mut interval = tokio::time::interval(Duration::from_millis(50));
    let closed = async {
        loop {
            let ends = server_ends(server);
            if !ports.iter().any(|port| ends.get(port).is_some_and(|(is_open, _)| *is_open)) {
                return;
            }
            interval.tick().await;
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, closed).await.expect("clients that never read stay connected");
}

#[tokio::test]
async fn answers_that_nobody_reads_end_their_connections() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--set", "limits.answer_seconds=1"]);
    let address: SocketAddr = server.address().parse().unwrap();
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(ask_and_never_read(&address).await);
    }
    until_closed(&address, &clients).await;
    let visitor = Visitor { client: reqwest::Client::new(), base: server.url.clone(), cookie: None };
    let metrics = visitor.get("/metrics").await.text;
    assert!(metrics.contains("tickhall_connections_unread_total 100"), "{metrics}");
    server.stop();
}

#[tokio::test]
async fn one_address_takes_no_descriptors_from_the_others() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody is disconnected while the test runs.
    let server = Server::with_descriptors(256, folder.path(), &["--set", "limits.answer_seconds=300"]);
    let address: SocketAddr = server.address().parse().unwrap();
    let mut clients = Vec::new();
    for _ in 0..300 {
        clients.push(ask_and_never_read(&address).await);
    }
    let elsewhere = reqwest::Client::builder().local_address(Some([127, 0, 0, 2].into()));
    let visitor = Visitor { client: elsewhere.build().unwrap(), base: server.url.clone(), cookie: None };
    assert_eq!(visitor.get("/health").await.status, 200);
    let metrics = visitor.get("/metrics").await.text;
    assert!(metrics.contains("tickhall_connections_refused_total{reason=\"address\"}"), "{metrics}");
    drop(clients);
    let logged = server.stop();
    let failed = logged.lines().filter(|line| line.contains("connection_refused")).count();
    assert_eq!(failed, 0, "{logged}");
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--set", "limits.connections_per_address=2"]);
    let held = [(); 2].map(|()| TcpStream::connect(server.address().to_owned()));
    let held = futures::future::join_all(held).await;
    assert!(held.iter().all(Result::is_ok));
    let mut third = TcpStream::connect(server.address()).await.unwrap();
    let mut answer = String::new();
    third.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 429 ") && answer.contains("\"rate_limited\""), "{answer}");
    drop(held);
    // The server notices soon that they are gone.
    let client = reqwest::Client::new();
    let freed = async {
        loop {
            let request = client.get(format!("{}/health", server.url)).send();
            if request.await.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, freed).await.expect("closed connections still count");
    server.stop();
}
