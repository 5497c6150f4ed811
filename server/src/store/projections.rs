//! Projections of the journal: accounts, orders, trades, positions, ledger.
//!
//! Only the sequencer's commit writes them. Does not know the rules that made the rows.

mod account_history;
mod audit_rows;

pub use account_history::{FillFilter, OrderFilter};
pub use audit_rows::{AccountRow, FillRow, LedgerRow, OrderRow, PositionRow};

/// Reason of orders that were cancelled before reasons were stored.
pub const UNKNOWN_REASON: &str = "UNKNOWN";
