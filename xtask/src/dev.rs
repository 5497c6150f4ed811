//! `cargo xtask dev`: build without optimising, serve, and again on every change.

use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::bundle::{self, Quality};
use crate::progress::{note, warn};
use crate::project::Project;
use crate::{server, shell};

const WATCHED: [&str; 8] =
    ["Cargo.toml", "engine", "protocol", "app", "frontend", "server", "style", "migrations"];
const POLL_INTERVAL: Duration = Duration::from_millis(500);

pub(crate) fn run(project: &Project, args: Vec<String>) -> Result<ExitCode> {
    let args = server::arguments(args);
    let mut running: Option<Child> = None;
    loop {
        let built = state(&project.root);
        match bundle::build(project, Quality::Dev).and_then(|()| server::dev(project)) {
            Ok(()) => {
                if let Some(mut old) = running.take() {
                    old.kill()?;
                    old.wait()?;
                }
                let mut command = project.command(project.binary("debug"), &project.root);
                let child = command.args(&args).spawn().context("could not start the server")?;
                running = Some(child);
                note("serving; reload the page after a change (Ctrl-C ends)");
            }
            Err(error) => warn(&format!("{error:#}")),
        }
        while state(&project.root) == built {
            shell::sleep(POLL_INTERVAL);
            let ended = running.as_mut().map(Child::try_wait).transpose()?.flatten();
            if let Some(status) = ended {
                warn(&format!("the server ended ({status}); waiting for a change"));
                running = None;
            }
        }
    }
}

/// The newest modification time of the watched files, and their number.
fn state(root: &Path) -> (Option<SystemTime>, usize) {
    let mut folders: Vec<PathBuf> = WATCHED.iter().map(|name| root.join(name)).collect();
    let mut latest = None;
    let mut count = 0;
    while let Some(path) = folders.pop() {
        if let Ok(entries) = path.read_dir() {
            folders.extend(entries.flatten().map(|entry| entry.path()));
        } else if let Ok(time) = path.metadata().and_then(|data| data.modified()) {
            latest = latest.max(Some(time));
            count += 1;
        }
    }
    (latest, count)
}
