//! Runs other programs.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Time between two looks at a child with a time limit.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Time that a child may take to end after SIGTERM.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a program on this terminal; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    crate::progress::flush();
    let status = command.status().with_context(|| format!("could not start `{}`", command_line(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", command_line(command));
    }
    Ok(())
}

/// Runs a program on this terminal; its failure becomes this program's.
pub(crate) fn exit_code(command: &mut Command) -> Result<ExitCode> {
    Ok(if command.status()?.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a program quietly and returns its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start `{}`", command_line(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` failed ({})\n{}",
            command_line(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a program quietly; returns true if it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Result of a program whose output was copied.
pub(crate) struct Captured {
    pub(crate) success: bool,
    /// Standard output and error, without colours.
    pub(crate) text: String,
    /// Reason for which it was stopped, if it was.
    pub(crate) stopped: Option<String>,
}

/// Runs a program and copies its output. Beyond `limit` it is terminated, then
/// killed.
pub(crate) fn tee(command: &mut Command, limit: Option<Duration>) -> Result<Captured> {
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
        .with_context(|| format!("could not start `{}`", command_line(command)))?;
    let out = child.stdout.take().map(|pipe| copy(pipe, std::io::stdout()));
    let err = child.stderr.take().map(|pipe| copy(pipe, std::io::stderr()));
    let (status, stopped) = wait(&mut child, limit)?;
    let mut text = String::new();
    for thread in [out, err].into_iter().flatten() {
        if let Ok(part) = thread.join() {
            text.push_str(&part);
        }
    }
    Ok(Captured { success: status.success(), text: without_colours(&text), stopped })
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
        sleep(POLL_INTERVAL);
    }
    let reason = format!("stopped after {} s", limit.as_secs());
    // On SIGTERM a test runner ends its own children; the standard library can
    // only send SIGKILL.
    let terminated = Instant::now();
    succeeds(Command::new("kill").arg(child.id().to_string()));
    while terminated.elapsed() < STOP_TIMEOUT {
        if let Some(status) = child.try_wait()? {
            return Ok((status, Some(reason)));
        }
        sleep(POLL_INTERVAL);
    }
    child.kill()?;
    Ok((child.wait()?, Some(reason)))
}

/// Waits between two looks at processes or files, which have no event to await.
#[expect(clippy::disallowed_methods, reason = "this program runs in wall time")]
pub(crate) fn sleep(time: Duration) {
    thread::sleep(time);
}

fn copy<R, W>(from: R, mut to: W) -> JoinHandle<String>
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
    thread::spawn(move || {
        let mut reader = BufReader::new(from);
        let mut text = String::new();
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(read) if read > 0) {
            // Tests are counted even if the terminal is closed.
            let _ = to.write_all(&line).and_then(|()| to.flush());
            text.push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
        text
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

/// Path of a program on the PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file())
}

/// Formats a command as one would type it, without quotes.
fn command_line(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let mut line = name.to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
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
    fn a_command_line_starts_with_the_programs_name() {
        let mut command = Command::new("/usr/bin/env");
        command.args(["a", "b"]);
        assert_eq!(command_line(&command), "env a b");
    }

    #[test]
    #[cfg(unix)]
    fn a_program_beyond_its_limit_is_stopped_and_captured() -> Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", "echo started; exec sleep 600"]);
        let captured = tee(&mut command, Some(Duration::from_millis(1)))?;
        assert!(!captured.success);
        assert!(captured.stopped.is_some());
        Ok(())
    }
}
