//! The live market in signals: one shared socket, decoded into a plain map,
//! shown once a frame.
//!
//! Components derive from these signals and never write them. Does not know
//! what a screen looks like; what a cut means is `state`'s business.

mod convert;
pub mod follower;
pub mod link;
mod log;
mod maps;
mod news;
mod notice;
pub mod receipts;
mod signals;
mod slot;
#[cfg(target_arch = "wasm32")]
mod socket;
pub mod state;
#[cfg(test)]
mod tests;
mod view;
pub mod wire;

pub use log::key as fill_key;
pub(crate) use maps::sorted;
pub use maps::{Map, Set};
pub use notice::Notice;
pub use signals::{Live, Moment, Quote};
pub use slot::Slot;
pub use view::{Ladder, Rung};

/// Milliseconds on the browser's clock, for ages and flashes; zero on the
/// server, which measures neither.
pub fn now_ms() -> f64 {
    #[cfg(target_arch = "wasm32")]
    return js_sys::Date::now();
    #[cfg(not(target_arch = "wasm32"))]
    0.0
}
