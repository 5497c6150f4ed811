//! Numbers of passed and failed tests, read from the output of the runners.

use std::fmt;
use std::iter::Sum;

use anyhow::{Context, Result};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
    /// Skipped by a filter or by the tests themselves.
    pub(super) skipped: u64,
}

impl Counts {
    /// Reads nextest's `Summary [ 1.2s] 4 tests run: 3 passed (1 slow), 1 failed, 2 skipped`.
    pub(super) fn from_nextest(text: &str) -> Option<Counts> {
        let line = text.lines().rev().find_map(|line| {
            let (_, rest) = line.trim_start().strip_prefix("Summary [")?.split_once(']')?;
            Some(rest.trim())
        })?;
        let (run, results) = line.split_once(':')?;
        let mut counts = Counts::default();
        for (number, what) in numbered(&without_brackets(results)) {
            match what {
                "passed" => counts.passed += number,
                "skipped" => counts.skipped += number,
                // "failed", "exec failed", "timed out"
                _ => counts.failed += number,
            }
        }
        // "3/4 tests run": the fourth did not pass.
        if let Some((reached, planned)) = run.split_once(' ')?.0.split_once('/') {
            let missing = planned.parse::<u64>().ok()?.checked_sub(reached.parse().ok()?)?;
            counts.failed += missing;
        }
        Some(counts)
    }

    /// Adds up libtest's `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    pub(super) fn from_libtest(text: &str) -> Option<Counts> {
        let mut counts = None;
        for line in text.lines() {
            let Some(result) = line.trim_start().strip_prefix("test result: ") else {
                continue;
            };
            let sum = counts.get_or_insert_with(Counts::default);
            let numbers = result.split_once(". ")?.1.replace(';', ",");
            for (number, what) in numbered(&numbers) {
                match what {
                    "passed" => sum.passed += number,
                    "failed" => sum.failed += number,
                    "ignored" | "filtered out" => sum.skipped += number,
                    _ => {}
                }
            }
        }
        counts
    }

    /// Reads Playwright's JSON report. A test that passed only when repeated counts
    /// as failed.
    pub(super) fn from_playwright(json: &str) -> Result<Counts> {
        let report: serde_json::Value = serde_json::from_str(json).context("Playwright's report")?;
        let stat = |name: &str| {
            report["stats"][name].as_u64().with_context(|| format!("Playwright's report has no stats.{name}"))
        };
        let outside = report["errors"].as_array().map_or(0, Vec::len) as u64;
        Ok(Counts {
            passed: stat("expected")?,
            failed: stat("unexpected")? + stat("flaky")? + outside,
            skipped: stat("skipped")?,
        })
    }

    pub(super) fn none_ran(&self) -> bool {
        self.passed + self.failed == 0
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        match self.skipped {
            0 => Ok(()),
            skipped => write!(f, ", {skipped} skipped"),
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(all: I) -> Counts {
        all.fold(Counts::default(), |sum, next| Counts {
            passed: sum.passed + next.passed,
            failed: sum.failed + next.failed,
            skipped: sum.skipped + next.skipped,
        })
    }
}

/// Reads `3 passed, 1 exec failed` as (3, "passed"), (1, "exec failed").
fn numbered(text: &str) -> impl Iterator<Item = (u64, &str)> {
    text.split(',').filter_map(|item| {
        let (number, what) = item.trim().split_once(' ')?;
        Some((number.parse().ok()?, what))
    })
}

/// Removes `(1 slow, 2 leaky)`, a part of the number before.
fn without_brackets(text: &str) -> String {
    let mut depth = 0_usize;
    text.chars()
        .filter(|next| {
            match next {
                '(' => depth += 1,
                ')' => {
                    depth = depth.saturating_sub(1);
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts { passed, failed, skipped }
    }

    #[test]
    fn nextest() {
        for (text, expected) in [
            ("     Summary [   0.012s] 3 tests run: 3 passed, 0 skipped", Some(counts(3, 0, 0))),
            ("     Summary [   0.012s] 1 test run: 1 passed, 2 skipped", Some(counts(1, 0, 2))),
            (
                "  Summary [ 9.1s] 9 tests run: 5 passed (1 slow, 2 leaky), 1 failed, \
                 1 exec failed, 2 timed out, 4 skipped\n        FAIL [ 1.0s] server trading",
                Some(counts(5, 4, 4)),
            ),
            // Stopped by hand after 3 of 10: 2 + 1, and 7 never reached.
            ("Summary [ 1s] 3/10 tests run: 2 passed, 1 failed, 0 skipped", Some(counts(2, 8, 0))),
            ("     Summary [   0.000s] 0 tests run: 0 passed, 12 skipped", Some(counts(0, 0, 12))),
            ("error: could not compile `server`", None),
        ] {
            assert_eq!(Counts::from_nextest(text), expected, "{text}");
        }
    }

    #[test]
    fn libtest_is_summed_over_its_binaries() {
        let text = "
running 2 tests
test a ... ok
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 4 filtered out; finished in 1.00s
";
        // 2 + 3 passed, 1 failed, 2 ignored + 4 filtered out
        assert_eq!(Counts::from_libtest(text), Some(counts(5, 1, 6)));
        assert_eq!(Counts::from_libtest("error: no"), None);
    }

    #[test]
    fn playwright() -> Result<()> {
        let report = r#"{"errors":[{}],"stats":{"expected":7,"unexpected":1,"flaky":2,"skipped":3}}"#;
        // 1 unexpected + 2 flaky + 1 error outside the tests
        assert_eq!(Counts::from_playwright(report)?, counts(7, 4, 3));
        assert!(Counts::from_playwright("{}").is_err());
        assert!(Counts::from_playwright("no").is_err());
        Ok(())
    }

    #[test]
    fn sums_read_well() {
        let all = [counts(1, 2, 0), counts(3, 4, 5)];
        let sum: Counts = all.into_iter().sum();
        assert_eq!(sum.to_string(), "4 passed, 6 failed, 5 skipped");
    }
}
