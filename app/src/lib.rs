//! The pages: components that the server renders and the browser hydrates.
//!
//! Knows nothing of storage, of buses and of agents: all that it may ask of a
//! server stands in [`gateway`].

// Views are types made of types. Components end in `into_any`, so that whoever
// mounts the pages needs no deeper recursion than the usual; this room does.
#![recursion_limit = "256"]
#![allow(unreachable_pub, reason = "`#[component]` writes `pub` on what it makes")]
#![allow(clippy::redundant_closure, reason = "only a closure that is written in a view is erased")]

pub mod api;
mod ask;
pub mod chart;
mod codec;
mod commands;
pub mod components;
mod floor;
mod layout;
pub mod live;
mod place;
pub mod prefs;
pub mod reactive;
mod ready;
pub mod report;
mod screens;

use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};

use crate::floor::Floor;
use crate::live::Slot;
use crate::place::Place;
use crate::prefs::{Preferences, Prefs};
use crate::reactive::effect;
pub use crate::ready::Ready;
use crate::screens::account::Account;
use crate::screens::sign_in::{Register, Reset, SignIn};

/// Whether the page is alive: set once, by an effect, so only in a browser.
#[derive(Clone, Copy)]
pub struct Hydrated(pub ReadSignal<bool>);

/// The HTML document around the application, made by the server for every page.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let prefs = Prefs::current();
    let bundle = format!("/{}", options.site_pkg_dir);
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme="dark" data-dir=prefs.scheme.key() data-density=prefs.density()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="dark" />
                <meta name="description" content="A trading floor that is replayable to the bit." />
                <link rel="icon" href=format!("{bundle}/icon.svg") type="image/svg+xml" />
                <link id="tickhall" rel="stylesheet" href=format!("{bundle}/tickhall.css") />
                <HydrationScripts options />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// An address and what stands there.
type Page = (&'static str, fn() -> AnyView);

/// The pages, each at its address.
const PAGES: [Page; 6] = [
    ("/", || view! { <Floor title="Trade" path="/" screen=screens::trade::screen /> }.into_any()),
    (floor::PORTFOLIO, || {
        view! { <Floor title="Portfolio" path=floor::PORTFOLIO screen=screens::portfolio::screen /> }
            .into_any()
    }),
    ("/account", || view! { <Account /> }.into_any()),
    ("/login", || view! { <SignIn /> }.into_any()),
    ("/reset", || view! { <Reset /> }.into_any()),
    ("/register", || view! { <Register /> }.into_any()),
];

/// Where there are pages.
pub fn addresses() -> impl Iterator<Item = &'static str> {
    PAGES.into_iter().map(|(address, _)| address)
}

/// The page at `path`.
fn page(path: &str) -> AnyView {
    match PAGES.iter().find(|(address, _)| *address == path) {
        Some((_, page)) => page(),
        None => view! { <NotFound /> }.into_any(),
    }
}

/// The whole application, the same on the server and in the browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_context(Preferences::new());
    provide_context(commands::Desk::default());
    provide_context(Slot::new());
    provide_context(floor::opening());
    let place = Place::new();
    provide_context(place);
    let hydrated = RwSignal::new(false);
    provide_context(Hydrated(hydrated.read_only()));
    // Clicks before hydration are lost: tests and controls wait for this mark.
    effect(move || {
        hydrated.set(true);
        if let Some(body) = document().body() {
            let _ = body.set_attribute("data-hydrated", "true");
        }
    });
    view! {
        <Title formatter=|title: String| {
            if title.is_empty() { "Tickhall".to_owned() } else { format!("{title} · Tickhall") }
        } />
        {move || place.with(page)}
    }
}

#[component]
fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="No such page" />
        <main class="gate">
            <div class="card">
                <h1>"There is no such page"</h1>
                <p class="lead">"The address may be mistyped."</p>
                <a class="button" href="/">
                    "To the trading floor"
                </a>
            </div>
        </main>
    }
}
