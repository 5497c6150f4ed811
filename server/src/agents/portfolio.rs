//! The portfolio and risk agent: values every account at the journalled marks.
//!
//! - *listens*: `execution_stream` (cash, positions and marks, as committed)
//! - *publishes*: `risk_stream` (one account's valuation, newest wins)
//! - *owns*: `portfolio_snapshots` and its cursor
//! - *never*: decides about money, or reads a price that is not journalled

mod agent;
mod books;
mod thinning;

pub use agent::{PortfolioError, Settings, run};
