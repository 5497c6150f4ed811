//! The account's fills, newest first. A fill never changes.

use engine::money::Money;
use engine::venue::Fill;
use leptos::prelude::*;

use super::blotter::matches_filter;
use super::orders::{side_class, side_text};
use crate::api::NEWEST_ROWS;
use crate::format::{self, Units};
use crate::live::{Live, fill_key};

#[component]
pub(super) fn Fills(live: Live, filter: RwSignal<String>) -> impl IntoView {
    // Notional and fee of the shown fills.
    let totals = Memo::new(move |_| {
        let all = filter.with(String::is_empty);
        live.fills.with(|fills| {
            let shown = fills.iter().filter(|fill| all || is_shown(live, fill, filter));
            let add = |(notional, fee), fill: &Fill| (notional + fill.notional, fee + fill.fee);
            shown.fold((Money::ZERO, Money::ZERO), add)
        })
    });
    let exact = |total: Money| total.to_decimal().to_string();
    // The page holds the newest fills alone.
    let label = move || match live.fills.with(Vec::len) {
        few if few < usize::from(NEWEST_ROWS) => "Total".to_owned(),
        many => format!("Newest {many}"),
    };
    view! {
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
                    <Row live fill filter />
                </For>
            </tbody>
            <tfoot>
                <tr>
                    <th scope="row">{label}</th>
                    <td></td>
                    <td></td>
                    <td></td>
                    <td></td>
                    <td class="num wide" data-csv=move || exact(totals.get().0) data-testid="fills-notional">
                        {move || format::money(totals.get().0)}
                    </td>
                    <td class="num" data-csv=move || exact(totals.get().1) data-testid="fills-fee">
                        {move || format::money(totals.get().1)}
                    </td>
                    <td class="wide"></td>
                </tr>
            </tfoot>
        </table>
        <Show when=move || live.fills.with(Vec::is_empty)>
            <p class="empty">"No fills yet."</p>
        </Show>
    }
}

fn is_shown(live: Live, fill: &Fill, filter: RwSignal<String>) -> bool {
    let Some(instrument) = live.instrument(fill.instrument) else { return false };
    let taken = live.order(fill.order).and_then(|order| order.with(|order| order.price.taken()));
    let dealer = taken.and_then(|taken| instrument.dealer(taken.dealer)).unwrap_or_default();
    matches_filter(filter, &[&instrument.symbol, side_text(fill.side), role(fill), dealer])
}

const fn role(fill: &Fill) -> &'static str {
    if fill.maker { "Maker" } else { "Taker" }
}

#[component]
fn Row(live: Live, fill: Fill, filter: RwSignal<String>) -> impl IntoView {
    let instrument = live.instrument(fill.instrument)?;
    let units = Units::of(&instrument);
    let hidden = move || !is_shown(live, &fill, filter);
    Some(view! {
        <tr hidden=hidden data-testid="fill">
            <td class="num left" data-csv=fill.time.to_string()>
                {move || live.preferences.clock(fill.time)}
            </td>
            <th scope="row">{instrument.symbol}</th>
            <td class=side_class(fill.side)>{side_text(fill.side)}</td>
            <td class="num">{units.quantity(fill.lots)}</td>
            <td class="num">{units.price(fill.price)}</td>
            <td class="num wide" data-csv=fill.notional.to_decimal().to_string()>
                {format::money(fill.notional)}
            </td>
            <td class="num" data-csv=fill.fee.to_decimal().to_string()>
                {format::decimal_at(fill.fee.to_decimal(), 4)}
            </td>
            <td class="wide">{role(&fill)}</td>
        </tr>
    })
}
