//! Orders, newest first; live ones can be amended and cancelled.
//!
//! A cancel waits for the venue's answer; a status is never guessed.

use std::future::Future;

use engine::id::OrderId;
use engine::money::Lots;
use engine::order::{CancelReason, Order, OrderRecord, OrderStatus, Price, Side};
use leptos::html;
use leptos::prelude::*;
use protocol::error::ApiError;

use super::amend::AmendRow;
use super::blotter::matches_filter;
use crate::api;
use crate::components::{SortKey, Sorting, csv_line, symbol_link};
use crate::format::{self, Units};
use crate::layout::Hydrated;
use crate::live::{Live, NotificationKind, all_orders};

/// Columns: name and class.
const COLUMNS: [(&str, &str); 8] = [
    ("Time", "wide"),
    ("Symbol", ""),
    ("Side", ""),
    ("Type", "wide"),
    ("Limit", "num"),
    ("Quantity", "num"),
    ("Filled", "num wide"),
    ("Status", ""),
];

#[component]
pub(super) fn Orders(live: Live, filter: RwSignal<String>, open_only: RwSignal<bool>) -> impl IntoView {
    let sorting = Sorting::by(0, true);
    let ids = Memo::new(move |_| {
        live.order_ids.with(|ids| {
            sorting.sorted(ids, |column, id| {
                let order = live.order(*id);
                order.map_or(SortKey::Absent, |order| order.with(|order| key(live, column, order)))
            })
        })
    });
    let heads = COLUMNS.into_iter().enumerate().map(|(at, (name, class))| {
        sorting.head(at, name, String::new(), class, format!("sort-orders-{}", name.to_ascii_lowercase()))
    });
    let reserved = move || live.valuation.with(|valuation| format::money(valuation.reserved));
    let has_older = Signal::derive(move || live.has_older.get().0);
    view! {
        <table data-testid="orders">
            <thead>
                <tr>
                    {heads.collect_view()}
                    <th scope="col" class="act">
                        <span class="sr-only">"Amend or cancel"</span>
                    </th>
                </tr>
            </thead>
            <tbody>
                <For each=move || ids.get() key=|id| *id let:id>
                    <Row live id filter open_only />
                </For>
            </tbody>
            <tfoot>
                <tr>
                    <th scope="row" colspan="4">
                        "Reserved "
                        <span class="unit">{live.currency()}</span>
                    </th>
                    <td colspan="4" class="num left" data-testid="orders-reserved">
                        {reserved}
                    </td>
                    <td class="act"></td>
                </tr>
            </tfoot>
        </table>
        {older_button("orders-older", has_older, move || live.load_older_orders())}
        <Show when=move || live.order_ids.with(Vec::is_empty)>
            <p class="empty">"No orders yet: the ticket places the first."</p>
        </Show>
    }
}

/// A button that loads older rows, while the server has any.
pub(super) fn older_button<L>(
    testid: &'static str,
    has_older: Signal<bool>,
    load: impl Fn() -> L + Copy + Send + Sync + 'static,
) -> AnyView
where
    L: Future<Output = Result<(), ApiError>> + 'static,
{
    let loading = Action::new_local(move |(): &()| load());
    view! {
        <Show when=move || has_older.get()>
            <p class="empty">
                <button
                    type="button"
                    class="small"
                    disabled=move || loading.pending().get()
                    data-testid=testid
                    on:click=move |_| {
                        loading.dispatch_local(());
                    }
                >
                    "Load older"
                </button>
            </p>
        </Show>
    }
    .into_any()
}

/// A CSV file of all orders that match the filter, newest first, and the cash that
/// open ones reserve.
///
/// # Errors
/// The server's.
pub(super) async fn file(
    live: Live,
    filter: RwSignal<String>,
    open_only: RwSignal<bool>,
) -> Result<String, ApiError> {
    let orders = all_orders().await?;
    let mut text = csv_line(&COLUMNS.map(|(name, _)| name.to_owned()));
    for OrderRecord { order, cancel_reason } in &orders {
        let Some(instrument) = live.instrument(order.instrument) else { continue };
        let status = status_text(order, *cancel_reason);
        if !untrack(|| is_shown(live, order, &status, filter, open_only)) {
            continue;
        }
        let units = Units::of(&instrument);
        text.push_str(&csv_line(&[
            order.created_at.to_string(),
            instrument.symbol,
            side_text(order.side).to_owned(),
            type_text(order),
            order.price.limit().map(|price| units.price_field(price)).unwrap_or_default(),
            units.quantity_of(order.quantity).to_string(),
            units.quantity_of(order.filled).to_string(),
            status,
        ]));
    }
    let reserved = live.valuation.with_untracked(|valuation| valuation.reserved.to_decimal().to_string());
    let mut last = [""; 8].map(str::to_owned);
    (last[0], last[4]) = (format!("Reserved {}", live.currency()), reserved);
    text.push_str(&csv_line(&last));
    Ok(text)
}

/// An order's value in a column.
fn key(live: Live, column: usize, order: &Order) -> SortKey {
    let Some(instrument) = live.instrument(order.instrument) else { return SortKey::Absent };
    let units = Units::of(&instrument);
    match column {
        // The list is in the order of acceptance, which times are too coarse for.
        0 => SortKey::Number(order.created_at.0 as f64),
        1 => SortKey::Text(instrument.symbol),
        2 => SortKey::Text(side_text(order.side).to_owned()),
        3 => SortKey::Text(type_text(order)),
        4 => SortKey::number(order.price.limit().map(|price| units.price_of(price).to_f64())),
        5 => SortKey::Number(units.quantity_of(order.quantity).to_f64()),
        6 => SortKey::Number(units.quantity_of(order.filled).to_f64()),
        _ => SortKey::Text(known_status(live, order)),
    }
}

fn is_shown(
    live: Live,
    order: &Order,
    status: &str,
    filter: RwSignal<String>,
    open_only: RwSignal<bool>,
) -> bool {
    let Some(instrument) = live.instrument(order.instrument) else { return false };
    let kind = type_text(order);
    let dealer = order.price.taken().and_then(|taken| instrument.dealer(taken.dealer)).unwrap_or_default();
    let word = order.price.order_type().as_str();
    let fields = [&instrument.symbol, side_text(order.side), word, &kind, status, dealer];
    matches_filter(filter, &fields) && (!open_only.get() || order.status.is_live())
}

#[component]
fn Row(live: Live, id: OrderId, filter: RwSignal<String>, open_only: RwSignal<bool>) -> impl IntoView {
    let order = live.order(id)?;
    let placed = order.get_untracked();
    let instrument = live.instrument(placed.instrument)?;
    let (symbol, units) = (instrument.symbol.clone(), Units::of(&instrument));
    let dealer = placed.price.taken().and_then(|taken| instrument.dealer(taken.dealer)).map(str::to_owned);
    let status = move || order.with(|order| order.status);
    let is_hidden =
        move |order: &Order| !is_shown(live, order, &known_status(live, order), filter, open_only);
    let hidden = Memo::new(move |_| order.with(is_hidden));
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
            <td class="num left wide">{move || live.preferences.clock(placed.created_at)}</td>
            {symbol_link(live, instrument.id, symbol)}
            <td class=side_class(placed.side)>{side_text(placed.side)}</td>
            <td class="wide" title=dealer>
                {type_text(&placed)}
            </td>
            <td class="num" data-testid="order-limit">
                {move || order.with(|order| limit_text(order, units))}
            </td>
            <td class="num">
                <span class="part">{part}</span>
                <span data-testid="order-quantity">
                    {move || order.with(|order| units.quantity(order.quantity))}
                </span>
            </td>
            <td class="num wide" data-testid="order-filled">
                {move || order.with(|order| units.quantity(order.filled))}
            </td>
            <td class=move || status_class(status()) data-testid="order-status">
                {move || order.with(|order| known_status(live, order))}
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

/// Cancels all live orders at once, after a question.
#[component]
pub(super) fn CancelAllButton(live: Live, shown: Signal<bool>, count: Signal<usize>) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    let is_asking = RwSignal::new(false);
    let cancel = Action::new(move |(): &()| async move {
        if let Err(error) = api::cancel_all().await {
            live.notify(NotificationKind::Refusal, format!("Not cancelled: {}", error.message));
        }
    });
    let is_disabled = move || cancel.pending().get() || !hydrated.get() || count.get() == 0;
    // The harmless answer has the focus.
    let back = NodeRef::<html::Button>::new();
    Effect::new(move || {
        if let Some(back) = back.get() {
            let _ = back.focus();
        }
    });
    let confirm = move |_| {
        is_asking.set(false);
        cancel.dispatch(());
    };
    let question = move || match count.get() {
        1 => "Cancel 1 order".to_owned(),
        count => format!("Cancel {count} orders"),
    };
    view! {
        <Show
            when=move || is_asking.get() && shown.get() && !is_disabled()
            fallback=move || {
                view! {
                    <button
                        type="button"
                        class="small"
                        hidden=move || !shown.get()
                        disabled=is_disabled
                        data-testid="cancel-all"
                        on:click=move |_| is_asking.set(true)
                    >
                        "Cancel all"
                    </button>
                }
            }
        >
            <span class="question" role="alertdialog" aria-label="Cancel all open orders?">
                <button type="button" class="small primary" data-testid="cancel-all-yes" on:click=confirm>
                    {question}
                </button>
                <button
                    type="button"
                    class="small"
                    node_ref=back
                    data-dismiss=""
                    data-testid="cancel-all-no"
                    on:click=move |_| is_asking.set(false)
                >
                    "Keep"
                </button>
            </span>
        </Show>
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

/// Status of an order of this page, and why it was cancelled.
fn known_status(live: Live, order: &Order) -> String {
    status_text(order, live.read(|state| state.history.cancel_reason(order)))
}

fn status_text(order: &Order, cancel_reason: Option<CancelReason>) -> String {
    let status = match order.status {
        OrderStatus::Open => "Open",
        OrderStatus::Partial => "Partial",
        OrderStatus::Filled => "Filled",
        OrderStatus::Cancelled => "Cancelled",
    };
    match cancel_reason {
        None => status.to_owned(),
        Some(reason) => format!("{status} · {}", reason_text(reason, order)),
    }
}

/// Reason of an order's cancel in a few words.
const fn reason_text(reason: CancelReason, order: &Order) -> &'static str {
    match reason {
        CancelReason::Requested => "by you",
        CancelReason::ImmediateOrCancel if order.filled.0 == 0 => "not filled",
        CancelReason::ImmediateOrCancel => "rest not filled",
        CancelReason::FillOrKill => "not filled whole",
        CancelReason::SelfTrade => "your own order",
        CancelReason::Expired => "matured",
        CancelReason::EndOfDay => "end of day",
        CancelReason::AccountReset => "account reset",
    }
}

const fn status_class(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Open | OrderStatus::Partial => "own",
        OrderStatus::Filled => "",
        OrderStatus::Cancelled => "muted",
    }
}
