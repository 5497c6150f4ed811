//! The page's address: read, and changed, by the router's own means.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use leptos_router::location::Location;

use crate::routes::TradeAddress;

/// Where the page is, and the way to another address. A handle.
#[derive(Clone, Copy)]
pub struct PageAddress {
    location: StoredValue<Location>,
    navigate: Callback<String>,
}

impl PageAddress {
    /// The address of the router around the current owner.
    pub(crate) fn new() -> Self {
        let navigate = use_navigate();
        let options = NavigateOptions { scroll: false, ..NavigateOptions::default() };
        Self {
            location: StoredValue::new(use_location()),
            navigate: Callback::new(move |to: String| navigate(&to, options.clone())),
        }
    }

    /// The trading screen's address, tracked; `None` on another screen.
    pub(crate) fn trade(self) -> Option<TradeAddress> {
        self.location.with_value(|here| {
            here.query.with(|query| here.pathname.with(|path| TradeAddress::parse(path, query)))
        })
    }

    /// Goes to `to` unless the page is there.
    pub(crate) fn go(self, to: String) {
        let is_there = self.location.with_value(|here| {
            let (path, search) = (here.pathname.get_untracked(), here.search.get_untracked());
            to.strip_prefix(&path).is_some_and(|rest| rest.trim_start_matches('?') == search)
        });
        if !is_there {
            self.navigate.run(to);
        }
    }
}
