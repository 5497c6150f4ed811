//! Orders that are acknowledged, thus durable, in a second through HTTP: on one
//! process over its folder and on the processes of compose.yaml, beside one
//! transaction for every order by `pgbench` on the same PostgreSQL.
//!
//! Prints figures and ratios; asserts nothing, since machines differ. Does not
//! know what takes the time.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on should say where")]
#![allow(clippy::print_stdout, reason = "figures are what it is for")]

mod peer;
mod users;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use peer::Peer;
use testbed::{Postgres, Topology};
use users::Users;

/// Time of a measurement, and of the warm-up before it.
const TIME: Duration = Duration::from_secs(5);
const WARM: Duration = Duration::from_secs(2);

/// Measurements of each, in turn: a machine is not the same for long.
const ROUNDS: usize = 3;

/// How many trade at once, each as fast as they are answered.
const USERS: usize = 128;

/// Nobody is to be held up by a limit.
const LIMITS: [(&str, &str); 4] = [
    ("TICKHALL_IDLE", "run"),
    ("TICKHALL_LIMITS__REQUESTS_PER_SECOND", "100000"),
    ("TICKHALL_LIMITS__ORDERS_PER_SECOND", "100000"),
    ("TICKHALL_LIMITS__REGISTRATIONS_PER_MINUTE", "100000"),
];

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // What is committed is on disk: fsync stays on.
    let (mut embedded, mut split) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let postgres = Postgres::start(&[]).unwrap();
        let peer = runtime.block_on(Peer::measured(&postgres));

        let one = One::start();
        let orders = runtime.block_on(measure(std::slice::from_ref(&one.address)));
        drop(one);
        embedded.push(peer.tell(&format!("one process, SQLite, {USERS} users"), orders, 3.0));

        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compose.yaml");
        let mut settings = LIMITS.to_vec();
        settings.push(("TICKHALL_LOG", "warn"));
        let binary = Path::new(env!("CARGO_BIN_EXE_tickhall"));
        let site = Topology::start(&file, binary, &settings, postgres).unwrap();
        let addresses: Vec<_> = site.gateways().iter().map(|name| site.url(name)).collect();
        let orders = runtime.block_on(measure(&addresses));
        split.push(peer.tell(&format!("compose.yaml, two gateways, {USERS} users"), orders, 1.5));
    }
    println!("in the middle: one process {:.2}x, compose.yaml {:.2}x", middle(embedded), middle(split));
}

/// The median.
fn middle(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

/// Acknowledged orders a second through these addresses.
async fn measure(addresses: &[String]) -> f64 {
    let addresses: Vec<_> =
        addresses.iter().map(|address| address.trim_start_matches("http://").to_owned()).collect();
    let users = Users::register(&addresses, USERS).await;
    users.trade(WARM).await;
    let accepted = users.trade(TIME).await;
    f64::from(accepted) / TIME.as_secs_f64()
}

/// `tickhall serve` in a folder of its own.
struct One {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl One {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_tickhall"));
        program.args(["serve", "--listen", "127.0.0.1:0", "--log", "warn", "--data"]).arg(folder.path());
        let mut child =
            program.envs(LIMITS).current_dir(folder.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let address = line.split_once("http://").unwrap().1.trim().to_owned();
        Self { child, address, _folder: folder }
    }
}

impl Drop for One {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
