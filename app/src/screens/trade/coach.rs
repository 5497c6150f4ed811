//! The first run: what to do next, from an empty account to a real fill.
//!
//! Derived from what the screen shows anyway; asks nothing, keeps nothing, and
//! is gone for good once the account has traded.

use engine::order::{PriceFill, Side};
use engine::venue::Fill;
use leptos::prelude::*;

use super::tabs::Tab;
use super::ticket::Form;
use crate::components::{Show, Units, format};
use crate::live::Live;
use crate::reactive::{RwSignal, memo};

/// What is to be done, in order, and where.
const STEPS: [(&str, &str); 3] = [
    ("Type a quantity in the ticket; the market watch chooses what of.", "#quantity"),
    ("Choose Market or type a limit price, and read what it would do.", "#limit_price"),
    ("Press Buy, or Enter.", "[data-testid=submit-order]"),
];

#[component]
pub(super) fn Coach(live: Live, form: Form, tab: RwSignal<Tab>) -> impl IntoView {
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
    let step = move |(at, (text, place)): (usize, (&'static str, &'static str))| {
        let state = move || match done.get() {
            done if at < done => "done",
            done if at == done => "now",
            _ => "later",
        };
        view! {
            <li data-state=move || state() aria-current=move || (state() == "now").then_some("step")>
                <span class="sr-only">{move || if state() == "done" { "Done: " } else { "" }}</span>
                <button
                    type="button"
                    class="step"
                    disabled=move || state() != "now"
                    data-testid=format!("coach-step-{at}")
                    on:click=move |_| super::show(tab, Tab::Trade, place)
                >
                    {text}
                </button>
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

/// The order that ends the first run, all of it, in words; `fill` is its first.
fn ending(live: Live, fill: &Fill) -> String {
    let Some(instrument) = live.instrument(fill.instrument) else { return String::new() };
    let verb = match fill.side {
        Side::Buy => "bought",
        Side::Sell => "sold",
    };
    let fills: Vec<PriceFill> = live.fills.with(|fills| {
        let of_it = fills.iter().filter(|other| other.order == fill.order);
        of_it.map(|fill| PriceFill { price: fill.price, lots: fill.lots }).collect()
    });
    let units = Units::of(&instrument);
    let (all, price) = match fills.as_slice() {
        [] => return String::new(),
        [one] => (one.lots, units.price(one.price)),
        many => {
            let average = units.average(many).map(format::decimal).unwrap_or_default();
            (many.iter().map(|fill| fill.lots).sum(), format!("{average} on average"))
        }
    };
    let (quantity, symbol) = (units.quantity(all), &instrument.symbol);
    format!(
        "You {verb} {quantity} {symbol} at {price}. Positions shows what it is worth, the chart where it was."
    )
}
