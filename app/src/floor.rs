//! What every screen of a signed-in user starts from: one opening cut, read
//! once a page, then kept alive by the socket.
//!
//! Does not know which screen it holds.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::layout::Frame;
use crate::live::{Live, Slot};
use crate::reactive::StoredValue;
use crate::ready::{Answer, ready};
use protocol::error::ApiError;
use protocol::rest::Opening;

/// The opening cut; `None` when nobody is signed in. A handle.
#[derive(Clone, Copy)]
pub(crate) struct Opened(StoredValue<Answer<Opening>>);

/// Where the account's past is shown.
pub(crate) const PORTFOLIO: &str = "/portfolio";

/// The opening cut that the page is rendered from.
pub(crate) fn opening() -> Opened {
    Opened(StoredValue::new(ready(|ready| &ready.opening)))
}

/// A screen inside the frame, once the opening cut is there.
#[component]
pub(crate) fn Floor(
    /// The screen's name.
    title: &'static str,
    /// Where it is: where signing in comes back to.
    path: &'static str,
    /// The screen.
    screen: fn(Live) -> AnyView,
) -> impl IntoView {
    let Opened(opening) = expect_context();
    let slot = expect_context::<Slot>();
    #[cfg(feature = "ssr")]
    if matches!(use_context::<Option<protocol::gateway::Caller>>(), Some(None)) {
        leptos_axum::redirect(&format!("/login?next={path}"));
    }
    #[cfg(not(feature = "ssr"))]
    let _ = path;
    let opened = opening.with_value(|answer| match answer {
        Some(Ok(opening)) => Some(Ok(slot.open(opening))),
        Some(Err(error)) => Some(Err(error.clone())),
        None => None,
    });
    let shown = match opened {
        Some(Ok(live)) => view! { <Frame live title>{screen(live)}</Frame> }.into_any(),
        Some(Err(error)) => view! { <Closed error /> }.into_any(),
        None => ().into_any(),
    };
    view! {
        <Title text=title />
        {shown}
    }
    .into_any()
}

/// The venue cannot be shown now.
#[component]
fn Closed(error: ApiError) -> impl IntoView {
    view! {
        <main class="gate">
            <div class="card" role="alert">
                <h1>"The floor cannot be shown"</h1>
                <p class="lead">{error.message}</p>
                <a class="button" href="/" rel="external">
                    "Try again"
                </a>
            </div>
        </main>
    }
}
