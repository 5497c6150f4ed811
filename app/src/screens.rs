//! The screens, one module each.

pub mod account;
pub mod control;
pub mod portfolio;
pub mod sign_in;
pub mod trade;
