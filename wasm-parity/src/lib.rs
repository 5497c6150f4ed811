//! The same sums natively and in WebAssembly, hashed.
//!
//! `cargo xtask test` runs the report twice natively and once under node; each
//! line must be the same, to the bit, in all three. A new comparison is one
//! more entry of `SUMS`. Knows nothing of how the reports are compared.

mod kernels;
mod mathematics;
mod options;
mod previews;
mod rates;
mod replay;
mod trading;

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// One thing that is computed everywhere.
struct Sum {
    name: &'static str,
    /// How many cases the suite asks for.
    cases: u64,
    /// How many `--long` asks for.
    long_cases: u64,
    /// Feeds the results of that many cases to the hash.
    run: fn(u64, &mut Sha256),
}

const SUMS: &[Sum] = &[
    Sum { name: "elementary functions", cases: 10_000, long_cases: 1_000_000, run: mathematics::elementary },
    Sum { name: "curves, swaps and bonds", cases: 3_000, long_cases: 100_000, run: rates::curves },
    Sum {
        name: "books, margin scans, processes and value at risk",
        cases: 2_000,
        long_cases: 50_000,
        run: rates::risk,
    },
    Sum { name: "European options", cases: 100_000, long_cases: 2_000_000, run: options::european },
    Sum { name: "implied volatilities", cases: 50_000, long_cases: 1_000_000, run: options::implied },
    Sum { name: "American options", cases: 300, long_cases: 5_000, run: options::american },
    Sum {
        name: "previews equal to their fills",
        cases: 10_000,
        long_cases: 200_000,
        run: previews::previews,
    },
    Sum {
        name: "ticks of a venue regenerated from seed and journal",
        cases: 1_000_000,
        long_cases: 3_000_000,
        run: replay::regenerated,
    },
];

/// Works so many rounds at one kernel and hands back a number that depends on
/// all of them, for being timed; no number for a name that is not among
/// [`kernels`].
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen)]
pub fn work(kernel: &str, rounds: u32) -> f64 {
    let known = kernels::KERNELS.iter().find(|(name, _)| *name == kernel);
    known.map_or(f64::NAN, |(_, work)| work(rounds))
}

/// The kernels that [`work`] knows.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen)]
pub fn kernels() -> Vec<String> {
    kernels::KERNELS.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// A line `name, cases, hash` for each sum.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen)]
pub fn report(long: bool) -> String {
    let mut report = String::new();
    for sum in SUMS {
        let cases = if long { sum.long_cases } else { sum.cases };
        let mut hash = Sha256::new();
        (sum.run)(cases, &mut hash);
        let _ = write!(report, "{}, {cases} cases, ", sum.name);
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
    fn the_report_repeats_itself_and_depends_on_its_cases() {
        assert_eq!(report(false), report(false));
        let hash = |cases| {
            let mut hash = Sha256::new();
            mathematics::elementary(cases, &mut hash);
            hash.finalize()
        };
        assert_ne!(hash(10), hash(11));
    }

    #[test]
    fn every_kernel_works() {
        for kernel in kernels() {
            let (one, two) = (work(&kernel, 1), work(&kernel, 2));
            assert!(one.is_finite() && one != two, "{kernel}: {one}, {two}");
        }
        assert!(work("no such kernel", 1).is_nan());
    }
}
