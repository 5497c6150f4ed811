//! The first run: what to do next, from an empty account to a real fill.
//!
//! Derived from what the screen shows anyway; asks nothing, keeps nothing, and
//! is gone for good once the account has traded.

use engine::event::FillFrame;
use engine::order::Side;
use leptos::prelude::*;

use super::ticket::Form;
use crate::live::Live;
use crate::reactive::{RwSignal, memo};
use crate::widgets::{Show, format};

/// What is to be done, in order.
const STEPS: [&str; 3] = [
    "Type a quantity in the ticket; the market watch chooses what of.",
    "Choose Market or type a limit price, and read what it would do.",
    "Press Buy, or Enter.",
];

#[component]
pub(super) fn Coach(live: Live, form: Form) -> impl IntoView {
    let first_run = live.fills.with_untracked(Vec::is_empty) && live.order_ids.with_untracked(Vec::is_empty);
    let is_open = RwSignal::new(first_run);
    // The newest come first; the run is about the very first.
    let fill = memo(move || live.fills.with(|fills| fills.last().cloned()));
    // Complete means that there is a preview, or why there can be none.
    let complete = memo(move || {
        live.instrument(live.selected.get()).is_some_and(|instrument| form.wish(&instrument).is_some())
    });
    let typed = move || form.quantity.with(|quantity| !quantity.trim().is_empty());
    let done = memo(move || match (fill.with(Option::is_some), complete.get(), typed()) {
        (true, ..) => 3,
        (_, true, _) => 2,
        (_, _, true) => 1,
        _ => 0,
    });
    let step = move |(at, text): (usize, &'static str)| {
        let state = move || match done.get() {
            done if at < done => "done",
            done if at == done => "now",
            _ => "later",
        };
        view! {
            <li data-state=move || state() aria-current=move || (state() == "now").then_some("step")>
                <span class="sr-only">{move || if state() == "done" { "Done: " } else { "" }}</span>
                {text}
            </li>
        }
    };
    let end = move || fill.get().map(|fill| ending(live, &fill));
    view! {
        <Show when=move || is_open.get()>
            <aside class="coach" aria-labelledby="coach-title" data-testid="coach" data-done=move || done.get().to_string()>
                <h2 id="coach-title">"Your first trade"</h2>
                <ol>{STEPS.into_iter().enumerate().map(step).map(IntoAny::into_any).collect_view()}</ol>
                <p role="status" data-testid="coach-end">
                    {move || end()}
                </p>
                <button type="button" class="small" data-testid="coach-close" on:click=move |_| is_open.set(false)>
                    {move || if done.get() == STEPS.len() { "Done" } else { "Not now" }}
                </button>
            </aside>
        </Show>
    }
    .into_any()
}

/// The fill that ends the first run, in words.
fn ending(live: Live, fill: &FillFrame) -> String {
    let symbol = live.instrument(fill.instrument_id).map(|instrument| instrument.symbol).unwrap_or_default();
    let verb = match fill.side {
        Side::Buy => "bought",
        Side::Sell => "sold",
    };
    let (quantity, price) = (format::decimal(fill.quantity), format::decimal(fill.price));
    format!(
        "You {verb} {quantity} {symbol} at {price}. Positions shows what it is worth, the chart where it was."
    )
}
