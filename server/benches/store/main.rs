//! What the store and the bus carry, each beside the plainest way of doing it
//! with the same server's own tools in the same run: orders that are durable in
//! a second beside one transaction for each by `pgbench`, rows of the market's
//! past beside `COPY … (FORMAT BINARY)` and prepared statements, ticks beside
//! `redis-benchmark`.
//!
//! Prints figures and ratios; asserts nothing, since machines differ. Does not
//! know what takes the time.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on should say where")]
#![allow(clippy::print_stdout, reason = "figures are what it is for")]

#[path = "../http/peer.rs"]
mod peer;

mod history;
mod orders;
mod ticks;

use testbed::{Postgres, Redis};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // What is committed is on disk: fsync stays on.
    let postgres = Postgres::start(&[]).unwrap();
    let folder = tempfile::tempdir().unwrap();

    let one_by_one = runtime.block_on(peer::Peer::measured(&postgres));
    for (name, store) in
        [("PostgreSQL", Place::Postgres(&postgres)), ("SQLite", Place::Folder(folder.path()))]
    {
        let seen = runtime.block_on(async { orders::per_second(&store.open("orders").await).await });
        one_by_one.tell(&format!("batches of {}, {name}", orders::BATCH), seen, 5.0);
    }

    let copied = history::copied(&postgres);
    println!("COPY BINARY by psql: {copied:>9.0} rows/s");
    let seen = runtime.block_on(history::written(Place::Postgres(&postgres)));
    tell("the market's past, PostgreSQL", seen, "rows", copied, "0.5x");
    let prepared = runtime.block_on(history::prepared(folder.path()));
    println!("prepared statements of 64 rows, SQLite: {prepared:>9.0} rows/s");
    let seen = runtime.block_on(history::written(Place::Folder(folder.path())));
    tell("the market's past, SQLite", seen, "rows", prepared, "0.5x");

    ticks_beside_redis(&runtime);
}

/// In turn, and the middle: neither side is the same from second to second.
fn ticks_beside_redis(runtime: &tokio::runtime::Runtime) {
    const ROUNDS: usize = 5;
    let redis = Redis::start().unwrap();
    for wanted in [1, 50] {
        let steps = ticks::Steps::drawn(wanted);
        for (together, decoded, what) in [
            (1, false, "one by one"),
            (ticks::DUE, false, "all that are due"),
            (steps.waiting(), false, "all that wait"),
            (steps.waiting(), true, "all that wait, and decoded"),
        ] {
            let mut rounds: Vec<_> = (0..ROUNDS)
                .map(|_| {
                    let added = ticks::added_one_by_one(&redis, steps.bytes_per_tick());
                    let seen = runtime.block_on(ticks::carried(&redis, &steps, together, decoded));
                    (seen / added, seen, added)
                })
                .collect();
            rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
            let (_, seen, added) = rounds[ROUNDS / 2];
            tell(&format!("{:.1} ticks a step, {what}", steps.per_step()), seen, "ticks", added, "5x");
            let ratios: Vec<_> = rounds.iter().map(|(ratio, ..)| format!("{ratio:.2}x")).collect();
            println!("    beside {added:.0} by redis-benchmark -P 16, in all rounds {}", ratios.join(" "));
        }
    }
}

fn tell(what: &str, measured: f64, unit: &str, peer: f64, bar: &str) {
    println!("{what}: {measured:>9.0} {unit}/s, {:.2}x (bar {bar})", measured / peer);
}

/// Where a store is.
#[derive(Clone, Copy)]
enum Place<'a> {
    Postgres(&'a Postgres),
    Folder(&'a std::path::Path),
}

impl Place<'_> {
    /// A new store called `name`.
    async fn open(self, name: &str) -> server::store::Store {
        let mut config = server::config::Config::default();
        match self {
            Self::Postgres(postgres) => {
                let mut psql = postgres.client("psql").unwrap();
                assert!(
                    psql.args(["-q", "-c", &format!("CREATE DATABASE {name}")]).status().unwrap().success()
                );
                config.database_url = Some(postgres.url(name));
            }
            Self::Folder(folder) => config.data = folder.join(name),
        }
        server::store::Store::open(&config, server::store::Role::Owner).await.unwrap()
    }
}
