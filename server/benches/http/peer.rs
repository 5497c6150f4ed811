//! What one transaction for every order reaches: the same four statements that
//! the store makes of it, in the venue's own tables, by PostgreSQL's own bench
//! with one client. Beside it, the same in tables without a constraint.

use std::process::Command;

use server::config::Config;
use server::store::{Role, Store};
use testbed::Postgres;

/// The database of the peer.
const NAME: &str = "peer";

/// Somebody to trade with, and something.
const PARENTS: &str = "
    INSERT INTO venues VALUES (:'venue', 'peer', '{}', decode(repeat('00', 32), 'hex'),
        decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'), NULL, NULL, 0);
    INSERT INTO instruments VALUES (:'venue', :'venue', 'ACME', 'Acme', 'EQUITY', '0.01', '1', 10000, 'USD', NULL, NULL,
        '{}');
    INSERT INTO accounts SELECT :'venue'::uuid, md5(n::text)::uuid, NULL, 1000000000000000, 0, 'USD', FALSE, 1, 1, 0
        FROM generate_series(1, 64) AS n;
    CREATE SEQUENCE peer_seq;
    CREATE TABLE peer_journal (seq BIGSERIAL PRIMARY KEY, input BYTEA NOT NULL, hash BYTEA NOT NULL);
    CREATE TABLE peer_orders (order_id UUID PRIMARY KEY, account BIGINT NOT NULL, seq BIGINT NOT NULL,
                              quantity BIGINT NOT NULL, filled BIGINT NOT NULL, status TEXT NOT NULL);
    CREATE TABLE peer_accounts (account BIGINT PRIMARY KEY, cash BIGINT NOT NULL);
    CREATE TABLE peer_ledger (seq BIGINT NOT NULL, account BIGINT NOT NULL, amount BIGINT NOT NULL);
    INSERT INTO peer_accounts SELECT n, 1000000000000 FROM generate_series(1, 64) AS n;
";

/// The peer's venue, and the instrument in it.
const VENUE: &str = "venue=00000000-0000-0000-0000-000000000001";

/// Orders a second with one transaction for each.
#[derive(Clone, Copy)]
pub(crate) struct Peer {
    same: f64,
    bare: f64,
}

impl Peer {
    pub(crate) async fn measured(postgres: &Postgres) -> Self {
        finished(postgres.client("createdb").unwrap().arg(NAME));
        let config = Config { database_url: Some(postgres.url(NAME)), ..Config::defaults().unwrap() };
        Store::open(&config, Role::Owner).await.unwrap().close().await;
        let mut psql = postgres.client("psql").unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, PARENTS).unwrap();
        finished(psql.args(["-q", "-d", NAME, "-v", "ON_ERROR_STOP=1", "-v", VENUE, "-f"]).arg(file.path()));
        let of = |script: &str| {
            let script = format!("{}/benches/http/{script}", env!("CARGO_MANIFEST_DIR"));
            let mut bench = postgres.client("pgbench").unwrap();
            bench.args(["-n", "-c", "1", "-j", "1", "-T", "5", "-M", "prepared", "-D", VENUE, "-f", &script]);
            let said = finished(bench.arg(NAME));
            let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")).unwrap();
            tps.split(' ').next().unwrap().parse().unwrap()
        };
        let peer = Self { same: of("one_order.sql"), bare: of("bare_order.sql") };
        println!("pgbench -c 1, the same four statements: {:>8.0} orders/s", peer.same);
        println!("pgbench -c 1, tables without constraints: {:>6.0} orders/s", peer.bare);
        peer
    }

    /// Says what was measured beside it, and gives the ratio.
    pub(crate) fn tell(self, what: &str, orders: f64, bar: f64) -> f64 {
        let (same, bare) = (orders / self.same, orders / self.bare);
        println!("{what}: {orders:>8.0} orders/s, {same:.2}x (bar {bar}x), {bare:.2}x without constraints");
        same
    }
}

fn finished(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}
