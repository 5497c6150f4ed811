//! The portfolio screen: what the account is worth, why, and what moves it.
//!
//! Values nothing itself: the engine does, on the server and in the browser.

mod history;
mod positions;
mod sums;
mod tiles;

pub(crate) use positions::Positions;

use leptos::prelude::*;

use crate::live::Live;

/// The portfolio screen.
pub(crate) fn screen(live: Live) -> AnyView {
    view! {
        <div class="portfolio">
            <tiles::Tiles live />
            <history::History live />
            <section class="panel" aria-labelledby="positions-title">
                <header>
                    <h2 id="positions-title">"Positions"</h2>
                    <span class="note">
                        "average cost of a bond includes accrued interest · as of "
                        <span class="num" data-testid="as-of">
                            {move || live.prefs.moment(live.moment.get().time)}
                        </span>
                    </span>
                </header>
                <div class="body" tabindex="0" role="group" aria-labelledby="positions-title">
                    <Positions live wide=true />
                </div>
            </section>
            <sums::Sums live />
        </div>
    }
    .into_any()
}
