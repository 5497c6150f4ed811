//! The left rail: where one can go. Below 768 px it is part of the top bar.
//!
//! Knows the screens' names and addresses alone.

use leptos::prelude::*;

use crate::place;

#[component]
pub(super) fn Rail(current: &'static str) -> impl IntoView {
    view! {
        <nav class="rail" aria-label="Screens">
            <Place current name="Trade" href="/" testid="nav-trade">
                <path d="M4 19V9M4 14h0M10 21V5M16 17V7M21 13V3" />
            </Place>
            <Place current name="Portfolio" href="/portfolio" testid="nav-portfolio">
                <path d="M12 3v9l7.5 5A9 9 0 1 1 12 3zM15 3.5A9 9 0 0 1 21 12h-6z" />
            </Place>
        </nav>
    }
    .into_any()
}

#[component]
fn Place(
    current: &'static str,
    name: &'static str,
    href: &'static str,
    testid: &'static str,
    children: Children,
) -> impl IntoView {
    let here = current == name;
    let place = expect_context::<place::Place>();
    view! {
        <a
            href=href
            class=if here { "place here" } else { "place" }
            aria-current=here.then_some("page")
            data-testid=testid
            on:click=move |click| place.follow(&click, href)
        >
            <svg
                viewBox="0 0 24 24"
                aria-hidden="true"
                fill="none"
                stroke="currentColor"
                stroke-width="2"
            >
                {children()}
            </svg>
            <span>{name}</span>
        </a>
    }
}
