//! How often a property is tried. Knows no property.

use proptest::test_runner::Config;

/// So many cases, unless `PROPTEST_CASES` asks for another number.
pub(crate) fn cases(count: u32) -> Config {
    match std::env::var_os("PROPTEST_CASES") {
        // Which is what the default reads.
        Some(_) => Config::default(),
        None => Config::with_cases(count),
    }
}
