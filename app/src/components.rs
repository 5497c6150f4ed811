//! Small parts that several screens share.
//!
//! Know nothing of the live feed and of the server.

mod csv;
mod focus;
pub mod format;
mod moved;
mod show;
mod units;

pub use csv::download as download_csv;
pub use focus::{focus_row, press_sibling};
pub use moved::Moved;
pub use show::{For, Show};
pub use units::Units;
