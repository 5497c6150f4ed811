//! Why the store could not do it.
//!
//! Does not know what a caller answers to its client.

/// Why the store could not do it; one line each.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be used.
    #[error("--data {folder}: {error}")]
    Folder {
        /// As configured.
        folder: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// Another process has it.
    #[error("--data {folder}: another tickhall process holds this folder")]
    Held {
        /// As configured.
        folder: String,
    },
    /// A newer build has been here.
    #[error("{setting}: {file} has schema {version}, which is newer than this program; nothing was changed")]
    NewerSchema {
        /// What names the database.
        setting: &'static str,
        /// The database.
        file: String,
        /// The migration that this build does not know.
        version: i64,
    },
    /// A database cannot be opened or migrated.
    #[error("--data: {file}: {error}")]
    Opening {
        /// The database.
        file: String,
        /// What the driver says.
        error: sqlx::Error,
    },
    /// The address cannot be read.
    #[error("--database-url: {reason}")]
    Address {
        /// What it should be.
        reason: String,
    },
    /// A server cannot be reached, or does not let us in, or cannot be migrated.
    #[error("--database-url {place}: {error}")]
    Unreachable {
        /// Where, without the password.
        place: String,
        /// What the driver says.
        error: sqlx::Error,
    },
    /// An older build has been here, and this role must not migrate.
    #[error(
        "--database-url {place}: its schema is older than this program; \
         run `tickhall agent trading` or `tickhall serve` first"
    )]
    OlderSchema {
        /// Where, without the password.
        place: String,
    },
    /// An older build has been here, and whoever only looks must not migrate.
    #[error("{file}: its schema is older than this program; `tickhall serve` brings it up to date")]
    OlderFile {
        /// The database.
        file: String,
    },
    /// Something would be written over.
    #[error("the target is not empty: {table} has rows; nothing was changed")]
    NotEmpty {
        /// The first table with rows.
        table: &'static str,
    },
    /// A copy into this store ended before its last commit.
    #[error("{table} has rows of a venue that is not there: empty the store, or end the copy into it")]
    LeftOver {
        /// The first table with rows.
        table: &'static str,
    },
    /// Another sequencer has taken the venue over: this one must not write.
    #[error("another sequencer has taken over")]
    Fenced,
    /// A statement failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// A row holds what no code of ours writes.
    #[error("{0}")]
    Corrupt(String),
}
