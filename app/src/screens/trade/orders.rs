//! Orders, newest first; live ones can be amended and cancelled.
//!
//! A cancel waits for the venue's answer; a status is never guessed.

use engine::id::OrderId;
use engine::order::{OrderStatus, OrderType, Side};
use leptos::prelude::*;
use protocol::frames::OrderFrame;

use super::amend::AmendRow;
use super::blotter::matches_filter;
use crate::api;
use crate::components::format;
use crate::layout::Hydrated;
use crate::live::Live;

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
    let frame = order.get_untracked();
    let symbol = live.instrument(frame.instrument_id).map(|i| i.symbol).unwrap_or_default();
    let status = move || order.with(|order| order.status);
    let of = symbol.clone();
    let hidden = Memo::new(move |_| {
        let is_shown = order.with(|order| {
            let (kind, dealer) = (order.order_type.as_str(), order.dealer_id.as_deref().unwrap_or_default());
            let (side, status) = (side_text(order.side), status_text(order.status));
            matches_filter(filter, &[&of, side, kind, &type_text(order), status, dealer])
        });
        !is_shown || (open_only.get() && !status().is_live())
    });
    // The filled quantity, for tables too narrow for its column.
    let part = move || {
        order.with(|order| {
            let some = order.filled_quantity.mantissa > 0 && order.filled_quantity != order.quantity;
            some.then(|| format!("{}/", format::decimal(order.filled_quantity)))
        })
    };
    let about = format!(
        "{} {} {symbol}",
        side_text(frame.side).to_ascii_lowercase(),
        format::decimal(frame.quantity)
    );
    let amending = RwSignal::new(false);
    Some(view! {
        <tr hidden=move || hidden.get() data-testid="order" data-order=id.to_string() data-status=move || status().as_str()>
            <td class="num left wide" data-csv=frame.created_at.to_string()>
                {move || live.preferences.clock(frame.created_at)}
            </td>
            <th scope="row">{symbol}</th>
            <td class=side_class(frame.side)>{side_text(frame.side)}</td>
            <td class="wide" title=frame.dealer_id.clone()>
                {type_text(&frame)}
            </td>
            <td class="num" data-testid="order-limit">
                {move || order.with(limit_text)}
            </td>
            <td class="num" data-csv=move || order.with(|order| order.quantity.to_string())>
                <span class="part">{part}</span>
                <span data-testid="order-quantity">
                    {move || order.with(|order| format::decimal(order.quantity))}
                </span>
            </td>
            <td class="num wide" data-testid="order-filled">
                {move || order.with(|order| format::decimal(order.filled_quantity))}
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
            live.say(format!("Not cancelled: {}", error.message));
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
        live.say(match api::cancel_all().await {
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
fn type_text(order: &OrderFrame) -> String {
    let kind = match order.order_type {
        OrderType::Quote => return "Quote".to_owned(),
        OrderType::Market => "MKT",
        OrderType::Limit => "LMT",
    };
    format!("{kind} {}", order.time_in_force.as_str())
}

fn limit_text(order: &OrderFrame) -> String {
    order.limit_price.map_or_else(|| format::ABSENT.to_owned(), format::decimal)
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
