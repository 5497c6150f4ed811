//! An account's orders by each filter, of an account with few orders and of one with
//! many.
//!
//! Orders are inserted by SQL; the measurement covers only the store's reads.

use engine::id::{AccountId, InstrumentId, VenueId};
use engine::order::OrderStatus;
use engine::time::VenueTime;
use server::store::Store;
use server::store::projections::OrderFilter;
use sqlx::{Connection as _, SqliteConnection};
use tokio::time::Instant;
use uuid::Uuid;

use super::Backend;

/// Orders of the two accounts.
pub(crate) const FEW: u32 = 200;
pub(crate) const MANY: u32 = 200_000;

const ROUNDS: usize = 101;

const VENUE: VenueId = VenueId(Uuid::from_u128(1));
const INSTRUMENT: InstrumentId = InstrumentId(Uuid::from_u128(4));

/// Account with as many orders as its number.
fn account(orders: u32) -> AccountId {
    AccountId(Uuid::from_u128(u128::from(orders)))
}

/// Statements that add the account `orders` with its orders; two in a hundred are open
/// or filled.
fn statements(is_sqlite: bool, orders: u32) -> Vec<String> {
    let id = |number: &str| match is_sqlite {
        true => format!("CAST(printf('%016d', {number}) AS BLOB)"),
        false => format!("lpad({number}::text, 32, '0')::uuid"),
    };
    let literal = |id: Uuid| match is_sqlite {
        true => format!("x'{}'", id.simple()),
        false => format!("'{id}'::uuid"),
    };
    let numbers = match is_sqlite {
        true => format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {orders})"
        ),
        false => format!("WITH numbers AS (SELECT n FROM generate_series(1, {orders}) AS n)"),
    };
    let bytes = if is_sqlite { "zeroblob(32)" } else { "decode(repeat('00', 32), 'hex')" };
    let (venue, instrument, account) = (literal(VENUE.0), literal(INSTRUMENT.0), literal(account(orders).0));
    let (order, seq) = (id(&format!("({orders}00 + n)")), format!("({orders} + n)"));
    let status = "CASE n % 100 WHEN 0 THEN 'OPEN' WHEN 50 THEN 'FILLED' ELSE 'CANCELLED' END";
    vec![
        format!(
            "INSERT INTO venues VALUES ({venue}, 'main', '{{}}', {bytes}, {bytes}, {bytes}, NULL, NULL, 0)
             ON CONFLICT DO NOTHING"
        ),
        format!(
            "INSERT INTO instruments VALUES ({venue}, {instrument}, 'ACME', 'x', 'EQUITY', '0.01', '1', 1, 'USD',
                                             NULL, NULL, '{{}}') ON CONFLICT DO NOTHING"
        ),
        format!("INSERT INTO accounts VALUES ({venue}, {account}, NULL, 0, 0, 'USD', FALSE, 1, 1, 0)"),
        format!(
            "{numbers} INSERT INTO orders
             SELECT {venue}, {order}, {account}, {instrument}, 'c-' || n, 'BUY', 'LIMIT', 10,
                    CASE n % 100 WHEN 50 THEN 10 ELSE 0 END, 9990, {status}, 'GTC', 0, 0, {seq}, {seq} * 1000, 0, NULL,
                    NULL, NULL
             FROM numbers"
        ),
    ]
}

/// Adds both accounts to the new store called `name`.
pub(crate) async fn fill(backend: Backend<'_>, name: &str) {
    for orders in [FEW, MANY] {
        match backend {
            Backend::Postgres(postgres) => {
                for statement in statements(false, orders) {
                    let mut psql = postgres.client("psql").unwrap();
                    psql.args(["-q", "-v", "ON_ERROR_STOP=1", "-d", name, "-c", &statement]);
                    assert!(psql.status().unwrap().success());
                }
            }
            Backend::Folder(folder) => {
                let address = format!("sqlite://{}", folder.join(name).join("tickhall.db").display());
                let mut connection = SqliteConnection::connect(&address).await.unwrap();
                for statement in statements(true, orders) {
                    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
                }
                connection.close().await.unwrap();
            }
        }
    }
}

/// Median microseconds of a page of at most ten orders by each filter: of the account
/// with few orders, and of the one with many.
pub(crate) async fn medians(store: &Store) -> Vec<(&'static str, f64, f64)> {
    let all = OrderFilter { limit: 10, ..OrderFilter::default() };
    let status = |status| OrderFilter { statuses: vec![status], ..all.clone() };
    let named = |name: &str| OrderFilter { client_order_id: Some(name.to_owned()), ..all.clone() };
    let filters = [
        ("all", all.clone()),
        ("status=OPEN", status(OrderStatus::Open)),
        ("status=FILLED", status(OrderStatus::Filled)),
        ("status=PARTIAL, none", status(OrderStatus::Partial)),
        ("client_order_id", named("c-7")),
        ("client_order_id, none", named("nope")),
        ("instrument_id", OrderFilter { instrument: Some(INSTRUMENT), ..all.clone() }),
        ("instrument_id, none", OrderFilter { instrument: Some(InstrumentId(Uuid::nil())), ..all.clone() }),
        ("to", OrderFilter { to: Some(VenueTime(i64::from(MANY) * 1_500)), ..all.clone() }),
        ("from, none", OrderFilter { from: Some(VenueTime(i64::MAX)), ..all.clone() }),
    ];
    let mut medians = Vec::new();
    for (name, filter) in filters {
        let mut of = [0.0; 2];
        for (median, orders) in of.iter_mut().zip([FEW, MANY]) {
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                let began = Instant::now();
                store.orders_of(VENUE, account(orders), &filter).await.unwrap();
                rounds.push(began.elapsed().as_secs_f64() * 1e6);
            }
            rounds.sort_by(f64::total_cmp);
            *median = rounds[ROUNDS / 2];
        }
        medians.push((name, of[0], of[1]));
    }
    medians
}
