//! The market watch: one row an instrument, one signal a cell.
//!
//! Chooses the instrument that ladder and ticket are about; knows neither.

use engine::instrument::Instrument;
use engine::money::Ticks;
use leptos::prelude::*;

use super::tabs::Tab;
use crate::live::{Live, Quote};
use crate::widgets::{Moved, Units, format};

#[component]
pub(super) fn Watch(live: Live, tab: RwSignal<Tab>) -> impl IntoView {
    let rows = move |instrument: Instrument| {
        let quote = live.quote(instrument.id)?;
        Some(view! { <Row live instrument quote tab /> })
    };
    view! {
        <header>
            <h2 id="watch-title">"Market watch"</h2>
            <span class="note">"change since the day began"</span>
        </header>
        <div class="body" tabindex="0" role="group" aria-labelledby="watch-title">
            <table data-testid="watch">
                <thead>
                    <tr>
                        <th scope="col">"Symbol"</th>
                        <th scope="col" class="num">
                            "Bid"
                        </th>
                        <th scope="col" class="num">
                            "Ask"
                        </th>
                        <th scope="col" class="num">
                            "Mark"
                        </th>
                        <th scope="col" class="num">
                            "Change"
                        </th>
                        <th scope="col" class="num wide">
                            "Spread"
                        </th>
                        <th scope="col" class="num wide">
                            "Accrued / lot"
                        </th>
                    </tr>
                </thead>
                <tbody>{live.listed().into_iter().map(rows).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Row(live: Live, instrument: Instrument, quote: Quote, tab: RwSignal<Tab>) -> impl IntoView {
    let id = instrument.id;
    let units = Units::of(&instrument);
    let chosen = move || live.selected.get() == id;
    let price = move |ticks: Option<Ticks>| {
        ticks.map_or_else(|| format::ABSENT.to_owned(), |ticks| units.price(ticks))
    };
    let spread = move || price(quote.ask.get().zip(quote.bid.get()).map(|(ask, bid)| ask - bid));
    let change = move || {
        let now = units.price_of(quote.mark.get()?);
        format::change_percent(now, quote.open.get()?)
    };
    let tone = move || match change() {
        Some(text) if text.starts_with('+') => "num up",
        Some(text) if text.starts_with('−') => "num down",
        _ => "num",
    };
    let accrued = move || match quote.accrued.get() {
        engine::money::Money::ZERO => format::ABSENT.to_owned(),
        money => format::exact_money(money),
    };
    let choose = move |_| {
        live.selected.set(id);
        tab.set(Tab::Ladder);
    };
    let symbol = instrument.symbol.clone();
    let name = format!("watch-{symbol}");
    let cell = |field: &str| format!("{field}-{symbol}");
    view! {
        <tr class=move || if chosen() { "chosen" } else { "" } data-testid=name>
            <th scope="row">
                <button
                    type="button"
                    class="symbol"
                    aria-pressed=move || chosen().to_string()
                    title=instrument.name.clone()
                    data-testid=cell("choose")
                    on:click=choose
                >
                    {instrument.symbol.clone()}
                </button>
            </th>
            <td class="num">
                <Moved value=quote.bid show=move |ticks| units.price(ticks) testid=cell("bid") />
            </td>
            <td class="num">
                <Moved value=quote.ask show=move |ticks| units.price(ticks) testid=cell("ask") />
            </td>
            <td class="num">
                <Moved value=quote.mark show=move |ticks| units.price(ticks) testid=cell("mark") />
            </td>
            <td class=tone data-testid=cell("change")>
                {move || change().unwrap_or_else(|| format::ABSENT.to_owned())}
            </td>
            <td class="num wide">{spread}</td>
            <td class="num wide" data-testid=cell("accrued")>
                {accrued}
            </td>
        </tr>
    }
    .into_any()
}
