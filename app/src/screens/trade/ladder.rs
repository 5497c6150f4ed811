//! The depth ladder: rows and bars from one snapshot of the merged book.
//!
//! A fixed number of rows on each side, so that nothing jumps when the book moves.
//! A click on a price writes it into the ticket.

use engine::order::{OrderType, Side};
use leptos::prelude::*;

use super::tabs::PhoneTab;
use super::ticket::TicketForm;
use crate::components::focus_next_row;
use crate::format::{self, Units};
use crate::live::{Ladder, LadderRow, Live};

/// Rows on each side of the spread.
const MAX_ROWS: usize = 12;

/// Rows on each side that a phone shows.
const PHONE_MAX_ROWS: usize = 5;

#[component]
pub(super) fn LadderPanel(live: Live, form: TicketForm, tab: RwSignal<PhoneTab>) -> impl IntoView {
    let instrument = Memo::new(move |_| live.instrument(live.selected.get()));
    let symbol = move || instrument.with(|found| found.as_ref().map(|i| i.symbol.clone()));
    let ladder = Memo::new(move |_| {
        live.figures(live.selected.get()).map(|figures| figures.ladder.get()).unwrap_or_default()
    });
    let units = Memo::new(move |_| instrument.with(|found| found.as_ref().map(Units::of)));
    let side = move |side: Side| {
        let levels: Vec<usize> = match side {
            Side::Sell => (0..MAX_ROWS).rev().collect(),
            Side::Buy => (0..MAX_ROWS).collect(),
        };
        levels.into_iter().map(|level| view! { <Row ladder units side level form tab /> }).collect_view()
    };
    let spread = move || match (ladder.with(Ladder::spread), units.get()) {
        (Some(ticks), Some(units)) => units.price(ticks),
        _ => format::ABSENT.to_owned(),
    };
    view! {
        <header>
            <h2 id="ladder-title">"Depth " <span data-testid="ladder-symbol">{symbol}</span></h2>
            <span class="note num" title="The entry that last changed the book" data-testid="ladder-rev">
                {move || format!("#{}", format::count(ladder.with(|ladder| ladder.rev.0)))}
            </span>
        </header>
        <div class="body" tabindex="0" role="group" aria-labelledby="ladder-title">
            <table data-testid="ladder" on:keydown=focus_next_row>
                <thead>
                    <tr>
                        <th scope="col" class="num">
                            "Own"
                        </th>
                        <th scope="col" class="num">
                            "Size"
                        </th>
                        <th scope="col" class="num">
                            "Price"
                        </th>
                        <th scope="col" class="num">
                            "Total"
                        </th>
                    </tr>
                </thead>
                <tbody>
                    {side(Side::Sell)}
                    <tr class="spread" data-testid="spread">
                        <th scope="row" colspan="2">
                            "Spread"
                        </th>
                        <td class="num">{spread}</td>
                        <td></td>
                    </tr> {side(Side::Buy)}
                </tbody>
            </table>
        </div>
    }
}

#[component]
fn Row(
    ladder: Memo<Ladder>,
    units: Memo<Option<Units>>,
    side: Side,
    level: usize,
    form: TicketForm,
    tab: RwSignal<PhoneTab>,
) -> impl IntoView {
    let row = Memo::new(move |_| ladder.with(|ladder| ladder.side(side).get(level).copied()));
    let lots = move |of: fn(&LadderRow) -> engine::money::Lots| match (row.get(), units.get()) {
        (Some(row), Some(units)) if of(&row).0 > 0 => units.short_quantity(of(&row)),
        _ => String::new(),
    };
    let price = move || match (row.get(), units.get()) {
        (Some(row), Some(units)) => units.price(row.price),
        _ => format::ABSENT.to_owned(),
    };
    let share = move || ladder.with(|ladder| row.get().map_or(0, |row| ladder.share(row.lots))).to_string();
    let take = move |_| {
        if let (Some(row), Some(units)) = (row.get_untracked(), units.get_untracked()) {
            form.order_type.set(OrderType::Limit);
            form.limit.set(units.price_field(row.price));
            tab.set(PhoneTab::Trade);
        }
    };
    let name = match side {
        Side::Buy => format!("bid-{level}"),
        Side::Sell => format!("ask-{level}"),
    };
    let tone = match (side, level < PHONE_MAX_ROWS) {
        (Side::Buy, true) => "ladder-row bid",
        (Side::Buy, false) => "ladder-row bid deep",
        (Side::Sell, true) => "ladder-row ask",
        (Side::Sell, false) => "ladder-row ask deep",
    };
    // Arrow keys move between rows; one row a side is in the tab order.
    let tabindex = if level == 0 { "0" } else { "-1" };
    view! {
        <tr class=tone data-testid=name.clone() data-own=move || row.get().map(|r| (r.own.0 > 0).to_string())>
            <td class="num own">
                <span class="own-mark">{move || lots(|row| row.own)}</span>
            </td>
            <td class="num size">
                <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                    <rect width=share height="1" />
                </svg>
                <span data-testid=format!("{name}-size")>{move || lots(|row| row.lots)}</span>
            </td>
            <td class="num">
                <button
                    type="button"
                    class="price"
                    tabindex=tabindex
                    disabled=move || row.get().is_none()
                    data-testid=format!("{name}-price")
                    on:click=take
                >
                    {price}
                </button>
            </td>
            <td class="num muted">{move || lots(|row| row.cumulative)}</td>
        </tr>
    }
}
