//! Properties over random inputs.

mod differential;
mod options;
mod quotes;
mod rates;
mod risk;

use proptest::test_runner::Config;

/// Returns a configuration with `count` cases unless `PROPTEST_CASES` is set.
pub(crate) fn cases(count: u32) -> Config {
    match std::env::var_os("PROPTEST_CASES") {
        // The default reads the variable.
        Some(_) => Config::default(),
        None => Config::with_cases(count),
    }
}
