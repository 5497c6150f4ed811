//! Rights of the roles in PostgreSQL.

use engine::venue::VenueConfig;
use server::config::Config;
use server::store::journal::VenueRow;
use server::store::{Role, Store};
use sqlx::{AssertSqlSafe, PgConnection};

use super::store::{batches, venue};
use crate::support::database::Database;

/// Tables of money and of its sources, with a column each.
const MONEY: [(&str, &str); 10] = [
    ("epochs", "epoch"),
    ("journal", "hash"),
    ("state_snapshots", "state"),
    ("consumer_cursors", "position"),
    ("instruments", "tick_value"),
    ("accounts", "cash_balance"),
    ("orders", "filled_qty"),
    ("trades", "qty_filled"),
    ("positions", "qty"),
    ("ledger", "amount"),
];

const OTHER_ROLES: [&str; 4] =
    ["tickhall_market_data", "tickhall_portfolio", "tickhall_auth", "tickhall_gateway"];

/// SQLSTATE of the error of a statement that `role` runs; `None` if it succeeds.
async fn refusal(connection: &mut PgConnection, role: &str, sql: &str) -> Option<String> {
    sqlx::query(AssertSqlSafe(format!("SET ROLE {role}"))).execute(&mut *connection).await.unwrap();
    let done = sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await;
    sqlx::query("RESET ROLE").execute(connection).await.unwrap();
    match done {
        Ok(_) => None,
        Err(sqlx::Error::Database(error)) => error.code().map(|code| code.into_owned()),
        Err(error) => panic!("{error}"),
    }
}

/// A database with a venue and an open account.
async fn with_an_account() -> (Database, VenueRow) {
    let (database, row) = (Database::create().await, venue());
    let store = database.open(Role::Owner).await;
    store.create_venue(&row).await.unwrap();
    let epoch = store.take_epoch(row.id, uuid::Uuid::new_v4()).await.unwrap();
    let (first, second) = batches(&row, epoch);
    store.commit(&first).await.unwrap();
    store.commit(&second).await.unwrap();
    (database, row)
}

/// SQLSTATE of a missing right.
const DENIED: &str = "42501";

#[tokio::test]
async fn only_trading_writes_money() {
    let database = Database::create().await;
    database.open(Role::Owner).await.close().await;
    let mut connection = database.connect().await;
    for (table, column) in MONEY {
        let writes = [
            format!("INSERT INTO {table} DEFAULT VALUES"),
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
            format!("DROP TABLE {table} CASCADE"),
        ];
        for role in OTHER_ROLES {
            for sql in &writes {
                let refused = refusal(&mut connection, role, sql).await;
                assert_eq!(refused.as_deref(), Some(DENIED), "{role}: {sql}");
            }
        }
        // Allowed: the empty row violates NOT NULL, and there is no row to update.
        let insert = refusal(&mut connection, "tickhall_trading", &writes[0]).await;
        assert_eq!(insert.as_deref(), Some("23502"), "{table}");
        // Instruments, trades and postings never change.
        let stays = ["instruments", "trades", "ledger"].contains(&table).then_some(DENIED);
        let update = refusal(&mut connection, "tickhall_trading", &writes[1]).await;
        assert_eq!(update.as_deref(), stays, "{table}");
        for sql in &writes[3..] {
            let refused = refusal(&mut connection, "tickhall_trading", sql).await;
            assert_eq!(refused.as_deref(), Some(DENIED), "{sql}");
        }
    }
}

#[tokio::test]
async fn postings_refer_to_existing_accounts_and_entries_to_existing_venues() {
    let (database, row) = with_an_account().await;
    let mut connection = database.connect().await;
    let post = |account: &str| {
        let (here, also) = ("SELECT venue_id, 1, 100, 'ACCOUNT', account_id, NULL, 1 FROM accounts", row.id);
        format!(
            "INSERT INTO ledger {here} UNION ALL SELECT '{also}', 1, 101, 'ACCOUNT', {account}, NULL::uuid, 1"
        )
    };
    let orphan = post(&format!("'{}'", uuid::Uuid::from_u128(99)));
    let refused = refusal(&mut connection, "tickhall_trading", &orphan).await;
    assert_eq!(refused.as_deref(), Some("23503"));
    let valid = post("(SELECT account_id FROM accounts LIMIT 1)");
    assert_eq!(refusal(&mut connection, "tickhall_trading", &valid).await, None);
    // The keys that they refer to never change.
    for table in ["accounts", "orders", "positions"] {
        let update = format!("UPDATE {table} SET account_id = account_id");
        let refused = refusal(&mut connection, "tickhall_trading", &update).await;
        assert_eq!(refused.as_deref(), Some(DENIED), "{update}");
    }
    let entry = |venue: uuid::Uuid| {
        format!(
            "INSERT INTO journal SELECT '{venue}', 9, 9, kind, touched, rules_version, input, outcome, payload, hash
             FROM journal WHERE seq = 2"
        )
    };
    let orphan = entry(uuid::Uuid::from_u128(99));
    let refused = refusal(&mut connection, "tickhall_trading", &orphan).await;
    assert_eq!(refused.as_deref(), Some("23503"));
    assert_eq!(refusal(&mut connection, "tickhall_trading", &entry(row.id.0)).await, None);
}

#[tokio::test]
async fn orders_and_trades_refer_to_existing_rows() {
    let (database, _) = with_an_account().await;
    let mut connection = database.connect().await;
    let absent = format!("'{}'::uuid", uuid::Uuid::from_u128(99));
    let order = |account: &str, instrument: &str| {
        format!(
            "INSERT INTO orders (venue_id, order_id, account_id, instrument_id, client_order_id, side, type, qty,
                                 filled_qty, status, time_in_force, notional, fee, seq, created_at, updated_at)
             SELECT venue_id, venue_id, {account}, {instrument}, 'c', 'BUY', 'MARKET', 1, 1, 'FILLED', 'IOC',
                    1, 1, 2, 1, 1 FROM accounts"
        )
    };
    let (account, instrument) = ("account_id", "(SELECT instrument_id FROM instruments LIMIT 1)");
    for (orphan, refused) in [
        (order(&absent, instrument), Some("23503")),
        (order(account, &absent), Some("23503")),
        (order(account, instrument), None),
    ] {
        let found = refusal(&mut connection, "tickhall_trading", &orphan).await;
        assert_eq!(found.as_deref(), refused, "{orphan}");
    }
    let trade = |filled: &str| {
        format!(
            "INSERT INTO trades (venue_id, trade_id, order_id, account_id, instrument_id, side, qty_filled, price,
                                 notional, fee, maker, against_house, seq, account_seq, timestamp)
             SELECT venue_id, venue_id, {filled}, account_id, instrument_id, side, 1, 1, 1, 1, FALSE, TRUE, 2, 2, 1
             FROM orders"
        )
    };
    let orphan = refusal(&mut connection, "tickhall_trading", &trade(&absent)).await;
    assert_eq!(orphan.as_deref(), Some("23503"));
    assert_eq!(refusal(&mut connection, "tickhall_trading", &trade("order_id")).await, None);
    // The rows that they refer to are never deleted, and their keys never change.
    for table in ["accounts", "instruments", "orders"] {
        let delete = format!("DELETE FROM {table}");
        let refused = refusal(&mut connection, "tickhall_trading", &delete).await;
        assert_eq!(refused.as_deref(), Some(DENIED), "{delete}");
    }
    for (table, key) in [("accounts", "account_id"), ("instruments", "instrument_id"), ("orders", "order_id")]
    {
        let update = format!("UPDATE {table} SET {key} = {key}");
        let refused = refusal(&mut connection, "tickhall_trading", &update).await;
        assert_eq!(refused.as_deref(), Some(DENIED), "{update}");
    }
}

/// An agent needs no more than a login that is a member of its role.
#[tokio::test]
async fn an_agent_may_have_a_login_of_its_own() {
    let (database, row) = (Database::create().await, venue());
    let owner = database.open(Role::Owner).await;
    assert!(owner.create_venue(&row).await.unwrap());
    let mut connection = database.connect().await;
    for (role, group) in [(Role::Gateway, "tickhall_gateway"), (Role::MarketData, "tickhall_market_data")] {
        let login = format!("own_{}", uuid::Uuid::new_v4().simple());
        let made = format!("CREATE ROLE {login} LOGIN PASSWORD 'secret' IN ROLE {group}");
        sqlx::query(AssertSqlSafe(made)).execute(&mut connection).await.unwrap();
        let (_, place) = database.url.split_once('@').unwrap();
        let database_url = Some(format!("postgres://{login}:secret@{place}"));
        let store = Store::open(&Config { database_url, ..Config::defaults().unwrap() }, role).await.unwrap();
        assert_eq!(store.venue(row.id).await.unwrap().unwrap().id, row.id);
        assert!(store.take_epoch(row.id, uuid::Uuid::new_v4()).await.is_err());
        store.close().await;
        sqlx::query(AssertSqlSafe(format!("DROP ROLE {login}"))).execute(&mut connection).await.unwrap();
    }
}

#[tokio::test]
async fn only_some_roles_read_secrets() {
    let database = Database::create().await;
    database.open(Role::Owner).await.close().await;
    let mut connection = database.connect().await;
    let denied = [
        ("tickhall_gateway", "SELECT seed FROM venues"),
        ("tickhall_portfolio", "SELECT seed FROM venues"),
        ("tickhall_auth", "SELECT seed FROM venues"),
        ("tickhall_gateway", "SELECT password_hash FROM users"),
        ("tickhall_trading", "SELECT password_hash FROM users"),
        ("tickhall_market_data", "SELECT session_hash FROM sessions"),
        ("tickhall_trading", "SELECT session_hash FROM sessions"),
        ("tickhall_gateway", "UPDATE venues SET owner_user_id = NULL"),
        ("tickhall_auth", "UPDATE venues SET seed = seed"),
        ("tickhall_gateway", "INSERT INTO users DEFAULT VALUES"),
        ("tickhall_trading", "INSERT INTO history.market_ticks DEFAULT VALUES"),
        ("tickhall_market_data", "INSERT INTO history.portfolio_snapshots DEFAULT VALUES"),
        ("tickhall_portfolio", "INSERT INTO history.market_ticks DEFAULT VALUES"),
        ("tickhall_gateway", "SELECT history.drop_partitions(NULL, 0)"),
        ("tickhall_market_data", "CREATE TABLE history.mine (n INT)"),
    ];
    for (role, sql) in denied {
        assert_eq!(refusal(&mut connection, role, sql).await.as_deref(), Some(DENIED), "{role}: {sql}");
    }
    let allowed = [
        ("tickhall_auth", "UPDATE venues SET owner_user_id = NULL, claim_token_hash = NULL"),
        ("tickhall_auth", "SELECT password_hash FROM users"),
        ("tickhall_gateway", "DELETE FROM sessions"),
        ("tickhall_market_data", "SELECT seed FROM venues"),
    ];
    for (role, sql) in allowed {
        assert_eq!(refusal(&mut connection, role, sql).await, None, "{role}: {sql}");
    }
}

/// Every connection of a store has its role's rights.
#[tokio::test]
async fn a_store_has_the_rights_that_it_was_opened_with() {
    let database = Database::create().await;
    let row = venue();
    let trading = database.open(Role::Trading).await;
    assert!(trading.create_venue(&row).await.unwrap());
    let epoch = trading.take_epoch(row.id, uuid::Uuid::new_v4()).await.unwrap();
    let (first, second) = batches(&row, epoch);
    trading.commit(&first).await.unwrap();
    for role in [Role::MarketData, Role::Portfolio, Role::Auth, Role::Gateway, Role::Auditor] {
        let other = database.open(role).await;
        let stored = other.venue(row.id).await.unwrap().unwrap();
        let knows = matches!(role, Role::MarketData | Role::Auditor);
        assert_eq!(stored.seed.is_some(), knows, "{role:?}");
        assert_eq!(stored.seed_commitment, VenueConfig::commit_to_seed(&[1; 32], &[2; 32]));
        let refused = other.commit(&second).await.unwrap_err().to_string();
        let words = if role == Role::Auditor { "read-only" } else { "permission denied" };
        assert!(refused.contains(words), "{role:?}: {refused}");
        other.close().await;
    }
    trading.commit(&second).await.unwrap();
}
