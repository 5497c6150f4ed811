//! What survives: journal, projections, users, sessions and the market's past.
//!
//! One enum of backends; the SQL is written once in [`queries`](self) form and
//! compiled for each. Does not know who asks or why.

use std::path::Path;
use std::sync::Arc;

use crate::config::Config;

mod sqlite;

pub mod api;

pub use api::error::StoreError;

/// A store; clones share it.
#[derive(Clone, Debug)]
pub enum Store {
    /// Two SQLite files in a folder.
    Sqlite(Arc<sqlite::Backend>),
}

/// Whose rights a store is opened with; a folder of files knows no rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything: migrations, and commands of whoever runs the site.
    Owner,
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

/// Runs an expression on whichever backend the store was opened on.
macro_rules! on_backend {
    ($store:expr, $backend:ident => $call:expr) => {
        match $store {
            $crate::store::Store::Sqlite($backend) => $call,
        }
    };
}
pub(crate) use on_backend;

impl Store {
    /// Opens (and migrates) the store that the configuration names.
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn open(config: &Config, _role: Role) -> Result<Self, StoreError> {
        Self::open_sqlite(&config.data).await
    }

    /// Opens (and migrates) the SQLite files in `folder`, which this process
    /// alone may hold.
    ///
    /// # Errors
    /// [`StoreError`], one line that names the setting.
    pub async fn open_sqlite(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self::Sqlite(Arc::new(sqlite::Backend::open(folder).await?)))
    }

    /// Ends every connection; what was committed stays.
    pub async fn close(&self) {
        on_backend!(self, backend => backend.close().await);
    }
}
