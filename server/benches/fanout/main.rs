//! Cost of an update that reaches many screens: sixty sockets, each with
//! fifty instruments that tick five times a second, on the real program, beside
//! one write of one pre-framed message for every update and socket.
//!
//! The clients are in this process, either server is in one of its own, and the
//! processor time of that process is what is compared. Prints figures and
//! ratios; asserts nothing, since machines differ. Does not know what takes the
//! time.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on should say where")]
#![allow(clippy::print_stdout, reason = "figures are what it is for")]

mod clients;
mod market;
mod peer;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clients::Clients;
use market::INSTRUMENTS;
use peer::Peer;

/// Number of sockets.
const SOCKETS: usize = 60;

/// Between two ticks of an instrument.
const EVERY: Duration = Duration::from_millis(200);

/// Time of a measurement, and of the warm-up before it.
const TIME: Duration = Duration::from_secs(15);
const WARM: Duration = Duration::from_secs(3);

/// An update of the gateway's may cost so much of one of the peer's.
const BAR: f64 = 1.0 / 3.0;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Some(sockets) = peer::role() {
        return runtime.block_on(peer::run(sockets, INSTRUMENTS, EVERY));
    }
    let one = One::start(&runtime);
    let cookies = runtime.block_on(clients::register(&one.address, SOCKETS));
    let alone = runtime.block_on(spent(&one.child, WARM, TIME));
    println!("nobody watches:                  {:>6.1} ms of processor a second", alone.as_secs_f64() * 1e3);
    let watched = |kinds: &[&str]| {
        runtime.block_on(async {
            let clients = Clients::follow(&one.address, &cookies, kinds).await;
            measure(&one.child, &clients).await
        })
    };
    let ticks = watched(&["tick"]);
    let both = watched(&["tick", "book"]);
    drop(one);
    let peer = runtime.block_on(async {
        let peer = Peer::start(SOCKETS);
        let clients = Clients::listen(&peer.address, SOCKETS, peer::message().len()).await;
        measure(&peer.child, &clients).await
    });
    peer.tell("peer, one write an update");
    for (what, measured) in [("ticks of 50 instruments", ticks), ("ticks and books of 50", both)] {
        measured.tell(what);
        measured.compare("with all that the venue does", &peer);
        let delivery =
            Measured { spent: measured.spent.saturating_sub(alone.mul_f64(TIME.as_secs_f64())), ..measured };
        delivery.compare("what nobody watching saves", &peer);
    }
}

/// Delivered frames and their cost.
struct Measured {
    updates: f64,
    messages: f64,
    bytes: f64,
    spent: Duration,
}

impl Measured {
    fn micros(&self) -> f64 {
        self.spent.as_secs_f64() * 1e6 / self.updates
    }

    fn tell(&self, what: &str) {
        let seconds = TIME.as_secs_f64();
        println!(
            "{what:<28} {:>7.0} updates/s in {:>6.0} messages/s, {:>6.2} MB/s: {:>6.1} ms of processor a \
             second, {:.2} µs an update",
            self.updates / seconds,
            self.messages / seconds,
            self.bytes / seconds / 1e6,
            self.spent.as_secs_f64() * 1e3 / seconds,
            self.micros()
        );
    }

    fn compare(&self, what: &str, peer: &Self) {
        let ratio = self.micros() / peer.micros();
        println!("  {what:<30} {:.2} µs an update, {ratio:.2} of the peer's (bar {BAR:.2})", self.micros());
    }
}

/// Counts what `clients` receive, and what `server` spends on it.
async fn measure(server: &Child, clients: &Clients) -> Measured {
    pause(WARM).await;
    let counts = || {
        let of = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed) as f64;
        let received = &clients.received;
        (of(&received.updates), of(&received.messages), of(&received.bytes))
    };
    let before = counts();
    let a_second = spent(server, Duration::ZERO, TIME).await;
    let after = counts();
    Measured {
        updates: after.0 - before.0,
        messages: after.1 - before.1,
        bytes: after.2 - before.2,
        spent: a_second.mul_f64(TIME.as_secs_f64()),
    }
}

/// Processor time that `server` spends in a second, over `time`.
async fn spent(server: &Child, warm: Duration, time: Duration) -> Duration {
    pause(warm).await;
    let (began, before) = (Instant::now(), processor_time(server));
    pause(time).await;
    (processor_time(server) - before).div_f64(began.elapsed().as_secs_f64())
}

/// Processor time of a process by now, the system's on its behalf included:
/// fields 14 and 15 of its `stat`, in hundredths of a second.
fn processor_time(process: &Child) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

#[expect(clippy::disallowed_methods, reason = "what is measured is time")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// `tickhall serve` in a folder of its own.
struct One {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl One {
    fn start(runtime: &tokio::runtime::Runtime) -> Self {
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(market::make(folder.path()));
        let mut program = Command::new(env!("CARGO_BIN_EXE_tickhall"));
        program.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
        program.env("TICKHALL_IDLE", "run").env("TICKHALL_LIMITS__REGISTRATIONS_PER_MINUTE", "1000");
        program.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = program.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.split_once("http://")?.1.trim().to_owned()));
        Self { child, address: address.unwrap(), _folder: folder }
    }
}

impl Drop for One {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
