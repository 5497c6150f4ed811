//! The real program under order load, killed at random moments: what was
//! answered is there, once, and everything adds up.
//!
//! `TICKHALL_KILLS` says how often (20 when absent). The same test on a
//! program that answers before it commits must notice: otherwise it proves
//! nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

#[path = "support/traders.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the test of many processes")]
mod traders;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use traders::{Random, Stored, Traders, at};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_no_answered_order_and_double_none() {
    let rounds = std::env::var("TICKHALL_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
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
    let told = venue.traders.tell();
    println!("{rounds} kills: {told}");
    assert!(venue.traders.answered() > rounds * 5, "too little was answered to prove anything: {told}");
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
    panic!("20 kills of a program that answers before it commits went unnoticed: {}", venue.traders.tell());
}

/// A folder whose server keeps being killed, and what its users were told.
struct Killed {
    folder: tempfile::TempDir,
    acknowledge: &'static str,
    seed: u64,
    random: Random,
    traders: Traders,
}

impl Killed {
    fn new(acknowledge: &'static str, seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, acknowledge, seed, random: Random(seed), traders: Traders::default() }
    }

    /// Starts the server, lets everybody trade, kills it.
    async fn round(&mut self) {
        let server = Server::start(self.folder.path(), self.acknowledge);
        self.traders.register(&server.base).await;
        let all = self.traders.all.iter().cloned();
        let trading: Vec<_> =
            all.map(|trader| tokio::spawn(trader.until_it_dies(server.base.clone()))).collect();
        let moment = 150 + self.random.draw() % 700;
        at(Duration::from_millis(moment)).await;
        server.kill();
        for trader in trading {
            trader.await.unwrap();
        }
    }

    /// Answered orders that the store lacks, has otherwise, or has twice.
    async fn lost(&self) -> Vec<String> {
        let file = self.folder.path().join("tickhall.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        let rows: Vec<(String, Vec<u8>, i64)> =
            sqlx::query_as("SELECT client_order_id, order_id, seq FROM orders")
                .fetch_all(&pool)
                .await
                .unwrap();
        pool.close().await;
        let mut stored = Stored::new();
        for (name, id, seq) in rows {
            let id = uuid::Uuid::from_slice(&id).unwrap().to_string();
            stored.entry(name).or_default().push((id, u64::try_from(seq).unwrap()));
        }
        self.traders.lost(&stored)
    }

    /// The program's own check: chain, outcomes, ledger, projections.
    fn verify(&self) {
        let done = program().arg("verify").arg("--data").arg(self.folder.path()).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "verify: {out}{err}");
        assert!(out.contains("books balance"), "verify: {out}{err}");
    }
}

/// The program as a process.
struct Server {
    child: Child,
    base: String,
}

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_tickhall"));
    // No settings of whoever runs the test.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TICKHALL_") {
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
