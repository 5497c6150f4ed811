//! What stands between the fields and the preview: refusals, the button, the
//! second question, the answer.
//!
//! Shows where a submission stands; sends nothing itself.

use engine::order::Side;
use leptos::ev::MouseEvent;
use leptos::prelude::*;

use super::danger::Danger;
use super::form::Form;
use super::send::{Outbox, Sent};
use super::words;
use crate::reactive::{Memo, RwSignal, Signal, effect};

/// A refusal that belongs to no field of the ticket.
#[component]
pub(super) fn General(problem: Signal<Option<(&'static str, String)>>) -> impl IntoView {
    let text = move || problem.get().filter(|(field, _)| !matches!(*field, "quantity" | "limit_price"));
    view! {
        <p class="beside" data-testid="ticket-error">
            {move || text().map(|(_, text)| view! { <span class="problem">{text}</span> }.into_any())}
        </p>
    }
    .into_any()
}

#[component]
pub(super) fn Submit(form: Form, dealt: Memo<bool>, ready: Memo<bool>, outbox: Outbox) -> impl IntoView {
    let tone = move || match form.side.get() {
        Side::Buy => "buy submit",
        Side::Sell => "sell submit",
    };
    let word = move || match (outbox.sent.get(), form.side.get(), dealt.get()) {
        (Sent::Sending, ..) => "Sending…",
        (Sent::Unknown(_), ..) => "Send again",
        (_, Side::Buy, true) => "Lift the best offer",
        (_, Side::Sell, true) => "Hit the best bid",
        (_, Side::Buy, false) => "Buy",
        (_, Side::Sell, false) => "Sell",
    };
    view! {
        <button
            type="submit"
            class=move || tone()
            disabled=move || !ready.get()
            data-testid="submit-order"
            on:click=no_double_clicks
        >
            {move || word()}
        </button>
    }
    .into_any()
}

/// The second question, asked of dangerous orders alone.
#[component]
pub(super) fn Confirm(asking: RwSignal<Vec<Danger>>, send: Callback<()>) -> impl IntoView {
    // The harmless answer has the focus: a second Enter sends nothing.
    let no = NodeRef::<leptos::html::Button>::new();
    effect(move || {
        if let Some(button) = no.get() {
            let _ = button.focus();
        }
    });
    view! {
        <div
            class="confirm"
            role="alertdialog"
            aria-labelledby="confirm-title"
            aria-describedby="confirm-why"
            data-testid="confirm"
        >
            <strong id="confirm-title">"Send this order?"</strong>
            <ul id="confirm-why">
                {move || {
                    asking.get().into_iter().map(|danger| view! { <li>{danger.words()}</li> }).map(IntoAny::into_any).collect_view()
                }}
            </ul>
            <div class="pair">
                <button
                    type="button"
                    node_ref=no
                    data-testid="confirm-no"
                    on:click=move |_| asking.set(Vec::new())
                >
                    "Go back"
                </button>
                <button
                    type="button"
                    class="primary"
                    data-testid="confirm-yes"
                    on:click=move |_| send.run(())
                >
                    "Send it"
                </button>
            </div>
        </div>
    }
    .into_any()
}

/// What became of the last submission, or why there can be none.
#[component]
pub(in crate::screens::trade) fn Answer(
    outbox: Outbox,
    closed: Memo<bool>,
    testid: &'static str,
    /// Whether a refusal's reason stands here and not beside its field.
    reasons: bool,
) -> impl IntoView {
    let text = move || match outbox.sent.get() {
        Sent::Accepted(text) => ("answer ok", text),
        Sent::Unknown(text) => ("answer warn", text),
        Sent::Refused(error) if reasons => ("answer crit", words::answered(&error)),
        Sent::Refused(_) => ("answer crit", "Refused.".to_owned()),
        Sent::Sending => ("answer", "Sending…".to_owned()),
        Sent::Nothing if closed.get() => ("answer muted", "Waiting for live prices.".to_owned()),
        Sent::Nothing => ("answer", String::new()),
    };
    let state = move || match outbox.sent.get() {
        Sent::Nothing => "nothing",
        Sent::Sending => "sending",
        Sent::Accepted(_) => "accepted",
        Sent::Refused(_) => "refused",
        Sent::Unknown(_) => "unknown",
    };
    view! {
        <p class=move || text().0 data-state=move || state() data-testid=testid>
            {move || text().1}
        </p>
    }
    .into_any()
}

/// A double click is one submission.
fn no_double_clicks(event: MouseEvent) {
    if event.detail() > 1 {
        event.prevent_default();
    }
}
