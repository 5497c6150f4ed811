//! Time and sales: what traded in the chosen instrument, newest first.
//!
//! The tape is public; it says nothing of who traded.

use engine::order::Side;
use leptos::prelude::*;
use protocol::socket::TapeUpdate;

use crate::components::{Show, Units};
use crate::live::Live;
use crate::reactive::memo;

/// Rows that are shown.
const ROWS: usize = 60;

#[component]
pub(super) fn Tape(live: Live) -> impl IntoView {
    let prints = memo(move || {
        let quote = live.quote(live.selected.get());
        quote.map_or_else(Vec::new, |quote| {
            quote.tape.with(|tape| tape.iter().take(ROWS).cloned().collect::<Vec<_>>())
        })
    });
    let units = memo(move || live.instrument(live.selected.get()).map(|instrument| Units::of(&instrument)));
    let row = move |TapeUpdate { print, time }: TapeUpdate| {
        let units = units.get()?;
        let (tone, arrow, word) = match print.aggressor {
            Side::Buy => ("num up", "▲", "bought"),
            Side::Sell => ("num down", "▼", "sold"),
        };
        Some(view! {
            <tr>
                <td class="num left">{live.prefs.clock(time)}</td>
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
                <tbody>{move || prints.get().into_iter().map(row).map(IntoAny::into_any).collect_view()}</tbody>
            </table>
            <Show when=move || prints.with(Vec::is_empty)>
                <p class="empty">"No trades yet."</p>
            </Show>
        </div>
    }
    .into_any()
}
