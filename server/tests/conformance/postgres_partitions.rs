//! Partitions of the tick tables in PostgreSQL: a whole partition is dropped when no
//! instrument needs its rows.

use engine::id::InstrumentId;
use engine::money::Ticks;
use engine::venue::VenueConfig;
use server::store::history::{BookRecord, MarketBatch, TickRecord};
use server::store::{Role, Store};
use sqlx::{AssertSqlSafe, PgConnection};

use super::store::venue;
use crate::support::database::Database;

/// Steps per partition.
const PARTITION_STEPS: u64 = 100_000;

async fn write(store: &Store, symbol: &str, steps: &[u64]) {
    let row = venue();
    let instrument = InstrumentId::derive(row.id, symbol);
    let ticks = steps.iter().map(|step| TickRecord {
        instrument,
        step: *step,
        time: row.config.time_of(*step),
        bid: None,
        ask: None,
        mark: Ticks(1),
        dealer: None,
        metadata: "{}".to_owned(),
    });
    let books = steps.iter().map(|step| BookRecord {
        instrument,
        step: *step,
        time: row.config.time_of(*step),
        levels: "{}".to_owned(),
    });
    let batch = MarketBatch { ticks: ticks.collect(), books: books.collect(), ..MarketBatch::default() };
    store.write_market(row.id, &batch).await.unwrap();
}

/// Steps of ticks and of books with the numbers of their partitions; -1 is the
/// default partition.
async fn located_steps(connection: &mut PgConnection) -> [Vec<(i64, i64)>; 2] {
    let mut found = [Vec::new(), Vec::new()];
    for (table, found) in ["market_ticks", "order_books"].into_iter().zip(&mut found) {
        let sql = format!(
            "SELECT CASE WHEN name LIKE '%_rest' THEN -1 ELSE substring(name FROM '[0-9]+$')::bigint END, step
             FROM (SELECT tableoid::regclass::text AS name, step FROM history.{table}) AS rows ORDER BY step"
        );
        *found = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *connection).await.unwrap();
    }
    found
}

/// Numbers of the partitions of ticks.
async fn tick_partitions(connection: &mut PgConnection) -> Vec<i64> {
    let sql = "SELECT substring(inhrelid::regclass::text FROM '[0-9]+$')::bigint AS number FROM pg_inherits
               WHERE inhparent = 'history.market_ticks'::regclass AND inhrelid::regclass::text NOT LIKE '%_rest'
               ORDER BY number";
    sqlx::query_scalar(sql).fetch_all(connection).await.unwrap()
}

#[tokio::test]
async fn a_partition_is_dropped_when_every_instrument_retains_enough_rows_without_it() {
    let (database, row) = (Database::create().await, venue());
    let owner = database.open(Role::Owner).await;
    assert!(owner.create_venue(&row).await.unwrap());
    let store = database.open(Role::MarketData).await;
    // One instrument that always ticks, one that seldom does, and one that expired.
    write(
        &store,
        "ACME",
        &[5, PARTITION_STEPS + 5, 2 * PARTITION_STEPS + 5, 3 * PARTITION_STEPS + 5, 4 * PARTITION_STEPS + 5],
    )
    .await;
    write(&store, "SELDOM", &[6, PARTITION_STEPS + 6, 3 * PARTITION_STEPS + 6]).await;
    write(&store, "EXPIRED", &[7, PARTITION_STEPS + 7]).await;
    let mut connection = database.connect().await;
    // Every row is in its partition, and one partition is ahead.
    assert_eq!(tick_partitions(&mut connection).await, [0, 1, 2, 3, 4, 5]);
    for found in located_steps(&mut connection).await {
        assert_eq!(found.len(), 10);
        assert!(
            found.iter().all(|(number, step)| *number == step / PARTITION_STEPS.cast_signed()),
            "{found:?}"
        );
    }
    // Partitions go that no instrument needs for so many rows.
    let acme = InstrumentId::derive(VenueConfig::default().venue_id(), "ACME");
    for (rows, left) in
        [(3, &[0, 1, 2, 3, 4, 5][..]), (2, &[1, 2, 3, 4, 5]), (1, &[3, 4, 5]), (1, &[3, 4, 5])]
    {
        store.retain_market(row.id, acme, rows).await.unwrap();
        assert_eq!(tick_partitions(&mut connection).await, left, "{rows} rows");
    }
    for found in located_steps(&mut connection).await {
        assert_eq!(found.iter().map(|(_, step)| *step).collect::<Vec<_>>(), [300_005, 300_006, 400_005]);
    }
}

#[tokio::test]
async fn rows_written_before_their_partition_are_moved_into_it() {
    let (database, row) = (Database::create().await, venue());
    let owner = database.open(Role::Owner).await;
    assert!(owner.create_venue(&row).await.unwrap());
    let mut connection = database.connect().await;
    let early = format!(
        "INSERT INTO history.market_ticks (venue_id, instrument_id, step, timestamp, mid)
         VALUES ('{0}', '{0}', 700001, 1, 1), ('{0}', '{0}', 900001, 1, 1)",
        row.id
    );
    sqlx::query(AssertSqlSafe(early)).execute(&mut connection).await.unwrap();
    assert_eq!(located_steps(&mut connection).await[0], [(-1, 700_001), (-1, 900_001)]);
    write(&database.open(Role::MarketData).await, "ACME", &[700_002]).await;
    assert_eq!(located_steps(&mut connection).await[0], [(7, 700_001), (7, 700_002), (-1, 900_001)]);
}
