//! The live market in signals: one shared socket, decoded into a plain map,
//! shown once a frame.
//!
//! Components derive from these signals and never write them. Does not know
//! what a screen looks like; what an update means is `state`'s business.

pub mod connection;
mod history;
mod ladder;
mod notifications;
mod signals;
mod slot;
#[cfg(target_arch = "wasm32")]
mod socket;
pub mod state;
pub mod stream;
#[cfg(test)]
mod tests;

pub use history::fill_key;
pub use ladder::{Ladder, LadderRow};
pub use notifications::Notification;
pub use signals::{Live, Moment, Quote};
pub use slot::Slot;

/// Milliseconds on the browser's clock, for ages and flashes; zero on the
/// server, which measures neither.
pub fn now_ms() -> f64 {
    #[cfg(target_arch = "wasm32")]
    return js_sys::Date::now();
    #[cfg(not(target_arch = "wasm32"))]
    0.0
}
