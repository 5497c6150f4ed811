//! The market's past in PostgreSQL lies in partitions, which go as a whole when
//! no instrument needs their rows.

use engine::id::InstrumentId;
use engine::money::Ticks;
use engine::venue::VenueConfig;
use server::store::api::history::{BookRecord, MarketBatch, TickRecord};
use server::store::{Role, Store};
use sqlx::{AssertSqlSafe, PgConnection};

use super::store::venue;
use crate::support::database::Database;

/// Steps of a partition.
const STEPS: u64 = 100_000;

async fn write(store: &Store, symbol: &str, steps: &[u64]) {
    let row = venue();
    let instrument = InstrumentId::derive(row.id, symbol);
    let ticks = steps.iter().map(|step| TickRecord {
        instrument,
        step: *step,
        time: row.config.time_of(*step),
        bid: None,
        ask: None,
        mid: Ticks(1),
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

/// Steps by the number of the partition that holds them, of ticks and of books;
/// -1 is the one for what has no other.
async fn lies(connection: &mut PgConnection) -> [Vec<(i64, i64)>; 2] {
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

/// Numbers of the partitions of ticks that there are.
async fn partitions(connection: &mut PgConnection) -> Vec<i64> {
    let sql = "SELECT substring(inhrelid::regclass::text FROM '[0-9]+$')::bigint AS number FROM pg_inherits
               WHERE inhparent = 'history.market_ticks'::regclass AND inhrelid::regclass::text NOT LIKE '%_rest'
               ORDER BY number";
    sqlx::query_scalar(sql).fetch_all(connection).await.unwrap()
}

#[tokio::test]
async fn partitions_go_when_every_instrument_keeps_enough_without_them() {
    let (database, row) = (Database::create().await, venue());
    let owner = database.open(Role::Owner).await;
    assert!(owner.create_venue(&row).await.unwrap());
    let store = database.open(Role::MarketData).await;
    // One that always ticks, one that does so seldom, and one that has expired.
    write(&store, "ACME", &[5, STEPS + 5, 2 * STEPS + 5, 3 * STEPS + 5, 4 * STEPS + 5]).await;
    write(&store, "SELDOM", &[6, STEPS + 6, 3 * STEPS + 6]).await;
    write(&store, "EXPIRED", &[7, STEPS + 7]).await;
    let mut connection = database.connect().await;
    // Every row where it belongs, and one partition ahead.
    assert_eq!(partitions(&mut connection).await, [0, 1, 2, 3, 4, 5]);
    for found in lies(&mut connection).await {
        assert_eq!(found.len(), 10);
        assert!(found.iter().all(|(number, step)| *number == step / STEPS.cast_signed()), "{found:?}");
    }
    // What goes is what nobody needs to keep so many rows.
    let acme = InstrumentId::derive(VenueConfig::default().venue_id(), "ACME");
    for (rows, left) in
        [(3, &[0, 1, 2, 3, 4, 5][..]), (2, &[1, 2, 3, 4, 5]), (1, &[3, 4, 5]), (1, &[3, 4, 5])]
    {
        store.retain_market(row.id, acme, rows).await.unwrap();
        assert_eq!(partitions(&mut connection).await, left, "{rows} rows");
    }
    for found in lies(&mut connection).await {
        assert_eq!(found.iter().map(|(_, step)| *step).collect::<Vec<_>>(), [300_005, 300_006, 400_005]);
    }
}

#[tokio::test]
async fn rows_that_came_before_their_partition_are_moved_into_it() {
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
    assert_eq!(lies(&mut connection).await[0], [(-1, 700_001), (-1, 900_001)]);
    write(&database.open(Role::MarketData).await, "ACME", &[700_002]).await;
    assert_eq!(lies(&mut connection).await[0], [(7, 700_001), (7, 700_002), (-1, 900_001)]);
}
