//! Stored data: journal, projections, users, sessions and market history.
//!
//! Two backends, SQLite files and PostgreSQL, behind one type. Each method of
//! [`Store`] contains its SQL, which `on_backend!` compiles for both. Every method
//! may fail with [`StoreError::Database`], and a reading one with
//! [`StoreError::Corrupt`]; other errors are documented. Does not know the rules
//! that decide an entry.

use std::path::Path;
use std::sync::Arc;

use crate::config::Config;

mod batch_statement;
pub mod copying;
mod error;
pub mod history;
pub mod journal;
pub mod lease;
mod postgres;
pub mod projections;
pub mod snapshots;
mod sqlite;
mod time_search;
pub mod users;
pub mod valuations;

pub use error::StoreError;

/// A store; clones share its connections.
#[derive(Clone, Debug)]
pub enum Store {
    /// Two SQLite files in a folder.
    Sqlite(Arc<sqlite::Backend>),
    /// A PostgreSQL database.
    Postgres(Arc<postgres::Backend>),
}

/// Rights with which a store is opened. SQLite does not enforce them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything: migrations and the operator's commands.
    Owner,
    /// Reads everything and writes nothing, not even migrations.
    Auditor,
    /// The only writer of money.
    Trading,
    /// Writes market history.
    MarketData,
    /// Writes valuations.
    Portfolio,
    /// Writes users and sessions.
    Auth,
    /// Reads, and writes sessions for the auth routes it mounts.
    Gateway,
}

impl Role {
    /// Application name of the role's connections.
    pub(crate) fn application_name(self) -> &'static str {
        self.database_role().unwrap_or("tickhall")
    }

    /// Returns true if the role may read a venue's seed: simulation and replay.
    pub(crate) const fn reads_seed(self) -> bool {
        matches!(self, Self::Owner | Self::Auditor | Self::Trading | Self::MarketData)
    }

    /// Database role that limits the rights; `None` for the login's own rights.
    pub(crate) const fn database_role(self) -> Option<&'static str> {
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

/// Evaluates an expression with the store's backend. It is compiled once per
/// backend, so it may run any query that both databases understand.
macro_rules! on_backend {
    ($store:expr, |$backend:ident| $body:expr) => {
        match $store {
            $crate::store::Store::Sqlite($backend) => $body,
            $crate::store::Store::Postgres($backend) => $body,
        }
    };
}
pub(crate) use on_backend;

impl Store {
    /// Opens and migrates the configured store.
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn open(config: &Config, role: Role) -> Result<Self, StoreError> {
        match &config.database_url {
            Some(url) => Self::open_postgres(url, role).await,
            None => Ok(Self::Sqlite(Arc::new(sqlite::Backend::open(&config.data, role).await?))),
        }
    }

    /// Opens the configured store read-only, next to a running server.
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn open_read_only(config: &Config) -> Result<Self, StoreError> {
        match &config.database_url {
            Some(url) => Self::open_postgres(url, Role::Auditor).await,
            None => Ok(Self::Sqlite(Arc::new(sqlite::Backend::open_read_only(&config.data).await?))),
        }
    }

    /// Opens the configured store read-only, next to a running server: whatever is
    /// written meanwhile, all reads see one instant. Not for [`Self::copy_into`].
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn open_snapshot(config: &Config) -> Result<Self, StoreError> {
        match &config.database_url {
            Some(url) => Ok(Self::Postgres(Arc::new(postgres::Backend::open_snapshot(url).await?))),
            None => Ok(Self::Sqlite(Arc::new(sqlite::Backend::open_snapshot(&config.data).await?))),
        }
    }

    /// Opens the configured store to copy another one into it. A folder refuses to be
    /// opened in any other way until the copy is complete.
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn open_for_copy(config: &Config) -> Result<Self, StoreError> {
        match &config.database_url {
            Some(url) => Self::open_postgres(url, Role::Owner).await,
            None => Ok(Self::Sqlite(Arc::new(sqlite::Backend::open_for_copy(&config.data).await?))),
        }
    }

    /// Opens the configured store to write users, next to a running server.
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn open_for_user_admin(config: &Config) -> Result<Self, StoreError> {
        match &config.database_url {
            Some(url) => Self::open_postgres(url, Role::Auth).await,
            None => Ok(Self::Sqlite(Arc::new(sqlite::Backend::open_for_user_admin(&config.data).await?))),
        }
    }

    /// Opens the PostgreSQL database at `url` with the rights of `role`. Migrates
    /// it if needed and if `role` may.
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn open_postgres(url: &str, role: Role) -> Result<Self, StoreError> {
        Ok(Self::Postgres(Arc::new(postgres::Backend::open(url, role).await?)))
    }

    /// Opens and migrates the SQLite files in `folder`, exclusively for this
    /// process.
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn open_sqlite(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self::Sqlite(Arc::new(sqlite::Backend::open(folder, Role::Owner).await?)))
    }

    /// Makes commits of money durable when they return, as they are at first, or soon
    /// after: for a store that is worth nothing before it is complete. Has no effect on
    /// PostgreSQL. An error of the operating system may destroy the files meanwhile.
    pub async fn set_durable(&self, is_durable: bool) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(backend) => Ok(backend.set_durable(is_durable).await?),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Closes all connections; committed data stays.
    pub async fn close(&self) {
        on_backend!(self, |backend| backend.close().await);
    }
}
