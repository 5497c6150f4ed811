//! What every screen of a signed-in user starts from: one opening cut, read
//! once a page, then kept alive by the socket.
//!
//! Does not know which screen it holds.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::api;
use crate::codec::PostcardCodec;
use crate::frame::Frame;
use crate::gateway::{ApiError, Caller, Opening};
use crate::live::{Live, Slot};

/// The opening cut; `None` when nobody is signed in.
type OpeningResource = Resource<Option<Result<Opening, ApiError>>, PostcardCodec>;

/// Where the account's past is shown.
pub(crate) const PORTFOLIO: &str = "/portfolio";

/// Reads the opening cut on the server; the browser finds it in the page.
pub(crate) fn opening() -> OpeningResource {
    let signed_in = !matches!(use_context::<Option<Caller>>(), Some(None));
    #[cfg(feature = "ssr")]
    let worth = use_context::<http::request::Parts>().is_some_and(|parts| parts.uri.path() == PORTFOLIO);
    #[cfg(not(feature = "ssr"))]
    let worth = false;
    Resource::new_with_options(
        || (),
        move |()| async move {
            match signed_in {
                true => Some(api::opening(worth).await),
                false => None,
            }
        },
        true,
    )
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
    let opening = expect_context::<OpeningResource>();
    let slot = expect_context::<Slot>();
    #[cfg(feature = "ssr")]
    if matches!(use_context::<Option<Caller>>(), Some(None)) {
        leptos_axum::redirect(&format!("/login?next={path}"));
    }
    #[cfg(not(feature = "ssr"))]
    let _ = path;
    view! {
        <Title text=title />
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match opening.await {
                    Some(Ok(opening)) => {
                        let live = slot.open(opening);
                        view! { <Frame live title>{screen(live)}</Frame> }.into_any()
                    }
                    Some(Err(error)) => view! { <Closed error /> }.into_any(),
                    None => ().into_any(),
                }
            })}
        </Suspense>
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
