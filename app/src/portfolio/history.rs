//! NAV over time, and how far below its best it stood.
//!
//! A line through what the desk has seen since it was opened; values nothing
//! itself.

use engine::decimal::Decimal;
use leptos::prelude::*;

use crate::chart::{Bars, Chart, ChartScene, ChartView, Lower, Style, draw_down};
use crate::live::Live;
use crate::reactive::effect;

/// One cent: what the chart counts in.
const CENT: Decimal = Decimal::new(1, 2);

#[component]
pub(super) fn History(live: Live) -> impl IntoView {
    let mut scene = ChartScene::new(measured(live), CENT);
    (scene.style, scene.lower, scene.lower_unit) = (Style::Line, Lower::Drawdown, CENT);
    scene.last = Some(live.valuation.get_untracked().nav.to_cents());
    scene.size = (1_200.0, 260.0);
    let chart = Chart::new(scene);
    effect(move || {
        let nav = live.valuation.with(|valuation| valuation.nav.to_cents());
        live.moment.track();
        let zone_us = live.prefs.zone_us();
        chart.change(|scene| {
            let bars = measured(live);
            let changed = (scene.last, scene.zone_us) != (Some(nav), zone_us) || scene.bars != bars;
            (scene.last, scene.zone_us, scene.bars) = (Some(nav), zone_us, bars);
            changed
        });
    });
    let label = format!("Net asset value in {} and drawdown", live.currency());
    view! {
        <section class="panel history" aria-labelledby="history-title">
            <header>
                <h2 id="history-title">
                    "NAV and drawdown " <span class="unit">{live.currency()}</span>
                </h2>
                <span class="note">"since this page was opened"</span>
                <div class="tools">
                    <button
                        type="button"
                        class="small"
                        aria-pressed=move || chart.table.get().to_string()
                        data-testid="history-as-table"
                        on:click=move |_| chart.table.update(|table| *table = !*table)
                    >
                        "Table"
                    </button>
                </div>
            </header>
            <ChartView chart label testid="history" />
        </section>
    }
    .into_any()
}

/// NAV with its drawdown in the lower pane.
fn measured(live: Live) -> Bars {
    let bars = live.nav_bars();
    let mut list = bars.list().to_vec();
    draw_down(&mut list);
    Bars::new(bars.step_us(), list)
}
