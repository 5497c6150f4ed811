//! Live quotes of all dealers.
//!
//! A click on a row shows its dealers, whose quotes can be taken. An expired quote
//! stays for a moment, grey.

use engine::id::{InstrumentId, QuoteId};
use engine::money::{Lots, Ticks};
use engine::quote::Quote;
use engine::time::MICROS_PER_SECOND;
use leptos::prelude::*;

use super::blotter::matches_filter;
use super::dealers::time_left;
use crate::components::{SortKey, Sorting, symbol_link};
use crate::format::{self, Units};
use crate::live::Live;

/// Time that an expired quote stays on the screen, in microseconds.
const EXPIRED_DISPLAY_US: i64 = 3 * MICROS_PER_SECOND;

/// Columns: name and class.
const COLUMNS: [(&str, &str); 7] = [
    ("Symbol", ""),
    ("Dealer", ""),
    ("Bid size", "num wide"),
    ("Bid", "num"),
    ("Ask", "num"),
    ("Ask size", "num wide"),
    ("Expires in", "num"),
];

/// A row: an instrument and a quote of it.
type QuoteRow = (InstrumentId, Quote);

#[component]
pub(super) fn Quotes(live: Live, filter: RwSignal<String>) -> impl IntoView {
    let dealt: Vec<InstrumentId> = live
        .listed()
        .iter()
        .filter(|instrument| instrument.is_dealt())
        .map(|instrument| instrument.id)
        .collect();
    let lines = Memo::new(move |before: Option<&Vec<QuoteRow>>| {
        let now = live.moment.get().time.0;
        let mut lines: Vec<QuoteRow> = Vec::new();
        for id in &dealt {
            let Some(figures) = live.figures(*id) else { continue };
            let mut of_instrument: Vec<QuoteRow> = Vec::new();
            of_instrument.extend(figures.dealer_quotes.get().into_iter().map(|quote| (*id, quote)));
            let is_live = |quote: QuoteId| of_instrument.iter().any(|(_, live)| live.id == quote);
            let expired = before.into_iter().flatten().filter(|(of, quote)| {
                of == id && !is_live(quote.id) && now < quote.expires_at.0 + EXPIRED_DISPLAY_US
            });
            let expired: Vec<QuoteRow> = expired.copied().collect();
            of_instrument.extend(expired);
            of_instrument.sort_by_key(|(_, quote)| (quote.dealer, quote.expires_at));
            lines.extend(of_instrument);
        }
        lines
    });
    let sorting = Sorting::by(0, false);
    let ids = Memo::new(move |_| {
        let sorted = lines.with(|lines| sorting.sorted(lines, |column, line| key(live, column, line)));
        sorted.into_iter().map(|(id, quote)| (id, quote.id)).collect::<Vec<_>>()
    });
    let heads = COLUMNS.into_iter().enumerate().map(|(at, (name, class))| {
        let testid = format!("sort-quotes-{}", name.to_ascii_lowercase().replace(' ', "-"));
        sorting.head(at, name, String::new(), class, testid)
    });
    let total = move |of: fn(&Quote) -> Lots| {
        let now = live.moment.get().time;
        let mut sum = Vec::new();
        lines.with(|lines| {
            for (id, quote) in lines.iter().filter(|(_, quote)| quote.expires_at > now) {
                if is_shown(live, *id, quote, filter) {
                    sum.extend(live.instrument(*id).map(|i| Units::of(&i).quantity_of(of(quote))));
                }
            }
        });
        sum.into_iter().reduce(format::plus).map_or_else(|| "0".to_owned(), format::decimal)
    };
    view! {
        <table data-testid="quotes">
            <thead>
                <tr>{heads.collect_view()}</tr>
            </thead>
            <tbody>
                <For each=move || ids.get() key=|line| *line let:line>
                    <Row live lines id=line.0 quote=line.1 filter />
                </For>
            </tbody>
            <tfoot>
                <tr>
                    <th scope="row" colspan="2">
                        "Total offered"
                    </th>
                    <td class="num wide" data-testid="quotes-bid-size">
                        {move || total(|quote| quote.bid_lots)}
                    </td>
                    <td></td>
                    <td></td>
                    <td class="num wide" data-testid="quotes-ask-size">
                        {move || total(|quote| quote.ask_lots)}
                    </td>
                    <td></td>
                </tr>
            </tfoot>
        </table>
        <Show when=move || ids.with(Vec::is_empty)>
            <p class="empty">"No dealer is quoting just now."</p>
        </Show>
    }
}

/// Number of live quotes.
pub(super) fn count(live: Live) -> usize {
    let dealt = live.listed().into_iter().filter(|instrument| instrument.is_dealt());
    dealt
        .filter_map(|instrument| live.figures(instrument.id))
        .map(|figures| figures.dealer_quotes.with(Vec::len))
        .sum()
}

#[component]
fn Row(
    live: Live,
    lines: Memo<Vec<QuoteRow>>,
    id: InstrumentId,
    quote: QuoteId,
    filter: RwSignal<String>,
) -> impl IntoView {
    let instrument = live.instrument(id)?;
    let first = lines.with_untracked(|lines| lines.iter().find(|(_, line)| line.id == quote).copied())?.1;
    let now = Memo::new(move |_| {
        lines.with(|lines| lines.iter().find(|(_, line)| line.id == quote).map_or(first, |(_, line)| *line))
    });
    let units = Units::of(&instrument);
    let dealer = instrument.dealer(first.dealer).unwrap_or_default().to_owned();
    let left_us = Memo::new(move |_| (first.expires_at.0 - live.moment.get().time.0).max(0));
    let price = move |ticks: Ticks| units.price(ticks);
    let lots = move |of: fn(&Quote) -> Lots| units.quantity(of(&now.get()));
    Some(view! {
        <tr
            hidden=move || !is_shown(live, id, &first, filter)
            data-testid="quote"
            data-quote=quote.to_string()
            data-live=move || (left_us.get() > 0).to_string()
        >
            {symbol_link(live, id, instrument.symbol.clone())}
            <td title=dealer.clone()>{dealer.clone()}</td>
            <td class="num wide">{move || lots(|quote| quote.bid_lots)}</td>
            <td class="num">{price(first.bid)}</td>
            <td class="num">{price(first.ask)}</td>
            <td class="num wide">{move || lots(|quote| quote.ask_lots)}</td>
            <td class="num">{move || time_left(left_us.get())}</td>
        </tr>
    })
}

/// A quote's value in a column.
fn key(live: Live, column: usize, (id, quote): &QuoteRow) -> SortKey {
    let Some(instrument) = live.instrument(*id) else { return SortKey::Absent };
    let units = Units::of(&instrument);
    match column {
        0 => SortKey::Text(instrument.symbol),
        1 => SortKey::Text(instrument.dealer(quote.dealer).unwrap_or_default().to_owned()),
        2 => SortKey::Number(units.quantity_of(quote.bid_lots).to_f64()),
        3 => SortKey::Number(units.price_of(quote.bid).to_f64()),
        4 => SortKey::Number(units.price_of(quote.ask).to_f64()),
        5 => SortKey::Number(units.quantity_of(quote.ask_lots).to_f64()),
        _ => SortKey::Number(quote.expires_at.0 as f64),
    }
}

fn is_shown(live: Live, id: InstrumentId, quote: &Quote, filter: RwSignal<String>) -> bool {
    live.instrument(id).is_some_and(|instrument| {
        matches_filter(filter, &[&instrument.symbol, instrument.dealer(quote.dealer).unwrap_or_default()])
    })
}
