//! NAV and its parts, the portfolio agent's NAV, and exposure by asset class.
//!
//! Shows the engine's sums; adds none.

use engine::instrument::InstrumentKind;
use engine::portfolio::ClassExposure;
use leptos::prelude::*;

use crate::format;
use crate::live::Live;

#[component]
pub(super) fn Sums(live: Live) -> impl IntoView {
    view! {
        <div class="sums">
            <section class="panel" aria-labelledby="sums-title">
                <header>
                    <h2 id="sums-title">"NAV breakdown"</h2>
                </header>
                <NavParts live />
            </section>
            <section class="panel" aria-labelledby="exposure-title">
                <header>
                    <h2 id="exposure-title">"Exposure by asset class"</h2>
                </header>
                <Exposure live />
            </section>
        </div>
    }
}

#[component]
fn NavParts(live: Live) -> impl IntoView {
    let valuation = live.valuation;
    view! {
        <div class="body">
            <table data-testid="sums">
                <thead>
                    <tr>
                        <th scope="col">"Part"</th>
                        <th scope="col" class="num">
                            {live.currency()}
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
                        <th scope="row">"+ positions at their marks, with accrued interest"</th>
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
                "Server NAV "
                <span class="num" data-testid="agent-nav">
                    {move || format::money(live.agent_nav.get().nav)}
                </span> " (entry "
                <span class="num" data-testid="agent-through">
                    {move || format::count(live.agent_nav.get().through.0)}
                </span> ")"
            </p>
        </div>
    }
}

#[component]
fn Exposure(live: Live) -> impl IntoView {
    let classes = Memo::new(move |_| live.valuation.with(|valuation| valuation.exposure.clone()));
    let row = |class: ClassExposure| {
        view! {
            <tr>
                <th scope="row">{label(class.kind)}</th>
                <td class="num">{format::money(class.net)}</td>
                <td class="num">{format::money(class.gross)}</td>
            </tr>
        }
    };
    view! {
        <div class="body">
            <table data-testid="exposure">
                <thead>
                    <tr>
                        <th scope="col">"Class"</th>
                        <th scope="col" class="num">
                            "Net " <span class="unit">{live.currency()}</span>
                        </th>
                        <th scope="col" class="num">
                            "Gross " <span class="unit">{live.currency()}</span>
                        </th>
                    </tr>
                </thead>
                <tbody>
                    {move || classes.get().into_iter().map(row).collect_view()}
                    <Show when=move || classes.with(Vec::is_empty)>
                        <tr>
                            <td class="empty" colspan="3">
                                "Nothing is held: all of NAV is cash."
                            </td>
                        </tr>
                    </Show>
                </tbody>
            </table>
        </div>
    }
}

const fn label(kind: InstrumentKind) -> &'static str {
    match kind {
        InstrumentKind::Equity => "Equities",
        InstrumentKind::Option => "Options",
        InstrumentKind::Future => "Futures",
        InstrumentKind::Bond => "Bonds",
        InstrumentKind::Swap => "Swaps",
    }
}
