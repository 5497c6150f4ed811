//! The left rail: links to the screens. Below 768 px it is part of the top bar.
//!
//! Knows the screens' names and paths alone.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::live::Live;
use crate::routes::{self, TradeAddress};

#[component]
pub(super) fn Rail(live: Live) -> impl IntoView {
    let owner = live.caller().owner;
    // The trading screen as it was last.
    let trade = Signal::derive(move || live.address.with(TradeAddress::href));
    let [portfolio, control] = [routes::PORTFOLIO, routes::CONTROL].map(|to| Signal::stored(to.to_owned()));
    view! {
        <nav class="rail" aria-label="Screens">
            <ScreenLink name="Trade" href=trade testid="nav-trade">
                <path d="M4 19V9M4 14h0M10 21V5M16 17V7M21 13V3" />
            </ScreenLink>
            <ScreenLink name="Portfolio" href=portfolio testid="nav-portfolio">
                <path d="M12 3v9l7.5 5A9 9 0 1 1 12 3zM15 3.5A9 9 0 0 1 21 12h-6z" />
            </ScreenLink>
            {owner
                .then(|| {
                    view! {
                        <ScreenLink name="Control" href=control testid="nav-control">
                            <path d="M4 7h9M19 7h1M4 17h1M11 17h9M13 4v6h6V4zM5 14v6h6v-6z" />
                        </ScreenLink>
                    }
                })}
        </nav>
    }
}

#[component]
fn ScreenLink(
    name: &'static str,
    href: Signal<String>,
    testid: &'static str,
    /// The picture's path.
    children: Children,
) -> impl IntoView {
    view! {
        <A href=move || href.get() exact=true attr:class="place" attr:data-testid=testid>
            <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2">
                {children()}
            </svg>
            <span>{name}</span>
        </A>
    }
}
