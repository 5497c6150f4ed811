//! The ticket as a whole: fields, preview, confirmation, submit.
//!
//! Disabled until the page is alive and while prices are stale.

use engine::order::{OrderType, Preview, RawTicket, Reject, Ticket};
use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::prelude::*;

use super::danger::{Danger, dangers};
use super::fields::{NumberField, SideField, TifField, TypeField};
use super::form::Form;
use super::parts::{Answer, Confirm, General, Submit};
use super::preview::PreviewTable;
use super::send::{Outbox, Sent};
use super::words;
use crate::Hydrated;
use crate::live::Live;
use crate::widgets::{Units, format};

/// The name under which a preview is made; a submission gets its own.
const PREVIEW: &str = "preview";

/// What the ticket would do as it stands.
#[derive(Clone, Debug, PartialEq)]
enum Shown {
    Incomplete,
    Refused(Reject),
    Ready(Box<Preview>),
}

#[component]
pub(in crate::trade) fn TicketPanel(live: Live, form: Form) -> impl IntoView {
    let Hydrated(hydrated) = expect_context();
    let outbox = Outbox::new(live);
    let asking = RwSignal::new(Vec::<Danger>::new());
    let instrument = Memo::new(move |_| live.instrument(live.selected.get()));
    let units = Memo::new(move |_| instrument.with(|found| found.as_ref().map(Units::of)));
    let raw = Memo::new(move |_| form.raw(live.selected.get(), PREVIEW));
    let shown = Memo::new(move |_| {
        live.moment.track();
        match raw.get() {
            None => Shown::Incomplete,
            Some(raw) => match evaluate(live, &raw) {
                Ok((_, preview)) => Shown::Ready(Box::new(preview)),
                Err(reject) => Shown::Refused(reject),
            },
        }
    });
    // A change of the ticket takes back what was said about the one before.
    Effect::new(move |before: Option<()>| {
        raw.track();
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
    let closed = Memo::new(move |_| !hydrated.get() || !fresh());
    let ready = Memo::new(move |_| {
        !closed.get()
            && matches!(shown.get(), Shown::Ready(_))
            && outbox.sent.with(|sent| *sent != Sent::Sending)
    });
    let send = move |confirmed: bool| {
        if closed.get() {
            return;
        }
        // The very state of this instant, not the last frame's.
        let Some(raw) = form.raw(live.selected.get_untracked(), PREVIEW) else { return };
        let raw = RawTicket { client_order_id: Some(outbox.name(&raw)), ..raw };
        let Ok((ticket, preview)) = evaluate(live, &raw) else { return };
        let opposite = ticket.side.opposite();
        let danger = live.read(|state| {
            let levels = state.markets.get(&ticket.instrument).map(|market| market.levels(opposite));
            dangers(&ticket, &preview, levels.unwrap_or_default())
        });
        if danger.is_empty() || confirmed {
            asking.set(Vec::new());
            outbox.send(raw, preview);
        } else {
            asking.set(danger);
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if ready.get_untracked() && asking.with_untracked(Vec::is_empty) {
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
            <div class="pair">
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
            <General problem />
            <Show
                when=move || !asking.with(Vec::is_empty)
                fallback=move || view! { <Submit form ready outbox /> }
            >
                <Confirm asking send=Callback::new(move |()| untrack(|| send(true))) />
            </Show>
            <Answer outbox closed />
            <PreviewTable live units side=form.side preview />
        </form>
    }
    .into_any()
}

/// Parses and previews a raw ticket on the state of this instant.
fn evaluate(live: Live, raw: &RawTicket) -> Result<(Ticket, Preview), Reject> {
    let id = raw.instrument_id.parse().map_err(|_| Reject::UnknownInstrument)?;
    let instrument = live.instrument(id).ok_or(Reject::UnknownInstrument)?;
    let ticket = Ticket::parse(raw, &instrument)?;
    let preview = live.preview(&ticket)?;
    Ok((ticket, preview))
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
