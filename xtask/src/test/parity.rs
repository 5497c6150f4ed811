//! Comparing reports that must be equal.

use super::summary::Counts;

/// A line that stands in all three reports passes; any other is a failure and
/// is told.
pub(super) fn compare(reports: &[String; 3]) -> (Counts, Vec<String>) {
    let [first, second, wasm] = reports.each_ref().map(|text| text.lines().collect::<Vec<_>>());
    let mut counts = Counts::default();
    let mut differences = Vec::new();
    for row in 0..first.len().max(second.len()).max(wasm.len()) {
        let line = |report: &[&str]| report.get(row).map_or("nothing", |line| line).to_owned();
        let (a, b, c) = (line(&first), line(&second), line(&wasm));
        if a == b && b == c {
            counts.passed += 1;
        } else {
            counts.failed += 1;
            differences.push(format!("native: {a}; again: {b}; WebAssembly: {c}"));
        }
    }
    (counts, differences)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_must_stand_in_all_three() {
        for (reports, passed, failed) in [
            (["a\nb\n", "a\nb\n", "a\nb\n"], 2, 0),
            (["a\nb\n", "a\nx\n", "a\nb\n"], 1, 1),
            (["a\nb\n", "a\nb\n", "a\n"], 1, 1),
            (["", "", "a\n"], 0, 1),
            (["", "", ""], 0, 0),
        ] {
            let (counts, differences) = compare(&reports.map(str::to_owned));
            assert_eq!((counts.passed, counts.failed), (passed, failed), "{reports:?}");
            assert_eq!(differences.len() as u64, failed);
        }
    }
}
