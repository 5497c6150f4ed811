//! What a book could lose: revaluation under stress, Greeks by underlier and
//! bucket, margin scans, value at risk, and where a day's P&L came from.
//!
//! Estimates in `f64` except the margin scan and the P&L explanation, which
//! end in integers. Knows no accounts: a book is lines of contracts, a market
//! is beside it.

pub mod book;
pub mod explain;
pub mod exposure;
pub mod greeks;
pub mod margin;
pub mod normal_var;
pub mod plan;
pub mod simulation;
pub mod stress;
pub mod var;
