//! Whether the database's schema is this program's, and making it so.
//!
//! Does not know what the tables mean.

use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migrator};

use crate::store::Role;
use crate::store::api::error::StoreError;

static MAIN: Migrator = sqlx::migrate!("../migrations/postgres/main");
static HISTORY: Migrator = sqlx::migrate!("../migrations/postgres/history");

/// Checks both schemas, and migrates them if `role` is the one to do it.
pub(super) async fn ready(connection: &mut PgConnection, role: Role, place: &str) -> Result<(), StoreError> {
    for (schema, migrations) in [("public", &MAIN), ("history", &HISTORY)] {
        let stored = newest(connection, schema).await.map_err(|error| opening(place, error))?;
        let wanted = migrations.iter().map(|migration| migration.version).max();
        match (stored, wanted) {
            (stored, wanted) if stored == wanted => {}
            (Some(version), wanted) if wanted.is_none_or(|wanted| version > wanted) => {
                return Err(StoreError::NewerSchema {
                    setting: "--database-url",
                    file: place.to_owned(),
                    version,
                });
            }
            _ if !matches!(role, Role::Owner | Role::Trading) => {
                return Err(StoreError::OlderSchema { place: place.to_owned() });
            }
            _ => migrate(connection, schema, migrations, place).await?,
        }
    }
    Ok(())
}

/// The newest migration of a schema.
async fn newest(connection: &mut PgConnection, schema: &str) -> Result<Option<i64>, sqlx::Error> {
    let table = format!("{schema}._sqlx_migrations");
    let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(&table)
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        return Ok(None);
    }
    let newest = sqlx::AssertSqlSafe(format!("SELECT max(version) FROM {table} WHERE success"));
    sqlx::query_scalar(newest).fetch_one(connection).await
}

/// Several processes may come here at once: a lock in the database lets them
/// in one by one, and the later find nothing left to do.
async fn migrate(
    connection: &mut PgConnection,
    schema: &str,
    migrations: &Migrator,
    place: &str,
) -> Result<(), StoreError> {
    sqlx::query("SELECT set_config('search_path', $1, FALSE)")
        .bind(schema)
        .execute(&mut *connection)
        .await
        .map_err(|error| opening(place, error))?;
    migrations.run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => {
            StoreError::NewerSchema { setting: "--database-url", file: place.to_owned(), version }
        }
        other => opening(place, other.into()),
    })
}

fn opening(place: &str, error: sqlx::Error) -> StoreError {
    StoreError::Unreachable { place: place.to_owned(), error }
}
