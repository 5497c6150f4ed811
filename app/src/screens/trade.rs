//! The trading screen: market watch, chart, blotter, ladder or dealers, ticket,
//! tape.
//!
//! Arranges panels; each panel reads the live state on its own.

mod amend;
mod blotter;
mod chart;
mod coach;
mod dealers;
mod fills;
mod ladder;
mod orders;
mod quotes;
mod tabs;
mod tape;
mod ticket;
mod watch;

use engine::order::Side;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos_router::components::Outlet;

use crate::commands::{CommandRegistry, UserCommand, click, focus};
use crate::components::follow_row;
use crate::layout::ScreenTitle;
use crate::live::Live;
use tabs::PhoneTab;
use ticket::{OrderSender, TicketForm};

/// The trading screen.
#[component]
pub(crate) fn TradeScreen() -> impl IntoView {
    let live = expect_context::<Live>();
    let registry = expect_context::<CommandRegistry>();
    let form = TicketForm::new();
    let sender = OrderSender::new(live);
    let tab = RwSignal::new(PhoneTab::Watch);
    let is_dealt = Memo::new(move |_| live.instrument(live.selected.get()).is_some_and(|i| i.is_dealt()));
    Effect::new(move || {
        if let Some(command) = registry.pending.get() {
            registry.pending.set(None);
            perform(command, form, tab);
        }
    });
    // On a phone the instrument's panel comes to the front.
    let follow = move |event: MouseEvent| match follow_row(&event, "#book-quotes") {
        Some(true) => tab.set(PhoneTab::More),
        Some(false) => tab.set(PhoneTab::Chart),
        None => {}
    };
    view! {
        <ScreenTitle name="Trade" />
        <Outlet />
        <div
            class="trade"
            data-tab=move || tab.get().key()
            data-large=move || live.address.with(|address| address.is_large).to_string()
            on:click=follow
        >
            <section class="panel watch" data-panel="watch" aria-labelledby="watch-title">
                <watch::Watch live />
            </section>
            <section class="panel chart" data-panel="chart" aria-labelledby="chart-title">
                <chart::ChartPanel live />
            </section>
            <section class="panel blotter" data-panel="positions" aria-labelledby="blotter-title">
                <blotter::Blotter live />
            </section>
            <section class="panel ladder" data-panel="more" aria-labelledby="ladder-title">
                <Show
                    when=move || is_dealt.get()
                    fallback=move || view! { <ladder::LadderPanel live form tab /> }
                >
                    <dealers::DealersPanel live form sender tab />
                </Show>
            </section>
            <section class="panel ticket" data-panel="trade" aria-labelledby="ticket-title">
                <ticket::TicketPanel live form sender tab />
            </section>
            <section class="panel tape" data-panel="more" aria-labelledby="tape-title">
                <tape::Tape live />
            </section>
            <coach::Coach live form tab />
            <tabs::PhoneTabs tab />
        </div>
    }
}

/// Carries out a command of this screen.
fn perform(command: UserCommand, form: TicketForm, tab: RwSignal<PhoneTab>) {
    let (panel, target) = match command {
        UserCommand::Search => (PhoneTab::Watch, "#watch-search"),
        UserCommand::Buy | UserCommand::Sell | UserCommand::Quantity => (PhoneTab::Trade, "#quantity"),
        UserCommand::Chart => (PhoneTab::Chart, "[data-testid=chart]"),
        UserCommand::Positions => (PhoneTab::Positions, "#tab-of-positions"),
        UserCommand::Orders | UserCommand::CancelAll => (PhoneTab::Positions, "#tab-of-orders"),
        UserCommand::Fills => (PhoneTab::Positions, "#tab-of-fills"),
        UserCommand::Quotes => (PhoneTab::Positions, "#tab-of-quotes"),
        _ => return,
    };
    match command {
        UserCommand::Buy => form.side.set(Side::Buy),
        UserCommand::Sell => form.side.set(Side::Sell),
        UserCommand::Positions | UserCommand::Orders | UserCommand::Fills | UserCommand::Quotes => {
            click(target)
        }
        UserCommand::CancelAll => {
            click(target);
            click("[data-testid=cancel-all]");
        }
        _ => {}
    }
    show(tab, panel, target);
}

/// Shows a panel and focuses an element of it: at once, so that keys typed next
/// are not lost, and in the next frame, when a phone shows the panel.
fn show(tab: RwSignal<PhoneTab>, panel: PhoneTab, target: &'static str) {
    tab.set(panel);
    focus(target);
    request_animation_frame(move || focus(target));
}
