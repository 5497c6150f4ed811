//! `cargo xtask dev`: build without optimising, serve, and again on every change.

use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::bundle::{self, Quality};
use crate::progress::{loud, note};
use crate::project::Project;
use crate::{server, shell};

const WATCHED: [&str; 7] = ["Cargo.toml", "engine", "app", "frontend", "server", "style", "migrations"];
const LOOK: Duration = Duration::from_millis(500);

pub(crate) fn run(project: &Project, args: Vec<String>) -> Result<ExitCode> {
    let args = server::arguments(args);
    let mut running: Option<Child> = None;
    loop {
        let seen = newest(&project.root);
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
            Err(error) => loud(&format!("{error:#}")),
        }
        while newest(&project.root) == seen {
            shell::pause(LOOK);
            let ended = running.as_mut().map(Child::try_wait).transpose()?.flatten();
            if let Some(status) = ended {
                loud(&format!("the server ended ({status}); waiting for a change"));
                running = None;
            }
        }
    }
}

/// The newest modification below what is watched, and how many files there are.
fn newest(root: &Path) -> (Option<SystemTime>, usize) {
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
