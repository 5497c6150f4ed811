//! Risk of a book: revaluation under stress, Greeks by underlier and bucket, margin
//! scans, value at risk, and P&L attribution.
//!
//! Estimates in `f64`; margin scans and P&L attribution are rounded to integers. Knows
//! no accounts: a book is a list of contracts with a market.

pub mod book;
pub mod explain;
pub mod exposure;
pub mod greeks;
pub mod margin;
pub mod normal_var;
pub mod plan;
pub mod stress;
pub mod var;
