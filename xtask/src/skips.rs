//! What could not be done here. Said loudly at once and again at the end; in
//! continuous integration each one is a failure.

use std::cell::RefCell;

use crate::progress;

#[derive(Default)]
pub(crate) struct Skips {
    list: RefCell<Vec<String>>,
}

impl Skips {
    /// Remembers that `what` is skipped, and what would change that.
    pub(crate) fn add(&self, what: &str, remedy: &str) {
        let line = format!("{what}: {remedy}");
        progress::loud(&format!("SKIPPED {line}"));
        self.list.borrow_mut().push(line);
    }

    pub(crate) fn count(&self) -> u64 {
        self.list.borrow().len() as u64
    }

    /// Repeats them all.
    pub(crate) fn report(&self) {
        for line in self.list.borrow().iter() {
            progress::loud(&format!("SKIPPED {line}"));
        }
        if self.count() > 0 && forbidden() {
            progress::loud("CI is set: every skip counts as a failure");
        }
    }

    /// How many failures the skips amount to.
    pub(crate) fn failures(&self) -> u64 {
        if forbidden() { self.count() } else { 0 }
    }
}

/// Whether this is a machine on which nothing may be skipped.
pub(crate) fn forbidden() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
