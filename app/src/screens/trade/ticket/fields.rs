//! The ticket's fields, each with its refusal beside it.
//!
//! Write the form's signals; know no rule.

use engine::order::{OrderType, Side, TimeInForce};
use leptos::prelude::*;

use super::form::TicketForm;

/// A refusal and the name of its field; empty for none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) field: &'static str,
    pub(super) text: String,
}

/// Buy or sell, as two radio buttons.
#[component]
pub(super) fn SideField(form: TicketForm) -> impl IntoView {
    let choice = move |side: Side, word: &'static str, key: &'static str| {
        view! {
            <label class="choice" data-side=key>
                <input
                    type="radio"
                    name="side"
                    value=key
                    prop:checked=move || form.side.get() == side
                    checked=side == Side::Buy
                    data-testid=format!("side-{key}")
                    on:change=move |_| form.side.set(side)
                />
                <span>{word}</span>
            </label>
        }
    };
    view! {
        <fieldset class="sides">
            <legend class="sr-only">"Side"</legend>
            {choice(Side::Buy, "Buy", "buy")} {choice(Side::Sell, "Sell", "sell")}
        </fieldset>
    }
}

/// Limit or market.
#[component]
pub(super) fn TypeField(form: TicketForm) -> impl IntoView {
    let choose = move |event| {
        let market = event_target_value(&event) == "MARKET";
        form.order_type.set(if market { OrderType::Market } else { OrderType::Limit });
    };
    let value = move || match form.order_type.get() {
        OrderType::Market => "MARKET",
        OrderType::Limit | OrderType::Quote => "LIMIT",
    };
    view! {
        <div class="field">
            <label for="order-type">"Type"</label>
            <select id="order-type" data-testid="type" prop:value=value on:change=choose>
                <option value="LIMIT" selected>
                    "Limit"
                </option>
                <option value="MARKET">"Market"</option>
            </select>
        </div>
    }
}

/// Time in force; a market order never rests.
#[component]
pub(super) fn TifField(form: TicketForm) -> impl IntoView {
    let choose = move |event| {
        if let Some(chosen) = TimeInForce::from_word(&event_target_value(&event)) {
            form.time_in_force.set(chosen);
        }
    };
    let market = move || form.order_type.get() == OrderType::Market;
    view! {
        <div class="field">
            <label for="tif">"Time in force"</label>
            <select
                id="tif"
                data-testid="tif"
                prop:value=move || form.effective_tif().as_str()
                on:change=choose
            >
                <option value="GTC" selected disabled=market>
                    "GTC · good till cancelled"
                </option>
                <option value="DAY" disabled=market>
                    "DAY · good for the day"
                </option>
                <option value="IOC">"IOC · immediate or cancel"</option>
                <option value="FOK">"FOK · fill or kill"</option>
            </select>
        </div>
    }
}

/// A number with its unit and its refusal.
#[component]
pub(super) fn NumberField(
    name: &'static str,
    label: &'static str,
    /// Unit, in the label.
    unit: Signal<String>,
    value: RwSignal<String>,
    /// Placeholder.
    hint: Signal<String>,
    problem: Signal<Option<Problem>>,
    #[prop(optional, into)] disabled: Signal<bool>,
) -> impl IntoView {
    let mine = Memo::new(move |_| {
        let problem = problem.get().filter(|problem| problem.field == name);
        problem.map(|problem| problem.text)
    });
    let is_invalid = move || mine.with(Option::is_some).then_some("true");
    let problem_id = format!("{name}-problem");
    view! {
        <div class="field">
            <label for=name>{label} " " <span class="unit">{move || unit.get()}</span></label>
            <input
                id=name
                class="num"
                type="text"
                inputmode="decimal"
                autocomplete="off"
                placeholder=move || hint.get()
                disabled=move || disabled.get()
                prop:value=move || value.get()
                aria-invalid=is_invalid
                aria-describedby=problem_id.clone()
                data-testid=name
                on:input=move |event| value.set(event_target_value(&event))
            />
            <p id=problem_id class="beside" data-testid=format!("{name}-error")>
                {move || mine.get().map(|text| view! { <span class="problem">{text}</span> })}
            </p>
        </div>
    }
}
