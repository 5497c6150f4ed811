//! What one transaction for every order reaches: four statements, as an order
//! needs, by PostgreSQL's own bench with one client.

use std::process::Command;

use services::Postgres;

const TABLES: &str = "
    CREATE TABLE peer_journal (seq BIGSERIAL PRIMARY KEY, input BYTEA NOT NULL, hash BYTEA NOT NULL);
    CREATE TABLE peer_orders (order_id UUID PRIMARY KEY, account BIGINT NOT NULL, seq BIGINT NOT NULL,
                              quantity BIGINT NOT NULL, filled BIGINT NOT NULL, status TEXT NOT NULL);
    CREATE TABLE peer_accounts (account BIGINT PRIMARY KEY, cash BIGINT NOT NULL);
    CREATE TABLE peer_ledger (seq BIGINT NOT NULL, account BIGINT NOT NULL, amount BIGINT NOT NULL);
    INSERT INTO peer_accounts SELECT n, 1000000000000 FROM generate_series(1, 64) AS n;
";

/// Orders a second.
pub(crate) fn orders_per_second(postgres: &Postgres) -> f64 {
    finished(postgres.client("psql").unwrap().args(["-q", "-v", "ON_ERROR_STOP=1", "-c", TABLES]));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/http/one_order.sql");
    let mut bench = postgres.client("pgbench").unwrap();
    let said = finished(bench.args(["-n", "-c", "1", "-j", "1", "-T", "8", "-M", "prepared", "-f", script]));
    let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")).unwrap();
    tps.split(' ').next().unwrap().parse().unwrap()
}

fn finished(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}
