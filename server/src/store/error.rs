//! Errors of the store.
//!
//! Does not know what a caller answers to its client.

/// Error of the store; its message is one line.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data folder cannot be used.
    #[error("--data {folder}: {error}")]
    Folder {
        /// As configured.
        folder: String,
        /// Error of the operating system.
        error: std::io::Error,
    },
    /// Another process uses the data folder.
    #[error("--data {folder}: another tickhall process holds this folder")]
    FolderInUse {
        /// As configured.
        folder: String,
    },
    /// A newer build has migrated the database.
    #[error("{setting}: {file} has schema {version}, which is newer than this program; nothing was changed")]
    NewerSchema {
        /// Setting that names the database.
        setting: &'static str,
        /// The database.
        file: String,
        /// Migration that this build does not contain.
        version: i64,
    },
    /// A database file cannot be opened or migrated.
    #[error("--data: {file}: {error}")]
    File {
        /// The database.
        file: String,
        /// Error of the driver.
        error: sqlx::Error,
    },
    /// The database URL cannot be parsed.
    #[error("--database-url: it is not an address of PostgreSQL")]
    InvalidUrl,
    /// The server is unreachable, or refuses the login or the migration.
    #[error("--database-url {address}: {error}")]
    Server {
        /// Address without the password.
        address: String,
        /// Error of the driver.
        error: sqlx::Error,
    },
    /// The database needs a migration, which this role must not run.
    #[error(
        "--database-url {address}: its schema is older than this program; \
         run `tickhall agent trading` or `tickhall serve` first"
    )]
    OlderSchema {
        /// Address without the password.
        address: String,
    },
    /// The file needs a migration, and was opened next to a running server.
    #[error("{file}: its schema is older than this program; `tickhall serve` brings it up to date")]
    OlderFile {
        /// The database.
        file: String,
    },
    /// A copy into the folder was interrupted.
    #[error("--data {folder}: a copy into this folder was interrupted: repeat it, or delete the folder")]
    IncompleteCopy {
        /// As configured.
        folder: String,
    },
    /// A copy would overwrite rows.
    #[error("the target is not empty: {table} has rows; nothing was changed")]
    NotEmpty {
        /// First table with rows.
        table: &'static str,
    },
    /// History of a venue that does not exist: an interrupted copy left it.
    #[error("{table} has rows of a venue that does not exist: empty the store, or complete the copy into it")]
    OrphanedHistory {
        /// First table with rows.
        table: &'static str,
    },
    /// Another sequencer has a newer epoch; this one must not write.
    #[error("another sequencer has taken over")]
    Fenced,
    /// A statement failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// A task of the store ended before its work was done.
    #[error("work on the store was interrupted: {0}")]
    Interrupted(String),
    /// A row holds what this program never writes.
    #[error("{0}")]
    Corrupt(String),
}
