//! SQLite: two files in one folder, a single writer each, and a lock file.
//!
//! Connections, pragmas, migrations, and the statements that only SQLite needs.
//! Does not know what the tables mean.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::id::{InstrumentId, VenueId};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction,
};

use super::batch_statement::{BatchConnection as _, BatchStatement};
use super::copying::{RowChunk, Schema, TABLES};
use super::lease::Lease;
use super::{Role, StoreError};

mod batch;

static MAIN: Migrator = sqlx::migrate!("../migrations/sqlite/main");
static HISTORY: Migrator = sqlx::migrate!("../migrations/sqlite/history");

/// Longest wait for the lock of another process: a backup, a prompt.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Pages in the write-ahead log before a checkpoint. Large, because the same pages
/// change again and again, and a checkpoint writes each of them once.
const CHECKPOINT_PAGES: &str = "32768";

/// Page cache of a connection in negative KiB. Larger than what a batch changes,
/// else its pages are written more than once.
const CACHE_SIZE: &str = "-16384";

/// Prepared texts per connection: a batch is one text, built from few block sizes.
const STATEMENT_CACHE_CAPACITY: usize = 200;

/// Reading connections per file.
const READER_CONNECTIONS: u32 = 4;

/// File in a folder into which a copy is being made.
const COPY_MARKER: &str = "tickhall.incomplete";

/// Statements of a connection whose reads all see the instant of its first one.
const BEGIN_SNAPSHOT: &str = "BEGIN; SELECT count(*) FROM _sqlx_migrations";

/// `user_version` of the history file between the two commits of a bulk copy: the
/// next copy then recognizes what an interrupted one left.
const INCOMPLETE_COPY: i64 = 1;

/// Connection pools of the two files.
#[derive(Debug)]
pub struct Backend {
    /// Money, users, sessions: one writing connection.
    pub(super) main: SqlitePool,
    /// Readers of the same file.
    pub(super) main_readers: SqlitePool,
    /// Market history: one writing connection.
    pub(super) history: SqlitePool,
    /// Readers of the same file.
    pub(super) history_readers: SqlitePool,
    /// Role that opened it.
    pub(super) role: Role,
    /// Marker of an incomplete copy, to be removed when it is complete.
    copy_marker: Option<PathBuf>,
    /// Lock on the folder; `None` next to a running server.
    _lock: Option<File>,
}

impl Backend {
    pub(super) async fn open(folder: &Path, role: Role) -> Result<Self, StoreError> {
        let backend = Self::open_or_create(folder, role).await?;
        let marker = folder.join(COPY_MARKER);
        if marker.exists() {
            if backend.venue_count().await? == 0 {
                backend.close().await;
                return Err(StoreError::IncompleteCopy { folder: folder.display().to_string() });
            }
            // It was completed just before it was interrupted.
            std::fs::remove_file(&marker).map_err(|error| folder_error(folder, error))?;
        }
        Ok(backend)
    }

    /// Opens the files to copy others into them. The marker is there before the files
    /// are, and remains if they have rows already.
    pub(super) async fn open_for_copy(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|error| folder_error(folder, error))?;
        let marker = folder.join(COPY_MARKER);
        if !folder.join("tickhall.db").exists() {
            File::create(&marker).map_err(|error| folder_error(folder, error))?;
        }
        let backend = Self::open_or_create(folder, Role::Owner).await?;
        Ok(Self { copy_marker: Some(marker), ..backend })
    }

    async fn open_or_create(folder: &Path, role: Role) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|error| folder_error(folder, error))?;
        let lock = lock(folder)?;
        let (main, history) = (folder.join("tickhall.db"), folder.join("history.db"));
        let (full, normal) = (SqliteSynchronous::Full, SqliteSynchronous::Normal);
        let backend = Self {
            main: pool(&main, full, 1).await?,
            main_readers: pool(&main, full, READER_CONNECTIONS).await?,
            history: pool(&history, normal, 1).await?,
            history_readers: pool(&history, normal, READER_CONNECTIONS).await?,
            role,
            copy_marker: None,
            _lock: Some(lock),
        };
        migrate(&MAIN, &backend.main, &main).await?;
        migrate(&HISTORY, &backend.history, &history).await?;
        Ok(backend)
    }

    /// Opens the files read-only, next to a running server.
    pub(super) async fn open_read_only(folder: &Path) -> Result<Self, StoreError> {
        Self::open_readers(folder, read_only_options()).await
    }

    /// Opens the files read-only, next to a running server, with reads as of one
    /// instant.
    pub(super) async fn open_snapshot(folder: &Path) -> Result<Self, StoreError> {
        let options = read_only_options()
            .max_connections(1)
            .after_release(|_, _| Box::pin(async { Ok(true) }))
            .after_connect(|connection, _| {
                Box::pin(async move { sqlx::raw_sql(BEGIN_SNAPSHOT).execute(connection).await.map(|_| ()) })
            });
        Self::open_readers(folder, options).await
    }

    async fn open_readers(folder: &Path, options: SqlitePoolOptions) -> Result<Self, StoreError> {
        let (is_served, lock) = lock_shared(folder)?;
        let open = async |name: &str, migrations| {
            let file = folder.join(name);
            // Nothing is written into the folder, unless what a killed server left in
            // the log has to be read.
            let is_immutable = !is_served && is_log_empty(&file);
            read_only_pool(&file, migrations, options.clone(), is_immutable).await
        };
        let main_readers = open("tickhall.db", &MAIN).await?;
        let history_readers = open("history.db", &HISTORY).await?;
        Ok(Self {
            main: main_readers.clone(),
            main_readers,
            history: history_readers.clone(),
            history_readers,
            role: Role::Auditor,
            copy_marker: None,
            _lock: lock,
        })
    }

    /// Opens the files to write users, next to a running server.
    pub(super) async fn open_for_user_admin(folder: &Path) -> Result<Self, StoreError> {
        let (main, history) = (folder.join("tickhall.db"), folder.join("history.db"));
        let main_readers = read_only_pool(&main, &MAIN, read_only_options(), false).await?;
        let history_readers = read_only_pool(&history, &HISTORY, read_only_options(), false).await?;
        Ok(Self {
            main: pool(&main, SqliteSynchronous::Full, 1).await?,
            main_readers,
            history: history_readers.clone(),
            history_readers,
            role: Role::Auth,
            copy_marker: None,
            _lock: None,
        })
    }

    pub(super) async fn set_durable(&self, is_durable: bool) -> Result<(), sqlx::Error> {
        let pragma = if is_durable { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = OFF" };
        // The pool's only connection, which lives as long as the pool.
        sqlx::query(pragma).execute(&self.main).await?;
        Ok(())
    }

    async fn venue_count(&self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("SELECT count(*) FROM venues").fetch_one(&self.main).await
    }

    pub(super) async fn close(&self) {
        self.main_readers.close().await;
        self.history_readers.close().await;
        self.main.close().await;
        self.history.close().await;
    }

    /// The lock on the folder already excludes other processes.
    pub(super) async fn try_acquire_lease(&self, _venue: VenueId) -> Result<Option<Lease>, StoreError> {
        Ok(Some(Lease::exclusive()))
    }

    pub(super) async fn acquire_lease(&self, _venue: VenueId) -> Result<Lease, StoreError> {
        Ok(Lease::exclusive())
    }

    /// Returns true if a transaction of [`Self::begin`] excludes all other writers.
    pub(super) const fn has_single_writer(&self) -> bool {
        true
    }

    /// Begins a transaction that writes. It takes the write lock at once, because
    /// taking it after a read fails without waiting.
    pub(super) async fn begin(&self, schema: Schema) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.pool(schema).begin_with("BEGIN IMMEDIATE").await
    }

    /// Pool that writes a schema.
    pub(super) const fn pool(&self, schema: Schema) -> &SqlitePool {
        match schema {
            Schema::Main => &self.main,
            Schema::History => &self.history,
        }
    }

    /// Pool that reads a schema.
    pub(super) const fn readers(&self, schema: Schema) -> &SqlitePool {
        match schema {
            Schema::Main => &self.main_readers,
            Schema::History => &self.history_readers,
        }
    }

    /// Begins a transaction on the history and runs `upserts` in it.
    pub(super) async fn begin_history(
        &self,
        upserts: &[BatchStatement<'_>],
    ) -> Result<Transaction<'static, Sqlite>, StoreError> {
        let mut transaction = self.begin(Schema::History).await?;
        transaction.run_batch(upserts).await?;
        Ok(transaction)
    }

    /// Prepares the tick tables for rows of `steps`.
    pub(super) async fn prepare_partitions(
        &self,
        _venue: VenueId,
        _steps: impl Iterator<Item = u64>,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    /// Deletes ticks and books older than an instrument's newest `rows`.
    pub(super) async fn retain_ticks(
        &self,
        venue: VenueId,
        instrument: InstrumentId,
        rows: i64,
    ) -> Result<(), StoreError> {
        for table in ["market_ticks", "order_books"] {
            let sql = format!(
                "DELETE FROM {table} WHERE venue_id = $1 AND instrument_id = $2 AND step <= (
                     SELECT step FROM {table} WHERE venue_id = $1 AND instrument_id = $2
                     ORDER BY step DESC LIMIT 1 OFFSET $3
                 )"
            );
            let query = sqlx::query(AssertSqlSafe(sql)).bind(venue.0).bind(instrument.0).bind(rows);
            query.execute(&self.history).await?;
        }
        Ok(())
    }

    /// Begins a transaction whose reads see one instant.
    pub(super) async fn begin_snapshot(
        &self,
        schema: Schema,
    ) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.readers(schema).begin().await
    }

    /// Begins a transaction over both files. Deletes what an interrupted copy left.
    pub(super) async fn begin_bulk(&self) -> Result<BulkTransaction, sqlx::Error> {
        let venues = self.venue_count().await?;
        let mut history = self.begin(Schema::History).await?;
        let main = self.begin(Schema::Main).await?;
        let mark: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *history).await?;
        if mark == INCOMPLETE_COPY && venues == 0 {
            for table in TABLES.into_iter().filter(|table| table.schema == Schema::History) {
                let delete = AssertSqlSafe(format!("DELETE FROM {}", table.name));
                sqlx::query(delete).execute(&mut *history).await?;
            }
        }
        sqlx::query("PRAGMA user_version = 1").execute(&mut *history).await?;
        let (history_pool, marker) = (self.history.clone(), self.copy_marker.clone());
        Ok(BulkTransaction { main, history, history_pool, marker })
    }

    /// SQL that lists the tables of a schema.
    pub(super) const fn table_names_sql(&self) -> &'static str {
        "SELECT name FROM sqlite_master
         WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%sqlx%' ORDER BY name"
    }

    /// SQL that lists the columns of a table in order, with their declared types.
    pub(super) const fn columns_sql(&self) -> &'static str {
        "SELECT name, type FROM pragma_table_info($1) ORDER BY cid"
    }
}

/// Transaction over both files.
pub(super) struct BulkTransaction {
    main: Transaction<'static, Sqlite>,
    history: Transaction<'static, Sqlite>,
    history_pool: SqlitePool,
    /// Marker to be removed after the commit, or if nothing is copied.
    marker: Option<PathBuf>,
}

impl BulkTransaction {
    /// Connection that writes a schema.
    pub(super) async fn connection(&mut self, schema: Schema) -> Result<&mut SqliteConnection, sqlx::Error> {
        Ok(match schema {
            Schema::Main => &mut self.main,
            Schema::History => &mut self.history,
        })
    }

    /// Prepares the tick tables for the rows of `chunk`.
    pub(super) async fn prepare_partitions(&mut self, _chunk: &RowChunk) -> Result<(), StoreError> {
        Ok(())
    }

    /// Commits the file with the venue last: a folder with a venue is complete, and
    /// no venue is created beside leftover history.
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        self.history.commit().await?;
        self.main.commit().await?;
        sqlx::query("PRAGMA user_version = 0").execute(&self.history_pool).await?;
        remove_marker(self.marker)
    }

    /// Ends without a copy, because the store has rows: it is what it was.
    pub(super) fn refuse(self) -> Result<(), sqlx::Error> {
        remove_marker(self.marker)
    }
}

fn remove_marker(marker: Option<PathBuf>) -> Result<(), sqlx::Error> {
    match marker.map(std::fs::remove_file) {
        Some(Err(error)) if error.kind() != ErrorKind::NotFound => Err(sqlx::Error::Io(error)),
        _ => Ok(()),
    }
}

fn folder_error(folder: &Path, error: std::io::Error) -> StoreError {
    StoreError::Folder { folder: folder.display().to_string(), error }
}

/// Locks the folder against servers, for as long as the file is open. Returns also
/// whether a server runs, which has the lock then. A folder without the file of the
/// lock was never served.
fn lock_shared(folder: &Path) -> Result<(bool, Option<File>), StoreError> {
    let file = match File::open(folder.join("tickhall.lock")) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((false, None)),
        Err(error) => return Err(folder_error(folder, error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok((false, Some(file))),
        Err(TryLockError::WouldBlock) => Ok((true, None)),
        Err(TryLockError::Error(error)) => Err(folder_error(folder, error)),
    }
}

/// Returns true if all of the file's content is in the file itself.
fn is_log_empty(file: &Path) -> bool {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).map_or(true, |metadata| metadata.len() == 0)
}

/// Locks the folder for this process; the system unlocks it when the process ends,
/// however it ends.
fn lock(folder: &Path) -> Result<File, StoreError> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("tickhall.lock"))
        .map_err(|error| folder_error(folder, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::FolderInUse { folder: folder.display().to_string() })
        }
        Err(TryLockError::Error(error)) => Err(folder_error(folder, error)),
    }
}

async fn pool(
    file: &Path,
    synchronous: SqliteSynchronous,
    connections: u32,
) -> Result<SqlitePool, StoreError> {
    // Pragmas are per connection, so they belong to the options.
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENT_CACHE_CAPACITY)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("cache_size", CACHE_SIZE)
        // Undo data of a single statement needs no file.
        .pragma("temp_store", "memory")
        .busy_timeout(BUSY_TIMEOUT);
    let pool = pool_options(connections).connect_with(options).await;
    pool.map_err(|error| file_error(file, error))
}

fn read_only_options() -> SqlitePoolOptions {
    pool_options(READER_CONNECTIONS)
}

/// Pool that cannot write, on a file that has this program's schema.
async fn read_only_pool(
    file: &Path,
    migrations: &Migrator,
    pool_options: SqlitePoolOptions,
    is_immutable: bool,
) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .immutable(is_immutable)
        .busy_timeout(BUSY_TIMEOUT);
    let opened = async {
        // A single connection fails at once with a reason; a pool would retry.
        let mut first = options.connect().await?;
        let stored: Option<i64> =
            sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut first).await?;
        first.close().await?;
        Ok::<_, sqlx::Error>((pool_options.connect_with(options).await?, stored))
    };
    let (pool, stored) = opened.await.map_err(|error| file_error(file, error))?;
    let current = migrations.iter().map(|migration| migration.version).max();
    match stored {
        Some(version) if stored > current => {
            Err(StoreError::NewerSchema { setting: "--data", file: file.display().to_string(), version })
        }
        _ if stored < current => Err(StoreError::OlderFile { file: file.display().to_string() }),
        _ => Ok(pool),
    }
}

fn pool_options(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(BUSY_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        // A future dropped inside a transaction leaves it open.
        .after_release(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
}

async fn migrate(migrations: &Migrator, pool: &SqlitePool, file: &Path) -> Result<(), StoreError> {
    migrations.run(pool).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => {
            StoreError::NewerSchema { setting: "--data", file: file.display().to_string(), version }
        }
        other => file_error(file, other.into()),
    })
}

fn file_error(file: &Path, error: sqlx::Error) -> StoreError {
    StoreError::File { file: file.display().to_string(), error }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use sqlx::SqlSafeStr as _;
    use sqlx::migrate::{Migration, MigrationType};

    use super::*;

    /// A file with one row in each of the tables that refer to others.
    async fn filled(folder: &Path) -> SqlitePool {
        let file = folder.join("tickhall.db");
        let pool = pool(&file, SqliteSynchronous::Full, 1).await.unwrap();
        migrate(&MAIN, &pool, &file).await.unwrap();
        for statement in [
            "INSERT INTO venues VALUES (zeroblob(16), 'main', '{}', zeroblob(32), zeroblob(32), zeroblob(32),
                                        NULL, NULL, 0)",
            "INSERT INTO instruments VALUES (zeroblob(16), zeroblob(16), 'ACME', 'Acme', 'EQUITY', '0.01', '1', 1,
                                             'USD', NULL, NULL, '{}')",
            "INSERT INTO journal VALUES (zeroblob(16), 3, 3, 'step', FALSE, 1, x'0a', x'0b', x'0c', zeroblob(32))",
            "INSERT INTO journal VALUES (zeroblob(16), 2, 1, 'range', FALSE, 1, x'0a', x'0b', NULL, zeroblob(32))",
            "INSERT INTO accounts VALUES (zeroblob(16), zeroblob(16), NULL, 0, 0, 'USD', 0, 1, 1, 0)",
            "INSERT INTO orders VALUES (zeroblob(16), zeroblob(16), zeroblob(16), zeroblob(16), 'c-1', 'BUY',
                                        'LIMIT', 10, 4, 9990, 'PARTIAL', 'GTC', 0, 0, 7, 0, 0, NULL, NULL, NULL)",
            "INSERT INTO trades VALUES (zeroblob(16), zeroblob(16), zeroblob(16), zeroblob(16), zeroblob(16), 'BUY',
                                        4, 9990, 0, 0, 0, 1, 7, 2, 0)",
        ] {
            sqlx::query(statement).execute(&pool).await.unwrap();
        }
        pool
    }

    #[tokio::test]
    async fn a_later_migration_keeps_the_rows_and_locks_out_this_program() {
        let folder = tempfile::tempdir().unwrap();
        let (pool, file) = (filled(folder.path()).await, folder.path().join("tickhall.db"));
        let sql = "ALTER TABLE orders ADD COLUMN note TEXT NOT NULL DEFAULT 'none'";
        let later = Migration::new(9001, "later".into(), MigrationType::Simple, sql.into_sql_str(), false);
        let migrations = MAIN.iter().cloned().chain([later]).collect();
        let newer = Migrator { migrations: Cow::Owned(migrations), ..Migrator::DEFAULT };
        migrate(&newer, &pool, &file).await.unwrap();
        let order: (String, i64, Option<i64>, String) = sqlx::query_as(
            "SELECT o.client_order_id, t.qty_filled, o.dealer, o.note
             FROM orders o JOIN trades t ON t.order_id = o.order_id",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!(order, ("c-1".to_owned(), 4, None, "none".to_owned()));
        let journal: Vec<(i64, i64, String, Option<Vec<u8>>)> =
            sqlx::query_as("SELECT seq, first_seq, kind, payload FROM journal ORDER BY venue_id, seq")
                .fetch_all(&pool)
                .await
                .unwrap();
        assert_eq!(journal, [(2, 1, "range".to_owned(), None), (3, 3, "step".to_owned(), Some(vec![12]))]);
        assert!(sqlx::query("PRAGMA foreign_key_check").fetch_all(&pool).await.unwrap().is_empty());
        let refused = migrate(&MAIN, &pool, &file).await.unwrap_err();
        assert!(matches!(refused, StoreError::NewerSchema { version: 9001, .. }), "{refused}");
    }

    #[tokio::test]
    async fn reasons_of_older_cancels_are_what_the_terms_tell() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tickhall.db");
        let pool = pool(&file, SqliteSynchronous::Full, 1).await.unwrap();
        let older = MAIN.iter().filter(|migration| migration.version < 7).cloned().collect();
        let older = Migrator { migrations: Cow::Owned(older), ..Migrator::DEFAULT };
        migrate(&older, &pool, &file).await.unwrap();
        sqlx::query("PRAGMA foreign_keys = OFF").execute(&pool).await.unwrap();
        for (id, status, terms) in
            [(1, "CANCELLED", "IOC"), (2, "CANCELLED", "FOK"), (3, "CANCELLED", "GTC"), (4, "OPEN", "GTC")]
        {
            let order = format!(
                "INSERT INTO orders VALUES (zeroblob(16), CAST(printf('%016d', {id}) AS BLOB), zeroblob(16),
                    zeroblob(16), 'c-{id}', 'BUY', 'LIMIT', 10, 0, 9990, '{status}', '{terms}', 0, 0, {id}, 0, 0,
                    NULL, NULL)"
            );
            sqlx::query(AssertSqlSafe(order)).execute(&pool).await.unwrap();
        }
        migrate(&MAIN, &pool, &file).await.unwrap();
        let reasons: Vec<Option<String>> =
            sqlx::query_scalar("SELECT cancel_reason FROM orders ORDER BY seq")
                .fetch_all(&pool)
                .await
                .unwrap();
        let reasons: Vec<_> = reasons.iter().map(Option::as_deref).collect();
        let expected = [Some("IMMEDIATE_OR_CANCEL"), Some("FILL_OR_KILL"), Some("UNKNOWN"), None];
        assert_eq!(reasons, expected);
    }

    #[tokio::test]
    async fn references_are_checked_at_the_commit() {
        let folder = tempfile::tempdir().unwrap();
        let pool = filled(folder.path()).await;
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

    #[tokio::test]
    async fn an_older_schema_is_not_opened_read_only() {
        let folder = tempfile::tempdir().unwrap();
        let pool = filled(folder.path()).await;
        sqlx::query("DELETE FROM _sqlx_migrations WHERE version > 1").execute(&pool).await.unwrap();
        let refused = Backend::open_read_only(folder.path()).await.unwrap_err();
        assert!(matches!(refused, StoreError::OlderFile { .. }), "{refused}");
    }
}
