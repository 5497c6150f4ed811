//! The first-run guide: the steps from an empty account to a real fill.
//!
//! Derived from the screen's state alone; gone for good once the account has
//! traded, or the user has closed it in this browser.

use engine::book::PriceLevel;
use engine::order::Side;
use engine::venue::Fill;
use leptos::prelude::*;

use super::tabs::PhoneTab;
use super::ticket::TicketForm;
use crate::commands::focus_unless_busy;
use crate::format::{self, Units};
use crate::live::Live;
use crate::preferences::{read_cookie, write_cookie};

/// Name of the cookie of a browser whose user has closed the guide.
const CLOSED_COOKIE_NAME: &str = "tickhall_guide_closed";

/// Steps in order: text and the element to focus.
const STEPS: [(&str, &str); 3] = [
    ("Pick an instrument on the left, then type a quantity.", "#quantity"),
    ("Choose Market, or type a limit price. The preview shows the result.", "#limit_price"),
    ("Press Buy, or Enter.", "[data-testid=submit-order]"),
];

#[component]
pub(super) fn Coach(live: Live, form: TicketForm, tab: RwSignal<PhoneTab>) -> impl IntoView {
    let first_run = live.fills.with_untracked(Vec::is_empty) && live.order_ids.with_untracked(Vec::is_empty);
    let is_open = RwSignal::new(first_run && read_cookie(CLOSED_COOKIE_NAME).is_none());
    let close = move |_| {
        is_open.set(false);
        write_cookie(CLOSED_COOKIE_NAME, "1");
    };
    // Who types at once types a quantity.
    Effect::new(move || {
        if is_open.get_untracked() {
            focus_unless_busy(STEPS[0].1);
        }
    });
    // Newest first: the guide ends with the very first fill.
    let fill = Memo::new(move |_| live.fills.with(|fills| fills.last().cloned()));
    // Complete: the ticket shows a preview or a refusal.
    let is_complete = Memo::new(move |_| {
        live.instrument(live.selected.get()).is_some_and(|instrument| form.intent(&instrument).is_some())
    });
    let has_quantity = move || form.quantity.with(|quantity| !quantity.trim().is_empty());
    let done = Memo::new(move |_| match (fill.with(Option::is_some), is_complete.get(), has_quantity()) {
        (true, ..) => 3,
        (_, true, _) => 2,
        (_, _, true) => 1,
        _ => 0,
    });
    let step = move |(at, (text, target)): (usize, (&'static str, &'static str))| {
        let state = move || match done.get() {
            done if at < done => "done",
            done if at == done => "now",
            _ => "later",
        };
        view! {
            <li data-state=state aria-current=move || (state() == "now").then_some("step")>
                <span class="sr-only">{move || if state() == "done" { "Done: " } else { "" }}</span>
                <button
                    type="button"
                    class="step"
                    disabled=move || state() != "now"
                    data-testid=format!("coach-step-{at}")
                    on:click=move |_| super::show(tab, PhoneTab::Trade, target)
                >
                    {text}
                </button>
            </li>
        }
    };
    let end = move || fill.get().map(|fill| closing_text(live, &fill));
    view! {
        <Show when=move || is_open.get()>
            <aside class="coach" aria-labelledby="coach-title" data-testid="coach" data-done=move || done.get().to_string()>
                <h2 id="coach-title">"Your first trade"</h2>
                <ol>{STEPS.into_iter().enumerate().map(step).collect_view()}</ol>
                <p role="status" data-testid="coach-end">
                    {end}
                </p>
                <button type="button" class="small" data-testid="coach-close" on:click=close>
                    {move || if done.get() == STEPS.len() { "Done" } else { "Not now" }}
                </button>
            </aside>
        </Show>
    }
}

/// Text about the whole order that `fill` is the first of.
fn closing_text(live: Live, fill: &Fill) -> String {
    let Some(instrument) = live.instrument(fill.instrument) else { return String::new() };
    let verb = match fill.side {
        Side::Buy => "bought",
        Side::Sell => "sold",
    };
    let fills: Vec<PriceLevel> = live.fills.with(|fills| {
        let of_order = fills.iter().filter(|other| other.order == fill.order);
        of_order.map(|fill| PriceLevel { price: fill.price, lots: fill.lots }).collect()
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
