//! The top bar: the account's figures, the venue's clock, the connection.
//!
//! Computes differences alone; the engine values the account.

use engine::money::Money;
use leptos::prelude::*;
use leptos_router::components::A;

use super::Hydrated;
use super::connection::ConnectionPill;
use super::details::DETAILS_ID;
use super::notices::LOG_ID;
use super::user::UserControls;
use crate::commands::{CommandRegistry, Dialog};
use crate::format;
use crate::live::Live;
use crate::routes::{self, TradeAddress};

/// Id of the phone's menu.
const MENU_ID: &str = "menu";

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
    view! {
        <header class="top" data-testid="top-bar">
            <p class="brand" aria-hidden="true">
                "Tickhall"
            </p>
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
            <ConnectionPill live />
            <button
                type="button"
                class="menu-button"
                popovertarget=MENU_ID
                aria-label="Menu"
                data-testid="open-menu"
            >
                <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2">
                    <path d="M4 6h16M4 12h16M4 18h16" />
                </svg>
            </button>
            // A phone folds into one menu what other screens have side by side.
            <div id=MENU_ID popover="auto" class="sheet menu-sheet">
                <MenuLinks live />
                <DialogButtons />
                <div class="folded">
                    <button type="button" popovertarget=LOG_ID>
                        "Notices"
                    </button>
                    <button type="button" popovertarget=DETAILS_ID>
                        "Details"
                    </button>
                </div>
                <Clock live />
                <UserControls live />
            </div>
        </header>
    }
}

/// The venue's time; for the owner also the way to the page that moves it.
#[component]
fn Clock(live: Live) -> impl IntoView {
    let control = || {
        view! {
            <A
                href=routes::CONTROL
                attr:class="button small"
                attr:title="Pause, speed, step"
                attr:data-testid="open-control"
                on:click=|_| close_menu()
            >
                "Control"
            </A>
        }
    };
    view! {
        <p class="clock" data-testid="venue-clock">
            <span class="sr-only">"Venue time "</span>
            <span class="num muted" data-testid="venue-date">
                {move || live.preferences.day(live.moment.get().time)}
            </span>
            <span class="num" data-testid="venue-time">
                {move || live.preferences.clock(live.moment.get().time)}
            </span>
            {live.caller().owner.then(control)}
        </p>
    }
}

/// The screens, in a phone's menu; elsewhere the rail has them.
#[component]
fn MenuLinks(live: Live) -> impl IntoView {
    let link = |name: &'static str, href: Signal<String>| {
        view! {
            <A href=move || href.get() exact=true attr:class="button" on:click=|_| close_menu()>
                {name}
            </A>
        }
    };
    let fixed = |href: &str| Signal::stored(href.to_owned());
    // The trading screen as it was last.
    let trade = Signal::derive(move || live.address.with(TradeAddress::href));
    view! {
        <nav class="folded" aria-label="Screens">
            {link("Trade", trade)} {link("Portfolio", fixed(routes::PORTFOLIO))}
            {live.caller().owner.then(|| link("Control", fixed(routes::CONTROL)))}
        </nav>
    }
}

/// Closes the menu, which a link on the same page leaves open.
fn close_menu() {
    #[cfg(target_arch = "wasm32")]
    {
        use wasm_bindgen::JsCast as _;
        let menu = document().get_element_by_id(MENU_ID);
        if let Some(menu) = menu.and_then(|menu| menu.dyn_into::<web_sys::HtmlElement>().ok()) {
            // Fails where it is not open, which is all right.
            let _ = menu.hide_popover();
        }
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
            {button(Dialog::Preferences, "Preferences", "small plain", "open-preferences")}
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
