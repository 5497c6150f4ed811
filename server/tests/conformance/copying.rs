//! Copies between the backends: migrate-store, backup and restore.

use std::sync::Arc;

use engine::id::Seq;
use engine::money::Ticks;
use engine::order::Side;
use engine::time::{VenueTime, WallTime};
use server::agents::trading::no_faults;
use server::commands::store::{CopyError, backup, migrate, restore};
use server::config::Config;
use server::store::StoreError;
use server::store::copying::{Schema, TABLES};
use server::store::history::{BookRecord, MarketBatch, MarketWindow, TickRecord};
use server::store::journal::Cursor;
use server::store::users::{NewUser, SessionRow};
use uuid::Uuid;

use crate::support::database::{DatabaseKind, TestDatabase};
use crate::support::trading_fixture::TradingFixture;

const EMAIL: &str = "ada@example.org";

#[tokio::test]
async fn sqlite_and_postgres_have_the_same_tables_and_columns() {
    let (sqlite, postgres) =
        (TestDatabase::new(DatabaseKind::Sqlite).await, TestDatabase::new(DatabaseKind::Postgres).await);
    let (sqlite, postgres) = (sqlite.open().await, postgres.open().await);
    for schema in [Schema::Main, Schema::History] {
        let mut listed: Vec<_> =
            TABLES.iter().filter(|table| table.schema == schema).map(|table| table.name).collect();
        listed.sort_unstable();
        assert_eq!(sqlite.table_names(schema).await.unwrap(), listed);
        assert_eq!(postgres.table_names(schema).await.unwrap(), listed);
    }
    for table in TABLES {
        let columns = sqlite.columns(table).await.unwrap();
        assert!(columns.len() > 2, "{table:?}");
        assert_eq!(columns, postgres.columns(table).await.unwrap(), "{table:?}");
    }
    sqlite.close().await;
    postgres.close().await;
}

fn config_of(database: &TestDatabase) -> Config {
    let mut config = Config::defaults().unwrap();
    database.configure(&mut config);
    config
}

/// A venue with trades, history, a user and a session.
async fn traded_venue(database: TestDatabase) -> TradingFixture {
    let mut fixture = TradingFixture::at(database, 40, no_faults()).await;
    fixture.simulate().await;
    fixture.steps(5).await;
    let account = fixture.account().await;
    trade(&mut fixture, account).await;
    fixture.steps(100).await;
    let (venue, id) = (fixture.venue(), Uuid::new_v4());
    let user = NewUser {
        id,
        email: EMAIL.to_owned(),
        name: Some("Ann".to_owned()),
        password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned(),
        created_at: WallTime(7),
        venue,
        account: engine::id::AccountId::derive(venue, id),
    };
    assert!(fixture.store.insert_user(&user).await.unwrap());
    let session = SessionRow {
        hash: [4; 32],
        device: "browser".to_owned(),
        created_at: WallTime(8),
        last_seen_at: WallTime(8),
        expires_at: WallTime(9),
    };
    fixture.store.insert_session(id, &session, 100).await.unwrap();
    let instrument = fixture.instrument("ACME").id;
    let time = VenueTime(1);
    let ticks = (1..=1_200).map(|step| TickRecord {
        instrument,
        step,
        time,
        bid: (step % 2 == 0).then_some(Ticks(-3)),
        ask: None,
        mark: Ticks(5),
        dealer: (step == 7).then(|| "D1".to_owned()),
        metadata: "{\"ü\": 1}".to_owned(),
    });
    let books = vec![BookRecord { instrument, step: 250_001, time, levels: "{}".to_owned() }];
    let batch = MarketBatch { ticks: ticks.collect(), books, ..MarketBatch::default() };
    fixture.store.write_market(venue, &batch).await.unwrap();
    let cursor = Cursor { consumer: "portfolio".to_owned(), stream: "s".to_owned(), position: 5 };
    fixture.store.write_valuations(venue, &[], &cursor).await.unwrap();
    fixture
}

/// Buys at the best ask.
async fn trade(fixture: &mut TradingFixture, account: engine::id::AccountId) {
    let acme = fixture.instrument("ACME").id;
    fixture.drain().await;
    let mut books = fixture.batches.iter().flat_map(|batch| &batch.books);
    let ask = books.rfind(|book| book.instrument == acme).unwrap().asks[0].price;
    let before = fixture.number("SELECT count(*) FROM trades").await;
    fixture.place(account, Side::Buy, 10, ask.0).await;
    assert_eq!(fixture.number("SELECT count(*) FROM trades").await, before + 1);
}

async fn assert_complete(fixture: &TradingFixture) {
    let store = &fixture.store;
    let window = MarketWindow { limit: 10_000, ..MarketWindow::default() };
    let ticks = store.ticks(fixture.venue(), fixture.instrument("ACME").id, window).await.unwrap();
    assert_eq!((ticks.len(), ticks[0].bid, ticks[1].bid), (1_200, Some(Ticks(-3)), None));
    assert_eq!((ticks[0].metadata.as_str(), ticks[1_193].dealer.as_deref()), ("{\"ü\": 1}", Some("D1")));
    let books = store.books(fixture.venue(), fixture.instrument("ACME").id, window).await.unwrap();
    assert_eq!(books.len(), 1);
    assert_eq!(store.history_cursor(fixture.venue(), "portfolio", "s").await.unwrap(), 5);
    assert!(store.user_by_email(EMAIL).await.unwrap().is_some());
    assert_eq!(store.session(fixture.venue(), [4; 32]).await.unwrap().unwrap().user.email, EMAIL);
}

#[tokio::test]
async fn a_venue_moves_to_postgres_and_back_and_trades_on() {
    let mut fixture = traded_venue(TestDatabase::new(DatabaseKind::Sqlite).await).await;
    fixture.stop().await;
    let before = fixture.verify().await.unwrap();
    fixture.leave().await;

    let postgres = Arc::new(TestDatabase::new(DatabaseKind::Postgres).await);
    let mut config = config_of(&fixture.database);
    postgres.configure(&mut config);
    assert_eq!(migrate(&config).await.unwrap(), std::slice::from_ref(&before));
    // A second migration is refused.
    let again = migrate(&config).await.unwrap_err();
    assert!(matches!(again, CopyError::Store(StoreError::NotEmpty { .. })), "{again}");

    fixture.enter(postgres).await;
    assert_complete(&fixture).await;
    assert_eq!(fixture.verify().await.unwrap(), before);
    fixture.start().await;
    fixture.steps(60).await;
    let account = fixture.account().await;
    trade(&mut fixture, account).await;

    // The sequencer is running.
    let folder = tempfile::tempdir().unwrap();
    let copied = backup(&config_of(&fixture.database), folder.path()).await.unwrap();
    fixture.stop().await;
    let after = fixture.verify().await.unwrap();
    assert!(after.seq > Seq(before.seq.0 + 60));
    assert_eq!(copied, std::slice::from_ref(&after));
    fixture.leave().await;
    fixture.enter(Arc::new(TestDatabase::Folder(folder))).await;
    assert_complete(&fixture).await;
    fixture.start().await;
    fixture.steps(3).await;
    trade(&mut fixture, account).await;
    fixture.close().await;
}

#[tokio::test]
async fn a_backup_of_a_served_folder_is_restored_only_into_an_empty_sqlite_or_postgres() {
    let mut fixture = traded_venue(TestDatabase::new(DatabaseKind::Sqlite).await).await;
    let folder = tempfile::tempdir().unwrap();
    let copied = backup(&config_of(&fixture.database), folder.path()).await.unwrap();
    fixture.stop().await;
    let report = fixture.verify().await.unwrap();
    assert_eq!(copied, std::slice::from_ref(&report));
    for kind in [DatabaseKind::Sqlite, DatabaseKind::Postgres] {
        let database = TestDatabase::new(kind).await;
        let config = config_of(&database);
        assert_eq!(restore(&config, folder.path()).await.unwrap(), std::slice::from_ref(&report));
        let refused = restore(&config, folder.path()).await.unwrap_err();
        assert!(matches!(refused, CopyError::Store(StoreError::NotEmpty { .. })), "{refused}");
    }
    // A folder in use and a missing backup are refused.
    let in_use = restore(&config_of(&fixture.database), folder.path()).await.unwrap_err();
    assert!(matches!(in_use, CopyError::Store(StoreError::FolderInUse { .. })), "{in_use}");
    let missing = restore(&config_of(&fixture.database), std::path::Path::new("/no/such")).await.unwrap_err();
    assert!(missing.to_string().contains("no tickhall.db"), "{missing}");
    fixture.close().await;
}

#[tokio::test]
async fn no_venue_is_created_beside_history_of_an_interrupted_copy() {
    for database in TestDatabase::each_kind().await {
        // A copy that dies between its two commits leaves history without a venue.
        let store = database.open().await;
        let row = super::store::venue();
        let time = VenueTime(1);
        let instrument = engine::id::InstrumentId::derive(row.id, "ACME");
        let books = vec![BookRecord { instrument, step: 1, time, levels: "{}".to_owned() }];
        let batch = MarketBatch { books, ..MarketBatch::default() };
        store.write_market(row.id, &batch).await.unwrap();
        let refused = store.create_venue(&row).await.unwrap_err();
        assert!(matches!(refused, StoreError::OrphanedHistory { table: "order_books" }), "{refused}");
        assert_eq!(store.venue(row.id).await.unwrap(), None);
        store.close().await;
        drop(store);
        let folder = tempfile::tempdir().unwrap();
        backup(&config_of(&database), folder.path()).await.unwrap();
        let refused = restore(&config_of(&database), folder.path()).await.unwrap_err();
        assert!(matches!(refused, CopyError::Store(StoreError::NotEmpty { .. })), "{refused}");
    }
}
