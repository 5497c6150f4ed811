//! The folders of the checkout, and commands that run in them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell;

/// Cargo profile of the tests and of what they start.
pub(crate) const SUITE: &str = "suite";

/// The folders of this checkout.
pub(crate) struct Project {
    /// The workspace.
    pub(crate) root: PathBuf,
    /// Cargo's target folder, wherever the user's settings put it.
    pub(crate) target: PathBuf,
}

impl Project {
    pub(crate) fn find() -> Result<Project> {
        let mut command = cargo();
        // Cargo sets the variable for `cargo run`, to the folder of this crate.
        if let Some(own) = std::env::var_os("CARGO_MANIFEST_DIR") {
            command.current_dir(own);
        }
        command.args(["metadata", "--format-version", "1", "--no-deps", "--locked"]);
        let text = shell::output(&mut command)?;
        let metadata: serde_json::Value =
            serde_json::from_str(&text).context("output of `cargo metadata`")?;
        let folder = |key: &str| {
            metadata[key]
                .as_str()
                .map(PathBuf::from)
                .with_context(|| format!("`cargo metadata` does not name {key}"))
        };
        Ok(Project { root: folder("workspace_root")?, target: folder("target_directory")? })
    }

    /// The bundle that the server embeds. Always below the checkout, because the
    /// server's sources name it.
    pub(crate) fn site(&self) -> PathBuf {
        self.root.join("target/site/pkg")
    }

    /// The release server.
    pub(crate) fn server(&self) -> PathBuf {
        self.binary("release")
    }

    /// The server that the tests start.
    pub(crate) fn tested_server(&self) -> PathBuf {
        self.binary(SUITE)
    }

    /// The server of a profile's folder.
    pub(crate) fn binary(&self, profile: &str) -> PathBuf {
        let name = format!("tickhall{}", std::env::consts::EXE_SUFFIX);
        self.target.join(profile).join(name)
    }

    pub(crate) fn end2end(&self) -> PathBuf {
        self.root.join("end2end")
    }

    /// A cargo command that runs in the workspace.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }

    /// Any other program, started in a folder of the workspace.
    pub(crate) fn command(&self, program: impl AsRef<Path>, folder: &Path) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(folder);
        command
    }
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Variables that `cargo run` set for this program: build scripts would take
    // them for a change.
    for (name, _) in std::env::vars_os() {
        let own = name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if own {
            command.env_remove(name);
        }
    }
    command
}
