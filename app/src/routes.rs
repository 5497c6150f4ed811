//! Paths of the pages.
//!
//! Knows no page; `App` says what is shown where.

/// The trading screen.
pub(crate) const TRADE: &str = "/";

/// The portfolio screen.
pub(crate) const PORTFOLIO: &str = "/portfolio";

/// The page of the venue's owner.
pub(crate) const CONTROL: &str = "/control";

/// The user's sessions.
pub(crate) const ACCOUNT: &str = "/account";

/// The sign-in form.
pub(crate) const LOGIN: &str = "/login";

/// The form that opens an account.
pub(crate) const REGISTER: &str = "/register";

/// The form that sets a new password.
pub(crate) const RESET: &str = "/reset";
