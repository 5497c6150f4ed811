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
pub use view::{Ladder, Rung};

use leptos::prelude::*;
use protocol::rest::Opening;

/// The page's one [`Live`]. It is opened by the first screen that needs it and
/// outlives all of them. A handle.
#[derive(Clone, Copy)]
pub(crate) struct LiveSession {
    live: StoredValue<Option<Live>>,
    owner: StoredValue<Owner>,
}

impl LiveSession {
    /// An empty session, owned by the current owner.
    pub(crate) fn new() -> Self {
        let owner = Owner::current().unwrap_or_default();
        Self { live: StoredValue::new(None), owner: StoredValue::new(owner) }
    }

    /// Returns the page's live state, opened with `opening` the first time.
    pub(crate) fn open(self, opening: Opening) -> Live {
        if let Some(live) = self.live.get_value() {
            return live;
        }
        let owner = self.owner.get_value();
        let live = owner.with(|| Live::new(opening, owner.clone()));
        self.live.set_value(Some(live));
        live
    }
}

/// Milliseconds on the browser's clock, for ages and flashes; zero on the
/// server, which measures neither.
pub fn now_ms() -> f64 {
    #[cfg(target_arch = "wasm32")]
    return js_sys::Date::now();
    #[cfg(not(target_arch = "wasm32"))]
    0.0
}
