//! Where the one live desk of a page is kept, above all routes.
//!
//! Does not know what it keeps; screens come and go beneath it.

use leptos::prelude::*;

use super::signals::Live;
use crate::reactive::StoredValue;
use protocol::rest::Opening;

/// Where the one live desk of a page is kept, above all routes.
#[derive(Clone, Copy)]
pub struct Slot {
    live: StoredValue<Option<Live>>,
    owner: StoredValue<Owner>,
}

impl Slot {
    /// An empty place; its owner outlives every screen.
    pub fn new() -> Self {
        let owner = Owner::current().unwrap_or_default();
        Self { live: StoredValue::new(None), owner: StoredValue::new(owner) }
    }

    /// The page's live desk, opened with `opening` the first time.
    pub fn open(self, opening: &Opening) -> Live {
        if let Some(live) = self.live.get_value() {
            return live;
        }
        let owner = self.owner.get_value();
        let live = owner.with(|| Live::new(opening.clone(), owner.clone()));
        self.live.set_value(Some(live));
        live
    }
}

impl Default for Slot {
    fn default() -> Self {
        Self::new()
    }
}
