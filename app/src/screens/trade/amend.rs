//! The form under a live order's row: another quantity or limit.
//!
//! Shows the effect before it is sent; decides nothing itself.

use engine::id::OrderId;
use engine::money::Lots;
use engine::order::{Order, RawAmend};
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;

use super::ticket::{
    OrderIntent, OrderSender, PREVIEW_ORDER_ID, PreTradeCheck, Submission, SubmissionStatus, cancels_text,
    plain_number, typed_text,
};
use crate::format::{self, Units};
use crate::layout::Hydrated;
use crate::live::Live;

#[component]
pub(super) fn AmendRow(
    live: Live,
    id: OrderId,
    order: RwSignal<Order>,
    is_open: RwSignal<bool>,
) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    let sender = OrderSender::new(live);
    let before = order.get_untracked();
    let units = live.instrument(before.instrument).map(|instrument| Units::of(&instrument));
    let field = |text: Option<String>| RwSignal::new(text.unwrap_or_default());
    let quantity = field(units.map(|units| units.quantity_of(before.quantity).to_string()));
    let limit = field(units.and_then(|units| Some(units.price_field(before.price.limit()?))));
    let intent = Memo::new(move |_| {
        let text = |value: RwSignal<String>| Some(plain_number(&value.get()));
        let raw = RawAmend {
            quantity: text(quantity),
            limit_price: text(limit),
            client_order_id: Some(PREVIEW_ORDER_ID.to_owned()),
            ..RawAmend::default()
        };
        OrderIntent::Amend { order: id, raw }
    });
    let check = Memo::new(move |_| {
        live.moment.track();
        intent.with(|intent| intent.evaluate(live))
    });
    // Unchanged values are no error.
    let is_edited = RwSignal::new(false);
    // Warnings that wait for a confirmation.
    let warning = RwSignal::new(String::new());
    let back = NodeRef::<html::Button>::new();
    Effect::new(move |before: Option<()>| {
        intent.with(|_| ());
        warning.set(String::new());
        if before.is_some() {
            is_edited.set(true);
            if sender.submission.get_untracked() != Submission::Sending {
                sender.submission.set(Submission::Idle);
            }
        }
    });
    // Amended, or filled or cancelled meanwhile: there is nothing left to amend.
    Effect::new(move || {
        let is_done = sender.submission.with(|submission| matches!(submission, Submission::Accepted(_)));
        if is_done {
            live.announce("Order amended");
        }
        if is_done || !order.with(|order| order.status.is_live()) {
            is_open.set(false);
        }
    });
    let cannot_send = Memo::new(move |_| !hydrated.get() || !live.can_trade());
    let is_ready = Memo::new(move |_| {
        !cannot_send.get()
            && match sender.submission.get() {
                Submission::Sending => false,
                Submission::Unknown(_) => true,
                _ => check.with(Result::is_ok),
            }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if !is_ready.get_untracked() {
            return;
        }
        let intent = sender.prepare(&intent.get_untracked(), None);
        if sender.is_repeat(&intent) {
            sender.send(intent, None);
            return;
        }
        let Ok(check) = intent.evaluate(live) else { return };
        if check.warnings.is_empty() || !warning.with_untracked(String::is_empty) {
            warning.set(String::new());
            sender.send(intent, Some(check.preview));
        } else {
            let texts: Vec<String> = check.warnings.into_iter().map(|warning| warning.text()).collect();
            warning.set(texts.join(" "));
            // A second Enter goes back.
            if let Some(back) = back.get_untracked() {
                let _ = back.focus();
            }
        }
    };
    let effect = Memo::new(move |_| {
        check.with(|check| match check {
            _ if !warning.with(String::is_empty) => ("problem", warning.get()),
            Err(_) if !is_edited.get() => ("muted", "Change the quantity or the limit.".to_owned()),
            Err(reject) => (
                "problem",
                live.instrument(before.instrument).map_or_else(String::new, |found| {
                    typed_text(reject, &found, live.held(&found), &quantity.get(), &limit.get())
                }),
            ),
            Ok(check) => {
                let own = live.orders_of(&check.preview.decided.cancelled);
                let cancels = live.instrument(before.instrument).and_then(|found| cancels_text(&found, &own));
                let parts: Vec<String> =
                    [Some(effect_text(check, units)), cancels].into_iter().flatten().collect();
                ("muted", parts.join(" "))
            }
        })
    });
    view! {
        <tr class="amend" data-testid="amend-row">
            <td colspan="9">
                <form on:submit=submit>
                    <NumberInput label="Quantity" value=quantity testid="amend-quantity" />
                    <NumberInput label="Limit" value=limit testid="amend-limit" />
                    <button
                        type="submit"
                        class="small primary"
                        disabled=move || !is_ready.get()
                        data-testid="amend-send"
                    >
                        {move || if warning.with(String::is_empty) { "Amend" } else { "Amend all the same" }}
                    </button>
                    <button
                        type="button"
                        class="small"
                        node_ref=back
                        data-dismiss=""
                        data-testid="amend-back"
                        on:click=move |_| is_open.set(false)
                    >
                        "Back"
                    </button>
                    <span class=move || effect.get().0 data-testid="amend-effect">
                        {move || effect.get().1}
                    </span>
                    <SubmissionStatus sender cannot_send testid="amend-answer" with_reason=true />
                </form>
            </td>
        </tr>
    }
}

#[component]
fn NumberInput(label: &'static str, value: RwSignal<String>, testid: &'static str) -> impl IntoView {
    view! {
        <label>
            {label}
            <input
                class="num"
                type="text"
                inputmode="decimal"
                autocomplete="off"
                prop:value=move || value.get()
                data-testid=testid
                on:input=move |event| value.set(event_target_value(&event))
            />
        </label>
    }
}

/// Effect of the amendment, for the user.
fn effect_text(check: &PreTradeCheck, units: Option<Units>) -> String {
    let decided = &check.preview.decided;
    if decided.filled > Lots::ZERO {
        let filled = units.map(|units| units.quantity(decided.filled)).unwrap_or_default();
        return format!("Trades {filled} at once.");
    }
    let priority = if check.keeps_priority { "Keeps its place" } else { "Loses its place in the queue" };
    format!("{priority}; {} reserved in all.", format::money(decided.reserved))
}
