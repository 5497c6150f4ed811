//! Properties over random inputs.

mod closing;
mod differential;
mod options;
mod quotes;
mod rates;
mod risk;
mod round_trips;

use proptest::test_runner::Config;

/// Returns a configuration with `count` cases unless `PROPTEST_CASES` is set.
pub(crate) fn cases(count: u32) -> Config {
    // The default reads the variable.
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = count;
    }
    config.max_global_rejects = config.max_global_rejects.max(config.cases);
    config
}
