//! Where no server can be started: tests that are all about one are left out by
//! name, and others do what they can without.

use testbed::{Failure, SERVER_TEST_WORDS};

/// A test that cannot do without a server says so in its name.
pub fn named() {
    let thread = std::thread::current();
    // One test at a time runs where no name is told.
    let name = thread.name().filter(|name| *name != "main").unwrap_or(SERVER_TEST_WORDS[0]);
    assert!(
        SERVER_TEST_WORDS.iter().any(|word| name.contains(word)),
        "{name} needs a server: its name must hold one of {SERVER_TEST_WORDS:?}"
    );
}

/// A server, unless it is not installed: that is said loudly, and never
/// accepted in continuous integration.
pub fn if_there<T>(found: Result<T, Failure>) -> Option<T> {
    let forbidden = std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    match found {
        Err(error @ Failure::Missing(_)) if !forbidden => {
            eprintln!("SKIPPED on one kind of server: {error}; `cargo xtask test` installs it");
            None
        }
        found => Some(found.unwrap_or_else(|error| panic!("{error}; `cargo xtask test` installs it"))),
    }
}
