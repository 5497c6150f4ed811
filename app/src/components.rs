//! Components that several screens share.

mod csv;
mod focus;
mod positions;
mod price_cell;
mod sign_out;

pub use csv::download as download_csv;
pub use focus::{focus_next_row, select_next_tab};
pub(crate) use positions::Positions;
pub use price_cell::PriceCell;
pub(crate) use sign_out::SignOutAndDelete;
