//! The portfolio screen: NAV and its history, positions, exposure.
//!
//! Values nothing itself: the engine does, on the server and in the browser.

mod history;
mod sums;
mod tiles;

use leptos::prelude::*;

use crate::components::{Positions, download_table, focus_next_row, follow_row};
use crate::layout::{Hydrated, ScreenTitle};
use crate::live::Live;

/// The portfolio screen.
#[component]
pub(crate) fn PortfolioScreen() -> impl IntoView {
    let live = expect_context::<Live>();
    let Hydrated(hydrated) = expect_context();
    // A row leads to its instrument.
    let follow = move |event| {
        follow_row(&event, "body");
    };
    view! {
        <ScreenTitle name="Portfolio" />
        <div class="portfolio" on:click=follow>
            <tiles::Tiles live />
            <history::NavPanel live />
            <section class="panel" aria-labelledby="positions-title">
                <header>
                    <h2 id="positions-title">"Positions"</h2>
                    <span class="note">
                        "bonds: clean prices per 100, cost less interest accrued to date · as of "
                        <span class="num" data-testid="as-of">
                            {move || live.preferences.moment(live.moment.get().time)}
                        </span>
                    </span>
                    <div class="tools">
                        <button
                            type="button"
                            class="small"
                            disabled=move || !hydrated.get()
                            data-testid="positions-csv"
                            on:click=move |_| download_table("[data-testid=positions]", "positions.csv")
                        >
                            "CSV"
                        </button>
                    </div>
                </header>
                <div
                    class="body"
                    tabindex="0"
                    role="group"
                    aria-labelledby="positions-title"
                    on:keydown=focus_next_row
                >
                    <Positions live wide=true />
                </div>
            </section>
            <sums::Sums live />
        </div>
    }
}
