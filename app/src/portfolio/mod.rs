//! The portfolio screen: what the account is worth, why, and what moves it.
//!
//! Values nothing itself: the engine does, on the server and in the browser.

mod positions;
mod tiles;

pub(crate) use positions::Positions;

use leptos::prelude::*;

use crate::live::Live;
use crate::widgets::format;

/// The portfolio screen.
pub(crate) fn screen(live: Live) -> AnyView {
    view! {
        <div class="portfolio">
            <tiles::Tiles live />
            <section class="panel" aria-labelledby="positions-title">
                <header>
                    <h2 id="positions-title">"Positions"</h2>
                    <span class="note">
                        "as of "
                        <span class="num" data-testid="as-of">
                            {move || format::moment(live.moment.get().time)}
                        </span>
                    </span>
                </header>
                <div class="body" tabindex="0" role="group" aria-labelledby="positions-title">
                    <Positions live wide=true />
                </div>
            </section>
            <Reconciled live />
        </div>
    }
    .into_any()
}

/// How NAV comes about, and what the portfolio agent says it is.
#[component]
fn Reconciled(live: Live) -> impl IntoView {
    let valuation = live.valuation;
    let currency = live.currency();
    view! {
        <section class="panel sums" aria-labelledby="sums-title">
            <header>
                <h2 id="sums-title">"How NAV comes about"</h2>
            </header>
            <div class="body">
                <table data-testid="sums">
                    <thead>
                        <tr>
                            <th scope="col">"Part"</th>
                            <th scope="col" class="num">
                                {currency}
                            </th>
                        </tr>
                    </thead>
                    <tbody>
                        <tr>
                            <th scope="row">"Cash"</th>
                            <td class="num" data-testid="sum-cash">
                                {move || valuation.with(|v| format::money(v.cash))}
                            </td>
                        </tr>
                        <tr>
                            <th scope="row">"+ positions at their marks, accrued interest included"</th>
                            <td class="num" data-testid="sum-positions">
                                {move || valuation.with(|v| format::money(v.market_value))}
                            </td>
                        </tr>
                    </tbody>
                    <tfoot>
                        <tr>
                            <th scope="row">"= NAV"</th>
                            <td class="num" data-testid="sum-nav">
                                {move || valuation.with(|v| format::money(v.nav))}
                            </td>
                        </tr>
                    </tfoot>
                </table>
                <p class="said">
                    "The venue's portfolio agent: NAV "
                    <span class="num" data-testid="agent-nav">
                        {move || format::money(live.agent_nav.get().0)}
                    </span> " as of entry "
                    <span class="num" data-testid="agent-through">
                        {move || format!("#{}", format::count(live.agent_nav.get().1.0))}
                    </span>
                </p>
            </div>
        </section>
    }
}
