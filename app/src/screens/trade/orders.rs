//! Orders, newest first, with amend and cancel on those that still live.
//!
//! Asks for a cancel and waits for the venue's word; never guesses a status.

use engine::id::OrderId;
use engine::money::Lots;
use engine::order::{Order, OrderStatus, Price, Side};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::amend::Amend;
use super::blotter::holds;
use crate::Hydrated;
use crate::ask;
use crate::components::{For, Show, Units, format};
use crate::live::Live;
use crate::reactive::{RwSignal, Signal, memo};

#[component]
pub(super) fn Orders(live: Live, filter: RwSignal<String>, live_only: RwSignal<bool>) -> impl IntoView {
    let reserved = move || live.valuation.with(|valuation| format::money(valuation.reserved));
    view! {
        <table data-testid="orders">
            <thead>
                <tr>
                    <th scope="col" class="wide">
                        "Time"
                    </th>
                    <th scope="col">"Symbol"</th>
                    <th scope="col">"Side"</th>
                    <th scope="col" class="wide">
                        "Type"
                    </th>
                    <th scope="col" class="num">
                        "Limit"
                    </th>
                    <th scope="col" class="num">
                        "Quantity"
                    </th>
                    <th scope="col" class="num wide">
                        "Filled"
                    </th>
                    <th scope="col">"Status"</th>
                    <th scope="col" class="act">
                        <span class="sr-only">"Amend or cancel"</span>
                    </th>
                </tr>
            </thead>
            <tbody>
                <For each=move || live.order_ids.get() key=|id| *id let:id>
                    <Row live id filter live_only />
                </For>
            </tbody>
            <tfoot>
                <tr>
                    <th scope="row" colspan="4">
                        "Reserved "
                        <span class="unit">{live.currency()}</span>
                    </th>
                    <td
                        colspan="4"
                        class="num left"
                        data-csv=move || live.valuation.with(|valuation| valuation.reserved.to_decimal().to_string())
                        data-testid="orders-reserved"
                    >
                        {move || reserved()}
                    </td>
                    <td class="act"></td>
                </tr>
            </tfoot>
        </table>
        <Show when=move || live.order_ids.with(Vec::is_empty)>
            <p class="empty">"No orders yet: the ticket places the first."</p>
        </Show>
    }
    .into_any()
}

#[component]
fn Row(live: Live, id: OrderId, filter: RwSignal<String>, live_only: RwSignal<bool>) -> impl IntoView {
    let order = live.order(id)?;
    let placed = order.get_untracked();
    let instrument = live.instrument(placed.instrument)?;
    let (symbol, units) = (instrument.symbol.clone(), Units::of(&instrument));
    let dealer = placed.price.taken().and_then(|taken| instrument.dealer(taken.dealer)).map(str::to_owned);
    let status = move || order.with(|order| order.status);
    let (of, by) = (symbol.clone(), dealer.clone().unwrap_or_default());
    let hidden = memo(move || {
        let is_shown = order.with(|order| {
            let kind = order.price.order_type().as_str();
            let (side, status) = (side_word(order.side), status_word(order.status));
            holds(filter, &[&of, side, kind, &tag(order), status, &by])
        });
        !is_shown || (live_only.get() && !status().is_live())
    });
    // What is filled so far, where there is no room for a column of its own.
    let part = move || {
        order.with(|order| {
            let some = order.filled > Lots::ZERO && order.filled != order.quantity;
            some.then(|| format!("{}/", units.quantity(order.filled)))
        })
    };
    let about = format!(
        "{} {} {symbol}",
        side_word(placed.side).to_ascii_lowercase(),
        units.quantity(placed.quantity)
    );
    let amending = RwSignal::new(false);
    Some(view! {
        <tr hidden=move || hidden.get() data-testid="order" data-order=id.to_string() data-status=move || status().as_str()>
            <td class="num left wide" data-csv=placed.created_at.to_string()>
                {move || live.prefs.clock(placed.created_at)}
            </td>
            <th scope="row">{symbol}</th>
            <td class=side_tone(placed.side)>{side_word(placed.side)}</td>
            <td class="wide" title=dealer>
                {tag(&placed)}
            </td>
            <td class="num" data-testid="order-limit">
                {move || order.with(|order| order.price.limit().map_or_else(|| format::ABSENT.to_owned(), |limit| units.price(limit)))}
            </td>
            <td class="num" data-csv=move || order.with(|order| units.quantity_of(order.quantity).to_string())>
                <span class="part">{move || part()}</span>
                <span data-testid="order-quantity">
                    {move || order.with(|order| units.quantity(order.quantity))}
                </span>
            </td>
            <td class="num wide" data-testid="order-filled">
                {move || order.with(|order| units.quantity(order.filled))}
            </td>
            <td class=move || status_tone(status()) data-testid="order-status">
                {move || status_word(status())}
            </td>
            <td class="act">
                <Show when=move || status().is_live()>
                    <Open amending about=about.clone() />
                    <Cancel live id about=about.clone() />
                </Show>
            </td>
        </tr>
        <Show when=move || amending.get() && !hidden.get()>
            <Amend live id order open=amending />
        </Show>
    })
}

/// Opens and closes the amendment under the row.
#[component]
fn Open(amending: RwSignal<bool>, about: String) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    view! {
        <button
            type="button"
            class="small"
            aria-label=format!("Amend {about}")
            aria-expanded=move || amending.get().to_string()
            disabled=move || !hydrated.get()
            data-testid="amend"
            on:click=move |_| amending.update(|open| *open = !*open)
        >
            "Amend"
        </button>
    }
}

#[component]
fn Cancel(live: Live, id: OrderId, about: String) -> impl IntoView {
    let asked = RwSignal::new(false);
    let Hydrated(hydrated) = expect_context();
    let cancel = move |_| {
        asked.set(true);
        spawn_local(async move {
            if let Err(error) = ask::cancel_order(&id.to_string()).await {
                live.say(format!("Not cancelled: {}", error.message));
                asked.set(false);
            }
        });
    };
    view! {
        <button
            type="button"
            class="small"
            aria-label=format!("Cancel {about}")
            disabled=move || asked.get() || !hydrated.get()
            data-testid="cancel"
            on:click=cancel
        >
            "Cancel"
        </button>
    }
}

/// Cancels every live order at once.
#[component]
pub(super) fn CancelAll(live: Live, shown: Signal<bool>, count: Signal<usize>) -> impl IntoView {
    let asked = RwSignal::new(false);
    let Hydrated(hydrated) = expect_context();
    let cancel = move |_| {
        asked.set(true);
        spawn_local(async move {
            live.say(match ask::cancel_all().await {
                Ok(1) => "1 order cancelled".to_owned(),
                Ok(count) => format!("{count} orders cancelled"),
                Err(error) => format!("Not cancelled: {}", error.message),
            });
            asked.set(false);
        });
    };
    view! {
        <button
            type="button"
            class="small"
            hidden=move || !shown.get()
            disabled=move || asked.get() || !hydrated.get() || count.get() == 0
            data-testid="cancel-all"
            on:click=cancel
        >
            "Cancel all"
        </button>
    }
    .into_any()
}

/// How it was asked for: `LMT DAY`. What took a dealer's quote has no time in
/// force worth showing.
fn tag(order: &Order) -> String {
    let kind = match order.price {
        Price::Quote(_) => return "Quote".to_owned(),
        Price::Market => "MKT",
        Price::Limit(_) => "LMT",
    };
    format!("{kind} {}", order.time_in_force.as_str())
}

/// The word for a side.
pub(super) const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "Buy",
        Side::Sell => "Sell",
    }
}

/// A side's colour; the word always stands beside it.
pub(super) const fn side_tone(side: Side) -> &'static str {
    match side {
        Side::Buy => "up",
        Side::Sell => "down",
    }
}

const fn status_word(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Open => "Open",
        OrderStatus::Partial => "Partial",
        OrderStatus::Filled => "Filled",
        OrderStatus::Cancelled => "Cancelled",
    }
}

const fn status_tone(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Open | OrderStatus::Partial => "own",
        OrderStatus::Filled => "",
        OrderStatus::Cancelled => "muted",
    }
}
