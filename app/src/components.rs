//! Components that several screens share.

mod csv;
mod focus;
mod positions;
mod price_cell;
mod sign_out;
mod sort;
mod symbol;

pub use csv::{download, download_table, line as csv_line};
pub use focus::{focus_next_row, follow_row, select_next_tab};
pub(crate) use positions::Positions;
pub use price_cell::PriceCell;
pub(crate) use sign_out::SignOutAndDelete;
pub(crate) use sort::{SortKey, Sorting};
pub(crate) use symbol::symbol_link;
