//! The account's fills, newest first.
//!
//! Read-only: a fill never changes.

use engine::event::FillFrame;
use leptos::prelude::*;

use super::orders::{side_tone, side_word};
use crate::live::{Live, fill_key};
use crate::widgets::format;

#[component]
pub(super) fn Fills(live: Live) -> impl IntoView {
    view! {
        <header>
            <h2 id="fills-title">"Fills"</h2>
        </header>
        <div class="body" tabindex="0" role="group" aria-labelledby="fills-title">
            <table data-testid="fills">
                <thead>
                    <tr>
                        <th scope="col">"Time"</th>
                        <th scope="col">"Symbol"</th>
                        <th scope="col">"Side"</th>
                        <th scope="col" class="num">
                            "Quantity"
                        </th>
                        <th scope="col" class="num">
                            "Price"
                        </th>
                        <th scope="col" class="num wide">
                            "Notional " <span class="unit">{live.currency()}</span>
                        </th>
                        <th scope="col" class="num">
                            "Fee " <span class="unit">{live.currency()}</span>
                        </th>
                        <th scope="col" class="wide">
                            "Role"
                        </th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || live.fills.get() key=fill_key let:fill>
                        <Row live fill />
                    </For>
                </tbody>
            </table>
            <Show when=move || live.fills.with(Vec::is_empty)>
                <p class="empty">"No fills yet."</p>
            </Show>
        </div>
    }
    .into_any()
}

#[component]
fn Row(live: Live, fill: FillFrame) -> impl IntoView {
    let symbol = live.instrument(fill.instrument_id).map(|i| i.symbol).unwrap_or_default();
    view! {
        <tr data-testid="fill">
            <td class="num left">{format::clock(fill.timestamp)}</td>
            <th scope="row">{symbol}</th>
            <td class=side_tone(fill.side)>{side_word(fill.side)}</td>
            <td class="num">{format::decimal(fill.quantity)}</td>
            <td class="num">{format::decimal(fill.price)}</td>
            <td class="num wide">{format::money(fill.notional)}</td>
            <td class="num">{format::decimal_at(fill.fee.to_decimal(), 4)}</td>
            <td class="wide">{if fill.maker { "Maker" } else { "Taker" }}</td>
        </tr>
    }
    .into_any()
}
