//! Bottom tabs of a phone: one panel at a time.
//!
//! Wider screens show everything and no tabs; the style sheet decides.

use leptos::prelude::*;

/// What a phone shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    Watch,
    Ladder,
    Trade,
    Positions,
    Orders,
}

impl Tab {
    const ALL: [Self; 5] = [Self::Watch, Self::Ladder, Self::Trade, Self::Positions, Self::Orders];

    /// For the style sheet.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Ladder => "ladder",
            Self::Trade => "trade",
            Self::Positions => "positions",
            Self::Orders => "orders",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Watch => "Watch",
            Self::Ladder => "Ladder",
            Self::Trade => "Trade",
            Self::Positions => "Positions",
            Self::Orders => "Orders",
        }
    }
}

#[component]
pub(super) fn Tabs(tab: RwSignal<Tab>) -> impl IntoView {
    let button = move |which: Tab| {
        view! {
            <button
                type="button"
                aria-pressed=move || (tab.get() == which).to_string()
                data-testid=format!("tab-{}", which.key())
                on:click=move |_| tab.set(which)
            >
                {which.word()}
            </button>
        }
    };
    view! {
        <nav class="tabs" aria-label="Panels">
            {Tab::ALL.map(button).collect_view()}
        </nav>
    }
    .into_any()
}
