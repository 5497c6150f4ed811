//! Programs: where they are, how they are started so that they never outlive
//! their starter, and how a whole family of them is killed.
//!
//! Does not know what the programs do.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Failure;

/// Whom a server runs as that refuses to run as root: nobody.
const NOBODY: u32 = 65_534;

/// Nothing takes longer to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// The newest program called `name`: on the path, or where Debian keeps
/// PostgreSQL's.
pub(crate) fn find(name: &'static str) -> Result<PathBuf, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()).ok_or(Failure::Missing(name))
}

/// Whether this process is root, whom PostgreSQL refuses.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Lets whoever the servers run as own `folder`.
pub(crate) fn give_away(folder: &Path) -> io::Result<()> {
    if is_root() { std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY)) } else { Ok(()) }
}

/// A command for `program` that runs as nobody if this is root, and is killed
/// when the thread that starts it ends, where the system can do that.
pub(crate) fn command(program: &Path) -> Command {
    let Ok(setpriv) = find("setpriv") else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL"]);
    if is_root() {
        let nobody = NOBODY.to_string();
        command.args(["--reuid", &nobody, "--regid", &nobody, "--clear-groups"]);
    }
    command.arg(program);
    command
}

/// A command for `program` as whoever this is, killed with the thread that
/// starts it, where the system can do that.
pub(crate) fn command_as_is(program: &Path) -> Command {
    let Ok(setpriv) = find("setpriv") else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}

/// Runs a command to its end.
pub(crate) fn finish(name: &'static str, command: &mut Command) -> Result<(), Failure> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Failure::Broken { program: name, said })
}

#[expect(clippy::disallowed_methods, reason = "a server says that it is ready in no other way")]
fn rest() {
    std::thread::sleep(Duration::from_millis(5));
}

/// Starts a server whose words go to `log`, and waits until `ready`.
pub(crate) fn start(
    name: &'static str,
    command: &mut Command,
    log: &Path,
    ready: impl Fn(&Child) -> bool,
) -> Result<Child, Failure> {
    let file = fs::File::options().create(true).append(true).open(log)?;
    let mut child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
    let limit = Instant::now() + PATIENCE;
    while !ready(&child) {
        if child.try_wait()?.is_some() || Instant::now() > limit {
            kill_family(&mut child);
            let said = fs::read_to_string(log).unwrap_or_default();
            let said = said.lines().rev().take(5).collect::<Vec<_>>().join(" / ");
            return Err(Failure::Broken { program: name, said });
        }
        rest();
    }
    Ok(child)
}

/// SIGKILL for a process and every child of it, however they are grouped: no
/// handler, no flush, nobody who finishes what was begun.
pub(crate) fn kill_family(child: &mut Child) {
    if let Some(parent) = pid(child.id()) {
        // Halted first, so that it has no more children.
        let _ = kill_process(parent, Signal::STOP);
        for pid in children(child.id()) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Halts a process where it stands, or lets it go on: it is there, and silent.
pub(crate) fn halt(child: &Child, halted: bool) {
    let signal = if halted { Signal::STOP } else { Signal::CONT };
    if let Some(pid) = pid(child.id()) {
        let _ = kill_process(pid, signal);
    }
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}

/// The processes whose parent is `parent`, where there is a `/proc`.
fn children(parent: u32) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| parent_of(*id) == Some(parent)).filter_map(pid).collect()
}

fn parent_of(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name stands in brackets and may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// A temporary folder whose name is short enough for a socket in it.
pub(crate) fn folder() -> io::Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix("tickhall-").tempdir_in(short_temporary())?;
    give_away(folder.path())?;
    Ok(folder)
}

fn short_temporary() -> PathBuf {
    let tmp = PathBuf::from("/tmp");
    // Sticky and for everybody, or the one that the system names.
    if fs::metadata(&tmp).is_ok_and(|meta| meta.mode() & 0o1777 == 0o1777) {
        tmp
    } else {
        std::env::temp_dir()
    }
}
