//! Bottom tabs of a phone: one panel at a time.
//!
//! Wider screens show everything and no tabs; the style sheet decides.

use crate::reactive::RwSignal;
use leptos::prelude::*;

/// What a phone shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    Watch,
    Chart,
    Trade,
    Positions,
    More,
}

impl Tab {
    const ALL: [Self; 5] = [Self::Watch, Self::Chart, Self::Trade, Self::Positions, Self::More];

    /// For the style sheet.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Chart => "chart",
            Self::Trade => "trade",
            Self::Positions => "positions",
            Self::More => "more",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Watch => "Watch",
            Self::Chart => "Chart",
            Self::Trade => "Trade",
            Self::Positions => "Positions",
            Self::More => "Depth",
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
            {Tab::ALL.map(button).map(IntoAny::into_any).collect_view()}
        </nav>
    }
    .into_any()
}
