//! What survives: journal, projections, users, sessions and the market's past.
//!
//! One enum of backends; the SQL is written once in [`queries`](self) form and
//! compiled for each. Does not know who asks or why.

use std::path::Path;
use std::sync::Arc;

use crate::config::Config;

#[allow(clippy::duplicate_mod, reason = "one SQL source, compiled for each backend")]
mod postgres;
mod rows;
#[allow(clippy::duplicate_mod, reason = "one SQL source, compiled for each backend")]
mod sqlite;

mod table;

pub mod api;

pub use api::error::StoreError;

/// A store; clones share it.
#[derive(Clone, Debug)]
pub enum Store {
    /// Two SQLite files in a folder.
    Sqlite(Arc<sqlite::Backend>),
    /// A PostgreSQL database.
    Postgres(Arc<postgres::Backend>),
}

/// Whose rights a store is opened with; a folder of files knows no rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything: migrations, and commands of whoever runs the site.
    Owner,
    /// Reads everything and changes nothing, not even an older schema.
    Auditor,
    /// The only one that writes money.
    Trading,
    /// Writes the market's past.
    MarketData,
    /// Writes valuations.
    Portfolio,
    /// Writes users and sessions.
    Auth,
    /// Reads, and writes sessions for the auth routes that it mounts.
    Gateway,
}

impl Role {
    /// What the database calls a connection of it.
    pub(crate) const fn name(self) -> &'static str {
        match self.group() {
            Some(group) => group,
            None => "tickhall",
        }
    }

    /// Whether it may read a venue's seed: the simulation and whoever replays.
    pub(crate) const fn knows_seeds(self) -> bool {
        matches!(self, Self::Owner | Self::Auditor | Self::Trading | Self::MarketData)
    }

    /// The database's role of that name; none for who may do everything.
    pub(crate) const fn group(self) -> Option<&'static str> {
        match self {
            Self::Owner | Self::Auditor => None,
            Self::Trading => Some("tickhall_trading"),
            Self::MarketData => Some("tickhall_market_data"),
            Self::Portfolio => Some("tickhall_portfolio"),
            Self::Auth => Some("tickhall_auth"),
            Self::Gateway => Some("tickhall_gateway"),
        }
    }
}

/// Runs an expression on whichever backend the store was opened on.
macro_rules! on_backend {
    ($store:expr, $backend:ident => $call:expr) => {
        match $store {
            $crate::store::Store::Sqlite($backend) => $call,
            $crate::store::Store::Postgres($backend) => $call,
        }
    };
}
pub(crate) use on_backend;

impl Store {
    /// Opens (and migrates) the store that the configuration names.
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn open(config: &Config, role: Role) -> Result<Self, StoreError> {
        match &config.database_url {
            Some(url) => Self::open_postgres(url, role).await,
            None => Ok(Self::Sqlite(Arc::new(sqlite::Backend::open(&config.data, role).await?))),
        }
    }

    /// Opens the store that the configuration names to look at it while
    /// whoever serves it goes on.
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn watch(config: &Config) -> Result<Self, StoreError> {
        match &config.database_url {
            Some(url) => Self::open_postgres(url, Role::Auditor).await,
            None => Ok(Self::Sqlite(Arc::new(sqlite::Backend::watch(&config.data).await?))),
        }
    }

    /// Opens the store that the configuration names to write about its users,
    /// while whoever serves it goes on.
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn join(config: &Config) -> Result<Self, StoreError> {
        match &config.database_url {
            Some(url) => Self::open_postgres(url, Role::Auth).await,
            None => Ok(Self::Sqlite(Arc::new(sqlite::Backend::join(&config.data).await?))),
        }
    }

    /// Opens the PostgreSQL database at `url` with the rights of `role`, and
    /// migrates it when that is needed and `role` may.
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn open_postgres(url: &str, role: Role) -> Result<Self, StoreError> {
        Ok(Self::Postgres(Arc::new(postgres::Backend::open(url, role).await?)))
    }

    /// Opens (and migrates) the SQLite files in `folder`, which this process
    /// alone may hold.
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn open_sqlite(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self::Sqlite(Arc::new(sqlite::Backend::open(folder, Role::Owner).await?)))
    }

    /// Ends every connection; what was committed stays.
    pub async fn close(&self) {
        on_backend!(self, backend => backend.close().await);
    }
}
