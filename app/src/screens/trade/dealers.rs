//! The dealers of the selected instrument: a firm quote each, with its remaining
//! size and time.
//!
//! Replaces the ladder of an instrument without a book. A click takes the quote
//! through the ticket: its quantity, preview and confirmation.

use engine::id::{InstrumentId, QuoteId};
use engine::money::{Lots, Ticks};
use engine::order::Side;
use engine::quote::Quote;
use leptos::prelude::*;

use super::tabs::PhoneTab;
use super::ticket::{OrderSender, SubmissionStatus, TicketForm};
use crate::commands::focus;
use crate::format::{self, Units};
use crate::layout::Hydrated;
use crate::live::Live;

#[component]
pub(super) fn DealersPanel(
    live: Live,
    form: TicketForm,
    sender: OrderSender,
    tab: RwSignal<PhoneTab>,
) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    let cannot_send = Memo::new(move |_| !hydrated.get() || !live.can_trade());
    // A click found no quantity in the ticket, and none was typed since.
    let needs_quantity = RwSignal::new(false);
    let is_missing =
        Memo::new(move |_| needs_quantity.get() && form.quantity.with(|typed| typed.trim().is_empty()));
    let instrument = Memo::new(move |_| live.instrument(live.selected.get()));
    let symbol = move || instrument.with(|found| found.as_ref().map(|i| i.symbol.clone()));
    let counted = move || instrument.with(|found| found.as_ref().map_or("", |i| Units::of(i).counted()));
    let quantity = move || match form.quantity.get().trim() {
        "" => "Quantity: as the ticket has it".to_owned(),
        typed => format!("Quantity: {typed} {}", counted()),
    };
    let dealers = move || {
        instrument.with(|found| {
            let listed =
                found.iter().flat_map(|i| (0_u8..).zip(&i.dealers).map(|(index, name)| (i.id, index, name)));
            listed.map(|(id, index, name)| (id, index, name.clone())).collect::<Vec<_>>()
        })
    };
    view! {
        <header>
            <h2 id="ladder-title">"Dealers " <span data-testid="dealers-symbol">{symbol}</span></h2>
        </header>
        <div class="body dealers" data-testid="dealers">
            <p class="for" data-testid="deal-quantity">
                {quantity}
            </p>
            <p class="beside" role="alert" data-testid="deal-problem">
                {move || {
                    is_missing.get().then(|| view! { <span class="problem">"Type a quantity in the ticket first."</span> })
                }}
            </p>
            <ul>
                <For each=dealers key=|(id, index, _)| (*id, *index) let:dealer>
                    <Dealer live form tab cannot_send needs_quantity id=dealer.0 index=dealer.1 name=dealer.2 />
                </For>
            </ul>
            <SubmissionStatus sender cannot_send testid="deal-answer" with_reason=true />
        </div>
    }
}

/// A quote on the screen; it stays there, grey, after it has expired.
#[derive(Clone, Copy, PartialEq, Eq)]
struct ShownQuote {
    quote: Quote,
    /// Remaining time when it was first shown, in microseconds.
    lifetime_us: i64,
}

#[component]
fn Dealer(
    live: Live,
    form: TicketForm,
    tab: RwSignal<PhoneTab>,
    cannot_send: Memo<bool>,
    needs_quantity: RwSignal<bool>,
    id: InstrumentId,
    /// Position in the instrument's list of dealers.
    index: u8,
    name: String,
) -> impl IntoView {
    let (figures, units) = (live.figures(id)?, Units::of(&live.instrument(id)?));
    let now = move || live.moment.get().time.0;
    // The dealer's newest quote, or else the last one.
    let shown = Memo::new(move |before: Option<&Option<ShownQuote>>| {
        let before = before.copied().flatten();
        let newest = figures.dealer_quotes.with(|offers| {
            offers.iter().filter(|quote| quote.dealer == index).max_by_key(|quote| quote.expires_at).copied()
        });
        newest.map_or(before, |quote| {
            let same = before.filter(|before| before.quote.id == quote.id);
            let lifetime_us =
                same.map_or_else(|| quote.expires_at.0 - untrack(now), |before| before.lifetime_us);
            Some(ShownQuote { quote, lifetime_us })
        })
    });
    let left_us =
        Memo::new(move |_| shown.get().map_or(0, |shown| (shown.quote.expires_at.0 - now()).max(0)));
    let is_live = Memo::new(move |_| left_us.get() > 0);
    let share = move || {
        let lifetime_us = shown.get().map_or(1, |shown| shown.lifetime_us.max(1));
        (left_us.get() * 100 / lifetime_us).clamp(0, 100).to_string()
    };
    let offer = move |side: Side| {
        let best = if side == Side::Buy { figures.ask } else { figures.bid };
        view! { <Offer form tab cannot_send needs_quantity units side best name=name.clone() shown is_live /> }
    };
    let title = live.instrument(id)?.dealer(index).unwrap_or_default().to_owned();
    Some(view! {
        <li
            data-testid=format!("dealer-{index}")
            data-live=move || is_live.get().to_string()
            data-quote=move || shown.get().map(|shown| shown.quote.id.to_string())
        >
            <h3 title=title.clone()>{title.clone()}</h3>
            <span class="num" data-testid=format!("good-for-{index}")>
                {move || if is_live.get() { "Expires in " } else { "" }}
                {move || time_left(left_us.get())}
            </span>
            <svg class="life" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                <rect width=share height="1" />
            </svg>
            {offer(Side::Sell)}
            {offer(Side::Buy)}
        </li>
    })
}

/// One side of a quote: sellers hit the bid, buyers lift the offer.
#[component]
fn Offer(
    form: TicketForm,
    tab: RwSignal<PhoneTab>,
    cannot_send: Memo<bool>,
    needs_quantity: RwSignal<bool>,
    units: Units,
    side: Side,
    /// The best price of all dealers on this side.
    best: RwSignal<Option<Ticks>>,
    name: String,
    shown: Memo<Option<ShownQuote>>,
    is_live: Memo<bool>,
) -> impl IntoView {
    let offered = move || shown.get().map(|shown| shown.quote.offered(side));
    let price = move || offered().map_or_else(dash, |(price, _)| units.price(price));
    let size = move || match offered() {
        Some((_, Lots::ZERO)) => "used up".to_owned(),
        Some((_, lots)) => units.quantity(lots),
        None => dash(),
    };
    let is_disabled =
        move || cannot_send.get() || !is_live.get() || offered().is_none_or(|(_, lots)| lots == Lots::ZERO);
    let take = move |_| {
        let Some(quote) = shown.get_untracked().map(|shown| shown.quote.id) else { return };
        request_quote(form, tab, needs_quantity, side, quote);
    };
    let (word, to, key) = match side {
        Side::Sell => ("Sell", "to", "hit"),
        Side::Buy => ("Buy", "from", "lift"),
    };
    let is_best = move || {
        let taken = offered().filter(|(_, left)| is_live.get() && *left > Lots::ZERO);
        taken.is_some_and(|(price, _)| best.get() == Some(price))
    };
    let mark = move || if is_best() { " (best)" } else { "" };
    let label = move || format!("{word} {to} {name} at {}{}, {} left", price(), mark(), size());
    view! {
        <button
            type="button"
            class=key
            disabled=is_disabled
            aria-label=label
            data-best=move || is_best().to_string()
            data-testid=key
            on:click=take
        >
            <span class="word">{word}</span>
            <span class="num">{price} <span class="word">{mark}</span></span>
            <span class="num size">{size}</span>
        </button>
    }
}

/// Passes the quote to the ticket; asks for a quantity if there is none.
fn request_quote(
    form: TicketForm,
    tab: RwSignal<PhoneTab>,
    needs_quantity: RwSignal<bool>,
    side: Side,
    quote: QuoteId,
) {
    form.side.set(side);
    let none = form.quantity.with_untracked(|typed| typed.trim().is_empty());
    needs_quantity.set(none);
    if none {
        tab.set(PhoneTab::Trade);
        focus("#quantity");
        // A phone shows the ticket in the next frame.
        request_animation_frame(|| focus("#quantity"));
    } else {
        form.requested_quote.set(Some(quote));
    }
}

/// `3.2 s`, or `expired`.
pub(super) fn time_left(left_us: i64) -> String {
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
    use super::time_left;

    #[test]
    fn a_countdown_ends() {
        assert_eq!(time_left(12_340_000), "12.3 s");
        assert_eq!(time_left(50_000), "0.0 s");
        assert_eq!(time_left(0), "expired");
    }
}
