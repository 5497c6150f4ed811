//! The ticket as a whole: fields, preview, confirmation, submit.
//!
//! Disabled until the page is hydrated and while prices are stale.

use engine::id::QuoteId;
use engine::instrument::Instrument;
use engine::order::{OrderType, Preview, Reject};
use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::prelude::*;
use protocol::error::ApiError;
use protocol::socket::ClockPhase;

use super::fields::{NumberField, Problem, SideField, TifField, TypeField};
use super::form::TicketForm;
use super::parts::{ConfirmDialog, GeneralProblem, SubmissionStatus, SubmitButton};
use super::preview::PreviewTable;
use super::sender::{OrderSender, Submission};
use super::texts;
use super::warnings::OrderWarning;
use crate::format::{self, Units};
use crate::layout::Hydrated;
use crate::live::Live;
use crate::screens::trade::tabs::PhoneTab;

/// Preview of the ticket's fields.
#[derive(Clone, Debug, PartialEq)]
enum TicketPreview {
    Incomplete,
    Refused(Reject),
    Ready(Box<Preview>),
}

/// State of the ticket, and sending it. A handle.
#[derive(Clone, Copy)]
struct TicketState {
    live: Live,
    form: TicketForm,
    sender: OrderSender,
    instrument: Memo<Option<Instrument>>,
    preview: Memo<TicketPreview>,
    /// True while nothing can be sent.
    cannot_send: Memo<bool>,
    /// Warnings that wait for a confirmation.
    warnings: RwSignal<Vec<OrderWarning>>,
    /// The dealer's quote that the user chose to take, kept for the confirmation; `None`:
    /// the best one when sent.
    quote: StoredValue<Option<QuoteId>>,
}

impl TicketState {
    fn new(live: Live, form: TicketForm, sender: OrderSender) -> Self {
        let Hydrated(hydrated) = expect_context();
        let instrument = Memo::new(move |_| live.instrument(live.selected.get()));
        let preview = Memo::new(move |_| {
            live.moment.track();
            let intent = instrument.with(|found| found.as_ref().and_then(|found| form.intent(found)));
            match intent.map(|intent| intent.with_quote(live, None).evaluate(live)) {
                None => TicketPreview::Incomplete,
                Some(Ok(check)) => TicketPreview::Ready(Box::new(check.preview)),
                Some(Err(reject)) => TicketPreview::Refused(reject),
            }
        });
        let cannot_send = Memo::new(move |_| !hydrated.get() || !live.can_trade());
        Self {
            live,
            form,
            sender,
            instrument,
            preview,
            cannot_send,
            warnings: RwSignal::new(Vec::new()),
            quote: StoredValue::new(None),
        }
    }

    fn with_instrument<T: Default>(self, read: impl FnOnce(&Instrument) -> T) -> T {
        self.instrument.with(|found| found.as_ref().map(read).unwrap_or_default())
    }

    /// Returns true if the ticket can be sent. An attempt whose outcome is unknown
    /// may be repeated, whatever its preview says now.
    fn is_ready(self) -> bool {
        !self.cannot_send.get()
            && match self.sender.submission.get() {
                Submission::Sending => false,
                Submission::Unknown(_) => true,
                _ => self.preview.with(|preview| matches!(preview, TicketPreview::Ready(_))),
            }
    }

    /// The preview's refusal, or the server's. After an order nothing refuses the
    /// same once more, until the fields change.
    fn problem(self) -> Option<Problem> {
        let submission = self.sender.submission.get();
        if matches!(submission, Submission::Accepted(_) | Submission::Sending) {
            return None;
        }
        if let TicketPreview::Refused(reject) = self.preview.get() {
            let text = self.with_instrument(|found| {
                let (quantity, limit) = (self.form.quantity.get(), self.form.limit.get());
                texts::typed_text(&reject, found, self.live.held(found), &quantity, &limit)
            });
            return Some(Problem { field: reject.field().unwrap_or(""), text });
        }
        let Submission::Refused(error) = submission else { return None };
        let field =
            ["quantity", "limit_price"].into_iter().find(|field| error.field.as_deref() == Some(*field));
        Some(Problem { field: field.unwrap_or(""), text: texts::error_text(&error) })
    }

    /// What is unusual about the venue, or about trading in the instrument.
    fn notice(self) -> Option<&'static str> {
        let is_halted = self.live.figures(self.live.selected.get())?.is_halted.get();
        match self.live.clock.get().phase {
            ClockPhase::Halted => Some("Trading has stopped: the venue takes no orders."),
            _ if is_halted => Some("Trading is halted."),
            ClockPhase::Paused => Some("The venue is paused: orders meet the book as it stands."),
            ClockPhase::Running | ClockPhase::Idle | ClockPhase::Manual => None,
        }
    }

    /// Sends the ticket, checked against the current state and not the last
    /// frame's; asks first if there are warnings and `confirmed` is false. Does
    /// nothing while another attempt is under way.
    fn send(self, confirmed: bool) {
        let Self { live, sender, warnings, .. } = self;
        if matches!(sender.submission.get_untracked(), Submission::Sending) {
            return;
        }
        let intent = || self.with_instrument(|instrument| self.form.intent(instrument));
        let Some(intent) = untrack(intent).filter(|_| !self.cannot_send.get_untracked()) else { return };
        let intent = sender.prepare(&intent, self.quote.get_value());
        if sender.is_repeat(&intent) {
            sender.send(intent, None);
            return;
        }
        match intent.evaluate(live) {
            Ok(check) if check.warnings.is_empty() || confirmed => {
                warnings.set(Vec::new());
                sender.send(intent, Some(check.preview));
            }
            Ok(check) => warnings.set(check.warnings),
            Err(reject) => {
                warnings.set(Vec::new());
                sender.submission.set(Submission::Refused(Box::new(refusal(reject))));
            }
        }
    }

    /// Starts the effects that react to the selected instrument, to changed fields and to a
    /// quote taken in the dealers' panel.
    fn follow(self, tab: RwSignal<PhoneTab>) {
        let Self { live, form, sender, warnings, .. } = self;
        Effect::new(move |before: Option<_>| {
            let id = live.selected.get();
            if before.is_some_and(|before| before != id) {
                form.clear_amounts();
            }
            id
        });
        // Changed fields discard the result and the warnings of the fields before.
        let intent = Memo::new(move |_| self.with_instrument(|instrument| form.intent(instrument)));
        Effect::new(move |before: Option<()>| {
            // Reads it: a memo that nobody reads follows nothing.
            intent.with(|_| ());
            if before.is_some() {
                warnings.set(Vec::new());
                if !matches!(sender.submission.get_untracked(), Submission::Sending) {
                    sender.submission.set(Submission::Idle);
                }
            }
        });
        // A quote that the user wants to take, from the dealers' panel.
        Effect::new(move || {
            let Some(quote) = form.requested_quote.get() else { return };
            form.requested_quote.set(None);
            self.quote.set_value(Some(quote));
            self.send(false);
            if !warnings.with_untracked(Vec::is_empty) {
                tab.set(PhoneTab::Trade);
            }
        });
    }
}

#[component]
pub(crate) fn TicketPanel(
    live: Live,
    form: TicketForm,
    sender: OrderSender,
    tab: RwSignal<PhoneTab>,
) -> impl IntoView {
    let ticket = TicketState::new(live, form, sender);
    ticket.follow(tab);
    let TicketState { cannot_send, warnings, .. } = ticket;
    let is_ready = Memo::new(move |_| ticket.is_ready());
    let is_dealt = Memo::new(move |_| ticket.with_instrument(Instrument::is_dealt));
    let problem = Signal::derive(move || ticket.problem());
    let preview = Signal::derive(move || match ticket.preview.get() {
        TicketPreview::Ready(preview) => Some(*preview),
        _ => None,
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if is_ready.get_untracked() && warnings.with_untracked(Vec::is_empty) {
            ticket.quote.set_value(None);
            ticket.send(false);
        }
    };
    let confirm = Callback::new(move |()| ticket.send(true));
    view! {
        <header>
            <h2 id="ticket-title">
                "Order "
                <span data-testid="ticket-symbol">
                    {move || ticket.with_instrument(|instrument| instrument.symbol.clone())}
                </span>
            </h2>
            <span class="note">{move || ticket.with_instrument(|instrument| instrument.name.clone())}</span>
        </header>
        <form
            class="body"
            data-testid="ticket"
            data-closed=move || cannot_send.get().to_string()
            on:submit=submit
            on:keydown=ignore_repeated_enter
        >
            <p class="beside" data-testid="ticket-notice">
                {move || ticket.notice().map(|text| view! { <span class="notice">{text}</span> })}
            </p>
            <SideField form />
            <div class="pair terms" hidden=move || is_dealt.get()>
                <TypeField form />
                <TifField form />
            </div>
            <Amounts ticket is_dealt problem />
            <GeneralProblem problem />
            <Show
                when=move || !warnings.with(Vec::is_empty)
                fallback=move || view! { <SubmitButton form is_dealt is_ready sender /> }
            >
                <ConfirmDialog warnings confirm />
            </Show>
            <SubmissionStatus sender cannot_send testid="order-answer" />
            <PreviewTable live form preview />
        </form>
    }
}

/// Quantity and limit price, in the instrument's units.
#[component]
fn Amounts(ticket: TicketState, is_dealt: Memo<bool>, problem: Signal<Option<Problem>>) -> impl IntoView {
    let form = ticket.form;
    let quantity_hint = Signal::derive(move || {
        ticket.with_instrument(|instrument| format!("multiple of {}", format::decimal(instrument.lot_size)))
    });
    let limit_hint = Signal::derive(move || match form.order_type.get() {
        OrderType::Market => "at the market".to_owned(),
        OrderType::Limit | OrderType::Quote => "price".to_owned(),
    });
    let quantity_unit =
        Signal::derive(move || ticket.with_instrument(|found| Units::of(found).counted().to_owned()));
    let currency = ticket.live.currency();
    let price_unit = Signal::derive(move || {
        match ticket.with_instrument(|instrument| Units::of(instrument).priced_per()) {
            Some(per) => format!("{currency} {per}"),
            None => currency.clone(),
        }
    });
    view! {
        <div class="pair">
            <NumberField
                name="quantity"
                label="Quantity"
                unit=quantity_unit
                value=form.quantity
                hint=quantity_hint
                problem
            />
            <div hidden=move || is_dealt.get()>
                <NumberField
                    name="limit_price"
                    label="Limit price"
                    unit=price_unit
                    value=form.limit
                    hint=limit_hint
                    problem
                    disabled=Signal::derive(move || form.order_type.get() == OrderType::Market)
                />
            </div>
        </div>
    }
}

/// A refusal found in the browser, in the form of the server's.
fn refusal(reject: Reject) -> ApiError {
    let error = ApiError::new(409, reject.code(), reject.to_string());
    ApiError { field: reject.field().map(str::to_owned), reject: Some(reject), ..error }
}

/// Makes a held Enter key one submission.
fn ignore_repeated_enter(event: KeyboardEvent) {
    if event.key() == "Enter" && event.repeat() {
        event.prevent_default();
    }
}
