//! The portfolio screen: NAV and its history, positions, exposure.
//!
//! Values nothing itself: the engine does, on the server and in the browser.

mod history;
mod sums;
mod tiles;

use leptos::prelude::*;

use crate::components::Positions;
use crate::layout::ScreenTitle;
use crate::live::Live;

/// The portfolio screen.
#[component]
pub(crate) fn PortfolioScreen() -> impl IntoView {
    let live = expect_context::<Live>();
    view! {
        <ScreenTitle name="Portfolio" />
        <div class="portfolio">
            <tiles::Tiles live />
            <history::NavPanel live />
            <section class="panel" aria-labelledby="positions-title">
                <header>
                    <h2 id="positions-title">"Positions"</h2>
                    <span class="note">
                        "average cost of a bond includes accrued interest · as of "
                        <span class="num" data-testid="as-of">
                            {move || live.preferences.moment(live.moment.get().time)}
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
}
