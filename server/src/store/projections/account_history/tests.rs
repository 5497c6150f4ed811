#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::path::Path;

use sqlx::Row as _;

use super::*;
use crate::store::Role;

const VENUE: VenueId = VenueId(Uuid::from_u128(1));
const ACCOUNT: AccountId = AccountId(Uuid::from_u128(2));
const OTHER: AccountId = AccountId(Uuid::from_u128(3));
const COMMON: InstrumentId = InstrumentId(Uuid::from_u128(4));
const RARE: InstrumentId = InstrumentId(Uuid::from_u128(5));

/// Orders, of which the account has two of three.
const ORDERS_COUNT: i64 = 6_000;

/// A store of each backend, and the server of the second.
async fn stores(folder: &Path) -> (Vec<Store>, testbed::Postgres) {
    let server = testbed::Postgres::start(&["fsync=off"]).unwrap();
    let stores = vec![
        Store::open_sqlite(folder).await.unwrap(),
        Store::open_postgres(&server.url("postgres"), Role::Owner).await.unwrap(),
    ];
    for store in &stores {
        fill(store).await;
    }
    (stores, server)
}

/// Orders and fills in all states, several of them at the same time.
async fn fill(store: &Store) {
    // Ids are numbers in 16 bytes.
    let (id, generate) = match store {
        Store::Sqlite(_) => (
            "CAST(printf('%016d', {}) AS BLOB)",
            format!(
                "WITH RECURSIVE numbers (n) AS (
                     SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ORDERS_COUNT}
                 )"
            ),
        ),
        Store::Postgres(_) => (
            "lpad({}::text, 32, '0')::uuid",
            format!("WITH numbers AS (SELECT n FROM generate_series(1, {ORDERS_COUNT}) AS n)"),
        ),
    };
    let id = |number: &str| id.replace("{}", number);
    let order = id("(10000000 + n)");
    on_backend!(store, |backend| {
        let run = async |sql: String, ids: &[Uuid]| {
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for id in ids {
                query = query.bind(*id);
            }
            query.execute(&backend.main).await.unwrap();
        };
        let seed = "'0123456789abcdef0123456789abcdef'";
        let bytes = match store {
            Store::Sqlite(_) => format!("CAST({seed} AS BLOB)"),
            Store::Postgres(_) => format!("{seed}::bytea"),
        };
        let venue = format!(
            "INSERT INTO venues VALUES ($1, 'main', '{{}}', {bytes}, {bytes}, {bytes}, NULL, NULL, 0)"
        );
        run(venue, &[VENUE.0]).await;
        for (instrument, symbol) in [(COMMON, "ACME"), (RARE, "RARE")] {
            let sql = format!(
                "INSERT INTO instruments VALUES ($1, $2, '{symbol}', 'x', 'EQUITY', '0.01', '1', 1, 'USD', NULL,
                                                 NULL, '{{}}')"
            );
            run(sql, &[VENUE.0, instrument.0]).await;
        }
        for account in [ACCOUNT, OTHER] {
            let sql = "INSERT INTO accounts VALUES ($1, $2, NULL, 0, 0, 'USD', FALSE, 1, 1, 0)";
            run(sql.to_owned(), &[VENUE.0, account.0]).await;
        }
        let status = "CASE WHEN n % 97 = 0 THEN 'OPEN' WHEN n % 89 = 0 THEN 'PARTIAL'
                           WHEN n % 5 = 0 THEN 'FILLED' ELSE 'CANCELLED' END";
        let columns = format!(
            "$1, {order}, CASE WHEN n % 3 = 0 THEN $3 ELSE $2 END, CASE WHEN n % 211 = 0 THEN $5 ELSE $4 END"
        );
        let sql = format!(
            "{generate}
             INSERT INTO orders SELECT {columns}, 'c-' || n, 'BUY', 'LIMIT', 10,
                 CASE {status} WHEN 'FILLED' THEN 10 WHEN 'PARTIAL' THEN 4 ELSE 0 END, 9990, {status}, 'GTC', 0, 0,
                 2 * n, n / 7 * 1000, 0, NULL, NULL, CASE {status} WHEN 'CANCELLED' THEN 'REQUESTED' END
             FROM numbers"
        );
        let ids = [VENUE.0, ACCOUNT.0, OTHER.0, COMMON.0, RARE.0];
        run(sql, &ids).await;
        let columns = columns.replacen("$1, ", &format!("$1, {order}, "), 1);
        let sql = format!(
            "{generate}
             INSERT INTO trades SELECT {columns}, 'BUY', 4, 9990, 0, 0, FALSE, FALSE, 2 * n, n, n / 7 * 1000
             FROM numbers"
        );
        run(sql, &ids).await;
        // SQLite plans without statistics, as in a venue's files.
        if matches!(store, Store::Postgres(_)) {
            run("ANALYZE".to_owned(), &[]).await;
        }
    });
}

/// Every combination of the filters, with the whole page.
fn filters() -> Vec<OrderFilter> {
    let mut filters = Vec::new();
    let live = vec![OrderStatus::Open, OrderStatus::Partial];
    let times = [None, Some(VenueTime(300_000)), Some(VenueTime(500_500)), Some(VenueTime(i64::MAX))];
    for statuses in [vec![], live, vec![OrderStatus::Partial], vec![OrderStatus::Filled]] {
        for client_order_id in [None, Some("c-970"), Some("c-3"), Some("nope")] {
            for instrument in [None, Some(RARE), Some(InstrumentId(Uuid::from_u128(99)))] {
                for (from, to) in times.iter().flat_map(|from| times.map(|to| (*from, to))) {
                    for before in [None, Some(Seq(4_001))] {
                        filters.push(OrderFilter {
                            statuses: statuses.clone(),
                            client_order_id: client_order_id.map(str::to_owned),
                            instrument,
                            from,
                            to,
                            before,
                            limit: 25,
                        });
                    }
                }
            }
        }
    }
    filters
}

#[tokio::test]
async fn every_combination_of_filters_finds_the_same_orders_and_fills_as_a_walk_over_all() {
    let folder = tempfile::tempdir().unwrap();
    let (stores, _server) = stores(folder.path()).await;
    for store in &stores {
        let whole = OrderFilter { limit: 1_000_000, ..OrderFilter::default() };
        let all = store.orders_of(VENUE, ACCOUNT, &whole).await.unwrap();
        assert_eq!(all.len(), 4_000);
        assert!(all.windows(2).all(|pair| pair[0].0 > pair[1].0), "newest first");
        let fills = FillFilter { limit: 1_000_000, ..FillFilter::default() };
        let all_fills = store.fills_of(VENUE, ACCOUNT, &fills).await.unwrap();
        assert_eq!(all_fills.len(), 4_000);
        for filter in filters() {
            let is_wanted = |(seq, OrderRecord { order, .. }): &&(Seq, OrderRecord)| {
                (filter.statuses.is_empty() || filter.statuses.contains(&order.status))
                    && filter.client_order_id.as_deref().is_none_or(|id| order.client_order_id.as_str() == id)
                    && filter.instrument.is_none_or(|id| order.instrument == id)
                    && filter.from.is_none_or(|from| order.created_at >= from)
                    && filter.to.is_none_or(|to| order.created_at < to)
                    && filter.before.is_none_or(|before| *seq < before)
            };
            let wanted: Vec<_> = all.iter().filter(is_wanted).take(25).cloned().collect();
            let found = store.orders_of(VENUE, ACCOUNT, &filter).await.unwrap();
            assert_eq!(found, wanted, "{filter:?}");

            let OrderFilter { instrument, from, to, before, limit, .. } = filter;
            let filter = FillFilter { instrument, from, to, before: before.map(|seq| seq.0), limit };
            let is_wanted = |(number, fill): &&(u64, Fill)| {
                instrument.is_none_or(|id| fill.instrument == id)
                    && from.is_none_or(|from| fill.time >= from)
                    && to.is_none_or(|to| fill.time < to)
                    && filter.before.is_none_or(|before| *number < before)
            };
            let wanted: Vec<_> = all_fills.iter().filter(is_wanted).take(25).cloned().collect();
            assert_eq!(store.fills_of(VENUE, ACCOUNT, &filter).await.unwrap(), wanted, "{filter:?}");
        }
        let mut live = store.live_orders(VENUE).await.unwrap();
        live.sort();
        live.dedup();
        // 6,000 / 97 + 6,000 / 89 − 6,000 / (97 × 89)
        assert_eq!(live.len(), 61 + 67);
    }
}

/// The plan of a statement with these parameters, in one line.
async fn plan(store: &Store, sql: &str, ids: &[Uuid], numbers: &[i64], last: Option<Last>) -> String {
    let (explain, column) = match store {
        Store::Sqlite(_) => ("EXPLAIN QUERY PLAN", 3),
        Store::Postgres(_) => ("EXPLAIN", 0),
    };
    let lines: Vec<String> = on_backend!(store, |backend| {
        let mut query = sqlx::query(AssertSqlSafe(format!("{explain} {sql}")));
        for id in ids {
            query = query.bind(*id);
        }
        for number in numbers {
            query = query.bind(*number);
        }
        query = match last {
            Some(Last::Id(id)) => query.bind(id),
            Some(Last::Text(text)) => query.bind(text),
            None => query,
        };
        let rows = query.fetch_all(&backend.main_readers).await.unwrap();
        rows.iter().map(|row| row.get(column)).collect()
    });
    lines.join("; ")
}

/// The last parameter.
#[derive(Clone, Copy)]
enum Last {
    Id(Uuid),
    Text(&'static str),
}

#[tokio::test]
async fn every_filter_has_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let (stores, _server) = stores(folder.path()).await;
    for store in &stores {
        let is_sqlite = matches!(store, Store::Sqlite(_));
        let unique = |number: u8, name: &'static str| match is_sqlite {
            true => format!("sqlite_autoindex_orders_{number}"),
            false => name.to_owned(),
        };
        let all = OrderFilter::default();
        let live = vec![OrderStatus::Open, OrderStatus::Partial];
        let (by_status, by_instrument) = ("orders_by_status".to_owned(), "orders_by_instrument".to_owned());
        let by_id = unique(2, "orders_account_id_client_order_id_venue_id_key");
        let rare = Some(Last::Id(RARE.0));
        let client_order_id = Some("nope".to_owned());
        for (filter, last, index) in [
            (all.clone(), None, &by_status),
            (OrderFilter { statuses: live.clone(), ..all.clone() }, None, &by_status),
            (OrderFilter { statuses: vec![OrderStatus::Filled], ..all.clone() }, None, &by_status),
            (OrderFilter { instrument: Some(RARE), ..all.clone() }, rare, &by_instrument),
            (OrderFilter { statuses: live, instrument: Some(RARE), ..all.clone() }, rare, &by_instrument),
            (OrderFilter { client_order_id, ..all.clone() }, Some(Last::Text("nope")), &by_id),
        ] {
            let (ids, numbers) = ([VENUE.0, ACCOUNT.0], [-i64::MAX, 0, 100]);
            let found = plan(store, &orders_sql(&filter), &ids, &numbers, last).await;
            assert!(found.contains(index.as_str()), "{filter:?}: {found}");
            for walk in ["SCAN orders", "Seq Scan", &unique(3, "orders_seq_venue_id_key")] {
                assert!(!found.contains(walk), "{filter:?}: {found}");
            }
        }
        let found = plan(store, &ORDERS.time_from_sql("$2"), &[VENUE.0], &[5_000], None).await;
        assert!(found.contains(&unique(3, "orders_seq_venue_id_key")), "{found}");

        let by_number = match is_sqlite {
            true => "sqlite_autoindex_trades_2",
            false => "trades_venue_id_account_id_account_seq_key",
        };
        let all = FillFilter::default();
        for (filter, last, index, numbers) in [
            (all.clone(), None, by_number, [0, i64::MAX, 100]),
            (FillFilter { instrument: Some(RARE), ..all }, rare, "trades_by_instrument", [-i64::MAX, 0, 100]),
        ] {
            let ids = [VENUE.0, ACCOUNT.0];
            let found = plan(store, &fills_sql(&filter), &ids, &numbers, last).await;
            assert!(found.contains(index) && !found.contains("TEMP B-TREE"), "{filter:?}: {found}");
        }
        let found = plan(store, LIVE_ORDERS, &[VENUE.0], &[], None).await;
        assert!(found.contains("orders_by_status") || !is_sqlite, "{found}");
        let key = [VENUE.0, ACCOUNT.0];
        let found = plan(store, &TRADES.time_from_sql("$3"), &key, &[3_000], None).await;
        assert!(found.contains(by_number), "{found}");
    }
}
