//! Check of the schema's version, and migrations.
//!
//! Does not know what the tables mean.

use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migrator};

use crate::store::{Role, StoreError};

static MAIN: Migrator = sqlx::migrate!("../migrations/postgres/main");
static HISTORY: Migrator = sqlx::migrate!("../migrations/postgres/history");

/// Checks both schemas, and migrates older ones if `role` may.
pub(super) async fn check_or_migrate(
    connection: &mut PgConnection,
    role: Role,
    address: &str,
) -> Result<(), StoreError> {
    for (schema, migrations) in [("public", &MAIN), ("history", &HISTORY)] {
        let stored = newest(connection, schema).await.map_err(|error| server_error(address, error))?;
        let current = migrations.iter().map(|migration| migration.version).max();
        match (stored, current) {
            (stored, current) if stored == current => {}
            (Some(version), current) if current.is_none_or(|current| version > current) => {
                return Err(StoreError::NewerSchema {
                    setting: "--database-url",
                    file: address.to_owned(),
                    version,
                });
            }
            _ if !matches!(role, Role::Owner | Role::Trading) => {
                return Err(StoreError::OlderSchema { address: address.to_owned() });
            }
            _ => migrate(connection, schema, migrations, address).await?,
        }
    }
    Ok(())
}

/// Newest migration of a schema; `None` without migrations.
async fn newest(connection: &mut PgConnection, schema: &str) -> Result<Option<i64>, sqlx::Error> {
    let table = format!("{schema}._sqlx_migrations");
    let exists: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(&table)
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        return Ok(None);
    }
    let newest = sqlx::AssertSqlSafe(format!("SELECT max(version) FROM {table} WHERE success"));
    sqlx::query_scalar(newest).fetch_one(connection).await
}

/// Migrates a schema. Several processes may do so at once: sqlx takes a lock in the
/// database, and the later ones find nothing to do.
async fn migrate(
    connection: &mut PgConnection,
    schema: &str,
    migrations: &Migrator,
    address: &str,
) -> Result<(), StoreError> {
    sqlx::query("SELECT set_config('search_path', $1, FALSE)")
        .bind(schema)
        .execute(&mut *connection)
        .await
        .map_err(|error| server_error(address, error))?;
    migrations.run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => {
            StoreError::NewerSchema { setting: "--database-url", file: address.to_owned(), version }
        }
        other => server_error(address, other.into()),
    })
}

fn server_error(address: &str, error: sqlx::Error) -> StoreError {
    StoreError::Server { address: address.to_owned(), error }
}
