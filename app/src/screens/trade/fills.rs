//! The account's fills. A fill never changes.

use engine::money::Money;
use engine::venue::Fill;
use leptos::prelude::*;
use protocol::error::ApiError;

use super::blotter::matches_filter;
use super::orders::{older_button, side_class, side_text};
use crate::components::{SortKey, Sorting, csv_line, symbol_link};
use crate::format::{self, Units};
use crate::live::{Live, all_fills, fill_key};

/// Columns: name, class, and true for money.
const COLUMNS: [(&str, &str, bool); 8] = [
    ("Time", "", false),
    ("Symbol", "", false),
    ("Side", "", false),
    ("Quantity", "num", false),
    ("Price", "num", false),
    ("Notional", "num wide", true),
    ("Fee", "num", true),
    ("Role", "wide", false),
];

#[component]
pub(super) fn Fills(live: Live, filter: RwSignal<String>) -> impl IntoView {
    let sorting = Sorting::by(0, true);
    let rows = Memo::new(move |_| {
        live.fills.with(|fills| sorting.sorted(fills, |column, fill| key(live, column, fill)))
    });
    // Number, notional and fee of the shown fills.
    let totals = Memo::new(move |_| {
        let all = filter.with(String::is_empty);
        live.fills.with(|fills| total(fills.iter().filter(|fill| all || is_shown(live, fill, filter))))
    });
    let exact = |total: Money| total.to_decimal().to_string();
    let has_older = Signal::derive(move || live.has_older.get().1);
    let label = move || match (has_older.get(), filter.with(String::is_empty)) {
        (false, true) => "Total".to_owned(),
        (true, true) => format!("Newest {}", totals.get().0),
        (false, false) => format!("Total of {} shown", totals.get().0),
        (true, false) => format!("{} of the newest {}", totals.get().0, live.fills.with(Vec::len)),
    };
    let heads = COLUMNS.into_iter().enumerate().map(|(at, (name, class, is_money))| {
        let unit = if is_money { live.currency() } else { String::new() };
        sorting.head(at, name, unit, class, format!("sort-fills-{}", name.to_ascii_lowercase()))
    });
    view! {
        <table data-testid="fills">
            <thead>
                <tr>{heads.collect_view()}</tr>
            </thead>
            <tbody>
                <For each=move || rows.get() key=fill_key let:fill>
                    <Row live fill filter />
                </For>
            </tbody>
            <tfoot>
                <tr>
                    <th scope="row" colspan="3" data-testid="fills-total">
                        {label}
                    </th>
                    <td></td>
                    <td></td>
                    <td class="num wide" data-testid="fills-notional">
                        {move || format::money(totals.get().1)}
                    </td>
                    <td class="num" title=move || exact(totals.get().2) data-testid="fills-fee">
                        {move || format::money(totals.get().2)}
                    </td>
                    <td class="wide"></td>
                </tr>
            </tfoot>
        </table>
        {older_button("fills-older", has_older, move || live.load_older_fills())}
        <Show when=move || live.fills.with(Vec::is_empty)>
            <p class="empty">"No fills yet."</p>
        </Show>
    }
}

/// A CSV file of all fills that match the filter, newest first, with their totals.
///
/// # Errors
/// The server's.
pub(super) async fn file(live: Live, filter: RwSignal<String>) -> Result<String, ApiError> {
    let mut fills = all_fills().await?;
    untrack(|| fills.retain(|fill| is_shown(live, fill, filter)));
    let (currency, (_, notional, fee)) = (live.currency(), total(&fills));
    let heads =
        COLUMNS.map(|(name, _, money)| if money { format!("{name} {currency}") } else { name.to_owned() });
    let mut text = csv_line(&heads);
    for fill in &fills {
        let Some(instrument) = live.instrument(fill.instrument) else { continue };
        let units = Units::of(&instrument);
        text.push_str(&csv_line(&[
            fill.time.to_string(),
            instrument.symbol,
            side_text(fill.side).to_owned(),
            units.quantity_of(fill.lots).to_string(),
            units.price_of(fill.price).to_string(),
            fill.notional.to_decimal().to_string(),
            fill.fee.to_decimal().to_string(),
            role(fill).to_owned(),
        ]));
    }
    let blank = String::new;
    let [notional, fee] = [notional, fee].map(|money| money.to_decimal().to_string());
    text.push_str(&csv_line(&[
        "Total".to_owned(),
        blank(),
        blank(),
        blank(),
        blank(),
        notional,
        fee,
        blank(),
    ]));
    Ok(text)
}

/// Number, notional and fee of `fills`.
fn total<'f>(fills: impl IntoIterator<Item = &'f Fill>) -> (usize, Money, Money) {
    let add = |(count, notional, fee), fill: &Fill| (count + 1, notional + fill.notional, fee + fill.fee);
    fills.into_iter().fold((0, Money::ZERO, Money::ZERO), add)
}

/// A fill's value in a column.
fn key(live: Live, column: usize, fill: &Fill) -> SortKey {
    let Some(instrument) = live.instrument(fill.instrument) else { return SortKey::Absent };
    let units = Units::of(&instrument);
    match column {
        0 => SortKey::Number(fill.time.0 as f64),
        1 => SortKey::Text(instrument.symbol),
        2 => SortKey::Text(side_text(fill.side).to_owned()),
        3 => SortKey::Number(units.quantity_of(fill.lots).to_f64()),
        4 => SortKey::Number(units.price_of(fill.price).to_f64()),
        5 => SortKey::Number(fill.notional.0 as f64),
        6 => SortKey::Number(fill.fee.0 as f64),
        _ => SortKey::Text(role(fill).to_owned()),
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
            <td class="num left">{move || live.preferences.clock(fill.time)}</td>
            {symbol_link(live, instrument.id, instrument.symbol)}
            <td class=side_class(fill.side)>{side_text(fill.side)}</td>
            <td class="num">{units.quantity(fill.lots)}</td>
            <td class="num">{units.price(fill.price)}</td>
            <td class="num wide">{format::money(fill.notional)}</td>
            <td class="num" title=fill.fee.to_decimal().to_string()>
                {format::money(fill.fee)}
            </td>
            <td class="wide">{role(&fill)}</td>
        </tr>
    })
}
