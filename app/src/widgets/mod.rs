//! Small parts that several screens share.
//!
//! Know nothing of the live feed and of the server.

mod focus;
pub mod format;
mod moved;
mod units;

pub use focus::focus_row;
pub use moved::Moved;
pub use units::Units;
