//! Components and formats that several screens share.

mod csv;
mod focus;
pub mod format;
mod positions;
mod price_cell;
mod units;

pub use csv::download as download_csv;
pub use focus::{focus_next_row, select_next_tab};
pub(crate) use positions::Positions;
pub use price_cell::PriceCell;
pub use units::Units;
