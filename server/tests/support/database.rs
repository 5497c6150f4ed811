//! Stores to test on: a folder, and a PostgreSQL database of the test's own.
//!
//! The server is the one that `DATABASE_URL` names, or a private one.

use std::path::Path;

use server::config::Config;
use server::store::{Role, Store, StoreError};
use sqlx::error::ErrorKind;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use testbed::{Failure, Postgres};
use uuid::Uuid;

use super::desk::PATIENCE;
use super::servers::{if_there, named};

const NEEDED: &str = "PostgreSQL: `cargo xtask test` installs it";

/// The kinds of store that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    /// The kind that this run of the suite is for.
    pub fn of_this_run() -> Self {
        match std::env::var("TICKHALL_TEST_STORE").as_deref() {
            Ok("postgres") => Self::Postgres,
            Ok("sqlite") | Err(_) => Self::Sqlite,
            Ok(other) => panic!("TICKHALL_TEST_STORE={other}: sqlite or postgres"),
        }
    }
}

/// Where a store is; gone with this value.
pub enum Place {
    Folder(tempfile::TempDir),
    Database(Database),
}

impl Place {
    /// An empty place of the kind that this run is for.
    pub async fn of_this_run() -> Self {
        match Kind::of_this_run() {
            Kind::Sqlite => Self::Folder(tempfile::tempdir().unwrap()),
            Kind::Postgres => Self::Database(Database::found().await.expect(NEEDED)),
        }
    }

    /// An empty place of every kind that there can be here.
    pub async fn every() -> Vec<Self> {
        let mut every = vec![Self::Folder(tempfile::tempdir().unwrap())];
        every.extend(if_there(Database::found().await).map(Self::Database));
        every
    }

    /// An empty place.
    pub async fn new(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::Folder(tempfile::tempdir().unwrap()),
            Kind::Postgres => Self::Database(Database::create().await),
        }
    }

    /// Puts the place into a configuration.
    pub fn configure(&self, config: &mut Config) {
        match self {
            Self::Folder(folder) => config.data = folder.path().to_owned(),
            Self::Database(database) => config.database_url = Some(database.url.clone()),
        }
    }

    /// The store there, with all rights, as soon as whoever had it before has
    /// let go of it.
    pub async fn open(&self) -> Store {
        let folder = match self {
            Self::Folder(folder) => folder.path(),
            Self::Database(database) => return database.open(Role::Owner).await,
        };
        let opened = async {
            loop {
                match Store::open_sqlite(folder).await {
                    Ok(store) => return store,
                    Err(StoreError::Held { .. }) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, opened).await.expect("the folder stays held")
    }

    /// Runs a statement straight at the money tables, as a vandal would.
    pub async fn vandalize(&self, sql: &'static str) -> u64 {
        match self {
            Self::Folder(folder) => vandalize(folder.path(), sql).await,
            Self::Database(database) => {
                let mut connection = database.connect().await;
                sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected()
            }
        }
    }

    /// Why the database refuses a statement straight at the money tables; `None`
    /// when it has been done.
    pub async fn refusal(&self, sql: &str) -> Option<ErrorKind> {
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

    /// A number from the money tables.
    pub async fn number(&self, sql: &str) -> i64 {
        // Sums are wider in PostgreSQL.
        self.value(&format!("SELECT CAST(({sql}) AS BIGINT)")).await
    }

    /// A text from the money tables.
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

/// Runs a statement straight at a folder's money tables.
pub async fn vandalize(folder: &Path, sql: &'static str) -> u64 {
    let mut file = file(folder).await;
    let done = sqlx::query(sql).execute(&mut file).await.unwrap().rows_affected();
    file.close().await.unwrap();
    done
}

async fn file(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("tickhall.db")).foreign_keys(false);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// A PostgreSQL database of one's own, dropped with this value.
pub struct Database {
    pub url: String,
    name: String,
    admin: String,
    /// The server, unless it is somebody else's.
    server: Option<Postgres>,
}

impl Database {
    /// An empty database, on a server that may be shared.
    pub async fn create() -> Self {
        named();
        Self::found().await.expect(NEEDED)
    }

    async fn found() -> Result<Self, Failure> {
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
        // Questions of tests are asked in words that both databases know.
        administer(&url, "CREATE FUNCTION hex(BYTEA) RETURNS TEXT RETURN encode($1, 'hex')").await;
        Self { url, name, admin, server }
    }

    pub async fn open(&self, role: Role) -> Store {
        Store::open_postgres(&self.url, role).await.unwrap()
    }

    /// A connection past the store, with the login's rights.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A private server goes whole.
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

/// The address with another database in it.
fn renamed(url: &str, name: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, None), |(address, query)| (address, Some(query)));
    let (scheme, rest) = address.split_once("://").expect("an address with a scheme");
    let host = rest.split('/').next().unwrap_or_default();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{host}/{name}{query}")
}
