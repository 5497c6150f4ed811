//! Market and account in signals: one shared socket, its updates applied to plain
//! state and shown once a frame.
//!
//! Components derive from these signals and never write them. Does not know
//! what a screen looks like; what an update means is `state`'s business.

mod address;
pub mod connection;
mod history;
mod ladder;
mod notifications;
mod pages;
mod signals;
#[cfg(target_arch = "wasm32")]
mod socket;
pub mod state;
pub mod stream;
#[cfg(test)]
mod tests;

pub use address::PageAddress;
pub use history::fill_key;
pub use ladder::{Ladder, LadderRow};
pub use notifications::{LogEntry, Notification, NotificationKind, Notifications};
pub(crate) use pages::{all_fills, all_orders};
pub use signals::{InstrumentFigures, Live, Moment};

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

    /// Returns the page's live state, opened with `opening` and the page's
    /// address the first time.
    pub(crate) fn open(self, opening: Opening, address: PageAddress) -> Live {
        if let Some(live) = self.live.get_value() {
            return live;
        }
        let owner = self.owner.get_value();
        let live = owner.with(|| Live::new(opening, address, owner.clone()));
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
