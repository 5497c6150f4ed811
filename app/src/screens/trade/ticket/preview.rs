//! The preview: effect of the order before → after, and the entries it read.
//!
//! Shows the engine's answer; computes differences for display alone.

use engine::decimal::Decimal;
use engine::money::{Lots, Money};
use engine::order::{OrderDecision, Preview, Side};
use engine::portfolio::Valuation;
use leptos::prelude::*;

use super::bond;
use super::form::TicketForm;
use super::texts::cancels_text;
use crate::format::{self, Units};
use crate::live::Live;

/// A preview and what it is shown beside. A handle.
#[derive(Clone, Copy)]
struct PreviewView {
    live: Live,
    form: TicketForm,
    units: Memo<Option<Units>>,
    preview: Signal<Option<Preview>>,
}

impl PreviewView {
    /// A figure of the preview; a dash without one.
    fn figure(self, read: impl Fn(&Preview) -> String + Send + Sync + 'static) -> Signal<String> {
        Signal::derive(move || self.preview.with(|preview| preview.as_ref().map_or_else(dash, &read)))
    }

    /// Money of the preview.
    fn money(self, read: fn(&Preview) -> Money) -> Signal<String> {
        self.figure(move |preview| format::money(read(preview)))
    }

    fn quantity(self, lots: Lots) -> String {
        self.units.get().map_or_else(String::new, |units| units.quantity(lots))
    }

    /// The fills' average price.
    fn average(self) -> Option<Decimal> {
        let units = self.units.get()?;
        self.preview.with(|preview| units.average(&preview.as_ref()?.decided.fills))
    }

    /// The average's distance from the touch; positive is worse.
    fn slippage(self) -> Option<Decimal> {
        let figures = self.live.figures(self.live.selected.get())?;
        let price = |touch| Some(self.units.get()?.price_of(touch));
        match self.form.side.get() {
            Side::Buy => Some(format::minus(self.average()?, price(figures.ask.get()?)?)),
            Side::Sell => Some(format::minus(price(figures.bid.get()?)?, self.average()?)),
        }
    }

    /// `900 · 100 waiting`.
    fn fills(self, decided: &OrderDecision) -> String {
        let mut parts = vec![self.quantity(decided.filled)];
        if decided.resting > Lots::ZERO {
            parts.push(format!("{} waiting", self.quantity(decided.resting)));
        }
        if decided.expired > Lots::ZERO {
            parts.push(format!("{} not filled", self.quantity(decided.expired)));
        }
        parts.join(" · ")
    }

    /// The account's own orders that the order would cancel.
    fn cancels(self) -> Option<String> {
        let instrument = self.live.instrument(self.live.selected.get())?;
        let cancelled = self.preview.with(|preview| Some(preview.as_ref()?.decided.cancelled.clone()))?;
        cancels_text(&instrument, &self.live.orders_of(&cancelled))
    }

    /// Delta to the selected instrument in units.
    fn delta(self, valuation: &Valuation) -> String {
        let underlier = self.live.selected.get();
        let found = valuation.delta.iter().find(|delta| delta.underlier == underlier);
        found.map_or_else(dash, |delta| format::decimal(delta.units))
    }
}

#[component]
pub(super) fn PreviewTable(live: Live, form: TicketForm, preview: Signal<Option<Preview>>) -> impl IntoView {
    let units = Memo::new(move |_| live.instrument(live.selected.get()).map(|found| Units::of(&found)));
    let view = PreviewView { live, form, units, preview };
    let basis = view.figure(|preview| {
        let (book, account) = (preview.basis.book_rev.0, preview.basis.inputs_rev.0);
        format!("book #{}, account #{}", format::count(book), format::count(account))
    });
    view! {
        <div class="preview" data-testid="preview">
            <p class="beside" data-testid="preview-cancels">
                {move || view.cancels().map(|text| view! { <span class="notice">{text}</span> })}
            </p>
            <Facts view />
            {bond::lines(live, form, preview)}
            <Changes view />
            <p class="basis" data-testid="preview-basis">
                "Basis: "
                <span class="num">{move || basis.get()}</span>
            </p>
        </div>
    }
}

/// Fills, price and cost.
#[component]
fn Facts(view: PreviewView) -> impl IntoView {
    let fact = |label: &'static str, testid: &'static str, value: Signal<String>| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd class="num" data-testid=testid>
                    {move || value.get()}
                </dd>
            </div>
        }
    };
    let price = |read: fn(PreviewView) -> Option<Decimal>| {
        Signal::derive(move || read(view).map_or_else(dash, format::decimal))
    };
    let fills = view.figure(move |preview| view.fills(&preview.decided));
    let levels = view.figure(|preview| preview.decided.fills.len().to_string());
    let fee = view.money(|preview| preview.decided.fee);
    let exact_fee = view.figure(|preview| format::exact_money(preview.decided.fee));
    view! {
        <dl class="facts">
            {fact("Fills", "preview-fills", fills)}
            {fact("Average price", "preview-average", price(PreviewView::average))}
            {fact("Slippage vs best price", "preview-slippage", price(PreviewView::slippage))}
            {fact("Price levels used", "preview-levels", levels)}
            {fact("Notional", "preview-notional", view.money(|preview| preview.decided.notional))}
            <div>
                <dt>"Fee"</dt>
                <dd class="num" title=move || exact_fee.get() data-testid="preview-fee">
                    {move || fee.get()}
                </dd>
            </div>
        </dl>
    }
}

/// The account before and after the order.
#[component]
fn Changes(view: PreviewView) -> impl IntoView {
    let PreviewView { live, .. } = view;
    let row = |label: &'static str, testid: &'static str, before: Signal<String>, after: Signal<String>| {
        view! {
            <tr data-testid=testid>
                <th scope="row">{label}</th>
                <td class="num muted" data-testid=format!("{testid}-before")>
                    {move || before.get()}
                </td>
                <td class="num" data-testid=format!("{testid}-after")>
                    {move || after.get()}
                </td>
            </tr>
        }
    };
    let now = |read: fn(&Valuation) -> Money| {
        Signal::derive(move || live.valuation.with(|valuation| format::money(read(valuation))))
    };
    // The position is read from the plain state, which changes with the valuation.
    let position = move || {
        live.valuation.track();
        let id = live.selected.get();
        live.read(|state| state.account.position(id))
    };
    let lots = Signal::derive(move || view.quantity(position().lots));
    let lots_after = view.figure(move |preview| view.quantity(preview.decided.position));
    let realized = Signal::derive(move || format::money(position().realized_pnl()));
    let delta = Signal::derive(move || live.valuation.with(|valuation| view.delta(valuation)));
    let delta_after = view.figure(move |preview| view.delta(&preview.estimate.after));
    view! {
        <table>
            <thead>
                <tr>
                    <th scope="col">{live.currency()}</th>
                    <th scope="col" class="num">
                        "Before"
                    </th>
                    <th scope="col" class="num">
                        "After"
                    </th>
                </tr>
            </thead>
            <tbody>
                {row("Cash", "preview-cash", now(|all| all.cash), view.money(|preview| preview.decided.cash))}
                {row(
                    "Reserved",
                    "preview-reserved",
                    now(|all| all.reserved),
                    view.money(|preview| preview.decided.reserved),
                )}
                {row("Position, units", "preview-position", lots, lots_after)}
                {row(
                    "Realized P&L",
                    "preview-realized",
                    realized,
                    view.money(|preview| preview.decided.realized_pnl),
                )}
                {row("NAV", "preview-nav", now(|all| all.nav), view.money(|preview| preview.estimate.after.nav))}
                {row("Delta, units", "preview-delta", delta, delta_after)}
                {row("DV01", "preview-dv01", now(|all| all.dv01), view.money(|preview| preview.estimate.after.dv01))}
            </tbody>
        </table>
    }
}

fn dash() -> String {
    format::ABSENT.to_owned()
}
