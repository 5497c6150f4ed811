//! The trading screen: market watch, chart, blotter, ladder or dealers, ticket,
//! tape.
//!
//! Arranges panels; each panel reads the live desk on its own.

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

#[cfg(feature = "ssr")]
pub(crate) use chart::FIRST_INTERVAL;
use engine::order::Side;
use leptos::prelude::*;

use crate::commands::{Action, Desk, focus, press};
use crate::components::Show;
use crate::live::Live;
use crate::reactive::{RwSignal, effect, memo};
use tabs::Tab;
use ticket::{Form, Outbox};

/// The trading screen.
pub(crate) fn screen(live: Live) -> AnyView {
    let form = Form::new();
    let outbox = Outbox::new(live);
    let tab = RwSignal::new(Tab::Watch);
    let dealt = memo(move || live.instrument(live.selected.get()).is_some_and(|i| i.is_dealt()));
    let large = RwSignal::new(false);
    let desk = expect_context::<Desk>();
    effect(move || {
        if let Some(action) = desk.asked.get() {
            desk.asked.set(None);
            perform(action, form, tab);
        }
    });
    view! {
        <div class="trade" data-tab=move || tab.get().key() data-large=move || large.get().to_string()>
            <section class="panel watch" data-panel="watch" aria-labelledby="watch-title">
                <watch::Watch live tab />
            </section>
            <section class="panel chart" data-panel="chart" aria-labelledby="chart-title">
                <chart::ChartPanel live wide=large />
            </section>
            <section class="panel blotter" data-panel="positions" aria-labelledby="blotter-title">
                <blotter::Blotter live phone=tab />
            </section>
            <section class="panel ladder" data-panel="more" aria-labelledby="ladder-title">
                <Show
                    when=move || dealt.get()
                    fallback=move || view! { <ladder::LadderPanel live form tab /> }
                >
                    <dealers::DealersPanel live form outbox tab />
                </Show>
            </section>
            <section class="panel ticket" data-panel="trade" aria-labelledby="ticket-title">
                <ticket::TicketPanel live form outbox tab />
            </section>
            <section class="panel tape" data-panel="more" aria-labelledby="tape-title">
                <tape::Tape live />
            </section>
            <coach::Coach live form tab />
            <tabs::Tabs tab />
        </div>
    }
    .into_any()
}

/// Carries out what was asked of this screen by key or palette.
fn perform(action: Action, form: Form, tab: RwSignal<Tab>) {
    let (panel, target) = match action {
        Action::Search => (Tab::Watch, "#watch-search"),
        Action::Buy | Action::Sell | Action::Quantity => (Tab::Trade, "#quantity"),
        Action::Chart => (Tab::Chart, "[data-testid=chart]"),
        Action::Positions => (Tab::Positions, "#tab-of-positions"),
        Action::Orders => (Tab::Positions, "#tab-of-orders"),
        Action::Fills => (Tab::Positions, "#tab-of-fills"),
        Action::Quotes => (Tab::Positions, "#tab-of-quotes"),
        Action::CancelAll => (Tab::Positions, "#tab-of-orders"),
        _ => return,
    };
    match action {
        Action::Buy => form.side.set(Side::Buy),
        Action::Sell => form.side.set(Side::Sell),
        Action::Positions | Action::Orders | Action::Fills | Action::Quotes => press(target),
        Action::CancelAll => {
            press(target);
            press("[data-testid=cancel-all]");
        }
        _ => {}
    }
    show(tab, panel, target);
}

/// Brings a panel and focuses something in it, at once: who types on must not
/// lose a letter.
fn show(tab: RwSignal<Tab>, panel: Tab, target: &'static str) {
    tab.set(panel);
    focus(target);
    // A phone shows the panel first.
    request_animation_frame(move || focus(target));
}
