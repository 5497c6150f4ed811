//! Messages about the steps of a command: their names, durations and what was
//! skipped.

use std::cell::RefCell;
use std::io::Write;
use std::time::{Duration, Instant};

/// One named step; prints its name at once and its duration at the end.
pub(crate) struct Step {
    start: Instant,
}

impl Step {
    pub(crate) fn start(name: &str) -> Step {
        println!("── {name}");
        flush();
        Step { start: Instant::now() }
    }

    pub(crate) fn done(self) {
        println!("   done in {}", duration(self.start.elapsed()));
        flush();
    }

    pub(crate) fn done_with(self, result: &str) {
        println!("   {result}, in {}", duration(self.start.elapsed()));
        flush();
    }
}

/// Prints a remark below a step.
pub(crate) fn note(text: &str) {
    println!("   {text}");
}

/// Prints a line that must not be overlooked.
pub(crate) fn warn(text: &str) {
    println!("!! {text}");
    flush();
}

/// Writes out what was printed so far, before a child process prints.
pub(crate) fn flush() {
    let _ = std::io::stdout().flush();
}

/// Formats `850 ms`, `12.3 s`, `4 min 05 s`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..=59 => format!("{:.1} s", time.as_secs_f64()),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// Formats `57 KB`, `1.4 MB`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// Work that this machine cannot do. Each is printed at once and again at the
/// end; in continuous integration each is a failure.
#[derive(Default)]
pub(crate) struct Skips {
    lines: RefCell<Vec<String>>,
}

impl Skips {
    /// Adds a piece of work, and what would make it possible.
    pub(crate) fn add(&self, work: &str, remedy: &str) {
        let line = format!("SKIPPED {work}: {remedy}");
        warn(&line);
        self.lines.borrow_mut().push(line);
    }

    pub(crate) fn count(&self) -> u64 {
        self.lines.borrow().len() as u64
    }

    /// Prints them all again.
    pub(crate) fn report(&self) {
        self.lines.borrow().iter().for_each(|line| warn(line));
        if self.failures() > 0 {
            warn("CI is set: every skip counts as a failure");
        }
    }

    /// Number of failures that the skips amount to.
    pub(crate) fn failures(&self) -> u64 {
        if is_ci() { self.count() } else { 0 }
    }
}

/// Returns true on a machine on which nothing may be skipped.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (millis, expected) in
            [(850, "850 ms"), (12_345, "12.3 s"), (245_000, "4 min 05 s"), (3_600_000, "60 min 00 s")]
        {
            assert_eq!(duration(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn sizes_read_well() {
        for (bytes, expected) in [(7, "7 B"), (56_001, "57 KB"), (1_450_000, "1.4 MB")] {
            assert_eq!(size(bytes), expected);
        }
    }
}
