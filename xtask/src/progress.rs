//! Telling whoever waits what is going on, and for how long.

use std::io::Write;
use std::time::{Duration, Instant};

/// One named step; says its name at once and its duration at the end.
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

    pub(crate) fn done_with(self, what: &str) {
        println!("   {what}, in {}", duration(self.start.elapsed()));
        flush();
    }
}

/// A remark below a step.
pub(crate) fn note(text: &str) {
    println!("   {text}");
}

/// What must not be overlooked.
pub(crate) fn loud(text: &str) {
    println!("!! {text}");
    flush();
}

/// Lets what was printed so far appear before a child prints.
pub(crate) fn flush() {
    let _ = std::io::stdout().flush();
}

/// `850 ms`, `12.3 s`, `4 min 05 s`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..=59 => format!("{:.1} s", time.as_secs_f64()),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

/// `57 KB`, `1.4 MB`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
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
