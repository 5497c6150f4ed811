//! What the browser tests need: node, their packages, Chromium.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::{install, shell};

/// Where a Chromium may already be.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Installs whatever is missing and returns the browser's path.
pub(crate) fn prepare(project: &Project) -> Result<PathBuf> {
    if shell::find("node").is_none() || shell::find("npm").is_none() {
        install::debian(&["nodejs", "npm"])?;
    }
    install::npm(project, &project.end2end())?;
    if let Some(named) = std::env::var_os("TICKHALL_CHROMIUM") {
        let path = PathBuf::from(named);
        if !path.is_file() {
            bail!("TICKHALL_CHROMIUM names {}, which is no file", path.display());
        }
        return Ok(path);
    }
    if let Some(found) = chromium() {
        return Ok(found);
    }
    // Without a font, every page is boxes.
    install::debian(&["chromium", "fonts-liberation"])?;
    match chromium() {
        Some(found) => Ok(found),
        None => bail!("Chromium was installed but is not on the PATH"),
    }
}

fn chromium() -> Option<PathBuf> {
    NAMES.into_iter().find_map(shell::find)
}
