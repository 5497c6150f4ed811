//! The pages: components that the server renders and the browser hydrates.
//!
//! Knows nothing of storage, buses and agents: all that it may ask of a server
//! stands in [`protocol::gateway`].

#![recursion_limit = "256"]
#![allow(unreachable_pub, reason = "`#[component]` writes `pub` on what it makes")]

pub mod api;
pub mod chart;
mod commands;
mod components;
mod format;
mod layout;
mod lazy_routes;
pub mod live;
mod preferences;
pub mod report;
mod routes;
mod screens;
mod theme;

use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{Lazy, SsrMode, StaticSegment, path};

use crate::commands::CommandRegistry;
use crate::layout::{CardPage, Hydrated};
use crate::lazy_routes::{AccountRoute, AuthenticatedRoute, ControlRoute, PortfolioRoute, TradeRoute};
use crate::live::LiveSession;
use crate::preferences::Preferences;
use crate::screens::sign_in::{LoginScreen, RegisterScreen, ResetScreen};

/// The HTML document around the application, made by the server for every page.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let preferences = Preferences::new().untracked();
    let bundle = format!("/{}", options.site_pkg_dir);
    view! {
        <!DOCTYPE html>
        <html
            lang="en"
            data-theme=preferences.theme.key()
            data-dir=preferences.scheme.key()
            data-density=preferences.density()
        >
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content=preferences.theme.color_scheme() />
                <meta
                    name="description"
                    content="Practise trading shares and bonds with play money, in a simulated market."
                />
                <link rel="icon" href=format!("{bundle}/icon.svg") type="image/svg+xml" />
                <link id="tickhall" rel="stylesheet" href=format!("{bundle}/tickhall.css") />
                <HydrationScripts options />
                <MetaTags />
            </head>
            <body>
                <App />
                <noscript>
                    <p class="noscript">
                        "Live prices and orders need JavaScript, which is off: the figures here stand still. Signing in, the portfolio and the account work without it."
                    </p>
                </noscript>
            </body>
        </html>
    }
}

/// The whole application, the same on the server and in the browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_context(Preferences::new());
    provide_context(CommandRegistry::default());
    provide_context(LiveSession::new());
    provide_context(Hydrated::new());
    view! {
        <Title formatter=|title: String| {
            if title.is_empty() { "Tickhall".to_owned() } else { format!("{title} · Tickhall") }
        } />
        <Router>
            <Routes fallback=NotFound>
                <ParentRoute path=path!("") view={Lazy::<AuthenticatedRoute>::new()}>
                    // One view for both paths: another instrument is another address.
                    <ParentRoute path=path!("") view={Lazy::<TradeRoute>::new()}>
                        <Route path=path!("/") view=|| () ssr=SsrMode::Async />
                        <Route path=path!("/trade/:symbol?") view=|| () ssr=SsrMode::Async />
                    </ParentRoute>
                    <Route path=StaticSegment(routes::PORTFOLIO) view={Lazy::<PortfolioRoute>::new()} ssr=SsrMode::Async />
                    <Route path=StaticSegment(routes::CONTROL) view={Lazy::<ControlRoute>::new()} ssr=SsrMode::Async />
                </ParentRoute>
                <ParentRoute path=path!("") view=CardPage>
                    <Route path=StaticSegment(routes::ACCOUNT) view={Lazy::<AccountRoute>::new()} ssr=SsrMode::Async />
                    <Route path=StaticSegment(routes::LOGIN) view=LoginScreen ssr=SsrMode::Async />
                    <Route path=StaticSegment(routes::REGISTER) view=RegisterScreen ssr=SsrMode::Async />
                    <Route path=StaticSegment(routes::RESET) view=ResetScreen ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
    }
}

#[component]
fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    layout::mark_hydrated();
    view! {
        <Title text="No such page" />
        <main class="gate">
            <div class="card">
                <h1>"There is no such page"</h1>
                <p class="lead">"The address may be mistyped."</p>
                <a class="button" href=routes::TRADE rel="external">
                    "Go to trading"
                </a>
            </div>
        </main>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn every_screen_has_its_paths() {
        let listed = leptos_axum::generate_route_list(App);
        let paths: Vec<&str> = listed.iter().map(|route| route.path()).collect();
        for path in ["/", "/trade", "/trade/{symbol}", "/portfolio", "/control", "/account", "/login"] {
            assert!(paths.contains(&path), "{path}: {paths:?}");
        }
    }
}
