//! Sign in, register and set a new password: plain forms that work before hydration and without
//! scripts; the server answers them with redirects.
//!
//! Know no rule about passwords but how the server words them.

mod page;
mod words;

pub(crate) use page::{Keep, Register, Reset, SignIn};
