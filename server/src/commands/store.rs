//! Commands on a whole store: `migrate-store`, `backup` and `restore`.
//!
//! Each copies one store into another and verifies the copy. Does not know what
//! the rows mean.

use std::path::Path;

use crate::agents::trading::TradingError;
use crate::agents::trading::verify::{Report, Steps, verify};
use crate::config::Config;
use crate::store::{Role, Store, StoreError};

/// Error of a copy; its message is one line.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The source or the target is missing.
    #[error("{0}")]
    Missing(String),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The copy's journal and projections do not match.
    #[error("the copy does not add up: {0}")]
    Verify(#[from] TradingError),
    /// The copy's journal is not the original's.
    #[error("the copy's journal ends otherwise than the original's")]
    Differs,
}

/// Copies the data folder into the configured PostgreSQL database. No server may
/// use the folder, so the copy is complete.
///
/// # Errors
/// [`CopyError`]; the database is unchanged then, except after a failed check.
pub async fn migrate(config: &Config) -> Result<Vec<Report>, CopyError> {
    if config.database_url.is_none() {
        return Err(CopyError::Missing("--database-url: migrate-store needs to know where to".to_owned()));
    }
    check_exists(&config.data, "--data ")?;
    let source = Store::open(&folder_config(config, &config.data), Role::Owner).await?;
    let target = Store::open_for_copy(config).await?;
    copy(source, target).await
}

/// Copies the configured store into a new data folder, next to a running server.
///
/// # Errors
/// [`CopyError`].
pub async fn backup(config: &Config, folder: &Path) -> Result<Vec<Report>, CopyError> {
    if config.database_url.is_none() {
        check_exists(&config.data, "--data ")?;
    }
    let source = Store::open_read_only(config).await?;
    let target = Store::open_for_copy(&folder_config(config, folder)).await?;
    copy(source, target).await
}

/// Copies a folder written by [`backup`] into the configured store, which must be
/// empty.
///
/// # Errors
/// [`CopyError`].
pub async fn restore(config: &Config, folder: &Path) -> Result<Vec<Report>, CopyError> {
    check_exists(folder, "")?;
    let source = Store::open_read_only(&folder_config(config, folder)).await?;
    let target = Store::open_for_copy(config).await?;
    copy(source, target).await
}

/// The configuration with the store in `folder`.
fn folder_config(config: &Config, folder: &Path) -> Config {
    Config { data: folder.to_owned(), database_url: None, ..config.clone() }
}

fn check_exists(folder: &Path, setting: &str) -> Result<(), CopyError> {
    if folder.join("tickhall.db").is_file() {
        return Ok(());
    }
    Err(CopyError::Missing(format!("{setting}{}: no tickhall.db in it", folder.display())))
}

/// Copies, then replays the copy's journal from the seed and compares it with the
/// projections.
async fn copy(source: Store, target: Store) -> Result<Vec<Report>, CopyError> {
    source.copy_into(&target).await?;
    let mut reports = Vec::new();
    for venue in target.venues().await? {
        // A venue that was never opened has no journal.
        let Some(head) = target.journal_head(venue).await? else { continue };
        let before = engine::id::Seq(head.first_seq.0.saturating_sub(1));
        let original = source.journal_after(venue, before, 1).await?;
        if original.first().map(|row| row.hash) != Some(head.hash) {
            return Err(CopyError::Differs);
        }
        reports.push(verify(&target, venue, Steps::FromSeed).await?);
    }
    source.close().await;
    target.close().await;
    Ok(reports)
}
