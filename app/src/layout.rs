//! Layouts: the frame around the screens of a signed-in user, and the bare page
//! that holds a single card.
//!
//! Do not know what the screen in their middle shows.

mod connection;
mod details;
mod notices;
mod rail;
mod status;
mod top;
mod user;

use leptos::prelude::*;
use leptos::suspense::Unsuspend;
use leptos_meta::Title;
use leptos_router::components::Outlet;
use protocol::error::ApiError;
use protocol::rest::Opening;

use crate::api::{self, PageData};
use crate::commands::CommandDialogs;
use crate::live::{Live, LiveSession, PageAddress};
use crate::routes::{LOGIN, TRADE};

/// True once the browser has hydrated the page. Controls that need a script are
/// disabled before.
#[derive(Clone, Copy)]
pub(crate) struct Hydrated(pub(crate) RwSignal<bool>);

impl Hydrated {
    /// A page as the server renders it.
    pub(crate) fn new() -> Self {
        Self(RwSignal::new(false))
    }
}

/// Marks the page as hydrated as soon as effects run. Layouts call it, not
/// `App`: a screen whose code is still on its way is not hydrated.
pub(crate) fn mark_hydrated() {
    let Hydrated(hydrated) = expect_context();
    Effect::new(move || {
        hydrated.set(true);
        if let Some(body) = document().body() {
            let _ = body.set_attribute("data-hydrated", "true");
        }
    });
}

/// Redirects to the sign-in page, and back from there, if nobody is signed in;
/// returns true if so. The browser never does: the server answered before.
pub(crate) fn redirect_to_login() -> bool {
    #[cfg(feature = "ssr")]
    if matches!(use_context::<Option<protocol::caller::Caller>>(), Some(None)) {
        let here = leptos_router::hooks::use_location();
        let (path, search) = (here.pathname.get_untracked(), here.search.get_untracked());
        let next = match search.as_str() {
            "" => path,
            search => leptos_router::location::Url::escape(&format!("{path}?{search}")),
        };
        leptos_axum::redirect(&format!("{LOGIN}?next={next}"));
        return true;
    }
    false
}

/// Layout of the screens that need a user. Reads market and account before the
/// first paint; the socket keeps them up to date from then on.
#[component]
pub(crate) fn AuthenticatedPage() -> impl IntoView {
    mark_hydrated();
    if redirect_to_login() {
        return ().into_any();
    }
    let session = expect_context::<LiveSession>();
    let address = PageAddress::new();
    let opening: PageData<Opening> = PageData::new_with_options(|| (), |()| api::read_opening(), true);
    // Transition waits for what is read here; the page is built once, after it.
    let page = move || {
        let answer = opening.get();
        Unsuspend::new(move || match answer {
            Some(Ok(opening)) => view! { <SignedInPage live=session.open(opening, address) /> }.into_any(),
            Some(Err(error)) => view! { <Unavailable error /> }.into_any(),
            None => ().into_any(),
        })
    };
    view! { <Transition>{page}</Transition> }.into_any()
}

/// Top bar, rail, screen and status bar.
#[component]
fn SignedInPage(live: Live) -> impl IntoView {
    provide_context(live);
    Effect::new(move || live.start());
    Effect::new(move || publish_preview_stats(live));
    view! {
        <a class="skip" href="#screen" rel="external">
            "Skip to the screen"
        </a>
        <CommandDialogs live />
        <div class="frame" data-link=move || live.link.with(|link| link.phase.key())>
            <top::TopBar live />
            <rail::Rail live />
            <main id="screen" tabindex="-1">
                <Outlet />
            </main>
            <status::StatusBar live />
            <notices::Toasts live />
        </div>
        <notices::NoticeLog live />
        <details::Details live />
    }
}

/// A screen's name, in the window's title and for screen readers.
#[component]
pub(crate) fn ScreenTitle(name: &'static str) -> impl IntoView {
    view! {
        <Title text=name />
        <h1 class="sr-only">{name}</h1>
    }
}

/// Tells why market and account cannot be shown.
#[component]
fn Unavailable(error: ApiError) -> impl IntoView {
    // The session ended before this screen was opened.
    Effect::new(move || {
        if error.status == 401 {
            let _ = location().set_href(LOGIN);
        }
    });
    view! {
        <main class="gate">
            <div class="card" role="alert">
                <h1>"The market cannot be shown"</h1>
                <p class="lead">{error.message}</p>
                <a class="button" href=TRADE rel="external">
                    "Try again"
                </a>
            </div>
        </main>
    }
}

/// Layout of pages that are one card: forms and the list of sessions.
#[component]
pub(crate) fn CardPage() -> impl IntoView {
    mark_hydrated();
    view! {
        <main class="gate">
            <Outlet />
        </main>
    }
}

/// Writes the comparison of previews and fills onto the page, for tests.
fn publish_preview_stats(live: Live) {
    let receipts = live.previews.get();
    if let Some(body) = document().body() {
        for (name, count) in [
            ("data-preview-compared", receipts.compared),
            ("data-preview-different", receipts.different),
            ("data-preview-other-basis", receipts.other_basis),
            ("data-preview-with-fills", receipts.with_fills),
        ] {
            let _ = body.set_attribute(name, &count.to_string());
        }
    }
}
