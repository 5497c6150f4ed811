//! What the landing page says beside its forms: one sentence and a picture.
//!
//! The picture is drawn in the style sheet's colours and shows no real market.

use leptos::prelude::*;

/// A chart, a ladder and a fill, 360 by 200. The browser keeps the server's.
const PICTURE: &str = if cfg!(feature = "ssr") { include_str!("pitch.svg") } else { "" };

#[component]
pub(super) fn Pitch() -> impl IntoView {
    view! {
        <section class="pitch">
            <h1>"Practise trading shares and bonds with play money."</h1>
            <p class="lead">
                "A simulated market with order books and dealers' quotes. See what an order would do before you send it, then watch what it is worth."
            </p>
            <div class="scene" aria-hidden="true" inner_html=PICTURE></div>
        </section>
    }
}
