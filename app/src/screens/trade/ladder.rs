//! The depth ladder: rows and bars from one snapshot of the merged book.
//!
//! A fixed number of rows on each side, so nothing jumps when the book moves.
//! A click on a price writes it into the ticket; what it means there is the
//! ticket's business.

use engine::order::{OrderType, Side};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::tabs::Tab;
use super::ticket::Form;
use crate::components::{Units, format};
use crate::live::{Ladder, Live, Rung};
use crate::reactive::{Memo, RwSignal, memo};

/// Rows on each side of the spread.
const DEPTH: usize = 12;

/// As many of them as a phone shows.
const PHONE_DEPTH: usize = 5;

#[component]
pub(super) fn LadderPanel(live: Live, form: Form, tab: RwSignal<Tab>) -> impl IntoView {
    let instrument = memo(move || live.instrument(live.selected.get()));
    let symbol = move || instrument.with(|found| found.as_ref().map(|i| i.symbol.clone()));
    let ladder =
        memo(move || live.quote(live.selected.get()).map(|quote| quote.ladder.get()).unwrap_or_default());
    let units = memo(move || instrument.with(|found| found.as_ref().map(Units::of)));
    let side = move |side: Side| {
        let levels: Vec<usize> = match side {
            Side::Sell => (0..DEPTH).rev().collect(),
            Side::Buy => (0..DEPTH).collect(),
        };
        levels
            .into_iter()
            .map(|level| view! { <Row ladder units side level form tab /> })
            .map(IntoAny::into_any)
            .collect_view()
    };
    let spread = move || match (ladder.with(Ladder::spread), units.get()) {
        (Some(ticks), Some(units)) => units.price(ticks),
        _ => format::ABSENT.to_owned(),
    };
    view! {
        <header>
            <h2 id="ladder-title">"Depth " <span data-testid="ladder-symbol">{move || symbol()}</span></h2>
            <span class="note num" title="The entry that last changed the book" data-testid="ladder-rev">
                {move || format!("#{}", format::count(ladder.with(|ladder| ladder.rev.0)))}
            </span>
        </header>
        <div class="body" tabindex="0" role="group" aria-labelledby="ladder-title">
            <table data-testid="ladder" on:keydown=walk>
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
                        <td class="num">{move || spread()}</td>
                        <td></td>
                    </tr> {side(Side::Buy)}
                </tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Row(
    ladder: Memo<Ladder>,
    units: Memo<Option<Units>>,
    side: Side,
    level: usize,
    form: Form,
    tab: RwSignal<Tab>,
) -> impl IntoView {
    let rung = memo(move || ladder.with(|ladder| ladder.side(side).get(level).copied()));
    let lots = move |of: fn(&Rung) -> engine::money::Lots| match (rung.get(), units.get()) {
        (Some(rung), Some(units)) if of(&rung).0 > 0 => units.short_quantity(of(&rung)),
        _ => String::new(),
    };
    let price = move || match (rung.get(), units.get()) {
        (Some(rung), Some(units)) => units.price(rung.price),
        _ => format::ABSENT.to_owned(),
    };
    let share =
        move || ladder.with(|ladder| rung.get().map_or(0, |rung| ladder.share(rung.lots))).to_string();
    let take = move |_| {
        if let (Some(rung), Some(units)) = (rung.get_untracked(), units.get_untracked()) {
            form.order_type.set(OrderType::Limit);
            form.limit.set(units.price_field(rung.price));
            tab.set(Tab::Trade);
        }
    };
    let name = match side {
        Side::Buy => format!("bid-{level}"),
        Side::Sell => format!("ask-{level}"),
    };
    let tone = match (side, level < PHONE_DEPTH) {
        (Side::Buy, true) => "rung bid",
        (Side::Buy, false) => "rung bid deep",
        (Side::Sell, true) => "rung ask",
        (Side::Sell, false) => "rung ask deep",
    };
    // Arrow keys move between rows; one row a side is in the tab order.
    let tabindex = if level == 0 { "0" } else { "-1" };
    view! {
        <tr class=tone data-testid=name.clone() data-own=move || rung.get().map(|r| (r.own.0 > 0).to_string())>
            <td class="num own">
                <span class="own-mark">{move || lots(|rung| rung.own)}</span>
            </td>
            <td class="num size">
                <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                    <rect width=move || share() height="1" />
                </svg>
                <span data-testid=format!("{name}-size")>{move || lots(|rung| rung.lots)}</span>
            </td>
            <td class="num">
                <button
                    type="button"
                    class="price"
                    tabindex=tabindex
                    disabled=move || rung.get().is_none()
                    data-testid=format!("{name}-price")
                    on:click=take
                >
                    {move || price()}
                </button>
            </td>
            <td class="num muted">{move || lots(|rung| rung.cumulative)}</td>
        </tr>
    }
    .into_any()
}

/// Arrow keys move the focus from price to price.
fn walk(event: KeyboardEvent) {
    let forward = match event.key().as_str() {
        "ArrowDown" => true,
        "ArrowUp" => false,
        _ => return,
    };
    event.prevent_default();
    crate::components::focus_row(&event, forward);
}
