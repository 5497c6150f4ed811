//! Constraints of the money tables: each is violated alone, by direct SQL.

use sqlx::error::ErrorKind;

use super::store::{batches, venue};
use crate::support::database::TestDatabase;

/// Stores with a venue, an account, an order, a trade, a position and a posting.
async fn databases() -> Vec<TestDatabase> {
    let databases = TestDatabase::each_kind().await;
    for database in &databases {
        let (store, row) = (database.open().await, venue());
        assert!(store.create_venue(&row).await.unwrap());
        let epoch = store.take_epoch(row.id, uuid::Uuid::new_v4()).await.unwrap();
        let (first, second) = batches(&row, epoch);
        store.commit(&first).await.unwrap();
        store.commit(&second).await.unwrap();
        store.close().await;
        for table in [ORDER, TRADE, POSITION, POSTING] {
            assert_eq!(database.error_kind(&row_of(table, &[])).await, None, "{}", table.0);
        }
    }
    databases
}

/// A table, and its columns with valid values. `a` is the account, `i` an
/// instrument.
type Table = (&'static str, &'static [(&'static str, &'static str)]);

const ORDER: Table = (
    "orders",
    &[
        ("venue_id", "a.venue_id"),
        ("order_id", "a.account_id"),
        ("account_id", "a.account_id"),
        ("instrument_id", "i.instrument_id"),
        ("client_order_id", "'one'"),
        ("side", "'BUY'"),
        ("type", "'LIMIT'"),
        ("qty", "10"),
        ("filled_qty", "5"),
        ("limit_price", "7"),
        ("status", "'PARTIAL'"),
        ("time_in_force", "'GTC'"),
        ("notional", "35"),
        ("fee", "0"),
        ("seq", "3"),
        ("created_at", "1"),
        ("updated_at", "1"),
    ],
);

const TRADE: Table = (
    "trades",
    &[
        ("venue_id", "a.venue_id"),
        ("trade_id", "i.instrument_id"),
        ("order_id", "a.account_id"),
        ("account_id", "a.account_id"),
        ("instrument_id", "i.instrument_id"),
        ("side", "'BUY'"),
        ("qty_filled", "5"),
        ("price", "7"),
        ("notional", "35"),
        ("fee", "0"),
        ("maker", "FALSE"),
        ("against_house", "TRUE"),
        ("seq", "3"),
        ("account_seq", "2"),
        ("timestamp", "1"),
    ],
);

const POSITION: Table = (
    "positions",
    &[
        ("venue_id", "a.venue_id"),
        ("account_id", "a.account_id"),
        ("instrument_id", "i.instrument_id"),
        ("qty", "5"),
        ("avg_cost", "7"),
        ("trade_cash", "-35"),
        ("fees", "0"),
        ("basis", "35"),
        ("seq", "3"),
    ],
);

const POSTING: Table = (
    "ledger",
    &[
        ("venue_id", "a.venue_id"),
        ("seq", "2"),
        ("posting", "900"),
        ("party", "'ACCOUNT'"),
        ("account_id", "a.account_id"),
        ("instrument_id", "NULL"),
        ("amount", "1"),
    ],
);

/// Statement that inserts a valid row with some columns changed.
fn row_of((table, columns): Table, change: &[(&str, &str)]) -> String {
    let changed = |name: &str| change.iter().find(|(changed, _)| *changed == name);
    assert!(change.iter().all(|(name, _)| columns.iter().any(|(column, _)| column == name)), "{change:?}");
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    let values: Vec<_> =
        columns.iter().map(|(name, value)| changed(name).map_or(*value, |(_, value)| *value)).collect();
    format!(
        "INSERT INTO {table} ({}) SELECT {} FROM accounts a
         CROSS JOIN (SELECT instrument_id FROM instruments ORDER BY symbol LIMIT 1) i",
        names.join(", "),
        values.join(", ")
    )
}

/// Changes of the keys, which avoid a conflict with the stored row.
const OTHER_ORDER: [(&str, &str); 3] =
    [("order_id", "i.instrument_id"), ("client_order_id", "'two'"), ("seq", "4")];

async fn assert_refused(database: &TestDatabase, statement: &str, kind: ErrorKind) {
    let found = database.error_kind(statement).await;
    assert_eq!(found.as_ref().map(|found| format!("{found:?}")), Some(format!("{kind:?}")), "{statement}");
}

#[tokio::test]
async fn orders_have_consistent_fills_statuses_and_types() {
    for database in databases().await {
        for change in [
            &[("qty", "0"), ("filled_qty", "0"), ("status", "'FILLED'")][..],
            &[("filled_qty", "11")],
            &[("filled_qty", "-1")],
            &[("filled_qty", "10")],
            &[("status", "'FILLED'")],
            &[("status", "'OPEN'")],
            &[("status", "'LOST'")],
            &[("side", "'HOLD'")],
            &[("type", "'MARKET'")],
            &[("limit_price", "NULL")],
            &[("type", "'RUMOUR'")],
            &[("time_in_force", "'NEVER'")],
            &[("notional", "-1")],
            &[("fee", "-1")],
        ] {
            let all = [&OTHER_ORDER[..], change].concat();
            assert_refused(&database, &row_of(ORDER, &all), ErrorKind::CheckViolation).await;
        }
        assert_eq!(database.error_kind(&row_of(ORDER, &OTHER_ORDER)).await, None);
    }
}

#[tokio::test]
async fn no_order_trade_position_or_posting_is_stored_twice() {
    for database in databases().await {
        // One key equals the stored order's.
        for same in ["order_id", "client_order_id", "seq"] {
            let others: Vec<_> = OTHER_ORDER.into_iter().filter(|(name, _)| *name != same).collect();
            assert_refused(&database, &row_of(ORDER, &others), ErrorKind::UniqueViolation).await;
        }
        for change in [("account_seq", "3"), ("trade_id", "a.account_id")] {
            assert_refused(&database, &row_of(TRADE, &[change]), ErrorKind::UniqueViolation).await;
        }
        for table in [POSITION, POSTING] {
            assert_refused(&database, &row_of(table, &[]), ErrorKind::UniqueViolation).await;
        }
        // One account per user, one instrument per symbol, one entry per number.
        assert_eq!(database.error_kind("UPDATE accounts SET user_id = account_id").await, None);
        for statement in [
            "INSERT INTO accounts (venue_id, account_id, user_id, cash_balance, reserved, base_currency,
                                   margin_allowed, account_seq, seq, opened_at)
             SELECT a.venue_id, i.instrument_id, a.user_id, 0, 0, 'USD', FALSE, 1, 2, 1 FROM accounts a
             CROSS JOIN (SELECT instrument_id FROM instruments LIMIT 1) i",
            "UPDATE instruments SET symbol = 'ACME'",
            "UPDATE journal SET seq = 1, first_seq = 1 WHERE seq = 2",
        ] {
            assert_refused(&database, statement, ErrorKind::UniqueViolation).await;
        }
    }
}

#[tokio::test]
async fn trades_postings_accounts_positions_and_entries_are_consistent() {
    for database in databases().await {
        for change in [("qty_filled", "0"), ("notional", "-1"), ("side", "'HOLD'")] {
            let all = [("trade_id", "a.account_id"), ("account_seq", "3"), change];
            assert_refused(&database, &row_of(TRADE, &all), ErrorKind::CheckViolation).await;
        }
        for change in [
            &[("party", "'BANK'"), ("account_id", "NULL")][..],
            &[("account_id", "NULL")],
            &[("party", "'HOUSE'")],
        ] {
            let all = [&[("posting", "901")][..], change].concat();
            assert_refused(&database, &row_of(POSTING, &all), ErrorKind::CheckViolation).await;
        }
        for statement in [
            // Cash and reservation are not negative.
            "UPDATE accounts SET cash_balance = -1, reserved = 0",
            "UPDATE accounts SET reserved = -1",
            "UPDATE accounts SET account_seq = 0",
            // A flat position has no cost.
            "UPDATE positions SET qty = 0",
            "UPDATE instruments SET tick_value = 0",
            "UPDATE instruments SET type = 'COIN'",
            "UPDATE journal SET kind = 'rumour' WHERE seq = 2",
            "UPDATE journal SET kind = 'range', touched = TRUE WHERE seq = 2",
            "UPDATE journal SET first_seq = 1 WHERE seq = 2",
            "UPDATE journal SET payload = hash WHERE seq = 2",
            "UPDATE journal SET hash = input WHERE seq = 1",
        ] {
            assert_refused(&database, statement, ErrorKind::CheckViolation).await;
        }
    }
}
