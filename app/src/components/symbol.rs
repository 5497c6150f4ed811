//! A row's link to its instrument on the trading screen.

use engine::id::InstrumentId;
use leptos::prelude::*;

use crate::live::Live;

/// The header cell of a row about the instrument `id`. A click anywhere on the row
/// follows its link: see `follow_row`.
pub(crate) fn symbol_link(live: Live, id: InstrumentId, symbol: String) -> AnyView {
    let name = symbol.clone();
    view! {
        <th scope="row">
            <a
                class="symbol"
                href=move || live.href_of(&symbol)
                aria-current=move || (live.selected.get() == id).then_some("true")
                data-noscroll="true"
            >
                {name}
            </a>
        </th>
    }
    .into_any()
}
