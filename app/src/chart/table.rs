//! A chart as a table: the bars in the window, newest first.

use leptos::prelude::*;

use super::scene::{ChartScene, Lower};
use super::view::Chart;
use protocol::bar::Bar;

/// Rows at most.
const MAX_ROWS: usize = 200;

#[component]
pub(super) fn BarTable(chart: Chart) -> impl IntoView {
    let below = chart.scene.with_value(|scene| scene.lower);
    let rows = move || {
        chart.version.track();
        chart.scene.with_value(|scene| {
            let plot = scene.plot_area();
            let seen = scene.bars.list().get(plot.visible).unwrap_or_default();
            seen.iter().rev().take(MAX_ROWS).map(|bar| row(scene, bar)).collect_view()
        })
    };
    let heads: &[&str] = match below {
        Lower::Volume => &["Open", "High", "Low", "Close", "Volume"],
        Lower::Drawdown => &["NAV", "P&L", "Deepest drawdown", "Below the high"],
    };
    let heads = heads.iter().map(|head| {
        view! {
            <th scope="col" class="num">
                {*head}
            </th>
        }
    });
    view! {
        <div class="body" tabindex="0" role="group" aria-label="Chart as a table">
            <table data-testid="chart-table">
                <thead>
                    <tr>
                        <th scope="col">"Time"</th>
                        {heads.collect_view()}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

fn row(scene: &ChartScene, bar: &Bar) -> AnyView {
    let cells = match scene.lower {
        Lower::Volume => {
            let mut cells: Vec<String> =
                [bar.open, bar.high, bar.low, bar.close].map(|price| scene.price(price)).into();
            cells.push(scene.lower_figure(bar.volume));
            cells
        }
        Lower::Drawdown => {
            let mut cells = vec![scene.price(bar.close)];
            cells.extend(scene.gain(bar));
            cells
        }
    };
    let cells = cells.into_iter().map(|cell| view! { <td class="num">{cell}</td> }).collect_view();
    view! {
        <tr>
            <th scope="row" class="num left">
                {scene.start_text(bar, scene.bars.step_us())}
            </th>
            {cells}
        </tr>
    }
    .into_any()
}
