//! The left rail: links to the screens. Below 768 px it is part of the top bar.
//!
//! Knows the screens' names and paths alone.

use leptos::prelude::*;
use leptos_router::components::A;

use crate::routes;

#[component]
pub(super) fn Rail(
    /// True if the user owns the venue.
    owner: bool,
) -> impl IntoView {
    view! {
        <nav class="rail" aria-label="Screens">
            <ScreenLink name="Trade" href=routes::TRADE testid="nav-trade">
                <path d="M4 19V9M4 14h0M10 21V5M16 17V7M21 13V3" />
            </ScreenLink>
            <ScreenLink name="Portfolio" href=routes::PORTFOLIO testid="nav-portfolio">
                <path d="M12 3v9l7.5 5A9 9 0 1 1 12 3zM15 3.5A9 9 0 0 1 21 12h-6z" />
            </ScreenLink>
            {owner
                .then(|| {
                    view! {
                        <ScreenLink name="Control" href=routes::CONTROL testid="nav-control">
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
    href: &'static str,
    testid: &'static str,
    /// The picture's path.
    children: Children,
) -> impl IntoView {
    view! {
        <A href exact=true attr:class="place" attr:data-testid=testid>
            <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2">
                {children()}
            </svg>
            <span>{name}</span>
        </A>
    }
}
