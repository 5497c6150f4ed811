//! Rows of `market_ticks`, written by the store and by other means.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;

use engine::id::{InstrumentId, VenueId};
use engine::money::Ticks;
use engine::time::VenueTime;
use server::store::history::{MarketBatch, TickRecord};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use testbed::Postgres;
use tokio::time::Instant;
use uuid::Uuid;

use super::Backend;

const ROWS: usize = 240_000;
/// Rows per batch: ten seconds of a dozen instruments.
const BATCH_ROWS: usize = 2_400;
const INSTRUMENTS: usize = 12;

const METADATA: &str = r#"{"spread":"0.02","yield":"0.0431"}"#;

/// Values of row `row`: instrument, step, time, mid.
fn row(row: usize) -> (InstrumentId, u64, i64, i64) {
    let step = (row / INSTRUMENTS) as u64 + 1;
    let instrument = InstrumentId(Uuid::from_u128(0xABCD << 64 | (row % INSTRUMENTS) as u128));
    (instrument, step, step.cast_signed() * 50_000, 10_000 + (row % 97) as i64)
}

/// Rows per second by the store.
pub(crate) async fn written(backend: Backend<'_>) -> f64 {
    let (store, venue) = (backend.open("history").await, VenueId::from_name("bench"));
    let batches: Vec<_> = (0..ROWS / BATCH_ROWS)
        .map(|batch| MarketBatch {
            ticks: (batch * BATCH_ROWS..(batch + 1) * BATCH_ROWS)
                .map(|number| {
                    let (instrument, step, time, mid) = row(number);
                    TickRecord {
                        instrument,
                        step,
                        time: VenueTime(time),
                        bid: Some(Ticks(mid - 1)),
                        ask: Some(Ticks(mid + 1)),
                        mark: Ticks(mid),
                        dealer: None,
                        metadata: METADATA.to_owned(),
                    }
                })
                .collect(),
            ..MarketBatch::default()
        })
        .collect();
    let began = Instant::now();
    for batch in &batches {
        store.write_market(venue, batch).await.unwrap();
    }
    ROWS as f64 / began.elapsed().as_secs_f64()
}

/// Rows per second by `psql` from prepared files, one transaction per batch.
pub(crate) fn copied(postgres: &Postgres) -> f64 {
    let psql = |script: &str| {
        let mut psql = postgres.client("psql").unwrap();
        let done = psql.args(["-q", "-v", "ON_ERROR_STOP=1", "-c", script]).stdout(Stdio::null()).status();
        assert!(done.unwrap().success());
    };
    let folder = tempfile::tempdir().unwrap();
    psql(
        "CREATE TABLE history (venue_id UUID NOT NULL, instrument_id UUID NOT NULL, step BIGINT NOT NULL,
             timestamp BIGINT NOT NULL, bid BIGINT, ask BIGINT, mid BIGINT NOT NULL, dealer_id TEXT,
             metadata TEXT NOT NULL, PRIMARY KEY (venue_id, instrument_id, step))",
    );
    let (mut copies, files) = (String::from("SET synchronous_commit = off;\n"), ROWS / BATCH_ROWS);
    for file in 0..files {
        let path = folder.path().join(file.to_string());
        let (from, to) = (file * BATCH_ROWS, (file + 1) * BATCH_ROWS - 1);
        psql(&format!(
            "\\copy (SELECT '{}'::uuid, ('00000000-0000-abcd-0000-' || lpad(to_hex(n % {INSTRUMENTS}), 12, '0'))::uuid,
                 n / {INSTRUMENTS} + 1::bigint, n::bigint * 50000, n::bigint, n::bigint, n::bigint, NULL::text,
                 '{METADATA}'::text FROM generate_series({from}, {to}) AS n) TO '{}' (FORMAT BINARY)",
            VenueId::from_name("bench").0,
            path.display()
        )
        .replace('\n', " "));
        writeln!(copies, "\\copy history FROM '{}' (FORMAT BINARY)", path.display()).unwrap();
    }
    let script = folder.path().join("script.sql");
    std::fs::write(&script, copies).unwrap();
    let began = Instant::now();
    let mut psql = postgres.client("psql").unwrap();
    assert!(psql.args(["-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(&script).status().unwrap().success());
    ROWS as f64 / began.elapsed().as_secs_f64()
}

/// Rows per second by prepared statements of 64 rows, one transaction per batch.
pub(crate) async fn prepared(folder: &Path) -> f64 {
    let address = format!("sqlite://{}?mode=rwc", folder.join("peer.db").display());
    let mut connection = SqliteConnection::connect(&address).await.unwrap();
    for statement in [
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = NORMAL",
        "CREATE TABLE history (venue_id BLOB NOT NULL, instrument_id BLOB NOT NULL, step BIGINT NOT NULL,
             timestamp BIGINT NOT NULL, bid BIGINT, ask BIGINT, mid BIGINT NOT NULL, dealer_id TEXT,
             metadata TEXT NOT NULL, PRIMARY KEY (venue_id, instrument_id, step)) WITHOUT ROWID",
    ] {
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    }
    let sql =
        |rows: usize| format!("INSERT INTO history VALUES {}", vec!["(?,?,?,?,?,?,?,?,?)"; rows].join(","));
    let began = Instant::now();
    for batch in 0..ROWS / BATCH_ROWS {
        let mut transaction = connection.begin().await.unwrap();
        let (mut at, end) = (batch * BATCH_ROWS, (batch + 1) * BATCH_ROWS);
        while at < end {
            let size = 64.min(end - at);
            let mut query = sqlx::query(AssertSqlSafe(sql(size)));
            for number in at..at + size {
                let (instrument, step, time, mid) = row(number);
                query = query.bind(VenueId::from_name("bench").0).bind(instrument.0).bind(step.cast_signed());
                query = query.bind(time).bind(mid - 1).bind(mid + 1).bind(mid).bind(None::<String>);
                query = query.bind(METADATA);
            }
            query.execute(&mut *transaction).await.unwrap();
            at += size;
        }
        transaction.commit().await.unwrap();
    }
    ROWS as f64 / began.elapsed().as_secs_f64()
}
