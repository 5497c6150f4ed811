//! The ticket as a whole: fields, preview, confirmation, submit.
//!
//! Disabled until the page is alive and while prices are stale.

use engine::id::QuoteId;
use engine::order::{OrderType, Preview, Reject};
use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::prelude::*;

use super::danger::Danger;
use super::fields::{NumberField, SideField, TifField, TypeField};
use super::form::Form;
use super::parts::{Answer, Confirm, General, Submit};
use super::preview::PreviewTable;
use super::send::{Outbox, Sent};
use super::words;
use crate::Hydrated;
use crate::components::{Show, Units, format};
use crate::live::Live;
use crate::reactive::{RwSignal, Signal, StoredValue, effect, memo};
use crate::screens::trade::tabs::Tab;
use protocol::error::ApiError;

/// What the ticket would do as it stands.
#[derive(Clone, Debug, PartialEq)]
enum Shown {
    Incomplete,
    Refused(Reject),
    Ready(Box<Preview>),
}

#[component]
pub(in crate::screens::trade) fn TicketPanel(
    live: Live,
    form: Form,
    outbox: Outbox,
    tab: RwSignal<Tab>,
) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    let asking = RwSignal::new(Vec::<Danger>::new());
    let instrument = memo(move || live.instrument(live.selected.get()));
    let units = memo(move || instrument.with(|found| found.as_ref().map(Units::of)));
    let dealt = memo(move || instrument.with(|found| found.as_ref().is_some_and(|i| i.is_dealt())));
    let wish = memo(move || instrument.with(|found| found.as_ref().and_then(|i| form.wish(i))));
    let shown = memo(move || {
        live.moment.track();
        match wish.get() {
            None => Shown::Incomplete,
            Some(wish) => match wish.aimed(live, None).judge(live) {
                Ok(judged) => Shown::Ready(Box::new(judged.preview)),
                Err(reject) => Shown::Refused(reject),
            },
        }
    });
    let mut of = live.selected.get_untracked();
    effect(move || {
        let id = live.selected.get();
        if let Some(instrument) = instrument.get().filter(|_| id != of) {
            form.turn_to(&instrument);
        }
        of = id;
    });
    // A change of the ticket takes back what was said about the one before.
    Effect::new(move |before: Option<()>| {
        wish.track();
        if before.is_some() {
            asking.set(Vec::new());
            if !matches!(outbox.sent.get_untracked(), Sent::Sending) {
                outbox.sent.set(Sent::Nothing);
            }
        }
    });
    let preview = Signal::derive(move || match shown.get() {
        Shown::Ready(preview) => Some(*preview),
        _ => None,
    });
    let problem = Signal::derive(move || problem(&shown.get(), &outbox.sent.get()));
    let fresh = move || live.link.with(|link| link.phase.is_fresh());
    let closed = memo(move || !hydrated.get() || !fresh());
    let ready = memo(move || {
        !closed.get()
            && outbox.sent.with(|sent| match sent {
                Sent::Sending => false,
                // What may have happened already is not judged again.
                Sent::Unknown(_) => true,
                _ => shown.with(|shown| matches!(shown, Shown::Ready(_))),
            })
    });
    // The quote that the second question is about.
    let chosen = StoredValue::new(None::<QuoteId>);
    let send = move |confirmed: bool| {
        if closed.get() {
            return;
        }
        // The very state of this instant, not the last frame's.
        let Some(wish) = wish.get() else { return };
        let wish = outbox.prepare(&wish, chosen.get_value());
        if outbox.is_repeat(&wish) {
            outbox.send(wish, None);
            return;
        }
        match wish.judge(live) {
            Ok(judged) if judged.dangers.is_empty() || confirmed => {
                asking.set(Vec::new());
                outbox.send(wish, Some(judged.preview));
            }
            Ok(judged) => asking.set(judged.dangers),
            Err(reject) => {
                asking.set(Vec::new());
                outbox.sent.set(Sent::Refused(Box::new(refused(reject))));
            }
        }
    };
    // A dealer's quote, asked for in the dealers' own panel.
    effect(move || {
        let Some(quote) = form.asked.get() else { return };
        form.asked.set(None);
        chosen.set_value(Some(quote));
        untrack(|| send(false));
        if !asking.with_untracked(Vec::is_empty) {
            tab.set(Tab::Trade);
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if ready.get_untracked() && asking.with_untracked(Vec::is_empty) {
            chosen.set_value(None);
            untrack(|| send(false));
        }
    };
    let quantity_hint = Signal::derive(move || {
        instrument.with(|found| {
            found
                .as_ref()
                .map_or_else(String::new, |i| format!("multiple of {}", format::decimal(i.lot_size)))
        })
    });
    let limit_hint = Signal::derive(move || match form.order_type.get() {
        OrderType::Market => "at the market".to_owned(),
        OrderType::Limit | OrderType::Quote => "price".to_owned(),
    });
    let counted = Signal::derive(move || units.get().map_or("", Units::counted).to_owned());
    let currency = live.currency();
    let priced = Signal::derive(move || match units.get().and_then(Units::priced_per) {
        Some(per) => format!("{currency} {per}"),
        None => currency.clone(),
    });
    view! {
        <header>
            <h2 id="ticket-title">
                "Order "
                <span data-testid="ticket-symbol">
                    {move || instrument.with(|found| found.as_ref().map(|i| i.symbol.clone()))}
                </span>
            </h2>
            <span class="note">
                {move || instrument.with(|found| found.as_ref().map(|i| i.name.clone()))}
            </span>
        </header>
        <form
            class="body"
            data-testid="ticket"
            data-closed=move || closed.get().to_string()
            on:submit=submit
            on:keydown=no_repeats
        >
            <SideField form />
            <div class="pair" hidden=move || dealt.get()>
                <TypeField form />
                <TifField form />
            </div>
            <div class="pair">
                <NumberField
                    name="quantity"
                    label="Quantity"
                    unit=counted
                    value=form.quantity
                    hint=quantity_hint
                    problems=problem
                />
                <div hidden=move || dealt.get()>
                    <NumberField
                        name="limit_price"
                        label="Limit price"
                        unit=priced
                        value=form.limit
                        hint=limit_hint
                        problems=problem
                        disabled=Signal::derive(move || form.order_type.get() == OrderType::Market)
                    />
                </div>
            </div>
            <General problem />
            <Show
                when=move || !asking.with(Vec::is_empty)
                fallback=move || view! { <Submit form dealt ready outbox /> }
            >
                <Confirm asking send=Callback::new(move |()| untrack(|| send(true))) />
            </Show>
            <Answer outbox closed testid="order-answer" reasons=false />
            <PreviewTable live units side=form.side preview />
        </form>
    }
    .into_any()
}

/// What the venue would have said: it was not asked.
fn refused(reject: Reject) -> ApiError {
    let error = ApiError::new(409, reject.code(), reject.to_string());
    ApiError { field: reject.field().map(str::to_owned), reject: Some(reject), ..error }
}

/// The refusal to show and its field: the preview's, or the server's answer.
fn problem(shown: &Shown, sent: &Sent) -> Option<(&'static str, String)> {
    match (shown, sent) {
        (Shown::Refused(reject), _) => Some((reject.field().unwrap_or(""), words::worded(reject))),
        (_, Sent::Refused(error)) => {
            let field =
                ["quantity", "limit_price"].into_iter().find(|field| error.field.as_deref() == Some(*field));
            Some((field.unwrap_or(""), words::answered(error)))
        }
        _ => None,
    }
}

/// A held Enter key is one submission.
fn no_repeats(event: KeyboardEvent) {
    if event.key() == "Enter" && event.repeat() {
        event.prevent_default();
    }
}
