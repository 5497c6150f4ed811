//! SQLite: two files in one folder, one writer each, and a lock on the folder.
//!
//! Only connections, pragmas and migrations are here; the queries are shared
//! with other backends. Does not know what the tables mean.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use engine::id::VenueId;
use sqlx::Connection as _;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::Role;
use super::api::error::StoreError;
use super::api::lease::Lease;

#[path = "sqlite/dialect.rs"]
pub(crate) mod dialect;
#[path = "queries.rs"]
mod queries;

/// The database that the shared queries are compiled for here.
pub(crate) type Db = sqlx::Sqlite;

static MAIN: Migrator = sqlx::migrate!("../migrations/sqlite/main");
static HISTORY: Migrator = sqlx::migrate!("../migrations/sqlite/history");

/// How long a statement waits for another process's lock (a backup, a prompt).
const BUSY: Duration = Duration::from_secs(10);

/// Pages of the log after which it is worked into the file: the same pages
/// change again and again, and each is written there once.
const CHECKPOINT: &str = "32768";

/// What a connection keeps of its file, as KiB below zero: more than a batch
/// changes, or its pages are written more than once.
const CACHE: &str = "-16384";

/// Texts that stay prepared: a batch is one text, made of parts of a few sizes.
const PREPARED: usize = 200;

/// Connections that read.
const READERS: u32 = 4;

/// Pools over the two files.
#[derive(Debug)]
pub struct Backend {
    /// Money, users, sessions: one connection that writes.
    pub(super) main: sqlx::Pool<Db>,
    /// The same file, to read from.
    pub(super) main_readers: sqlx::Pool<Db>,
    /// The market's past: one connection that writes.
    pub(super) history: sqlx::Pool<Db>,
    /// The same file, to read from.
    pub(super) history_readers: sqlx::Pool<Db>,
    /// Partitions of the tick tables.
    pub(super) partitions: dialect::Known,
    /// Who opened it.
    pub(super) role: Role,
    /// Held as long as the pools are; not by who only looks.
    _lock: Option<File>,
}

impl Backend {
    pub(super) async fn open(folder: &Path, role: Role) -> Result<Self, StoreError> {
        let at = || folder.display().to_string();
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Folder { folder: at(), error })?;
        let lock = hold(folder)?;
        let main = folder.join("tickhall.db");
        let history = folder.join("history.db");
        let (full, normal) = (SqliteSynchronous::Full, SqliteSynchronous::Normal);
        let backend = Self {
            main: pool(&main, full, 1).await.map_err(|error| opening(&main, error))?,
            main_readers: pool(&main, full, READERS).await.map_err(|error| opening(&main, error))?,
            history: pool(&history, normal, 1).await.map_err(|error| opening(&history, error))?,
            history_readers: pool(&history, normal, READERS)
                .await
                .map_err(|error| opening(&history, error))?,
            partitions: dialect::Known::default(),
            role,
            _lock: Some(lock),
        };
        migrate(&MAIN, &backend.main, &main).await?;
        migrate(&HISTORY, &backend.history, &history).await?;
        Ok(backend)
    }

    /// Opens the files of a folder that somebody else may be serving, to read.
    pub(super) async fn watch(folder: &Path) -> Result<Self, StoreError> {
        let (main, history) = (folder.join("tickhall.db"), folder.join("history.db"));
        let main_readers = watching(&main, &MAIN).await?;
        let history_readers = watching(&history, &HISTORY).await?;
        Ok(Self {
            main: main_readers.clone(),
            main_readers,
            history: history_readers.clone(),
            history_readers,
            partitions: dialect::Known::default(),
            role: Role::Auditor,
            _lock: None,
        })
    }

    /// Opens the files of a folder that somebody else may be serving, to write
    /// a row about its users.
    pub(super) async fn join(folder: &Path) -> Result<Self, StoreError> {
        let watched = Self::watch(folder).await?;
        let main = folder.join("tickhall.db");
        let writer = pool(&main, SqliteSynchronous::Full, 1).await.map_err(|error| opening(&main, error))?;
        Ok(Self { main: writer, role: Role::Auth, ..watched })
    }

    /// Whoever holds the folder is alone with it.
    pub(super) async fn try_lead(&self, _venue: VenueId) -> Result<Option<Lease>, StoreError> {
        Ok(Some(Lease::alone()))
    }

    pub(super) async fn lead(&self, _venue: VenueId) -> Result<Lease, StoreError> {
        Ok(Lease::alone())
    }

    pub(super) async fn close(&self) {
        self.main_readers.close().await;
        self.history_readers.close().await;
        self.main.close().await;
        self.history.close().await;
    }
}

/// Takes the folder for this process; the system lets go of it when the
/// process ends, however it ends.
fn hold(folder: &Path) -> Result<File, StoreError> {
    let at = || folder.display().to_string();
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("tickhall.lock"))
        .map_err(|error| StoreError::Folder { folder: at(), error })?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Held { folder: at() }),
        Err(TryLockError::Error(error)) => Err(StoreError::Folder { folder: at(), error }),
    }
}

async fn pool(
    file: &Path,
    synchronous: SqliteSynchronous,
    connections: u32,
) -> Result<sqlx::Pool<Db>, sqlx::Error> {
    // Pragmas are per connection, so they stand in the options.
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .foreign_keys(true)
        .statement_cache_capacity(PREPARED)
        .pragma("wal_autocheckpoint", CHECKPOINT)
        .pragma("cache_size", CACHE)
        // What a statement would have to take back is not worth a file.
        .pragma("temp_store", "memory")
        .busy_timeout(BUSY);
    connect(options, connections).await
}

/// Connections that change nothing, to a file of this program's schema.
async fn watching(file: &Path, migrations: &Migrator) -> Result<sqlx::Pool<Db>, StoreError> {
    let options = SqliteConnectOptions::new().filename(file).pragma("query_only", "ON").busy_timeout(BUSY);
    let pool = connect(options, READERS).await.map_err(|error| opening(file, error))?;
    let stored: Option<i64> = sqlx::query_scalar::<Db, _>("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(&pool)
        .await
        .map_err(|error| opening(file, error))?;
    let wanted = migrations.iter().map(|migration| migration.version).max();
    match stored {
        Some(version) if Some(version) > wanted => {
            Err(StoreError::NewerSchema { setting: "--data", file: file.display().to_string(), version })
        }
        _ if stored < wanted => Err(StoreError::OlderFile { file: file.display().to_string() }),
        _ => Ok(pool),
    }
}

async fn connect(options: SqliteConnectOptions, connections: u32) -> Result<sqlx::Pool<Db>, sqlx::Error> {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(BUSY)
        .idle_timeout(None)
        .max_lifetime(None)
        // A future that was dropped inside a transaction leaves one behind.
        .after_release(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        .connect_with(options)
        .await
}

async fn migrate(migrations: &Migrator, pool: &sqlx::Pool<Db>, file: &Path) -> Result<(), StoreError> {
    migrations.run(pool).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => {
            StoreError::NewerSchema { setting: "--data", file: file.display().to_string(), version }
        }
        other => opening(file, other.into()),
    })
}

fn opening(file: &Path, error: sqlx::Error) -> StoreError {
    StoreError::Opening { file: file.display().to_string(), error }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[tokio::test]
    async fn what_was_there_before_a_migration_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tickhall.db");
        let pool = pool(&file, SqliteSynchronous::Full, 1).await.unwrap();
        let first: Vec<_> = MAIN.iter().filter(|migration| migration.version <= 4).cloned().collect();
        let before = Migrator { migrations: Cow::Owned(first), ..Migrator::DEFAULT };
        migrate(&before, &pool, &file).await.unwrap();
        for statement in [
            "INSERT INTO venues VALUES (zeroblob(16), 'main', '{}', zeroblob(32), zeroblob(32), zeroblob(32),
                                        NULL, NULL, 0)",
            "INSERT INTO instruments VALUES (zeroblob(16), zeroblob(16), 'ACME', 'Acme', 'EQUITY', '0.01', '1', 1,
                                             'USD', NULL, NULL, '{}')",
            "INSERT INTO journal VALUES (zeroblob(16), 3, 3, 'step', FALSE, 1, x'0a', x'0b', x'0c', zeroblob(32))",
            "INSERT INTO journal VALUES (zeroblob(16), 2, 1, 'range', FALSE, 1, x'0a', x'0b', NULL, zeroblob(32))",
            "INSERT INTO accounts VALUES (zeroblob(16), zeroblob(16), NULL, 0, 0, 'USD', 0, 1, 1, 0)",
            "INSERT INTO orders VALUES (zeroblob(16), zeroblob(16), zeroblob(16), zeroblob(16), 'c-1', 'BUY',
                                        'LIMIT', 10, 4, 9990, 'PARTIAL', 'GTC', 0, 0, 7, 0, 0)",
            "INSERT INTO trades VALUES (zeroblob(16), zeroblob(16), zeroblob(16), zeroblob(16), zeroblob(16), 'BUY',
                                        4, 9990, 0, 0, 0, 1, 7, 2, 0)",
        ] {
            sqlx::query(statement).execute(&pool).await.unwrap();
        }
        migrate(&MAIN, &pool, &file).await.unwrap();
        let kept: (String, i64, Option<i64>) = sqlx::query_as(
            "SELECT o.client_order_id, t.qty_filled, o.dealer
             FROM orders o JOIN trades t ON t.order_id = o.order_id",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!(kept, ("c-1".to_owned(), 4, None));
        let journal: Vec<(i64, i64, String, Option<Vec<u8>>)> =
            sqlx::query_as("SELECT seq, first_seq, kind, payload FROM journal ORDER BY venue_id, seq")
                .fetch_all(&pool)
                .await
                .unwrap();
        assert_eq!(journal, [(2, 1, "range".to_owned(), None), (3, 3, "step".to_owned(), Some(vec![12]))]);
        let lost = sqlx::query("PRAGMA foreign_key_check").fetch_all(&pool).await.unwrap();
        assert!(lost.is_empty());
        // The tables are guarded as before, though a transaction hears of it when
        // it ends.
        for orphan in [
            "UPDATE trades SET order_id = x'01010101010101010101010101010101'",
            "UPDATE orders SET account_id = x'01010101010101010101010101010101'",
            "UPDATE orders SET instrument_id = x'01010101010101010101010101010101'",
        ] {
            assert!(sqlx::query(orphan).execute(&pool).await.is_err(), "{orphan}");
            let mut transaction = pool.begin().await.unwrap();
            sqlx::query(orphan).execute(&mut *transaction).await.unwrap();
            assert!(transaction.commit().await.is_err(), "{orphan}");
        }
    }
}
