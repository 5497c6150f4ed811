//! A users on keep-alive connections, with as little HTTP as an order needs, so
//! that the figures are the server's and not a client library's.

use std::time::Duration;

use engine::id::InstrumentId;
use engine::venue::VenueConfig;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Everybody, signed in.
pub(crate) struct Users {
    users: Vec<(String, String)>,
}

impl Users {
    /// Registers users, in turn at each address, and waits until ACME trades.
    pub(crate) async fn register(addresses: &[String], count: usize) -> Self {
        let mut users = Vec::new();
        for number in 0..count {
            let address = &addresses[number % addresses.len()];
            let body =
                json!({ "email": format!("u{number}@example.org"), "password": "correct horse battery" });
            let mut line = Line::open(address).await;
            let (status, head, _) = line.post(address, "", "/api/v1/auth/register", &body).await;
            assert_eq!(status, 201);
            let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
            users.push((address.clone(), cookie.split(';').next().unwrap().to_owned()));
        }
        let users = Self { users };
        while users.trade(Duration::from_millis(100)).await == 0 {}
        users
    }

    /// Orders accepted while everybody trades for `time`.
    pub(crate) async fn trade(&self, time: Duration) -> u32 {
        let end = Instant::now() + time;
        let all = self.users.iter().cloned();
        let trading: Vec<_> =
            all.map(|(address, cookie)| tokio::spawn(trade(address, cookie, end))).collect();
        let mut accepted = 0;
        for user in trading {
            accepted += user.await.unwrap();
        }
        accepted
    }
}

async fn trade(address: String, cookie: String, end: Instant) -> u32 {
    let acme = InstrumentId::derive(VenueConfig::default().venue_id(), "ACME").to_string();
    let mut line = Line::open(&address).await;
    let mut accepted = 0;
    let mut sides = ["BUY", "SELL"].into_iter().cycle();
    while Instant::now() < end {
        let order = json!({
            "instrument_id": acme, "side": sides.next(), "type": "MARKET", "quantity": "1",
            "client_order_id": uuid::Uuid::new_v4().to_string(),
        });
        let (status, _, _) = line.post(&address, &cookie, "/api/v1/orders", &order).await;
        accepted += u32::from(status == 201);
    }
    accepted
}

/// A connection that stays open.
struct Line {
    stream: BufReader<TcpStream>,
}

impl Line {
    async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Status, head and body of the answer.
    async fn post(
        &mut self,
        address: &str,
        cookie: &str,
        path: &str,
        body: &Value,
    ) -> (u16, String, Vec<u8>) {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nCookie: {cookie}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.stream.read_line(&mut head).await.unwrap() > 0, "the server hung up: {head}");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut answer = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
        self.stream.read_exact(&mut answer).await.unwrap();
        (status, head, answer)
    }
}
