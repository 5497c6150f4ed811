//! Around every screen: top bar, rail, status bar, the one live region.
//!
//! Does not know what the screen in its middle shows.

mod pill;
mod rail;
mod status;
mod top;

use leptos::prelude::*;

use crate::commands::Help;
use crate::live::Live;
use crate::reactive::effect;

/// The frame of a signed-in user's page.
#[component]
pub(crate) fn Frame(live: Live, title: &'static str, children: Children) -> impl IntoView {
    effect(move || live.start());
    effect(move || publish(live));
    let fresh = move || live.link.with(|link| link.phase.key());
    view! {
        <a class="skip" href="#screen">
            "Skip to the screen"
        </a>
        <Help live />
        <div class="frame" data-link=move || fresh()>
            <top::TopBar live />
            <rail::Rail current=title />
            <main id="screen" tabindex="-1">
                <h1 class="sr-only">{title}</h1>
                {children()}
            </main>
            <status::StatusBar live />
        </div>
    }
    .into_any()
}

/// Shows the receipts to whoever measures the page from outside.
fn publish(live: Live) {
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
