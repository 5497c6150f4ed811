//! Throughput of the store and the bus, each beside the simplest way of doing the
//! same with the server's own tools in the same run: durable orders beside one
//! transaction per order by `pgbench`, history rows beside `COPY … (FORMAT BINARY)`
//! and prepared statements, ticks beside `redis-benchmark`. Pages of orders of an
//! account with many stand beside those of one with few.
//!
//! Prints figures and ratios; asserts nothing, because machines differ. Does not
//! know what takes the time.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on should say where")]
#![allow(clippy::print_stdout, reason = "the figures are the result")]

#[path = "../http/peer.rs"]
mod peer;

mod history;
mod orders;
mod reads;
mod ticks;

use testbed::{Postgres, Redis};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // fsync stays on, so commits are durable.
    let postgres = Postgres::start(&[]).unwrap();
    let folder = tempfile::tempdir().unwrap();

    let one_by_one = runtime.block_on(peer::Peer::measured(&postgres));
    for (name, store) in
        [("PostgreSQL", Backend::Postgres(&postgres)), ("SQLite", Backend::Folder(folder.path()))]
    {
        let seen = runtime.block_on(async { orders::per_second(&store.open("orders").await).await });
        one_by_one.tell(&format!("batches of {}, {name}", orders::BATCH_ORDERS), seen, 5.0);
    }

    let copied = history::copied(&postgres);
    println!("COPY BINARY by psql: {copied:>9.0} rows/s");
    let seen = runtime.block_on(history::written(Backend::Postgres(&postgres)));
    tell("market history, PostgreSQL", seen, "rows", copied, "0.5x");
    let prepared = runtime.block_on(history::prepared(folder.path()));
    println!("prepared statements of 64 rows, SQLite: {prepared:>9.0} rows/s");
    let seen = runtime.block_on(history::written(Backend::Folder(folder.path())));
    tell("market history, SQLite", seen, "rows", prepared, "0.5x");

    for (name, backend) in
        [("PostgreSQL", Backend::Postgres(&postgres)), ("SQLite", Backend::Folder(folder.path()))]
    {
        runtime.block_on(pages_of_orders(name, backend));
    }

    ticks_beside_redis(&runtime);
}

/// Prints what a page costs an account with few orders, and one with many.
async fn pages_of_orders(name: &str, backend: Backend<'_>) {
    let store = backend.open("reads").await;
    reads::fill(backend, "reads").await;
    let (few, many) = (reads::FEW, reads::MANY);
    for (filter, of_few, of_many) in reads::medians(&store).await {
        let ratio = of_many / of_few;
        println!(
            "orders, {name}, {filter}: {of_few:>6.0} µs of {few}, {of_many:>6.0} µs of {many}, {ratio:.2}x (bar 2x)"
        );
    }
}

/// Alternates both sides and prints the median, because both vary over time.
fn ticks_beside_redis(runtime: &tokio::runtime::Runtime) {
    const ROUNDS: usize = 5;
    let redis = Redis::start().unwrap();
    for min_ticks in [1, 50] {
        let steps = ticks::Steps::simulate(min_ticks);
        for (together, decoded, what) in [
            (1, false, "one by one"),
            (ticks::DUE_STEPS, false, "all that are due"),
            (steps.backlog(), false, "all that wait"),
            (steps.backlog(), true, "all that wait, and decoded"),
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
            tell(&format!("{:.1} ticks a step, {what}", steps.ticks_per_step()), seen, "ticks", added, "5x");
            let ratios: Vec<_> = rounds.iter().map(|(ratio, ..)| format!("{ratio:.2}x")).collect();
            println!("    beside {added:.0} by redis-benchmark -P 16, in all rounds {}", ratios.join(" "));
        }
    }
}

fn tell(what: &str, measured: f64, unit: &str, peer: f64, bar: &str) {
    println!("{what}: {measured:>9.0} {unit}/s, {:.2}x (bar {bar})", measured / peer);
}

/// Backend of a store.
#[derive(Clone, Copy)]
enum Backend<'a> {
    Postgres(&'a Postgres),
    Folder(&'a std::path::Path),
}

impl Backend<'_> {
    /// Opens a new store called `name`.
    async fn open(self, name: &str) -> server::store::Store {
        let mut config = server::config::Config::defaults().unwrap();
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
