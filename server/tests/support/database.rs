//! Databases of single tests: a SQLite folder, or a PostgreSQL database.
//!
//! `DATABASE_URL` names the PostgreSQL server; without it, each test starts one.

use std::path::Path;

use server::config::Config;
use server::store::{Role, Store, StoreError};
use sqlx::error::ErrorKind;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use testbed::{Failure, Postgres};
use uuid::Uuid;

use super::servers::{if_there, named};
use super::trading_fixture::TEST_TIMEOUT;

const NOT_INSTALLED: &str = "PostgreSQL: `cargo xtask test` installs it";

/// Kind of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    Sqlite,
    Postgres,
}

impl DatabaseKind {
    /// Kind that `TICKHALL_TEST_STORE` names; SQLite without it.
    pub fn of_this_run() -> Self {
        match std::env::var("TICKHALL_TEST_STORE").as_deref() {
            Ok("postgres") => Self::Postgres,
            Ok("sqlite") | Err(_) => Self::Sqlite,
            Ok(other) => panic!("TICKHALL_TEST_STORE={other}: sqlite or postgres"),
        }
    }
}

/// Database of one test; deleted on drop.
pub enum TestDatabase {
    Folder(tempfile::TempDir),
    Database(Database),
}

impl TestDatabase {
    /// An empty database of the kind that this run tests.
    pub async fn of_this_run() -> Self {
        match DatabaseKind::of_this_run() {
            DatabaseKind::Sqlite => Self::Folder(tempfile::tempdir().unwrap()),
            DatabaseKind::Postgres => Self::Database(Database::try_create().await.expect(NOT_INSTALLED)),
        }
    }

    /// An empty database of each kind that is installed.
    pub async fn each_kind() -> Vec<Self> {
        let mut databases = vec![Self::Folder(tempfile::tempdir().unwrap())];
        databases.extend(if_there(Database::try_create().await).map(Self::Database));
        databases
    }

    /// An empty database of `kind`.
    pub async fn new(kind: DatabaseKind) -> Self {
        match kind {
            DatabaseKind::Sqlite => Self::Folder(tempfile::tempdir().unwrap()),
            DatabaseKind::Postgres => Self::Database(Database::create().await),
        }
    }

    /// Sets the database in a configuration.
    pub fn configure(&self, config: &mut Config) {
        match self {
            Self::Folder(folder) => config.data = folder.path().to_owned(),
            Self::Database(database) => config.database_url = Some(database.url.clone()),
        }
    }

    /// Opens the store as its owner; waits until nobody else uses the folder.
    pub async fn open(&self) -> Store {
        let folder = match self {
            Self::Folder(folder) => folder.path(),
            Self::Database(database) => return database.open(Role::Owner).await,
        };
        let opened = async {
            loop {
                match Store::open_sqlite(folder).await {
                    Ok(store) => return store,
                    Err(StoreError::FolderInUse { .. }) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        tokio::time::timeout(TEST_TIMEOUT, opened).await.expect("the folder stays in use")
    }

    /// Runs a statement on the money tables; the number of changed rows. SQLite does
    /// not check references then.
    pub async fn tamper(&self, sql: &'static str) -> u64 {
        self.tamper_with(sql.to_owned()).await
    }

    /// The same with a statement that the test composes.
    pub async fn tamper_with(&self, sql: String) -> u64 {
        match self {
            Self::Folder(folder) => tamper_with(folder.path(), sql).await,
            Self::Database(database) => {
                let mut connection = database.connect().await;
                sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap().rows_affected()
            }
        }
    }

    /// Kind of the error of a statement on the money tables; `None` if it succeeds.
    pub async fn error_kind(&self, sql: &str) -> Option<ErrorKind> {
        let sql = AssertSqlSafe(sql.to_owned());
        let done = match self {
            Self::Folder(folder) => {
                let mut file = file(folder.path()).await;
                let done = sqlx::query(sql).execute(&mut file).await.map(|_| ());
                file.close().await.unwrap();
                done
            }
            Self::Database(database) => {
                sqlx::query(sql).execute(&mut database.connect().await).await.map(|_| ())
            }
        };
        match done {
            Ok(()) => None,
            Err(sqlx::Error::Database(error)) => Some(error.kind()),
            Err(error) => panic!("{error}"),
        }
    }

    /// A number queried from the money tables.
    pub async fn number(&self, sql: &str) -> i64 {
        // A sum is NUMERIC in PostgreSQL.
        self.value(&format!("SELECT CAST(({sql}) AS BIGINT)")).await
    }

    /// A text queried from the money tables.
    pub async fn text(&self, sql: &str) -> String {
        self.value(&format!("SELECT CAST(({sql}) AS TEXT)")).await
    }

    async fn value<T>(&self, sql: &str) -> T
    where
        T: Send + Unpin,
        T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Folder(folder) => {
                let mut file = file(folder.path()).await;
                let value = sqlx::query_scalar(sql).fetch_one(&mut file).await.unwrap();
                file.close().await.unwrap();
                value
            }
            Self::Database(database) => {
                sqlx::query_scalar(sql).fetch_one(&mut database.connect().await).await.unwrap()
            }
        }
    }
}

/// Runs a statement on the money tables of a folder; the number of changed rows.
pub async fn tamper(folder: &Path, sql: &'static str) -> u64 {
    tamper_with(folder, sql.to_owned()).await
}

async fn tamper_with(folder: &Path, sql: String) -> u64 {
    let mut file = file(folder).await;
    let done = sqlx::query(AssertSqlSafe(sql)).execute(&mut file).await.unwrap().rows_affected();
    file.close().await.unwrap();
    done
}

async fn file(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("tickhall.db")).foreign_keys(false);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// A PostgreSQL database of one test, dropped with this value.
pub struct Database {
    pub url: String,
    name: String,
    admin: String,
    /// The server, if it is private.
    server: Option<Postgres>,
}

impl Database {
    /// An empty database, on a shared server if `DATABASE_URL` names one.
    pub async fn create() -> Self {
        named();
        Self::try_create().await.expect(NOT_INSTALLED)
    }

    async fn try_create() -> Result<Self, Failure> {
        if let Ok(admin) = std::env::var("DATABASE_URL") {
            return Ok(Self::on(admin, None).await);
        }
        let server = Postgres::start(&["fsync=off"])?;
        Ok(Self::on(server.url("postgres"), Some(server)).await)
    }

    async fn on(admin: String, server: Option<Postgres>) -> Self {
        let name = format!("tickhall_test_{}", Uuid::new_v4().simple());
        administer(&admin, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        let url = renamed(&admin, &name);
        // The queries of tests use a function of SQLite.
        administer(&url, "CREATE FUNCTION hex(BYTEA) RETURNS TEXT RETURN encode($1, 'hex')").await;
        Self { url, name, admin, server }
    }

    pub async fn open(&self, role: Role) -> Store {
        Store::open_postgres(&self.url, role).await.unwrap()
    }

    /// A direct connection with the login's rights.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A private server is deleted with its databases.
        if self.server.is_some() {
            return;
        }
        let (admin, drop) = (self.admin.clone(), format!("DROP DATABASE {} WITH (FORCE)", self.name));
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(administer(&admin, &drop));
        });
        let _ = dropping.join();
    }
}

async fn administer(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// The address of another database on the same server.
fn renamed(url: &str, name: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, None), |(address, query)| (address, Some(query)));
    let (scheme, rest) = address.split_once("://").expect("an address with a scheme");
    let host = rest.split('/').next().unwrap_or_default();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{host}/{name}{query}")
}
