//! PostgreSQL: one database, two pools, and a role for every connection.
//!
//! Only connections, session settings and migrations are here; the queries are
//! shared with other backends. Does not know what the tables mean.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};

use super::Role;
use super::api::error::StoreError;

#[path = "postgres/copy.rs"]
mod copy;
#[path = "postgres/dialect.rs"]
pub(crate) mod dialect;
#[path = "postgres/lease.rs"]
mod lease;
#[path = "postgres/partitions.rs"]
mod partitions;
#[path = "postgres/schema.rs"]
mod schema;

#[path = "queries.rs"]
mod queries;

/// The database that the shared queries are compiled for here.
pub(crate) type Db = sqlx::Postgres;

/// How long opening waits for the server.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a statement waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);

/// Connections of one pool.
const CONNECTIONS: u32 = 8;

/// What every session of ours gives up on, and when it notices that its client
/// is gone: a transaction that nobody ends must not hold the others up.
const PATIENCE: [(&str, &str); 7] = [
    ("statement_timeout", "30s"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "5s"),
    ("client_connection_check_interval", "2s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
];

/// Pools over the database.
#[derive(Debug)]
pub struct Backend {
    /// Money, users, sessions; a commit is on disk when it returns.
    pub(super) main: sqlx::Pool<Db>,
    /// The same.
    pub(super) main_readers: sqlx::Pool<Db>,
    /// The market's past; a commit may be lost with the server's machine.
    pub(super) history: sqlx::Pool<Db>,
    /// The same.
    pub(super) history_readers: sqlx::Pool<Db>,
    /// Who opened it.
    pub(super) role: Role,
    /// Partitions that are known to be there.
    pub(super) partitions: dialect::Known,
}

impl Backend {
    pub(super) async fn open(url: &str, role: Role) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| StoreError::Address { reason: "it is not an address of PostgreSQL".to_owned() })?
            .application_name(role.name())
            .disable_statement_logging();
        let place = place(&options);
        let failed = |error: sqlx::Error| StoreError::Unreachable { place: place.clone(), error };
        // One connection first: it fails at once and says why, which a pool does not.
        let mut first = tokio::time::timeout(CONNECT, PgConnection::connect_with(&options))
            .await
            .unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut))
            .map_err(failed)?;
        schema::ready(&mut first, role, &place).await?;
        first.close().await.map_err(failed)?;
        let options = options.options(PATIENCE);
        let options = match role.group() {
            Some(group) => options.options([("role", group)]),
            None if role == Role::Auditor => options.options([("default_transaction_read_only", "on")]),
            None => options,
        };
        let main = pool(options.clone().options([("search_path", "public"), ("synchronous_commit", "on")]));
        let history = pool(options.options([("search_path", "history"), ("synchronous_commit", "off")]));
        // The login may lack the role.
        main.acquire().await.map_err(failed)?;
        Ok(Self {
            main_readers: main.clone(),
            main,
            history_readers: history.clone(),
            history,
            role,
            partitions: dialect::Known::default(),
        })
    }

    pub(super) async fn close(&self) {
        self.main.close().await;
        self.history.close().await;
    }
}

fn pool(options: PgConnectOptions) -> sqlx::Pool<Db> {
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE)
        // A future that was dropped while it began a transaction leaves one
        // behind that the client knows nothing of.
        .after_release(|connection, _| {
            Box::pin(async move {
                // As one message: of a prepared statement's several, the first
                // would begin the transaction and the last be the statement.
                let row = sqlx::raw_sql("SELECT now() = statement_timestamp()").fetch_one(connection).await?;
                row.try_get(0)
            })
        })
        .connect_lazy_with(options)
}

/// Where the database is, without any password.
fn place(options: &PgConnectOptions) -> String {
    let (user, name) = (options.get_username(), options.get_database().unwrap_or_default());
    match options.get_socket() {
        Some(socket) => format!("{user}@{}/{name}", socket.display()),
        None => format!("{user}@{}:{}/{name}", options.get_host(), options.get_port()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

    use super::*;

    #[tokio::test]
    async fn money_waits_for_the_disk_and_the_past_does_not() {
        let server = testbed::Postgres::start(&["fsync=off"]).unwrap();
        let backend = Backend::open(&server.url("postgres"), Role::Owner).await.unwrap();
        for (pool, expected) in [
            (&backend.main, ("public", "on")),
            (&backend.main_readers, ("public", "on")),
            (&backend.history, ("history", "off")),
            (&backend.history_readers, ("history", "off")),
        ] {
            let found: (String, String) =
                sqlx::query_as("SELECT current_schema()::text, current_setting('synchronous_commit')")
                    .fetch_one(pool)
                    .await
                    .unwrap();
            assert_eq!((found.0.as_str(), found.1.as_str()), expected);
        }
        backend.close().await;
    }
}
