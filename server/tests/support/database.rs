//! Stores to test on: a folder, and a PostgreSQL database of the test's own.
//!
//! The server is the one that `DATABASE_URL` names, or a private one.

use server::store::{Role, Store};
use services::Postgres;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use uuid::Uuid;

/// The kinds of store that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

pub const KINDS: [Kind; 2] = [Kind::Sqlite, Kind::Postgres];

/// Where a store is; gone with this value.
pub enum Place {
    Folder(tempfile::TempDir),
    Database(Database),
}

impl Place {
    /// An empty place.
    pub async fn new(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::Folder(tempfile::tempdir().unwrap()),
            Kind::Postgres => Self::Database(Database::create().await),
        }
    }

    /// The store there, with all rights.
    pub async fn open(&self) -> Store {
        match self {
            Self::Folder(folder) => Store::open_sqlite(folder.path()).await.unwrap(),
            Self::Database(database) => database.open(Role::Owner).await,
        }
    }
}

/// A PostgreSQL database of one's own, dropped with this value.
pub struct Database {
    pub url: String,
    name: String,
    admin: String,
    /// The server, unless it is somebody else's.
    pub server: Option<Postgres>,
}

impl Database {
    /// An empty database, on a server that may be shared.
    pub async fn create() -> Self {
        match std::env::var("DATABASE_URL") {
            Ok(admin) => Self::on(admin, None).await,
            Err(_) => Self::private(&["fsync=off"]).await,
        }
    }

    /// An empty database on a server of its own, which the test may kill.
    pub async fn private(settings: &[&str]) -> Self {
        let server = Postgres::start(settings).expect("PostgreSQL: `cargo xtask test` installs it");
        Self::on(server.url("postgres"), Some(server)).await
    }

    async fn on(admin: String, server: Option<Postgres>) -> Self {
        let name = format!("tradefloor_test_{}", Uuid::new_v4().simple());
        administer(&admin, &format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        Self { url: renamed(&admin, &name), name, admin, server }
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
