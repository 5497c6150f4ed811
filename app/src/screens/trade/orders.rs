//! Orders, newest first; live ones can be amended and cancelled.
//!
//! A cancel waits for the venue's answer; a status is never guessed.

use engine::id::OrderId;
use engine::money::Lots;
use engine::order::{Order, OrderStatus, Price, Side};
use leptos::prelude::*;

use super::amend::AmendRow;
use super::blotter::matches_filter;
use crate::api;
use crate::format::{self, Units};
use crate::layout::Hydrated;
use crate::live::{Live, NotificationKind};

#[component]
pub(super) fn Orders(live: Live, filter: RwSignal<String>, open_only: RwSignal<bool>) -> impl IntoView {
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
                    <Row live id filter open_only />
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
                        {reserved}
                    </td>
                    <td class="act"></td>
                </tr>
            </tfoot>
        </table>
        <Show when=move || live.order_ids.with(Vec::is_empty)>
            <p class="empty">"No orders yet: the ticket places the first."</p>
        </Show>
    }
}

#[component]
fn Row(live: Live, id: OrderId, filter: RwSignal<String>, open_only: RwSignal<bool>) -> impl IntoView {
    let order = live.order(id)?;
    let placed = order.get_untracked();
    let instrument = live.instrument(placed.instrument)?;
    let (symbol, units) = (instrument.symbol.clone(), Units::of(&instrument));
    let dealer = placed.price.taken().and_then(|taken| instrument.dealer(taken.dealer)).map(str::to_owned);
    let status = move || order.with(|order| order.status);
    let (of, by) = (symbol.clone(), dealer.clone().unwrap_or_default());
    let hidden = Memo::new(move |_| {
        let is_shown = order.with(|order| {
            let kind = order.price.order_type().as_str();
            let (side, status) = (side_text(order.side), status_text(order.status));
            matches_filter(filter, &[&of, side, kind, &type_text(order), status, &by])
        });
        !is_shown || (open_only.get() && !status().is_live())
    });
    // The filled quantity, for tables too narrow for its column.
    let part = move || {
        order.with(|order| {
            let some = order.filled > Lots::ZERO && order.filled != order.quantity;
            some.then(|| format!("{}/", units.quantity(order.filled)))
        })
    };
    let about = format!(
        "{} {} {symbol}",
        side_text(placed.side).to_ascii_lowercase(),
        units.quantity(placed.quantity)
    );
    let amending = RwSignal::new(false);
    Some(view! {
        <tr hidden=move || hidden.get() data-testid="order" data-order=id.to_string() data-status=move || status().as_str()>
            <td class="num left wide" data-csv=placed.created_at.to_string()>
                {move || live.preferences.clock(placed.created_at)}
            </td>
            <th scope="row">{symbol}</th>
            <td class=side_class(placed.side)>{side_text(placed.side)}</td>
            <td class="wide" title=dealer>
                {type_text(&placed)}
            </td>
            <td class="num" data-testid="order-limit">
                {move || order.with(|order| limit_text(order, units))}
            </td>
            <td class="num" data-csv=move || order.with(|order| units.quantity_of(order.quantity).to_string())>
                <span class="part">{part}</span>
                <span data-testid="order-quantity">
                    {move || order.with(|order| units.quantity(order.quantity))}
                </span>
            </td>
            <td class="num wide" data-testid="order-filled">
                {move || order.with(|order| units.quantity(order.filled))}
            </td>
            <td class=move || status_class(status()) data-testid="order-status">
                {move || status_text(status())}
            </td>
            <td class="act">
                <Show when=move || status().is_live()>
                    <AmendButton is_open=amending about=about.clone() />
                    <CancelButton live id about=about.clone() />
                </Show>
            </td>
        </tr>
        <Show when=move || amending.get() && !hidden.get()>
            <AmendRow live id order is_open=amending />
        </Show>
    })
}

/// Opens and closes the form under the row.
#[component]
fn AmendButton(is_open: RwSignal<bool>, about: String) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    view! {
        <button
            type="button"
            class="small"
            aria-label=format!("Amend {about}")
            aria-expanded=move || is_open.get().to_string()
            disabled=move || !hydrated.get()
            data-testid="amend"
            on:click=move |_| is_open.update(|is_open| *is_open = !*is_open)
        >
            "Amend"
        </button>
    }
}

#[component]
fn CancelButton(live: Live, id: OrderId, about: String) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    let cancel = Action::new(move |(): &()| async move {
        let answer = api::cancel_order(id.to_string()).await;
        if let Err(error) = &answer {
            live.notify(NotificationKind::Refusal, format!("Not cancelled: {}", error.message));
        }
        answer.is_ok()
    });
    let is_disabled = move || !hydrated.get() || cancel.pending().get() || cancel.value().get() == Some(true);
    view! {
        <button
            type="button"
            class="small"
            aria-label=format!("Cancel {about}")
            disabled=is_disabled
            data-testid="cancel"
            on:click=move |_| {
                cancel.dispatch(());
            }
        >
            "Cancel"
        </button>
    }
}

/// Cancels all live orders at once.
#[component]
pub(super) fn CancelAllButton(live: Live, shown: Signal<bool>, count: Signal<usize>) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    let cancel = Action::new(move |(): &()| async move {
        live.announce(match api::cancel_all().await {
            Ok(1) => "1 order cancelled".to_owned(),
            Ok(count) => format!("{count} orders cancelled"),
            Err(error) => format!("Not cancelled: {}", error.message),
        });
    });
    view! {
        <button
            type="button"
            class="small"
            hidden=move || !shown.get()
            disabled=move || cancel.pending().get() || !hydrated.get() || count.get() == 0
            data-testid="cancel-all"
            on:click=move |_| {
                cancel.dispatch(());
            }
        >
            "Cancel all"
        </button>
    }
}

/// Type and time in force: `LMT DAY`. An order for a dealer's quote has none.
fn type_text(order: &Order) -> String {
    let kind = match order.price {
        Price::Quote(_) => return "Quote".to_owned(),
        Price::Market => "MKT",
        Price::Limit(_) => "LMT",
    };
    format!("{kind} {}", order.time_in_force.as_str())
}

fn limit_text(order: &Order, units: Units) -> String {
    order.price.limit().map_or_else(|| format::ABSENT.to_owned(), |price| units.price(price))
}

/// Text of a side.
pub(super) const fn side_text(side: Side) -> &'static str {
    match side {
        Side::Buy => "Buy",
        Side::Sell => "Sell",
    }
}

/// CSS class of a side; the text always stands beside it.
pub(super) const fn side_class(side: Side) -> &'static str {
    match side {
        Side::Buy => "up",
        Side::Sell => "down",
    }
}

const fn status_text(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Open => "Open",
        OrderStatus::Partial => "Partial",
        OrderStatus::Filled => "Filled",
        OrderStatus::Cancelled => "Cancelled",
    }
}

const fn status_class(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Open | OrderStatus::Partial => "own",
        OrderStatus::Filled => "",
        OrderStatus::Cancelled => "muted",
    }
}
