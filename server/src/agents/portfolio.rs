//! The portfolio and risk agent: marks every account's book and says what it is
//! worth.
//!
//! - *listens*: `execution_stream` (cash, positions and marks, as committed)
//! - *publishes*: `risk_stream` (a valuation an account, newest wins)
//! - *owns*: `portfolio_snapshots` and its cursor
//! - *never*: decides about money, or reads a price that is not journalled

mod agent;
mod books;

pub use agent::{Deps, PortfolioError, run};
