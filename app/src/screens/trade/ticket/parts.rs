//! Parts of the ticket around its fields: general refusal, submit button,
//! confirmation, result.
//!
//! Show the state of a submission; send nothing themselves.

use engine::order::Side;
use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;

use super::fields::Problem;
use super::form::TicketForm;
use super::sender::{OrderSender, Submission};
use super::texts;
use super::warnings::OrderWarning;

/// A refusal that belongs to none of the ticket's fields.
#[component]
pub(super) fn GeneralProblem(problem: Signal<Option<Problem>>) -> impl IntoView {
    let general =
        move || problem.get().filter(|problem| !matches!(problem.field, "quantity" | "limit_price"));
    view! {
        <p class="beside" data-testid="ticket-error">
            {move || general().map(|problem| view! { <span class="problem">{problem.text}</span> })}
        </p>
    }
}

#[component]
pub(super) fn SubmitButton(
    form: TicketForm,
    is_dealt: Memo<bool>,
    is_ready: Memo<bool>,
    sender: OrderSender,
) -> impl IntoView {
    let class = move || match form.side.get() {
        Side::Buy => "buy submit",
        Side::Sell => "sell submit",
    };
    let text = move || match (sender.submission.get(), form.side.get(), is_dealt.get()) {
        (Submission::Sending, ..) => "Sending…",
        (Submission::Unknown(_), ..) => "Send again",
        (_, Side::Buy, true) => "Lift the best offer",
        (_, Side::Sell, true) => "Hit the best bid",
        (_, Side::Buy, false) => "Buy",
        (_, Side::Sell, false) => "Sell",
    };
    view! {
        <button
            type="submit"
            class=class
            disabled=move || !is_ready.get()
            data-testid="submit-order"
            on:click=ignore_double_click
        >
            {text}
        </button>
    }
}

/// Asks for confirmation of an order with warnings.
#[component]
pub(super) fn ConfirmDialog(warnings: RwSignal<Vec<OrderWarning>>, confirm: Callback<()>) -> impl IntoView {
    // The harmless answer has the focus: a second Enter sends nothing.
    let back = NodeRef::<html::Button>::new();
    Effect::new(move || {
        if let Some(button) = back.get() {
            let _ = button.focus();
        }
    });
    let list = move || warnings.get().into_iter().map(|warning| view! { <li>{warning.text()}</li> });
    view! {
        <div
            class="confirm"
            role="alertdialog"
            aria-labelledby="confirm-title"
            aria-describedby="confirm-why"
            data-testid="confirm"
        >
            <strong id="confirm-title">"Send this order?"</strong>
            <ul id="confirm-why">{move || list().collect_view()}</ul>
            <div class="pair">
                <button
                    type="button"
                    node_ref=back
                    data-dismiss=""
                    data-testid="confirm-no"
                    on:click=move |_| warnings.set(Vec::new())
                >
                    "Go back"
                </button>
                <button
                    type="button"
                    class="primary"
                    data-testid="confirm-yes"
                    on:click=move |_| confirm.run(())
                >
                    "Send it"
                </button>
            </div>
        </div>
    }
}

/// Result of the last submission, or why nothing can be sent.
#[component]
pub(crate) fn SubmissionStatus(
    sender: OrderSender,
    cannot_send: Memo<bool>,
    testid: &'static str,
    /// True if a refusal's reason stands here and not beside its field.
    #[prop(optional)]
    with_reason: bool,
) -> impl IntoView {
    let shown = Memo::new(move |_| match sender.submission.get() {
        Submission::Idle if cannot_send.get() => {
            ("nothing", "answer muted", "Waiting for live prices.".to_owned())
        }
        Submission::Idle => ("nothing", "answer", String::new()),
        Submission::Sending => ("sending", "answer", "Sending…".to_owned()),
        Submission::Accepted(text) => ("accepted", "answer ok", text),
        Submission::Refused(error) if with_reason => ("refused", "answer crit", texts::error_text(&error)),
        Submission::Refused(_) => ("refused", "answer crit", "Refused.".to_owned()),
        Submission::Unknown(text) => ("unknown", "answer warn", text),
    });
    view! {
        <p class=move || shown.get().1 data-state=move || shown.get().0 data-testid=testid>
            {move || shown.get().2}
        </p>
    }
}

/// Makes a double click one submission.
fn ignore_double_click(event: MouseEvent) {
    if event.detail() > 1 {
        event.prevent_default();
    }
}
