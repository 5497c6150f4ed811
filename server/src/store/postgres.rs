//! PostgreSQL: one database with two schemas, and a role for every connection.
//!
//! Connections, session settings, migrations, and the statements that only
//! PostgreSQL needs. Does not know what the tables mean.

use std::str::FromStr as _;
use std::time::Duration;

use engine::id::{InstrumentId, VenueId};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool, Postgres, Row as _, Transaction};

use super::batch_statement::{BatchConnection as _, BatchStatement};
use super::copying::{RowChunk, Schema};
use super::{Role, StoreError};
use partitions::PartitionCache;

mod batch;
mod copy;
mod lease;
mod partitions;
mod schema;

/// Longest wait for the server when the store is opened.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait of a statement for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections per pool.
const POOL_CONNECTIONS: u32 = 8;

/// Timeouts of every session, and how soon the server notices that its client is
/// gone: an abandoned transaction must not hold up the others.
const SESSION_TIMEOUTS: [(&str, &str); 7] = [
    ("statement_timeout", "30s"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "5s"),
    ("client_connection_check_interval", "2s"),
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
];

/// Connection pools of the two schemas.
#[derive(Debug)]
pub struct Backend {
    /// Money, users, sessions; a commit is on disk when it returns.
    pub(super) main: PgPool,
    /// The same pool.
    pub(super) main_readers: PgPool,
    /// Market history; a crash of the server's machine may lose recent commits.
    pub(super) history: PgPool,
    /// The same pool.
    pub(super) history_readers: PgPool,
    /// Role that opened it.
    pub(super) role: Role,
    /// Partitions that exist.
    partitions: PartitionCache,
}

/// Statements of a connection whose reads all see the instant of its first one.
const BEGIN_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
    SELECT count(*) FROM _sqlx_migrations";

impl Backend {
    pub(super) async fn open(url: &str, role: Role) -> Result<Self, StoreError> {
        Self::open_with(url, role, pool_options()).await
    }

    /// Opens the database read-only, with reads of the money tables as of one instant.
    pub(super) async fn open_snapshot(url: &str) -> Result<Self, StoreError> {
        let options = pool_options()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .after_release(|_, _| Box::pin(async { Ok(true) }))
            .after_connect(|connection, _| {
                Box::pin(async move { sqlx::raw_sql(BEGIN_SNAPSHOT).execute(connection).await.map(|_| ()) })
            });
        Self::open_with(url, Role::Auditor, options).await
    }

    async fn open_with(url: &str, role: Role, main_options: PgPoolOptions) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| StoreError::InvalidUrl)?
            .application_name(role.application_name())
            .disable_statement_logging();
        let address = address(&options);
        let failed = |error: sqlx::Error| StoreError::Server { address: address.clone(), error };
        // A single connection fails at once with a reason; a pool would retry.
        let mut first = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options))
            .await
            .unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut))
            .map_err(failed)?;
        schema::check_or_migrate(&mut first, role, &address).await?;
        first.close().await.map_err(failed)?;
        let options = options.options(SESSION_TIMEOUTS);
        let options = match role.database_role() {
            Some(database_role) => options.options([("role", database_role)]),
            None if role == Role::Auditor => options.options([("default_transaction_read_only", "on")]),
            None => options,
        };
        let main = options.clone().options([("search_path", "public"), ("synchronous_commit", "on")]);
        let main = main_options.connect_lazy_with(main);
        let history = options.options([("search_path", "history"), ("synchronous_commit", "off")]);
        let history = pool_options().connect_lazy_with(history);
        // Fails here if the login is not a member of the role.
        main.acquire().await.map_err(failed)?;
        Ok(Self {
            main_readers: main.clone(),
            main,
            history_readers: history.clone(),
            history,
            role,
            partitions: PartitionCache::default(),
        })
    }

    pub(super) async fn close(&self) {
        self.main.close().await;
        self.history.close().await;
    }

    /// Returns true if a transaction of [`Self::begin`] excludes all other writers.
    pub(super) const fn has_single_writer(&self) -> bool {
        false
    }

    /// Begins a transaction that writes.
    pub(super) async fn begin(&self, schema: Schema) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.pool(schema).begin().await
    }

    /// Pool that writes a schema.
    pub(super) const fn pool(&self, schema: Schema) -> &PgPool {
        match schema {
            Schema::Main => &self.main,
            Schema::History => &self.history,
        }
    }

    /// Pool that reads a schema.
    pub(super) const fn readers(&self, schema: Schema) -> &PgPool {
        match schema {
            Schema::Main => &self.main_readers,
            Schema::History => &self.history_readers,
        }
    }

    /// Begins a transaction on the history and adds the rows of `upserts`: by COPY,
    /// or by the statements if COPY finds that some rows exist.
    pub(super) async fn begin_history(
        &self,
        upserts: &[BatchStatement<'_>],
    ) -> Result<Transaction<'static, Postgres>, StoreError> {
        let mut transaction = self.history.begin().await?;
        match copy::insert(&mut transaction, upserts).await {
            Ok(()) => return Ok(transaction),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {}
            Err(error) => return Err(error.into()),
        }
        transaction.rollback().await?;
        let mut transaction = self.history.begin().await?;
        transaction.run_batch(upserts).await?;
        Ok(transaction)
    }

    /// Prepares the tick tables for rows of `steps`.
    pub(super) async fn prepare_partitions(
        &self,
        venue: VenueId,
        steps: impl Iterator<Item = u64>,
    ) -> Result<(), StoreError> {
        let mut connection = self.history.acquire().await?;
        partitions::create(&self.partitions, &mut connection, venue, steps).await
    }

    /// Drops partitions of ticks and books that no instrument needs to keep its
    /// newest `rows`.
    pub(super) async fn retain_ticks(
        &self,
        venue: VenueId,
        _instrument: InstrumentId,
        rows: i64,
    ) -> Result<(), StoreError> {
        let query = sqlx::query("SELECT drop_partitions($1, $2)").bind(venue.0).bind(rows);
        query.execute(&self.history).await?;
        Ok(())
    }

    /// Begins a transaction whose reads see one instant, without timeouts.
    pub(super) async fn begin_snapshot(
        &self,
        schema: Schema,
    ) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
            SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
        self.readers(schema).begin_with(begin).await
    }

    /// Begins a transaction over both schemas, without timeouts.
    pub(super) async fn begin_bulk(&self) -> Result<BulkTransaction, sqlx::Error> {
        let begin =
            "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
        let transaction = self.main.begin_with(begin).await?;
        Ok(BulkTransaction { transaction, schema: Schema::Main, partitions: PartitionCache::default() })
    }

    /// SQL that lists the tables of a schema, a partitioned one as one.
    pub(super) const fn table_names_sql(&self) -> &'static str {
        "SELECT relname::text FROM pg_class
         WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
           AND relname NOT LIKE '%sqlx%' ORDER BY relname"
    }

    /// SQL that lists the columns of a table in order, with their declared types.
    pub(super) const fn columns_sql(&self) -> &'static str {
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    }
}

/// Transaction over both schemas.
pub(super) struct BulkTransaction {
    transaction: Transaction<'static, Postgres>,
    /// Schema in which names are looked up.
    schema: Schema,
    /// Partitions that exist if the transaction commits.
    partitions: PartitionCache,
}

impl BulkTransaction {
    /// Connection that writes a schema.
    pub(super) async fn connection(&mut self, schema: Schema) -> Result<&mut PgConnection, sqlx::Error> {
        if schema != self.schema {
            let path = match schema {
                Schema::Main => "SET LOCAL search_path = public",
                Schema::History => "SET LOCAL search_path = history",
            };
            sqlx::raw_sql(path).execute(&mut *self.transaction).await?;
            self.schema = schema;
        }
        Ok(&mut self.transaction)
    }

    /// Prepares the tick tables for the rows of `chunk`.
    pub(super) async fn prepare_partitions(&mut self, chunk: &RowChunk) -> Result<(), StoreError> {
        if ["market_ticks", "order_books"].contains(&chunk.table.name) {
            self.connection(chunk.table.schema).await?;
            for (venue, steps) in chunk.steps_by_venue() {
                partitions::create(&self.partitions, &mut self.transaction, venue, steps.into_iter()).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        self.transaction.commit().await
    }

    /// Ends without a copy, because the store has rows.
    pub(super) fn refuse(self) -> Result<(), sqlx::Error> {
        Ok(())
    }
}

fn pool_options() -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(POOL_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A future dropped while it began a transaction leaves one that the client
        // has no record of.
        .after_release(|connection, _| {
            Box::pin(async move {
                // As one message: of a prepared statement's several, the first would
                // begin the transaction and the last be the statement.
                let row = sqlx::raw_sql("SELECT now() = statement_timestamp()").fetch_one(connection).await?;
                row.try_get(0)
            })
        })
}

/// Address of the database without the password.
fn address(options: &PgConnectOptions) -> String {
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
    async fn only_history_commits_asynchronously() {
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
