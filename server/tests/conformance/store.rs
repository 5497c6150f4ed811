//! Venues, commits, epochs, snapshots and migrations, on each backend.

use engine::candle::{Candle, Interval};
use engine::id::{Digest, Seq};
use engine::money::{Lots, Money, Ticks};
use engine::time::{MICROS_PER_SECOND, VenueTime, WallTime};
use engine::venue::journal::{GENESIS, JournalEntry};
use engine::venue::{Command, CommandOutcome, Input, Venue, VenueConfig};
use server::store::history::{CandleRecord, CandleWindow};
use server::store::journal::{CommitBatch, Cursor, EntryKind, NewEntry, VenueRow};
use server::store::snapshots::SnapshotRow;
use server::store::valuations::{NavPoint, ValuationRecord};
use server::store::{Role, Store, StoreError};
use uuid::Uuid;

use crate::support::database::{Database, DatabaseKind, TestDatabase};

/// A store with a venue in it.
struct Opened {
    store: Store,
    row: VenueRow,
    database: TestDatabase,
}

/// A store of each backend.
async fn stores() -> Vec<Opened> {
    let mut stores = Vec::new();
    for database in TestDatabase::each_kind().await {
        stores.push(opened(database).await);
    }
    stores
}

async fn opened(database: TestDatabase) -> Opened {
    let store = database.open().await;
    let row = venue();
    assert!(store.create_venue(&row).await.unwrap());
    Opened { store, row, database }
}

/// A venue with a public seed.
pub(super) fn venue() -> VenueRow {
    let config = VenueConfig::default();
    VenueRow {
        id: config.venue_id(),
        config,
        seed: Some([1; 32]),
        salt: [2; 32],
        seed_commitment: VenueConfig::commit_to_seed(&[1; 32], &[2; 32]),
        owner: None,
        claim_token_hash: Some(Digest([3; 32])),
        created_at: WallTime(5),
    }
}

/// Two batches: entry 1, and an opened account.
pub(super) fn batches(row: &VenueRow, epoch: u64) -> (CommitBatch, CommitBatch) {
    let commitment = row.seed_commitment;
    let (mut venue, outcome) = Venue::open(row.config.clone(), commitment).unwrap();
    let input = Input::VenueOpened { config: Box::new(row.config.clone()), seed_commitment: commitment };
    let entry = JournalEntry::new(GENESIS, &input, &outcome);
    let head = entry.hash;
    let first = NewEntry { kind: EntryKind::Opened, entry, outcome, payload: None };
    let account = engine::id::AccountId::derive(row.id, Uuid::from_u128(1));
    let command = Command::OpenAccount { account };
    let Ok(CommandOutcome::Applied(outcome)) = venue.execute(&command) else { panic!("refused") };
    let entry = JournalEntry::new(head, &Input::Command(command), &outcome);
    let second = NewEntry { kind: EntryKind::Command, entry, outcome: *outcome, payload: None };
    let batch = |new: NewEntry, position| CommitBatch {
        venue: row.id,
        epoch,
        currency: "USD".to_owned(),
        entries: vec![new],
        cursor: Some(Cursor { consumer: "trading".to_owned(), stream: "commands".to_owned(), position }),
    };
    (batch(first, 1), batch(second, 2))
}

#[tokio::test]
async fn a_venue_is_created_once_and_read_back() {
    for Opened { store, row, .. } in stores().await {
        assert_eq!(store.venue(row.id).await.unwrap().unwrap(), row);
        let other = VenueRow { seed: Some([9; 32]), ..row.clone() };
        assert!(!store.create_venue(&other).await.unwrap());
        assert_eq!(store.venue(row.id).await.unwrap().unwrap().seed, Some([1; 32]));
    }
}

#[tokio::test]
async fn a_batch_is_committed_with_its_cursor() {
    for Opened { store, row, .. } in stores().await {
        let epoch = store.take_epoch(row.id, Uuid::new_v4()).await.unwrap();
        let (first, second) = batches(&row, epoch);
        store.commit(&first).await.unwrap();
        store.commit(&second).await.unwrap();
        let rows = store.journal_after(row.id, Seq(0), 10).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.seq.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(rows[1].entry(), second.entries[0].entry);
        assert_eq!(rows[1].outcome().unwrap(), second.entries[0].outcome);
        assert_eq!(store.journal_head(row.id).await.unwrap().unwrap(), rows[1]);
        assert_eq!(store.cursor(row.id, "trading", "commands").await.unwrap(), 2);
        assert_eq!(store.account_rows(row.id).await.unwrap().len(), 1);
        assert_eq!(store.projection_counts(row.id).await.unwrap(), (0, 2));
    }
}

#[tokio::test]
async fn a_failed_batch_writes_nothing() {
    for Opened { store, row, .. } in stores().await {
        let epoch = store.take_epoch(row.id, Uuid::new_v4()).await.unwrap();
        let (first, second) = batches(&row, epoch);
        store.commit(&first).await.unwrap();
        // Its second entry exists already.
        let mut broken = second.clone();
        broken.entries.push(first.entries[0].clone());
        assert!(matches!(store.commit(&broken).await, Err(StoreError::Database(_))));
        assert_eq!(store.journal_head(row.id).await.unwrap().unwrap().seq, Seq(1));
        assert_eq!(store.cursor(row.id, "trading", "commands").await.unwrap(), 1);
        assert!(store.account_rows(row.id).await.unwrap().is_empty());
        // The connection is usable afterwards.
        store.commit(&second).await.unwrap();
    }
}

#[tokio::test]
async fn a_fenced_epoch_never_writes() {
    for Opened { store, row, .. } in stores().await {
        let old = store.take_epoch(row.id, Uuid::new_v4()).await.unwrap();
        let new = store.take_epoch(row.id, Uuid::new_v4()).await.unwrap();
        assert!(new > old);
        let (first, _) = batches(&row, old);
        assert!(matches!(store.commit(&first).await, Err(StoreError::Fenced)));
        let snapshot = snapshot(Seq(1));
        assert!(matches!(store.save_snapshot(row.id, old, &snapshot).await, Err(StoreError::Fenced)));
        assert!(store.journal_head(row.id).await.unwrap().is_none());
        store.commit(&batches(&row, new).0).await.unwrap();
        // Also if the entry exists already.
        assert!(matches!(store.commit(&first).await, Err(StoreError::Fenced)));
        store.commit(&batches(&row, new).1).await.unwrap();
    }
}

fn snapshot(seq: Seq) -> SnapshotRow {
    let state = seq.0.to_be_bytes().to_vec();
    SnapshotRow {
        seq,
        step: seq.0,
        rules_version: 1,
        state_hash: Digest::of(&[&state]),
        state,
        journal_hash: Digest([7; 32]),
    }
}

#[tokio::test]
async fn the_two_newest_snapshots_are_retained() {
    for Opened { store, row, .. } in stores().await {
        let epoch = store.take_epoch(row.id, Uuid::new_v4()).await.unwrap();
        assert_eq!(store.save_snapshot(row.id, epoch, &snapshot(Seq(10))).await.unwrap(), None);
        assert_eq!(store.save_snapshot(row.id, epoch, &snapshot(Seq(20))).await.unwrap(), Some(Seq(10)));
        assert_eq!(store.save_snapshot(row.id, epoch, &snapshot(Seq(30))).await.unwrap(), Some(Seq(20)));
        let snapshots = store.state_snapshots(row.id, 10).await.unwrap();
        assert_eq!(snapshots, [snapshot(Seq(30)), snapshot(Seq(20))]);
    }
}

#[tokio::test]
async fn a_folder_is_locked_by_one_process() {
    let Opened { store, database: TestDatabase::Folder(folder), .. } =
        opened(TestDatabase::new(DatabaseKind::Sqlite).await).await
    else {
        unreachable!()
    };
    let error = Store::open_sqlite(folder.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::FolderInUse { .. }));
    assert!(error.to_string().starts_with("--data "), "{error}");
    store.close().await;
    drop(store);
    Store::open_sqlite(folder.path()).await.unwrap().close().await;
}

const NEWER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                     VALUES (9999, 'tomorrow', TRUE, '00', 0)";

#[tokio::test]
async fn a_newer_folder_is_refused() {
    let Opened { store, database: TestDatabase::Folder(folder), .. } =
        opened(TestDatabase::new(DatabaseKind::Sqlite).await).await
    else {
        unreachable!()
    };
    store.close().await;
    drop(store);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("tickhall.db"));
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query(NEWER).execute(&pool).await.unwrap();
    pool.close().await;
    let error = Store::open_sqlite(folder.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { version: 9999, .. }), "{error}");
    assert!(error.to_string().starts_with("--data"), "{error}");
}

#[tokio::test]
async fn a_newer_postgres_is_refused() {
    let database = Database::create().await;
    database.open(Role::Owner).await.close().await;
    let mut connection = database.connect().await;
    sqlx::query(NEWER).execute(&mut connection).await.unwrap();
    let error = Store::open_postgres(&database.url, Role::Owner).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { version: 9999, .. }), "{error}");
    assert!(error.to_string().starts_with("--database-url"), "{error}");
}

#[tokio::test]
async fn only_owner_and_trading_migrate_postgres() {
    let database = Database::create().await;
    for role in [Role::MarketData, Role::Portfolio, Role::Auth, Role::Gateway] {
        let error = Store::open_postgres(&database.url, role).await.unwrap_err();
        assert!(matches!(error, StoreError::OlderSchema { .. }), "{error}");
        assert!(error.to_string().contains("tickhall agent trading"), "{error}");
    }
    database.open(Role::Trading).await.close().await;
    for role in [Role::Owner, Role::MarketData, Role::Portfolio, Role::Auth, Role::Gateway] {
        database.open(role).await.close().await;
    }
}

#[tokio::test]
async fn concurrent_opens_migrate_an_empty_postgres_once() {
    let (database, other) = (Database::create().await, Database::create().await);
    let opens = (0..6)
        .map(|n| Store::open_postgres(if n % 2 == 0 { &database.url } else { &other.url }, Role::Owner));
    for store in futures::future::join_all(opens).await {
        store.unwrap().close().await;
    }
}

#[tokio::test]
async fn an_opening_error_is_one_line_without_the_password() {
    let addresses = [
        "postgres://somebody:hunter2secret@127.0.0.1:1/nowhere",
        "postgres://somebody:hunter2secret@localhost/nowhere?host=/no/such/folder",
        "postgres://somebody:hunter2secret@[",
    ];
    for address in addresses {
        let line = Store::open_postgres(address, Role::Owner).await.unwrap_err().to_string();
        assert!(line.starts_with("--database-url"), "{line}");
        assert!(!line.contains("hunter2secret") && !line.contains('\n'), "{line}");
    }
}

#[tokio::test]
async fn nav_points_are_paged_and_belong_to_one_account() {
    for Opened { store, row, .. } in stores().await {
        let accounts = [1, 2].map(|number| engine::id::AccountId::derive(row.id, Uuid::from_u128(number)));
        let record = |account, seq: u64| ValuationRecord {
            account,
            seq: Seq(seq),
            time: VenueTime(seq as i64 * 10),
            nav: Money(seq as i64 * 1_000),
            cash: Money::ZERO,
            unrealized_pnl: Money::ZERO,
            realized_pnl: Money::ZERO,
            delta_exposure: "[]".to_owned(),
            dv01_exposure: "{}".to_owned(),
            valuation: "{}".to_owned(),
        };
        let rows: Vec<_> = (1..=5).flat_map(|seq| accounts.map(|account| record(account, seq))).collect();
        let cursor = Cursor { consumer: "portfolio".to_owned(), stream: "s".to_owned(), position: 5 };
        store.write_valuations(row.id, &rows, &cursor).await.unwrap();
        let point = |seq: u64| NavPoint {
            seq: Seq(seq),
            time: VenueTime(seq as i64 * 10),
            nav: Money(seq as i64 * 1_000),
        };
        let read = |after: u64, limit| store.nav_points(row.id, accounts[0], Seq(after), limit);
        assert_eq!(read(0, 3).await.unwrap(), [point(1), point(2), point(3)]);
        assert_eq!(read(3, 3).await.unwrap(), [point(4), point(5)]);
        assert_eq!(read(5, 3).await.unwrap(), []);
        let newest = |limit| store.newest_nav_points(row.id, accounts[0], limit);
        assert_eq!(newest(2).await.unwrap(), [point(4), point(5)]);
        assert_eq!(newest(9).await.unwrap().len(), 5);
        // Deleting concerns one account's entries, which may be gone already.
        store.delete_valuations(row.id, accounts[0], &[Seq(2), Seq(4), Seq(9)]).await.unwrap();
        store.delete_valuations(row.id, accounts[0], &[Seq(2)]).await.unwrap();
        assert_eq!(read(0, 9).await.unwrap(), [point(1), point(3), point(5)]);
        let mut counts = store.valuation_counts(row.id).await.unwrap();
        counts.sort_by_key(|(_, count)| *count);
        assert_eq!(counts, [(accounts[0], 3), (accounts[1], 5)]);
    }
}

#[tokio::test]
async fn candles_of_every_interval_are_retained_by_their_age() {
    for Opened { store, row, .. } in stores().await {
        let instrument = row.config.instruments().unwrap().into_keys().next().unwrap();
        let at = |seconds: i64| row.config.t0.plus_micros(seconds * MICROS_PER_SECOND);
        let candle = |start| {
            let (price, lots) = (Ticks(100), Lots(1));
            let (open, high, low, close) = (price, price, price, price);
            Candle { start, open, high, low, close, volume: lots, through: start }
        };
        let rows: Vec<_> = Interval::ALL
            .into_iter()
            .flat_map(|interval| {
                let starts = (0..10).map(move |number| at(number * interval.seconds()));
                starts.map(move |start| CandleRecord { instrument, interval, candle: candle(start) })
            })
            .collect();
        let cursor = Cursor { consumer: "candles".to_owned(), stream: "s".to_owned(), position: 1 };
        store.write_candles(row.id, &rows, &cursor).await.unwrap();
        for interval in Interval::ALL {
            // As of the ninth candle's start, three are not older than three intervals.
            let now = at(9 * interval.seconds());
            store.retain_candles(row.id, instrument, now, 3).await.unwrap();
            let window = CandleWindow { instrument, interval, from: None, to: None, limit: 100 };
            let found = store.candles(row.id, window).await.unwrap();
            let starts: Vec<_> = found.iter().map(|candle| candle.start).collect();
            assert_eq!(starts, [9, 8, 7].map(|number| at(number * interval.seconds())), "{interval:?}");
        }
    }
}
