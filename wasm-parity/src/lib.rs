//! Hashes of the same computations, natively and in WebAssembly.
//!
//! `cargo xtask test` runs the report twice natively and once under node; each
//! line must be the same, to the bit, in all three. A new comparison is one
//! more entry of `COMPUTATIONS`. Does not compare the reports.

mod kernels;
mod mathematics;
mod options;
mod previews;
mod rates;
mod replay;
mod trading;

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Adds the bits of numbers to a hash; NaN has one pattern on every target.
fn update(hash: &mut Sha256, numbers: &[f64]) {
    for number in numbers {
        let bits = if number.is_nan() { u64::MAX } else { number.to_bits() };
        hash.update(bits.to_le_bytes());
    }
}

/// A computation whose results are hashed on every target.
struct Computation {
    name: &'static str,
    /// Number of cases in the test suite.
    cases: u64,
    /// Number of cases with `--long`.
    long_cases: u64,
    /// Adds the results of that many cases to the hash.
    run: fn(u64, &mut Sha256),
}

const COMPUTATIONS: &[Computation] = &[
    Computation {
        name: "elementary functions",
        cases: 10_000,
        long_cases: 1_000_000,
        run: mathematics::elementary,
    },
    Computation { name: "curves, swaps and bonds", cases: 3_000, long_cases: 100_000, run: rates::curves },
    Computation {
        name: "books, margin scans, processes and value at risk",
        cases: 2_000,
        long_cases: 50_000,
        run: rates::risk,
    },
    Computation { name: "European options", cases: 100_000, long_cases: 2_000_000, run: options::european },
    Computation { name: "implied volatilities", cases: 50_000, long_cases: 1_000_000, run: options::implied },
    Computation { name: "American options", cases: 300, long_cases: 5_000, run: options::american },
    Computation {
        name: "previews equal to their fills",
        cases: 10_000,
        long_cases: 200_000,
        run: previews::previews,
    },
    Computation {
        name: "ticks of a venue regenerated from seed and journal",
        cases: 1_000_000,
        long_cases: 3_000_000,
        run: replay::regenerated,
    },
];

/// Runs a kernel for a number of rounds, to be timed, and returns a number that
/// depends on all of them; NaN for a name that is not among [`kernels`].
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen)]
pub fn work(kernel: &str, rounds: u32) -> f64 {
    let found = kernels::KERNELS.iter().find(|(name, _)| *name == kernel);
    found.map_or(f64::NAN, |(_, work)| work(rounds))
}

/// Names of the kernels that [`work`] can run.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen)]
pub fn kernels() -> Vec<String> {
    kernels::KERNELS.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// Returns a line `name, cases, hash` for each computation.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen)]
pub fn report(long: bool) -> String {
    let mut report = String::new();
    for computation in COMPUTATIONS {
        let cases = if long { computation.long_cases } else { computation.cases };
        let mut hash = Sha256::new();
        (computation.run)(cases, &mut hash);
        let _ = write!(report, "{}, {cases} cases, ", computation.name);
        for byte in hash.finalize() {
            let _ = write!(report, "{byte:02x}");
        }
        report.push('\n');
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_reproducible_and_depends_on_the_number_of_cases() {
        assert_eq!(report(false), report(false));
        let hash = |cases| {
            let mut hash = Sha256::new();
            mathematics::elementary(cases, &mut hash);
            hash.finalize()
        };
        assert_ne!(hash(10), hash(11));
    }

    #[test]
    fn every_kernel_runs() {
        for kernel in kernels() {
            let (one, two) = (work(&kernel, 1), work(&kernel, 2));
            assert!(one.is_finite() && one != two, "{kernel}: {one}, {two}");
        }
        assert!(work("no such kernel", 1).is_nan());
    }
}
