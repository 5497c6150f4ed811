//! Another quantity or limit for an order that lives, under its own row.
//!
//! Says before it is sent what it would do; decides nothing itself.

use engine::id::OrderId;
use engine::money::Lots;
use engine::order::{Order, RawAmend};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::ticket::{Answer, Judged, Outbox, PREVIEW, Sent, Wish, typed, worded};
use crate::Hydrated;
use crate::components::{Units, format};
use crate::live::Live;
use crate::reactive::{RwSignal, effect, memo};

#[component]
pub(super) fn Amend(live: Live, id: OrderId, order: RwSignal<Order>, open: RwSignal<bool>) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    let outbox = Outbox::new(live);
    let live_order = order.get_untracked();
    let units = live.instrument(live_order.instrument).map(|instrument| Units::of(&instrument));
    let text = |text: Option<String>| RwSignal::new(text.unwrap_or_default());
    let quantity = text(units.map(|units| units.quantity_of(live_order.quantity).to_string()));
    let limit = text(units.and_then(|units| Some(units.price_field(live_order.price.limit()?))));
    let wish = memo(move || {
        let text = |value: RwSignal<String>| Some(typed(&value.get()));
        let raw = RawAmend {
            quantity: text(quantity),
            limit_price: text(limit),
            client_order_id: Some(PREVIEW.to_owned()),
            ..RawAmend::default()
        };
        Wish::Amend { order: id, raw }
    });
    let judged = memo(move || {
        live.moment.track();
        wish.with(|wish| wish.judge(live))
    });
    // Nothing is wrong with what nobody has changed yet.
    let edited = RwSignal::new(false);
    // Why it is asked about twice, once it was.
    let asking = RwSignal::new(String::new());
    let back = NodeRef::<leptos::html::Button>::new();
    Effect::new(move |before: Option<()>| {
        wish.track();
        asking.set(String::new());
        if before.is_some() {
            edited.set(true);
            if outbox.sent.with_untracked(|sent| *sent != Sent::Sending) {
                outbox.sent.set(Sent::Nothing);
            }
        }
    });
    // Done, or overtaken by a fill or a cancel: there is nothing to amend.
    effect(move || {
        let done = outbox.sent.with(|sent| matches!(sent, Sent::Accepted(_)));
        if done {
            live.say("Order amended");
        }
        if done || !order.with(|order| order.status.is_live()) {
            open.set(false);
        }
    });
    let closed = memo(move || !hydrated.get() || !live.link.with(|link| link.phase.is_fresh()));
    let ready = memo(move || {
        !closed.get()
            && outbox.sent.with(|sent| match sent {
                Sent::Sending => false,
                Sent::Unknown(_) => true,
                _ => judged.with(Result::is_ok),
            })
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if ready.get_untracked() {
            let wish = outbox.prepare(&wish.get_untracked(), None);
            match wish.judge(live) {
                _ if outbox.is_repeat(&wish) => outbox.send(wish, None),
                Ok(judged) if judged.dangers.is_empty() || !asking.with_untracked(String::is_empty) => {
                    asking.set(String::new());
                    outbox.send(wish, Some(judged.preview));
                }
                Ok(judged) => {
                    let why: Vec<String> = judged.dangers.into_iter().map(|danger| danger.words()).collect();
                    asking.set(why.join(" "));
                    // A second Enter takes it back.
                    if let Some(back) = back.get_untracked() {
                        let _ = back.focus();
                    }
                }
                Err(_) => {}
            }
        }
    };
    let effect = move || {
        judged.with(|judged| match judged {
            _ if !asking.with(String::is_empty) => (true, asking.get()),
            Err(_) if !edited.get() => (false, "Another quantity or another limit.".to_owned()),
            Err(reject) => (true, worded(reject)),
            Ok(judged) => (false, words(judged, units)),
        })
    };
    view! {
        <tr class="amend" data-testid="amend-row">
            <td colspan="9">
                <form on:submit=submit>
                    <Number label="Quantity" value=quantity testid="amend-quantity" />
                    <Number label="Limit" value=limit testid="amend-limit" />
                    <button type="submit" class="small primary" disabled=move || !ready.get() data-testid="amend-send">
                        {move || if asking.with(String::is_empty) { "Amend" } else { "Amend all the same" }}
                    </button>
                    <button
                        type="button"
                        class="small"
                        node_ref=back
                        data-testid="amend-back"
                        on:click=move |_| open.set(false)
                    >
                        "Back"
                    </button>
                    <span class=move || if effect().0 { "problem" } else { "muted" } data-testid="amend-effect">
                        {move || effect().1}
                    </span>
                    <Answer outbox closed testid="amend-answer" reasons=true />
                </form>
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn Number(label: &'static str, value: RwSignal<String>, testid: &'static str) -> impl IntoView {
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
    .into_any()
}

/// What the amendment would do, in words.
fn words(judged: &Judged, units: Option<Units>) -> String {
    let decided = &judged.preview.decided;
    if decided.filled > Lots::ZERO {
        let filled = units.map(|units| units.quantity(decided.filled)).unwrap_or_default();
        return format!("Trades {filled} at once.");
    }
    let place = if judged.keeps_place { "Keeps its place" } else { "Goes to the back of its queue" };
    format!("{place}; {} reserved in all.", format::money(decided.reserved))
}
