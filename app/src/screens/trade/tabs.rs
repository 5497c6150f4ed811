//! Bottom tabs of a phone: one panel at a time. Wider screens show all panels and
//! no tabs; the style sheet decides.

use leptos::prelude::*;

/// A tab of a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PhoneTab {
    Watch,
    Chart,
    Trade,
    Positions,
    More,
}

impl PhoneTab {
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

    const fn label(self) -> &'static str {
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
pub(super) fn PhoneTabs(tab: RwSignal<PhoneTab>) -> impl IntoView {
    let button = move |which: PhoneTab| {
        view! {
            <button
                type="button"
                aria-pressed=move || (tab.get() == which).to_string()
                data-testid=format!("tab-{}", which.key())
                on:click=move |_| tab.set(which)
            >
                {which.label()}
            </button>
        }
    };
    view! {
        <nav class="tabs" aria-label="Panels">
            {PhoneTab::ALL.map(button).collect_view()}
        </nav>
    }
}
