//! Time and sales: prints of the selected instrument, newest first.
//!
//! The tape is public and does not name who traded.

use engine::order::Side;
use leptos::prelude::*;
use protocol::socket::TapeUpdate;

use crate::format::Units;
use crate::live::Live;

/// Rows at most.
const MAX_ROWS: usize = 60;

#[component]
pub(super) fn Tape(live: Live) -> impl IntoView {
    let prints = Memo::new(move |_| {
        let figures = live.figures(live.selected.get());
        figures.map_or_else(Vec::new, |figures| {
            figures.tape.with(|tape| tape.iter().take(MAX_ROWS).cloned().collect::<Vec<_>>())
        })
    });
    let row = move |TapeUpdate { print, time }: TapeUpdate| {
        let units = Units::of(&live.instrument(print.instrument)?);
        let (tone, arrow, word) = match print.aggressor {
            Side::Buy => ("num up", "▲", "bought"),
            Side::Sell => ("num down", "▼", "sold"),
        };
        Some(view! {
            <tr>
                <td class="num left">{live.preferences.clock(time)}</td>
                <td class=tone>
                    <span aria-hidden="true">{arrow}</span>
                    <span class="sr-only">{word}</span>
                    " "
                    {units.price(print.price)}
                </td>
                <td class="num">{units.quantity(print.lots)}</td>
            </tr>
        })
    };
    view! {
        <header>
            <h2 id="tape-title">"Time & sales"</h2>
        </header>
        <div class="body" tabindex="0" role="group" aria-labelledby="tape-title">
            <table data-testid="tape">
                <thead>
                    <tr>
                        <th scope="col">"Time"</th>
                        <th scope="col" class="num">
                            "Price"
                        </th>
                        <th scope="col" class="num">
                            "Size"
                        </th>
                    </tr>
                </thead>
                <tbody>{move || prints.get().into_iter().map(row).collect_view()}</tbody>
            </table>
            <Show when=move || prints.with(Vec::is_empty)>
                <p class="empty">"No trades yet."</p>
            </Show>
        </div>
    }
}
