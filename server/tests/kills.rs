//! The real program under order load, killed at random moments: what was
//! answered is there, once, and everything adds up.
//!
//! `TRADEFLOOR_KILLS` says how often (20 when absent). The same test on a
//! program that answers before it commits must notice: otherwise it proves
//! nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::id::InstrumentId;
use engine::venue::VenueConfig;
use serde_json::{Value, json};

/// People who trade at the same time, each as fast as they are answered.
const TRADERS: usize = 6;

/// Nothing on this machine takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_no_answered_order_and_double_none() {
    let rounds = std::env::var("TRADEFLOOR_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let mut venue = Killed::new("after_commit", 0x5eed);
    for round in 1..=rounds {
        venue.round().await;
        let lost = venue.lost().await;
        assert!(lost.is_empty(), "round {round} of seed {:#x}: answered and lost: {lost:?}", venue.seed);
        // The fold starts at entry 1, so the long form looks less often.
        if round <= 20 || round % 20 == 0 || round == rounds {
            venue.verify();
        }
    }
    let told = venue.tell();
    println!("{rounds} kills: {told}");
    assert!(venue.answered() > rounds * 5, "too little was answered to prove anything: {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_catch_a_program_that_answers_before_it_commits() {
    let mut venue = Killed::new("before_commit", 0xbad);
    for round in 1..=20 {
        venue.round().await;
        let lost = venue.lost().await;
        if !lost.is_empty() {
            println!("noticed in round {round}: {} answered orders were lost", lost.len());
            return;
        }
    }
    panic!("20 kills of a program that answers before it commits went unnoticed: {}", venue.tell());
}

/// A folder whose server keeps being killed, and what its users were told.
struct Killed {
    folder: tempfile::TempDir,
    acknowledge: &'static str,
    seed: u64,
    random: u64,
    traders: Vec<Trader>,
}

/// A user with everything that they sent.
struct Trader {
    number: usize,
    cookie: String,
    /// By client order id.
    sent: Arc<Mutex<BTreeMap<String, Sent>>>,
}

/// What a user knows about an order.
#[derive(Clone)]
struct Sent {
    body: Value,
    /// Id and seq, if it was answered.
    answer: Option<(String, u64)>,
    /// Cut off by a kill, sent again, and found to have been accepted.
    repeated: bool,
    refused: bool,
}

impl Killed {
    fn new(acknowledge: &'static str, seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, acknowledge, seed, random: seed, traders: Vec::new() }
    }

    /// Starts the server, lets everybody trade, kills it.
    async fn round(&mut self) {
        let server = Server::start(self.folder.path(), self.acknowledge);
        while self.traders.len() < TRADERS {
            self.traders.push(Trader::register(&server.base, self.traders.len()).await);
        }
        let trading: Vec<_> = self
            .traders
            .iter()
            .map(|trader| {
                let (base, cookie, sent) = (server.base.clone(), trader.cookie.clone(), trader.sent.clone());
                tokio::spawn(trade(base, cookie, sent, trader.number))
            })
            .collect();
        let moment = 150 + self.draw() % 700;
        at(Duration::from_millis(moment)).await;
        server.kill();
        for trader in trading {
            trader.await.unwrap();
        }
    }

    /// xorshift64*: a failure names the seed.
    fn draw(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
    }

    /// Answered orders that the store lacks, has otherwise, or has twice.
    async fn lost(&self) -> Vec<String> {
        let file = self.folder.path().join("tradefloor.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        let rows: Vec<(String, Vec<u8>, i64)> =
            sqlx::query_as("SELECT client_order_id, order_id, seq FROM orders")
                .fetch_all(&pool)
                .await
                .unwrap();
        pool.close().await;
        let mut stored: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
        for (name, id, seq) in rows {
            let id = uuid::Uuid::from_slice(&id).unwrap().to_string();
            stored.entry(name).or_default().push((id, u64::try_from(seq).unwrap()));
        }
        let mut lost = Vec::new();
        for trader in &self.traders {
            for (name, sent) in trader.sent.lock().unwrap().iter() {
                let found = stored.get(name).map(Vec::as_slice).unwrap_or_default();
                let right = match &sent.answer {
                    Some(answer) => found == std::slice::from_ref(answer),
                    None => found.len() <= usize::from(!sent.refused),
                };
                if !right {
                    lost.push(format!("{name}: told {:?}, stored {found:?}", sent.answer));
                }
            }
        }
        lost
    }

    /// The program's own check: chain, outcomes, ledger, projections.
    fn verify(&self) {
        let done = program().arg("verify").arg("--data").arg(self.folder.path()).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "verify: {out}{err}");
        assert!(out.contains("books balance"), "verify: {out}{err}");
    }

    fn answered(&self) -> u64 {
        self.count(|sent| sent.answer.is_some())
    }

    fn count(&self, wanted: impl Fn(&Sent) -> bool) -> u64 {
        self.traders
            .iter()
            .map(|trader| trader.sent.lock().unwrap().values().filter(|sent| wanted(sent)).count() as u64)
            .sum()
    }

    fn tell(&self) -> String {
        format!(
            "{} orders answered ({} cut off, sent again and found accepted), {} refused, {} still cut off",
            self.answered(),
            self.count(|sent| sent.repeated),
            self.count(|sent| sent.refused),
            self.count(|sent| sent.answer.is_none() && !sent.refused)
        )
    }
}

#[expect(clippy::disallowed_methods, reason = "a kill comes at a random time, not at an event")]
async fn at(moment: Duration) {
    tokio::time::sleep(moment).await;
}

impl Trader {
    async fn register(base: &str, number: usize) -> Self {
        let body =
            json!({ "email": format!("trader{number}@example.org"), "password": "correct horse battery" });
        let client = reqwest::Client::new();
        let request = client.post(format!("{base}/api/v1/auth/register")).header("origin", base).json(&body);
        let answer = request.timeout(PATIENCE).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 201);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self { number, cookie, sent: Arc::default() }
    }
}

/// Sends orders until the server is gone; first again what nobody answered.
async fn trade(base: String, cookie: String, sent: Arc<Mutex<BTreeMap<String, Sent>>>, trader: usize) {
    let acme = InstrumentId::derive(VenueConfig::default().venue_id(), "ACME");
    let client = reqwest::Client::new();
    let mut open: Vec<(String, Value)> = {
        let sent = sent.lock().unwrap();
        let unanswered = sent.iter().filter(|(_, sent)| sent.answer.is_none() && !sent.refused);
        unanswered.map(|(name, sent)| (name.clone(), sent.body.clone())).collect()
    };
    loop {
        let (name, body) = open.pop().unwrap_or_else(|| {
            let number = sent.lock().unwrap().len();
            let name = format!("t{trader}-{number}");
            (name.clone(), order(acme, &name, number))
        });
        let fresh = Sent { body: body.clone(), answer: None, repeated: false, refused: false };
        sent.lock().unwrap().entry(name.clone()).or_insert(fresh);
        let request = client
            .post(format!("{base}/api/v1/orders"))
            .header("origin", &base)
            .header("cookie", &cookie)
            .json(&body)
            .timeout(PATIENCE);
        let Ok(answer) = request.send().await else { return };
        let status = answer.status().as_u16();
        let Ok(answer) = answer.json::<Value>().await else { return };
        match status {
            200 | 201 => {
                let id = answer["order_id"].as_str().unwrap().to_owned();
                let seq = answer["seq"].as_u64().unwrap();
                let mut sent = sent.lock().unwrap();
                let sent = sent.get_mut(&name).unwrap();
                (sent.answer, sent.repeated) = (Some((id, seq)), status == 200);
            }
            // Not decided yet: it may be there or not.
            202 | 503 => {}
            401 => panic!("the session was lost: {answer}"),
            _ => sent.lock().unwrap().get_mut(&name).unwrap().refused = true,
        }
    }
}

/// Buys and sells in turn; one in five rests.
fn order(instrument: InstrumentId, name: &str, number: usize) -> Value {
    let side = if number.is_multiple_of(2) { "BUY" } else { "SELL" };
    let mut order = json!({
        "instrument_id": instrument.to_string(), "side": side, "type": "MARKET",
        "quantity": "3", "client_order_id": name,
    });
    if number % 5 == 4 {
        order["type"] = json!("LIMIT");
        order["side"] = json!("BUY");
        order["quantity"] = json!("1");
        order["limit_price"] = json!("95.00");
    }
    order
}

/// The program as a process.
struct Server {
    child: Child,
    base: String,
}

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tradefloor"));
    // No settings of whoever runs the test.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TRADEFLOOR_") {
            program.env_remove(name);
        }
    }
    program.current_dir(std::env::temp_dir());
    program
}

impl Server {
    /// Starts it; returns once it answers.
    fn start(folder: &Path, acknowledge: &str) -> Self {
        let log: PathBuf = folder.join("log.jsonl");
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let mut child = program()
            .args(["serve", "--listen", "127.0.0.1:0", "--idle", "run", "--seed", "7", "--log", "warn"])
            // Snapshots and compaction shall be cut short too.
            .args(["--set", "snapshot.journal_entries=150", "--set", "snapshot.sim_steps=20"])
            .args(["--set", "limits.orders_per_second=100000", "--set", "limits.requests_per_second=100000"])
            .args(["--set", &format!("trading.acknowledge={acknowledge}")])
            .arg("--data")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let base = loop {
            let Some(Ok(line)) = lines.next() else {
                let _ = child.kill();
                let _ = child.wait();
                panic!(
                    "the server did not start: {}",
                    std::fs::read_to_string(folder.join("log.jsonl")).unwrap()
                );
            };
            if let Some(at) = line.find("http://") {
                break line[at..].trim().to_owned();
            }
        };
        Self { child, base }
    }

    /// SIGKILL: no handler, no flush, no good-bye.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves no process behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
