//! Commands on a store as a whole: into PostgreSQL, into a folder, and back.
//!
//! All three are one copy between two stores, held against its original. Does
//! not know what the rows mean.

use std::path::Path;

use crate::agents::trading::TradingError;
use crate::agents::trading::verify::{Report, Steps, verify};
use crate::config::Config;
use crate::store::{Role, Store, StoreError};

/// Why there is no copy; one line each.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is nothing to copy from, or nothing to copy to.
    #[error("{0}")]
    Place(String),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The copy does not add up.
    #[error("the copy does not add up: {0}")]
    Copy(#[from] TradingError),
    /// The copy is not the original.
    #[error("the copy's journal ends otherwise than the original's")]
    Differs,
}

/// Everything in the data folder into the PostgreSQL of the configuration. The
/// folder must be nobody's, so that nothing is left behind in it.
///
/// # Errors
/// [`CopyError`]; the database is as it was then, unless the copy differs.
pub async fn migrate(config: &Config) -> Result<Vec<Report>, CopyError> {
    if config.database_url.is_none() {
        return Err(CopyError::Place("--database-url: migrate-store needs to know where to".to_owned()));
    }
    there(&config.data, "--data ")?;
    let folder = Config { database_url: None, ..config.clone() };
    let source = Store::open(&folder, Role::Owner).await?;
    let target = Store::open(config, Role::Owner).await?;
    copied(source, target).await
}

/// The configured store into a new folder that can be served; whoever serves
/// the store goes on meanwhile.
///
/// # Errors
/// [`CopyError`].
pub async fn backup(config: &Config, folder: &Path) -> Result<Vec<Report>, CopyError> {
    if config.database_url.is_none() {
        there(&config.data, "--data ")?;
    }
    let source = Store::watch(config).await?;
    let target = Store::open_sqlite(folder).await?;
    copied(source, target).await
}

/// A folder that [`backup`] made into the configured store, which must be empty.
///
/// # Errors
/// [`CopyError`].
pub async fn restore(config: &Config, folder: &Path) -> Result<Vec<Report>, CopyError> {
    there(folder, "")?;
    let backup = Config { data: folder.to_owned(), database_url: None, ..config.clone() };
    let source = Store::watch(&backup).await?;
    let target = Store::open(config, Role::Owner).await?;
    copied(source, target).await
}

fn there(folder: &Path, setting: &str) -> Result<(), CopyError> {
    if folder.join("tickhall.db").is_file() {
        return Ok(());
    }
    Err(CopyError::Place(format!("{setting}{}: no tickhall.db in it", folder.display())))
}

/// Copies, then folds the copy's journal from the seed and compares it with
/// everything beside it.
async fn copied(source: Store, target: Store) -> Result<Vec<Report>, CopyError> {
    source.copy_into(&target).await?;
    let mut reports = Vec::new();
    for venue in target.venues().await? {
        // Created and never opened: there is no journal yet.
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
