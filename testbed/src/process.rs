//! Processes: found, started so that they never outlive their starter, and
//! killed with all their children.
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

/// User id of `nobody`, as whom servers run that refuse to run as root.
const NOBODY: u32 = 65_534;

/// Time in which a server must start.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Path of the newest program called `name`, on the PATH or in Debian's folders of
/// PostgreSQL and of servers.
pub(crate) fn find(name: &'static str) -> Result<PathBuf, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders.push("/usr/sbin".into());
    folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()).ok_or(Failure::Missing(name))
}

/// Returns true if this process is root, as whom PostgreSQL refuses to run.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Makes the user as whom servers run the owner of `folder`.
pub(crate) fn chown_to_servers(folder: &Path) -> io::Result<()> {
    if is_root() { std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY)) } else { Ok(()) }
}

/// A command for `program` that runs as nobody if this is root. Where `setpriv`
/// is installed, it is killed when the thread that started it ends.
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

/// The same as the user of this process.
pub(crate) fn command_as_self(program: &Path) -> Command {
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
    let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Failure::Broken { program: name, output })
}

#[expect(clippy::disallowed_methods, reason = "servers have no event that says that they are ready")]
fn sleep() {
    std::thread::sleep(Duration::from_millis(5));
}

/// Starts a server with its output in `log`, and waits until `is_ready`.
pub(crate) fn start(
    name: &'static str,
    command: &mut Command,
    log: &Path,
    is_ready: impl Fn(&Child) -> bool,
) -> Result<Child, Failure> {
    let file = fs::File::options().create(true).append(true).open(log)?;
    let mut child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
    let limit = Instant::now() + START_TIMEOUT;
    while !is_ready(&child) {
        if child.try_wait()?.is_some() || Instant::now() > limit {
            kill_tree(&mut child);
            let text = fs::read_to_string(log).unwrap_or_default();
            let output = text.lines().rev().take(5).collect::<Vec<_>>().join(" / ");
            return Err(Failure::Broken { program: name, output });
        }
        sleep();
    }
    Ok(child)
}

/// Sends SIGKILL to a process and all its children, whatever their process
/// groups: a child that lived on could finish its work.
pub(crate) fn kill_tree(child: &mut Child) {
    if let Some(parent) = pid(child.id()) {
        // Stopped first, so that it starts no more children.
        let _ = kill_process(parent, Signal::STOP);
        for pid in children(child.id()) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Stops a process, or continues it.
pub(crate) fn set_stopped(child: &Child, stopped: bool) {
    let signal = if stopped { Signal::STOP } else { Signal::CONT };
    if let Some(pid) = pid(child.id()) {
        let _ = kill_process(pid, signal);
    }
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}

/// Processes whose parent is `parent`, on systems with a `/proc`.
fn children(parent: u32) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| parent_of(*id) == Some(parent)).filter_map(pid).collect()
}

fn parent_of(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name is in brackets and may contain any character.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// A temporary folder whose name is short enough for a socket in it.
pub(crate) fn folder() -> io::Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix("tickhall-").tempdir_in(short_temp_dir())?;
    chown_to_servers(folder.path())?;
    Ok(folder)
}

/// `/tmp` if it is sticky and writable by everybody, else the system's.
fn short_temp_dir() -> PathBuf {
    let tmp = PathBuf::from("/tmp");
    if fs::metadata(&tmp).is_ok_and(|meta| meta.mode() & 0o1777 == 0o1777) {
        tmp
    } else {
        std::env::temp_dir()
    }
}
