//! The top bar: the account's figures, the venue's clock, the connection.
//!
//! Computes differences alone; the engine values the account.

use engine::money::Money;
use leptos::prelude::*;

use super::Hydrated;
use super::connection::ConnectionPill;
use crate::commands::{CommandRegistry, Dialog};
use crate::format;
use crate::live::Live;

#[component]
pub(super) fn TopBar(live: Live) -> impl IntoView {
    let valuation = live.valuation;
    let nav = move || valuation.with(|valuation| valuation.nav);
    let day = move || live.day_open_nav.get().map(|open| nav() - open);
    let total = move || {
        valuation.with(|valuation| valuation.realized_pnl + valuation.unrealized_pnl - valuation.fees)
    };
    let cash = move || valuation.with(|valuation| valuation.cash);
    let currency = live.currency();
    let name = live.caller().name;
    view! {
        <header class="top" data-testid="top-bar">
            <p class="brand" aria-hidden="true">
                "Tickhall"
            </p>
            <DialogButtons />
            <dl class="figures">
                <Figure label="NAV" unit=currency.clone() testid="nav">
                    {move || format::money(nav())}
                </Figure>
                <Gain label="Day P&L" unit=currency.clone() testid="day-pnl" value=Signal::derive(day) />
                <Gain
                    label="Total P&L"
                    unit=currency.clone()
                    testid="total-pnl"
                    value=Signal::derive(move || Some(total()))
                />
                <Figure label="Cash" unit=currency testid="cash">
                    {move || format::money(cash())}
                </Figure>
            </dl>
            <p class="clock" data-testid="venue-clock">
                <span class="sr-only">"Venue time "</span>
                <span class="num muted" data-testid="venue-date">
                    {move || live.preferences.day(live.moment.get().time)}
                </span>
                <span class="num" data-testid="venue-time">
                    {move || live.preferences.clock(live.moment.get().time)}
                </span>
            </p>
            <ConnectionPill live />
            <form class="user" method="post" action="/logout">
                {live
                    .caller()
                    .is_guest()
                    .then(|| {
                        view! {
                            <a class="button small" href="/account" rel="external" data-testid="keep-account">
                                "Keep account"
                            </a>
                        }
                    })}
                <a class="email" href="/account" rel="external" title=name.clone() data-testid="user">
                    {name.clone()}
                </a>
                <button class="small plain" data-testid="sign-out">
                    "Sign out"
                </button>
            </form>
        </header>
    }
}

/// Buttons for the palette and the preferences.
#[component]
fn DialogButtons() -> impl IntoView {
    let registry = expect_context::<CommandRegistry>();
    let Hydrated(hydrated) = expect_context();
    let button = move |dialog: Dialog, word: &'static str, class: &'static str, testid: &'static str| {
        view! {
            <button
                type="button"
                class=class
                disabled=move || !hydrated.get()
                data-testid=testid
                on:click=move |_| registry.dialog.set(Some(dialog))
            >
                {word}
                {(dialog == Dialog::Palette).then(|| view! { <span class="hint">"· Ctrl K"</span> })}
            </button>
        }
    };
    view! {
        <div class="helpers">
            {button(Dialog::Palette, "Find", "small palette-box", "open-palette")}
            {button(Dialog::Preferences, "View", "small plain", "open-preferences")}
        </div>
    }
}

#[component]
fn Figure(label: &'static str, unit: String, testid: &'static str, children: Children) -> impl IntoView {
    view! {
        <div class="figure" data-figure=testid>
            <dt>
                {label} " " <span class="unit">{unit}</span>
            </dt>
            <dd class="num" data-testid=testid>
                {children()}
            </dd>
        </div>
    }
}

/// A gain or loss: sign and arrow beside the colour.
#[component]
fn Gain(
    label: &'static str,
    unit: String,
    testid: &'static str,
    value: Signal<Option<Money>>,
) -> impl IntoView {
    let tone = move || match value.get() {
        Some(value) if value.to_cents() > 0 => "up",
        Some(value) if value.to_cents() < 0 => "down",
        _ => "",
    };
    let arrow = move || match tone() {
        "up" => "▲",
        "down" => "▼",
        _ => "",
    };
    view! {
        <div class="figure" data-figure=testid>
            <dt>
                {label} " " <span class="unit">{unit}</span>
            </dt>
            <dd class="num" data-tone=tone>
                <span class="arrow" aria-hidden="true">
                    {arrow}
                </span>
                <span data-testid=testid>
                    {move || value.get().map_or_else(|| format::ABSENT.to_owned(), format::signed_money)}
                </span>
            </dd>
        </div>
    }
}
