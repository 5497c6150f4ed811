//! Starting other programs.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a child with a time limit is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How long a child may take to stop once it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Runs a program on this terminal; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    crate::progress::flush();
    let status = command.status().with_context(|| format!("could not start `{}`", words(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", words(command));
    }
    Ok(())
}

/// Runs a program quietly and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start `{}`", words(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` failed ({})\n{}",
            words(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a program quietly and says whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// How a program that was listened to came to its end.
pub(crate) struct Heard {
    pub(crate) success: bool,
    /// Everything printed, both outputs, without colours.
    pub(crate) text: String,
    /// Why it was stopped, where it was.
    pub(crate) stopped: Option<String>,
}

/// Runs a program, passes what it prints on and keeps a copy. Beyond `limit`
/// it is asked to stop, then made to.
pub(crate) fn tee(command: &mut Command, limit: Option<Duration>) -> Result<Heard> {
    crate::progress::flush();
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        command.env("CARGO_TERM_COLOR", "always");
        command.env("FORCE_COLOR", "1");
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{}`", words(command)))?;
    let out = child.stdout.take().map(|pipe| copy(pipe, std::io::stdout()));
    let err = child.stderr.take().map(|pipe| copy(pipe, std::io::stderr()));
    let (status, stopped) = wait(&mut child, limit)?;
    let mut text = String::new();
    for thread in [out, err].into_iter().flatten() {
        if let Ok(part) = thread.join() {
            text.push_str(&part);
        }
    }
    Ok(Heard { success: status.success(), text: without_colours(&text), stopped })
}

fn wait(child: &mut Child, limit: Option<Duration>) -> Result<(ExitStatus, Option<String>)> {
    let Some(limit) = limit else {
        return Ok((child.wait()?, None));
    };
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok((status, None));
        }
        pause(LOOK);
    }
    let reason = format!("stopped after {} s", limit.as_secs());
    // The standard library knows only the signal that cannot be handled; a test
    // runner that is asked politely takes its own children with it.
    let asked = Instant::now();
    succeeds(Command::new("kill").arg(child.id().to_string()));
    while asked.elapsed() < GRACE {
        if let Some(status) = child.try_wait()? {
            return Ok((status, Some(reason)));
        }
        pause(LOOK);
    }
    child.kill()?;
    Ok((child.wait()?, Some(reason)))
}

/// Waits a moment before it looks at other processes or files again, which
/// have no event to wait for.
#[expect(clippy::disallowed_methods, reason = "this program's time is the wall's")]
pub(crate) fn pause(time: Duration) {
    thread::sleep(time);
}

fn copy<R, W>(from: R, mut to: W) -> JoinHandle<String>
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
    thread::spawn(move || {
        let mut reader = BufReader::new(from);
        let mut kept = String::new();
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(read) if read > 0) {
            // A closed terminal must not lose the count of the tests.
            let _ = to.write_all(&line).and_then(|()| to.flush());
            kept.push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
        kept
    })
}

/// Removes the escape sequences that colour a terminal.
pub(crate) fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        if next == '\u{1b}' {
            // ESC [ parameters letter
            if rest.next() == Some('[') {
                rest.by_ref().find(char::is_ascii_alphabetic);
            }
        } else {
            plain.push(next);
        }
    }
    plain
}

/// Looks a program up on the PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file())
}

/// The command as one would type it, near enough.
pub(crate) fn words(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let mut words = name.to_string_lossy().into_owned();
    for argument in command.get_args() {
        words.push(' ');
        words.push_str(&argument.to_string_lossy());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_removed_and_nothing_else() {
        let text = "\u{1b}[32;1m  PASS\u{1b}[0m [   0.012s] 3 < 4";
        assert_eq!(without_colours(text), "  PASS [   0.012s] 3 < 4");
    }

    #[test]
    fn a_command_is_told_by_its_name() {
        let mut command = Command::new("/usr/bin/env");
        command.args(["a", "b"]);
        assert_eq!(words(&command), "env a b");
    }

    #[test]
    #[cfg(unix)]
    fn a_program_beyond_its_limit_is_stopped_and_heard() -> Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", "echo started; exec sleep 600"]);
        let heard = tee(&mut command, Some(Duration::from_millis(1)))?;
        assert!(!heard.success);
        assert!(heard.stopped.is_some());
        Ok(())
    }
}
