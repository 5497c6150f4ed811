//! The dealers of the chosen instrument: one firm quote each, with what is
//! left of it and for how long it is good.
//!
//! In the ladder's place for what has no book. A press takes the quote through
//! the ticket, with its quantity, its preview and its second question.

use engine::id::{InstrumentId, QuoteId};
use engine::money::{Lots, Ticks};
use engine::order::Side;
use engine::quote::Quote;
use leptos::prelude::*;

use super::tabs::Tab;
use super::ticket::{Answer, Form, Outbox};
use crate::Hydrated;
use crate::commands::focus;
use crate::components::{For, Units, format};
use crate::live::Live;
use crate::reactive::{Memo, RwSignal, memo};

#[component]
pub(super) fn DealersPanel(live: Live, form: Form, outbox: Outbox, tab: RwSignal<Tab>) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    let closed = memo(move || !hydrated.get() || !live.link.with(|link| link.phase.is_fresh()));
    // A press found no quantity, and none was typed since.
    let wanting = RwSignal::new(false);
    let missing = memo(move || wanting.get() && form.quantity.with(|typed| typed.trim().is_empty()));
    let instrument = memo(move || live.instrument(live.selected.get()));
    let symbol = move || instrument.with(|found| found.as_ref().map(|i| i.symbol.clone()));
    let counted = move || instrument.with(|found| found.as_ref().map(|i| Units::of(i).counted()));
    let places = move || {
        instrument.with(|found| {
            let all = found.iter().flat_map(|i| (0_u8..).zip(&i.dealers).map(|(at, name)| (i.id, at, name)));
            all.map(|(id, at, name)| (id, at, name.clone())).collect::<Vec<_>>()
        })
    };
    view! {
        <header>
            <h2 id="ladder-title">"Dealers " <span data-testid="dealers-symbol">{move || symbol()}</span></h2>
        </header>
        <div class="body dealers" data-testid="dealers">
            <div class="field">
                <label for="deal-quantity">"Quantity " <span class="unit">{move || counted()}</span></label>
                <input
                    id="deal-quantity"
                    class="num"
                    type="text"
                    inputmode="decimal"
                    autocomplete="off"
                    prop:value=move || form.quantity.get()
                    aria-invalid=move || missing.get().then_some("true")
                    aria-describedby="deal-problem"
                    data-testid="deal-quantity"
                    on:input=move |event| {
                        wanting.set(false);
                        form.quantity.set(event_target_value(&event));
                    }
                />
                <p id="deal-problem" class="beside" role="alert" data-testid="deal-problem">
                    {move || {
                        missing
                            .get()
                            .then(|| view! { <span class="problem">"Type a quantity first."</span> }.into_any())
                    }}
                </p>
            </div>
            <ul>
                <For each=places key=|(id, place, _)| (*id, *place) let:dealer>
                    <Dealer live form tab closed wanting id=dealer.0 place=dealer.1 name=dealer.2 />
                </For>
            </ul>
            <Answer outbox closed testid="deal-answer" reasons=true />
        </div>
    }
    .into_any()
}

/// A quote on the screen: it stays there, grey, when it is over.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shown {
    quote: Quote,
    /// What was left of its time when it was first shown, in microseconds.
    life_us: i64,
}

#[component]
fn Dealer(
    live: Live,
    form: Form,
    tab: RwSignal<Tab>,
    closed: Memo<bool>,
    wanting: RwSignal<bool>,
    id: InstrumentId,
    place: u8,
    name: String,
) -> impl IntoView {
    let (figures, units) = (live.quote(id)?, Units::of(&live.instrument(id)?));
    let now = move || live.moment.get().time.0;
    // The dealer's newest; when there is none, the last one that there was.
    let shown = Memo::new(move |before: Option<&Option<Shown>>| {
        let before = before.copied().flatten();
        let newest = figures.offers.with(|offers| {
            offers.iter().filter(|quote| quote.dealer == place).max_by_key(|quote| quote.expires_at).copied()
        });
        newest.map_or(before, |quote| {
            let same = before.filter(|before| before.quote.id == quote.id);
            let life_us = same.map_or_else(|| quote.expires_at.0 - untrack(now), |before| before.life_us);
            Some(Shown { quote, life_us })
        })
    });
    let left_us = memo(move || shown.get().map_or(0, |shown| (shown.quote.expires_at.0 - now()).max(0)));
    let is_live = memo(move || left_us.get() > 0);
    let share = move || {
        let life = shown.get().map_or(1, |shown| shown.life_us.max(1));
        (left_us.get() * 100 / life).clamp(0, 100).to_string()
    };
    let offer = move |side: Side| {
        let best = if side == Side::Buy { figures.ask } else { figures.bid };
        view! { <Offer form tab closed wanting units side best name=name.clone() shown is_live /> }
    };
    let title = live.instrument(id)?.dealer(place).unwrap_or_default().to_owned();
    Some(view! {
        <li
            data-testid=format!("dealer-{place}")
            data-live=move || is_live.get().to_string()
            data-quote=move || shown.get().map(|shown| shown.quote.id.to_string())
        >
            <h3>{title}</h3>
            <span class="num" data-testid=format!("good-for-{place}")>
                {move || good_for(left_us.get())}
            </span>
            <svg class="life" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                <rect width=move || share() height="1" />
            </svg>
            {offer(Side::Sell)}
            {offer(Side::Buy)}
        </li>
    })
}

/// One side of a quote: sellers hit the bid, buyers lift the offer.
#[component]
fn Offer(
    form: Form,
    tab: RwSignal<Tab>,
    closed: Memo<bool>,
    wanting: RwSignal<bool>,
    units: Units,
    side: Side,
    /// The best that any dealer offers on this side.
    best: RwSignal<Option<Ticks>>,
    name: String,
    shown: Memo<Option<Shown>>,
    is_live: Memo<bool>,
) -> impl IntoView {
    let offered = move || shown.get().map(|shown| shown.quote.offered(side));
    let price = move || offered().map_or_else(dash, |(price, _)| units.price(price));
    let size = move || match offered() {
        Some((_, Lots::ZERO)) => "used up".to_owned(),
        Some((_, lots)) => units.quantity(lots),
        None => dash(),
    };
    let shut = move || closed.get() || !is_live.get() || offered().is_none_or(|(_, lots)| lots == Lots::ZERO);
    let take = move |_| {
        let Some(quote) = shown.get_untracked().map(|shown| shown.quote.id) else { return };
        take_it(form, tab, wanting, side, quote);
    };
    let (word, verb, key) = match side {
        Side::Sell => ("Hit", "Sell to", "hit"),
        Side::Buy => ("Lift", "Buy from", "lift"),
    };
    let is_best = move || {
        let taken = offered().filter(|(_, left)| is_live.get() && *left > Lots::ZERO);
        taken.is_some_and(|(price, _)| best.get() == Some(price))
    };
    let mark = move || if is_best() { " · best" } else { "" };
    let about = move || format!("{word}{}: {verb} {name} at {}, {} left", mark(), price(), size());
    view! {
        <button
            type="button"
            class=key
            disabled=move || shut()
            aria-label=move || about()
            data-best=move || is_best().to_string()
            data-testid=key
            on:click=take
        >
            <span class="word">{word} {move || mark()}</span>
            <span class="num">{move || price()}</span>
            <span class="num size">{move || size()}</span>
        </button>
    }
}

/// Hands the quote to the ticket; without a quantity, asks for one.
fn take_it(form: Form, tab: RwSignal<Tab>, wanting: RwSignal<bool>, side: Side, quote: QuoteId) {
    form.side.set(side);
    let none = form.quantity.with_untracked(|typed| typed.trim().is_empty());
    wanting.set(none);
    if none {
        tab.set(Tab::More);
        focus("#deal-quantity");
    } else {
        form.asked.set(Some(quote));
    }
}

/// `3.2 s`; a quote whose time is over says so.
pub(super) fn good_for(left_us: i64) -> String {
    match left_us {
        ..=0 => "expired".to_owned(),
        left => format!("{}.{} s", left / 1_000_000, left % 1_000_000 / 100_000),
    }
}

fn dash() -> String {
    format::ABSENT.to_owned()
}

#[cfg(test)]
mod tests {
    use super::good_for;

    #[test]
    fn a_countdown_ends() {
        assert_eq!(good_for(12_340_000), "12.3 s");
        assert_eq!(good_for(50_000), "0.0 s");
        assert_eq!(good_for(0), "expired");
    }
}
