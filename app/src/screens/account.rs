//! The account's own page: where one is signed in, and how to end that.
//!
//! Plain forms, which need no script. Does not know what a session is made of.

mod page;

pub(crate) use page::Account;
